//! Fixed work on the hot paths, always the same: `cargo xtask counters` counts its instructions.
//!
//!     tidewire-counters WORK ROUNDS
//!
//! The one invariant: what is done between two numbers of rounds is exactly that many rounds more,
//! so that the difference is the work's alone.

use std::hint::black_box;
use std::process::ExitCode;

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Codec, Limits, RecordRef, Sequence, validate,
};
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection, ServerEvent, Time,
};
use tidewire_protocol::message::{
    Acks, AnyRequest, Append, AppendReply, OpenProducer, OpenProducerReply,
};

/// Records of a batch.
const RECORDS: usize = 1_000;
const VALUE: [u8; 100] = [7; 100];
const NOW: Time = Time::ZERO;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [work, rounds] = &words[..] else {
        eprintln!("usage: tidewire-counters WORK ROUNDS");
        return ExitCode::FAILURE;
    };
    let Ok(rounds) = rounds.parse::<usize>() else {
        eprintln!("tidewire-counters: {rounds} is no number of rounds");
        return ExitCode::FAILURE;
    };
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    let sealed = build(&mut builder, RECORDS, false);
    // Little to move, which is not what is counted here.
    let small = build(&mut builder, 4, false);
    match work.as_str() {
        "build" => {
            (0..rounds).for_each(|_| drop(black_box(build(&mut builder, RECORDS, false))))
        }
        "build-keys" => {
            (0..rounds).for_each(|_| drop(black_box(build(&mut builder, RECORDS, true))))
        }
        "validate" => (0..rounds).for_each(|_| {
            black_box(validate(black_box(&sealed), Limits::PROTOCOL)).expect("valid");
        }),
        "read" => {
            let bytes: usize = (0..rounds).map(|_| read(&sealed)).sum();
            black_box(bytes);
        }
        "append" => {
            let mut wire = Wire::new();
            (0..rounds).for_each(|_| wire.append(&small));
        }
        _ => {
            eprintln!("tidewire-counters: there is no work {work}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Builds and seals a batch.
fn build(builder: &mut BatchBuilder, records: usize, keys: bool) -> Bytes {
    for index in 0..records {
        let key = (index as u64).to_le_bytes();
        let record = RecordRef {
            key: keys.then_some(&key[..]),
            value: Some(&VALUE),
            ..RecordRef::at(index as i64)
        };
        builder.push(black_box(&record)).expect("room");
    }
    builder.seal(Sequence::default())
}

/// Decodes a batch and looks at each of its records.
fn read(sealed: &Bytes) -> usize {
    let batch = Batch::decode(black_box(sealed).clone()).expect("valid");
    batch.into_iter().map(|record| record.value().map_or(0, <[u8]>::len)).sum()
}

/// Both ends of a connection, with an open producer.
struct Wire {
    client: ClientConnection,
    server: ServerConnection,
    parts: Vec<Bytes>,
}

impl Wire {
    fn new() -> Self {
        let client = ClientConnection::new(ClientConfig::default(), NOW);
        let server = ServerConnection::new(ServerConfig::default().into(), NOW);
        let mut wire = Self { client, server, parts: Vec::new() };
        wire.turn();
        let (stream, topic) = ("default".to_owned(), "t".to_owned());
        let open = OpenProducer { stream, topic, name: None, resume: None, opener: None };
        wire.client.request(NOW, 1, &open, &[], 0).expect("ready");
        wire.turn();
        wire
    }

    /// An APPEND and its reply.
    fn append(&mut self, batch: &Bytes) {
        let append = Append { partition: 0, acks: Acks::Written };
        let payload = std::slice::from_ref(batch);
        self.client.request(NOW, 1, &append, payload, 0).expect("room");
        self.turn();
    }

    /// Moves what there is to the server and back.
    fn turn(&mut self) {
        while self.client.poll_transmit(&mut self.parts) {}
        for part in self.parts.drain(..) {
            let mut rest = &part[..];
            while !rest.is_empty() {
                let mut buf = self.server.take_read_buf();
                receive(&mut buf, &mut rest);
                self.server.handle_input(NOW, buf);
                answer(&mut self.server);
            }
        }
        while self.server.poll_transmit(&mut self.parts) {}
        for part in self.parts.drain(..) {
            let mut rest = &part[..];
            while !rest.is_empty() {
                let mut buf = self.client.take_read_buf();
                receive(&mut buf, &mut rest);
                self.client.handle_input(NOW, buf);
                while self.client.poll_event().is_some() {}
            }
        }
    }
}

/// Reads what fits, as from a socket.
fn receive(buf: &mut BytesMut, rest: &mut &[u8]) {
    let (read, left) = rest.split_at((buf.capacity() - buf.len()).min(rest.len()));
    buf.extend_from_slice(read);
    *rest = left;
}

fn answer(server: &mut ServerConnection) {
    while let Some(event) = server.poll_event() {
        let ServerEvent::Request(ticket, request, _) = event else { continue };
        if let AnyRequest::Append(append) = request {
            let reply = AppendReply {
                base_offset: 1,
                append_time_us: 2,
                acks: append.acks,
                duplicate: false,
            };
            server.reply(ticket, &reply, &[]);
        } else {
            let reply = OpenProducerReply {
                producer_id: 1,
                producer_epoch: 0,
                topic_id: 1,
                partitions: 1,
                codec: Codec::None,
            };
            server.reply(ticket, &reply, &[]);
        }
    }
}
