//! What the hot paths allocate: nothing for a record, next to nothing for a frame.
//!
//! A counting allocator, for each thread by itself. The numbers are bounds that a change must not
//! pass unnoticed; what a buffer's growth costs is shared by all that it holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use tidewire_protocol::batch::{Batch, BatchBuilder, RecordRef, Sequence};
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ClientEvent, ServerConfig, ServerConnection, ServerEvent,
    Time,
};
use tidewire_protocol::message::{
    Acks, AnyRequest, Append, AppendReply, Deliver, OpenProducer, OpenProducerReply, Start,
    Subscribe, SubscribeReply,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody who asks for it.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `run` made on this thread.
fn allocations(run: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    run();
    ALLOCATIONS.with(Cell::get) - before
}

fn fill(builder: &mut BatchBuilder, records: usize) -> Bytes {
    let headers: [(&str, &[u8]); 1] = [("trace", b"1234")];
    for index in 0..records {
        let value =
            (index % 7 != 0).then_some(&b"a value of some forty bytes, or a few more"[..]);
        let key = (index % 5 != 0).then_some(&b"key"[..]);
        let record = RecordRef { key, value, headers: &headers, ..RecordRef::at(index as i64) };
        builder.push(&record).expect("room");
    }
    builder.seal(Sequence::default())
}

#[test]
fn a_record_costs_no_allocation() {
    const RECORDS: usize = 20_000;
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    // Side buffers are kept from batch to batch; the batch's own buffer grows by doubling.
    drop(fill(&mut builder, RECORDS));
    let mut sealed = Bytes::new();
    let encoding = allocations(|| sealed = fill(&mut builder, RECORDS));
    assert!(encoding <= 32, "{encoding} allocations for {RECORDS} records");

    let mut batch = None;
    let decoding = allocations(|| batch = Some(Batch::decode(sealed).expect("valid")));
    // Sharing a buffer makes it counted: once a batch, whatever it holds.
    assert!(decoding <= 1, "{decoding} allocations to decode");

    let batch = batch.expect("decoded");
    let mut bytes = 0;
    let reading = allocations(|| {
        for record in &batch {
            bytes +=
                record.key().map_or(0, <[u8]>::len) + record.value().map_or(0, <[u8]>::len);
            bytes +=
                record.headers().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            bytes += record.offset() as usize + record.timestamp_us() as usize;
        }
        bytes += batch.index_of(7);
    });
    assert_eq!((reading, bytes > RECORDS), (0, true));
}

/// Both ends of a connection, and the buffers between them.
struct Wire {
    client: ClientConnection,
    server: ServerConnection,
    parts: Vec<Bytes>,
    socket: Vec<u8>,
    ready: bool,
    replies: usize,
    delivered: usize,
}

const NOW: Time = Time::ZERO;

impl Wire {
    fn new() -> Self {
        let mut wire = Self {
            client: ClientConnection::new(ClientConfig::default(), NOW),
            server: ServerConnection::new(ServerConfig::default().into(), NOW),
            parts: Vec::with_capacity(1024),
            socket: Vec::new(),
            ready: false,
            replies: 0,
            delivered: 0,
        };
        wire.turn();
        assert!(wire.ready);
        let (stream, topic) = ("default".to_owned(), "t".to_owned());
        let open = OpenProducer {
            stream: stream.clone(),
            topic: topic.clone(),
            name: None,
            resume: None,
            opener: None,
        };
        wire.client.request(NOW, 1, &open, &[], 0).expect("ready");
        let subscribe = Subscribe {
            stream,
            topic,
            partition: 0,
            start: Start::Earliest,
            start_at: 0,
            credit_bytes: u64::MAX,
        };
        wire.client.request(NOW, 2, &subscribe, &[], 0).expect("ready");
        wire.turn();
        wire
    }

    /// Moves what there is from the client to the server and back.
    fn turn(&mut self) {
        while self.client.poll_transmit(&mut self.parts) {}
        let socket = self.fill_socket();
        let mut rest = &socket[..];
        while !rest.is_empty() {
            let mut buf = self.server.take_read_buf();
            receive(&mut buf, &mut rest);
            self.server.handle_input(NOW, buf);
            answer(&mut self.server);
        }
        self.socket = socket;
        while self.server.poll_transmit(&mut self.parts) {}
        let socket = self.fill_socket();
        let mut rest = &socket[..];
        while !rest.is_empty() {
            let mut buf = self.client.take_read_buf();
            receive(&mut buf, &mut rest);
            self.client.handle_input(NOW, buf);
            self.collect();
        }
        self.socket = socket;
    }

    /// What the kernel would hold: all parts, one after the other.
    fn fill_socket(&mut self) -> Vec<u8> {
        let mut socket = std::mem::take(&mut self.socket);
        socket.clear();
        self.parts.drain(..).for_each(|part| socket.extend_from_slice(&part));
        socket
    }

    fn collect(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Ready(_) => self.ready = true,
                ClientEvent::Reply { result, .. } => {
                    result.expect("a success");
                    self.replies += 1;
                }
                ClientEvent::Deliver { .. } => self.delivered += 1,
                other => panic!("{other:?}"),
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
        match request {
            AnyRequest::Append(append) => {
                let reply = AppendReply {
                    base_offset: 1,
                    append_time_us: 2,
                    acks: append.acks,
                    duplicate: false,
                };
                server.reply(ticket, &reply, &[]);
            }
            AnyRequest::Subscribe(_) => {
                let reply = SubscribeReply { next_offset: 0, start_offset: 0, end_offset: 0 };
                server.reply(ticket, &reply, &[]);
            }
            _ => {
                let reply = OpenProducerReply {
                    producer_id: 1,
                    producer_epoch: 0,
                    topic_id: 1,
                    partitions: 1,
                    codec: tidewire_protocol::batch::Codec::None,
                };
                server.reply(ticket, &reply, &[]);
            }
        }
    }
}

/// Allocations in `rounds` of `at_once` appends and as many deliveries of `batch`, once warm.
fn per_frame(batch: &Bytes, at_once: usize, rounds: usize) -> f64 {
    let mut wire = Wire::new();
    let append = Append { partition: 0, acks: Acks::Written };
    let round = |wire: &mut Wire| {
        for _ in 0..at_once {
            let payload = std::slice::from_ref(batch);
            wire.client.request(NOW, 1, &append, payload, 0).expect("room");
            assert!(wire.server.deliver(2, &Deliver { end_offset: 9 }, payload));
        }
        wire.turn();
    };
    for _ in 0..64 {
        round(&mut wire);
    }
    let count = allocations(|| (0..rounds).for_each(|_| round(&mut wire)));
    assert_eq!(wire.delivered, (64 + rounds) * at_once);
    // APPEND, its reply and DELIVER.
    count as f64 / (3 * rounds * at_once) as f64
}

#[test]
fn a_frame_costs_next_to_no_allocation() {
    let mut builder = BatchBuilder::new(8 << 20, 65_536);
    let small = fill(&mut builder, 4);
    let large = fill(&mut builder, 400);
    assert!(small.len() < 1024 && large.len() > 16 << 10);
    for (name, batch, at_once, bound) in [
        ("small, alone", &small, 1, 0.05),
        ("small, pipelined", &small, 32, 0.05),
        ("large, alone", &large, 1, 0.1),
        ("large, pipelined", &large, 32, 0.1),
    ] {
        let cost = per_frame(batch, at_once, 500);
        println!("{name}: {cost:.3} allocations a frame");
        assert!(cost <= bound, "{name}: {cost:.3} allocations a frame, the bound is {bound}");
    }
}
