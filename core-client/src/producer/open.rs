//! Opening a producer's channel on a connection.
//!
//! Owns the request and what its reply has to say; used when a producer is built, on each further
//! connection, and when it has to go on as another. The one invariant: a future that is dropped
//! half-way leaves no channel open.

use std::sync::Arc;

use tidewire_protocol::batch::Codec;
use tidewire_protocol::limits;
use tidewire_protocol::message::{CloseProducer, OpenProducer, ProducerIdentity};
use tidewire_protocol::name::TopicName;
use tidewire_protocol::session::Identity;

use crate::connection::{Connection, decode_reply};
use crate::error::{Code, Error};

/// An open channel, and what was said when it was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    pub channel: u32,
    pub identity: Identity,
    /// It is the producer that it was before.
    pub resumed: bool,
    pub topic_id: u64,
    pub partitions: u32,
    pub codec: Codec,
}

/// Who a channel is opened for.
#[derive(Clone, Copy, Debug)]
pub(super) enum As {
    /// A new producer, or a new instance of the name. The number is the same for all attempts at
    /// one opening: of several that reach the server, whenever they do, one counts.
    New(u64),
    /// The producer that was opened before.
    Resumed(Identity),
}

/// Opens `channel` for a producer of this name, if it has one. Within `timeout_ms` of milliseconds.
pub(super) async fn open(
    connection: &Arc<Connection>,
    channel: u32,
    topic: &TopicName,
    name: Option<&str>,
    who: As,
    timeout_ms: u32,
) -> Result<Opened, Error> {
    // SPEC I-11, I-12: one that has a name is resumed with it.
    let (resume, opener) = match who {
        As::New(opener) => (None, name.map(|_| opener)),
        As::Resumed(Identity { producer_id, producer_epoch }) => {
            (Some(ProducerIdentity { producer_id, producer_epoch }), None)
        }
    };
    let request = OpenProducer {
        stream: topic.stream().into(),
        topic: topic.topic().into(),
        name: name.map(str::to_owned),
        resume,
        opener,
    };
    let reply = connection.start(channel, &request, timeout_ms).await?;
    // From here on the channel may be open, whoever drops this future.
    let unfinished = CloseOnDrop { connection, channel };
    let frame = connection.receive(reply).await?;
    let open = decode_reply::<OpenProducer>(&frame)?;
    if !(1..=limits::MAX_PARTITIONS).contains(&open.partitions) {
        return Err(Error::new(
            Code::MALFORMED_META,
            format!("the server says that {topic} has {} partitions", open.partitions),
        ));
    }
    std::mem::forget(unfinished);
    Ok(Opened {
        channel,
        identity: Identity {
            producer_id: open.producer_id,
            producer_epoch: open.producer_epoch,
        },
        resumed: matches!(who, As::Resumed(_)),
        topic_id: open.topic_id,
        partitions: open.partitions,
        codec: open.codec,
    })
}

struct CloseOnDrop<'a> {
    connection: &'a Arc<Connection>,
    channel: u32,
}

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.connection.request_and_forget(self.channel, CloseProducer {});
    }
}
