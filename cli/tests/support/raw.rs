//! A blocking client over a plain socket: the protocol's state machine and nothing else, for
//! tests that must send what no SDK would.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ClientEvent, RequestId, Time,
};
use tidewire_protocol::error::Error;
use tidewire_protocol::frame::Frame;
use tidewire_protocol::message::{
    Acks, Append, AppendReply, Deliver, GroupEvent, OpenProducer, OpenProducerReply,
    ProducerIdentity, Request, TopicCreate,
};

/// Longest that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is driven by whoever calls it.
pub struct RawClient {
    pub socket: TcpStream,
    pub connection: ClientConnection,
    start: Instant,
    replies: HashMap<RequestId, Result<Frame, Error>>,
    pub deliveries: Vec<(u32, Deliver, Bytes)>,
    pub ended: Vec<(u32, Error)>,
    pub group_events: Vec<(u32, GroupEvent)>,
    pub closed: Option<Error>,
    ready: bool,
    next_channel: u32,
}

impl RawClient {
    /// Connects and finishes the handshake.
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::connect_without_handshake(address);
        client.pump_until("the handshake", |client| client.ready || client.closed.is_some());
        assert!(client.closed.is_none(), "refused: {:?}", client.closed);
        client
    }

    pub fn connect_without_handshake(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).expect("the server listens");
        socket.set_nodelay(true).expect("a TCP socket");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a TCP socket");
        Self {
            socket,
            connection: ClientConnection::new(ClientConfig::default(), Time::ZERO),
            start: Instant::now(),
            replies: HashMap::new(),
            deliveries: Vec::new(),
            ended: Vec::new(),
            group_events: Vec::new(),
            closed: None,
            ready: false,
            next_channel: 1,
        }
    }

    pub fn now(&self) -> Time {
        Time::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    /// Writes what is queued, reads once, and files what happened.
    pub fn pump(&mut self) {
        let mut parts = Vec::new();
        while self.connection.poll_transmit(&mut parts) {
            for part in parts.drain(..) {
                if self.socket.write_all(&part).is_err() {
                    self.connection.handle_eof();
                }
            }
        }
        let now = self.now();
        self.connection.handle_timeout(now);
        let mut buf = self.connection.take_read_buf();
        let mut chunk = vec![0; 256 << 10];
        match self.socket.read(&mut chunk) {
            Ok(0) => {
                self.connection.handle_input(now, buf);
                self.connection.handle_eof();
            }
            Ok(len) => {
                buf.extend_from_slice(&chunk[..len]);
                self.connection.handle_input(now, buf);
            }
            Err(error) => {
                self.connection.handle_input(now, buf);
                if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
                    self.connection.handle_eof();
                }
            }
        }
        while let Some(event) = self.connection.poll_event() {
            match event {
                ClientEvent::Ready(_) => self.ready = true,
                ClientEvent::Reply { id, result } => {
                    self.replies.insert(id, result);
                }
                ClientEvent::Deliver { channel, message, payload } => {
                    self.deliveries.push((channel, message, payload));
                }
                ClientEvent::GroupEvent { channel, event } => {
                    self.group_events.push((channel, event));
                }
                ClientEvent::SubscriptionEnded { channel, error }
                | ClientEvent::GroupEnded { channel, error } => {
                    self.ended.push((channel, error));
                }
                ClientEvent::Closed(error) => self.closed = Some(error),
                _ => {}
            }
        }
    }

    pub fn pump_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
            self.pump();
        }
    }

    pub fn channel(&mut self) -> u32 {
        self.next_channel += 1;
        self.next_channel
    }

    /// Queues a request.
    pub fn submit<R: Request>(
        &mut self,
        channel: u32,
        request: &R,
        payload: &[Bytes],
    ) -> RequestId {
        let now = self.now();
        self.connection
            .request(now, channel, request, payload, 0)
            .expect("a ready connection with room")
    }

    /// Waits for a reply.
    pub fn wait<R: Request>(&mut self, id: RequestId) -> Result<R::Reply, Error> {
        self.wait_frame(id).and_then(|frame| ClientConnection::decode_reply::<R>(&frame))
    }

    pub fn wait_frame(&mut self, id: RequestId) -> Result<Frame, Error> {
        self.pump_until("a reply", |client| {
            client.replies.contains_key(&id) || client.closed.is_some()
        });
        self.replies.remove(&id).expect("every request ends in a reply")
    }

    pub fn is_answered(&self, id: RequestId) -> bool {
        self.replies.contains_key(&id)
    }

    pub fn call<R: Request>(&mut self, channel: u32, request: &R) -> Result<R::Reply, Error> {
        let id = self.submit(channel, request, &[]);
        self.wait::<R>(id)
    }

    pub fn create_topic(&mut self, topic: &str, partitions: u32) -> Result<(), Error> {
        let request = TopicCreate {
            stream: "default".into(),
            topic: topic.into(),
            partitions,
            segment_bytes: None,
            codec: None,
            retention_ms: None,
            retention_bytes: None,
            dedup_window_ms: None,
        };
        self.call(0, &request).map(|_| ())
    }

    /// Opens a producer channel.
    pub fn open(&mut self, topic: &str) -> Result<(u32, OpenProducerReply), Error> {
        self.open_as(topic, None, None)
    }

    /// Opens a producer channel for a producer with a name, or one that was opened before.
    pub fn open_as(
        &mut self,
        topic: &str,
        name: Option<&str>,
        resume: Option<(u64, u32)>,
    ) -> Result<(u32, OpenProducerReply), Error> {
        let channel = self.channel();
        let resume = resume.map(|(producer_id, producer_epoch)| ProducerIdentity {
            producer_id,
            producer_epoch,
        });
        let request = OpenProducer {
            stream: "default".into(),
            topic: topic.into(),
            name: name.map(str::to_owned),
            resume,
            opener: None,
        };
        self.call(channel, &request).map(|reply| (channel, reply))
    }

    pub fn append(
        &mut self,
        channel: u32,
        partition: u32,
        acks: Acks,
        batch: Bytes,
    ) -> Result<AppendReply, Error> {
        let id = self.submit(channel, &Append { partition, acks }, &[batch]);
        self.wait::<Append>(id)
    }
}

/// A sealed batch of these values.
pub fn batch(values: &[&[u8]]) -> Bytes {
    batch_of(values, Sequence::default())
}

/// A sealed batch of these values, of a producer.
pub fn batch_of(values: &[&[u8]], sequence: Sequence) -> Bytes {
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    for value in values {
        let record = RecordRef { value: Some(value), ..RecordRef::at(1_700_000_000_000_000) };
        builder.push(&record).expect("small");
    }
    builder.seal(sequence)
}
