//! Both ends of a connection: against any bytes, and against each other.

use std::collections::{HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use tidewire_protocol::connection::{
    ClientConfig, ClientConnection, ClientEvent, ServerConfig, ServerConnection, ServerEvent,
    Ticket, Time,
};
use tidewire_protocol::error::{Code, Error};
use tidewire_protocol::message::{
    AnyRequest, Credit, Deliver, Kind, Ping, Start, StreamDescribe, StreamDescribeReply,
    StreamInfo, Subscribe, SubscribeReply,
};

/// Memory that an end may hold for bytes that are not a whole frame yet.
const MAX_BUFFER: usize = 1 << 20;

/// Any bytes, in any pieces, end a server's connection at most once and cost bounded memory.
pub(crate) fn server_stream(data: &[u8]) {
    let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
    let (shaken, rest) = greet(data);
    let mut handshake = Vec::new();
    if shaken {
        let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
        client.poll_transmit(&mut handshake);
    }
    let mut closed = 0;
    let mut open = Vec::new();
    for piece in handshake.iter().map(|part| &part[..]).chain(rest.chunks(chunk_len(data))) {
        let mut buf = server.take_read_buf();
        assert!(buf.capacity() <= MAX_BUFFER, "{} bytes for nothing", buf.capacity());
        buf.extend_from_slice(piece);
        server.handle_input(Time::ZERO, buf);
        while let Some(event) = server.poll_event() {
            match event {
                ServerEvent::Request(ticket, _, _) => open.push(ticket),
                ServerEvent::Closed(_) => closed += 1,
                _ => assert_eq!(closed, 0, "nothing follows the end"),
            }
        }
    }
    for ticket in open {
        server.reply_error(ticket, &Error::new(Code::INTERNAL, "x"));
    }
    server.handle_eof();
    while let Some(event) = server.poll_event() {
        closed += i32::from(matches!(event, ServerEvent::Closed(_)));
    }
    assert_eq!(closed, 1);
    server.poll_transmit(&mut Vec::new());
}

/// The same for a client, with a request under way that must end.
pub(crate) fn client_stream(data: &[u8]) {
    let (shaken, rest) = greet(data);
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let mut events = Vec::new();
    let mut requests = HashSet::new();
    if shaken {
        let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
        shake(&mut client, &mut server);
        while client.poll_event().is_some() {}
        for _ in 0..3 {
            requests.insert(client.request(Time::ZERO, 0, &Ping {}, &[], 0).expect("ready"));
        }
    }
    for piece in rest.chunks(chunk_len(data)) {
        let mut buf = client.take_read_buf();
        assert!(buf.capacity() <= MAX_BUFFER, "{} bytes for nothing", buf.capacity());
        buf.extend_from_slice(piece);
        client.handle_input(Time::ZERO, buf);
        events.extend(std::iter::from_fn(|| client.poll_event()));
    }
    client.handle_eof();
    events.extend(std::iter::from_fn(|| client.poll_event()));
    let closed = events.iter().filter(|e| matches!(e, ClientEvent::Closed(_))).count();
    assert_eq!(closed, 1);
    assert!(matches!(events.last(), Some(ClientEvent::Closed(_))));
    for event in events {
        if let ClientEvent::Reply { id, .. } = event {
            assert!(requests.remove(&id), "answered twice");
        }
    }
    assert!(requests.is_empty(), "every request ends");
}

/// Whether to begin after the handshake, and the bytes to send.
pub(crate) fn greet(data: &[u8]) -> (bool, &[u8]) {
    match data.split_first() {
        Some((first, rest)) => (first & 1 == 1, rest),
        None => (false, data),
    }
}

pub(crate) fn chunk_len(data: &[u8]) -> usize {
    data.first().map_or(1, |first| 1 + usize::from(first >> 1))
}

fn pass(parts: &mut Vec<Bytes>, mut buf: BytesMut) -> BytesMut {
    for part in parts.drain(..) {
        buf.extend_from_slice(&part);
    }
    buf
}

fn shake(client: &mut ClientConnection, server: &mut ServerConnection) {
    let mut parts = Vec::new();
    for _ in 0..2 {
        client.poll_transmit(&mut parts);
        let buf = pass(&mut parts, server.take_read_buf());
        server.handle_input(Time::ZERO, buf);
        while server.poll_event().is_some() {}
        server.poll_transmit(&mut parts);
        let buf = pass(&mut parts, client.take_read_buf());
        client.handle_input(Time::ZERO, buf);
    }
}

/// What a model of the two knows.
#[derive(Default)]
struct Model {
    requests: HashSet<tidewire_protocol::connection::RequestId>,
    tickets: Vec<Ticket>,
    /// Open subscriptions: granted, delivered.
    credit: HashMap<u32, (u64, u64)>,
    received: HashMap<u32, u64>,
    closed: bool,
}

/// Any sequence of commands to both ends leaves them agreeing with a simple model: every request
/// ends once, deliveries stay within the credit, time only ever closes what is silent.
pub(crate) fn commands(data: &[u8]) {
    let mut client = ClientConnection::new(ClientConfig::default(), Time::ZERO);
    let mut server = ServerConnection::new(ServerConfig::default().into(), Time::ZERO);
    shake(&mut client, &mut server);
    while client.poll_event().is_some() {}
    let mut model = Model::default();
    let mut now_ms = 0u64;
    let batch = Bytes::from(vec![0u8; 96]);
    for command in data.chunks_exact(2) {
        let argument = command[1];
        let channel = 1 + u32::from(argument % 8);
        let now = Time::from_nanos(now_ms * 1_000_000);
        match command[0] % 12 {
            0 | 1 => {
                let request = StreamDescribe { name: "s".into() };
                let timeout_ms = u32::from(argument) * 100;
                if let Ok(id) = client.request(now, 0, &request, &[], timeout_ms) {
                    assert!(model.requests.insert(id));
                }
            }
            2 => {
                let request = Subscribe {
                    stream: "s".into(),
                    topic: "t".into(),
                    partition: 0,
                    start: Start::Earliest,
                    start_at: 0,
                    credit_bytes: 100,
                };
                if let Ok(id) = client.request(now, channel, &request, &[], 0) {
                    assert!(model.requests.insert(id));
                }
            }
            3 => {
                let limit_bytes = u64::from(argument) * 16;
                let _ = client.send_one_way(now, channel, &Credit { limit_bytes });
            }
            4 | 5 => to_server(&mut client, &mut server, &mut model, now),
            6 | 7 => to_client(&mut client, &mut server, &mut model, now),
            8 if !model.tickets.is_empty() => {
                let at = usize::from(argument) % model.tickets.len();
                answer(&mut server, model.tickets.swap_remove(at), argument);
            }
            9 => {
                let sendable = server.sendable(channel);
                if sendable > 0
                    && server.deliver(
                        channel,
                        &Deliver { end_offset: 0 },
                        std::slice::from_ref(&batch),
                    )
                {
                    let (granted, delivered) =
                        model.credit.get_mut(&channel).expect("only an open one can be fed");
                    *delivered += batch.len() as u64;
                    assert!(*delivered <= *granted + batch.len() as u64, "beyond its credit");
                }
            }
            10 => {
                now_ms += u64::from(argument) * 500;
                let now = Time::from_nanos(now_ms * 1_000_000);
                client.handle_timeout(now);
                server.handle_timeout(now);
            }
            11 if argument == 0 => server.drain(&Error::new(Code::SHUTTING_DOWN, "x")),
            _ => {}
        }
        if client.poll_timeout().is_none() {
            assert!(client.is_closed());
        }
    }
    client.handle_eof();
    file(&mut client, &mut model);
    assert!(model.requests.is_empty(), "every request ends");
    assert!(model.closed);
}

fn to_server(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
    model: &mut Model,
    now: Time,
) {
    let mut parts = Vec::new();
    client.poll_transmit(&mut parts);
    let buf = pass(&mut parts, server.take_read_buf());
    server.handle_input(now, buf);
    while let Some(event) = server.poll_event() {
        match event {
            ServerEvent::Request(ticket, request, _) => {
                if let AnyRequest::Subscribe(subscribe) = request {
                    model.credit.insert(ticket.channel, (subscribe.credit_bytes, 0));
                }
                model.tickets.push(ticket);
            }
            ServerEvent::Credit { channel } => {
                let (granted, delivered) = model.credit.get_mut(&channel).expect("open");
                let now_granted = *delivered + server.sendable(channel);
                assert!(now_granted > *granted, "credit only rises");
                *granted = now_granted;
            }
            _ => {}
        }
    }
}

fn to_client(
    client: &mut ClientConnection,
    server: &mut ServerConnection,
    model: &mut Model,
    now: Time,
) {
    let mut parts = Vec::new();
    server.poll_transmit(&mut parts);
    let buf = pass(&mut parts, client.take_read_buf());
    client.handle_input(now, buf);
    file(client, model);
}

fn file(client: &mut ClientConnection, model: &mut Model) {
    while let Some(event) = client.poll_event() {
        assert!(!model.closed, "nothing follows the end");
        match event {
            ClientEvent::Reply { id, .. } => {
                assert!(model.requests.remove(&id), "answered twice, or never asked");
            }
            ClientEvent::Deliver { channel, payload, .. } => {
                *model.received.entry(channel).or_default() += payload.len() as u64;
            }
            ClientEvent::Closed(_) => model.closed = true,
            _ => {}
        }
    }
}

fn answer(server: &mut ServerConnection, ticket: Ticket, argument: u8) {
    if argument & 1 == 1 {
        server.reply_error(ticket, &Error::new(Code::STREAM_NOT_FOUND, "no"));
    } else if ticket.kind == Kind::SUBSCRIBE {
        let reply = SubscribeReply { next_offset: 0, start_offset: 0, end_offset: 0 };
        server.reply(ticket, &reply, &[]);
    } else if ticket.kind == Kind::STREAM_DESCRIBE {
        let stream = StreamInfo { name: "s".into(), id: 1, created_us: 0, topics: 0 };
        server.reply(ticket, &StreamDescribeReply { stream }, &[]);
    } else {
        server.reply_error(ticket, &Error::new(Code::INTERNAL, "no"));
    }
}
