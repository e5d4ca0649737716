//! Frames that begin and do not go on: their sender is let go in time, and nobody else is.

use super::*;
use crate::connection::progress;

const TIMEOUT: u32 = 10_000;

/// A pair whose server waits ten seconds for a frame to go on. No heartbeat comes between what a
/// test sends.
fn impatient() -> Pair {
    let client =
        ClientConfig { heartbeat_ms: limits::MAX_HEARTBEAT_MS, ..ClientConfig::default() };
    let server = ServerConfig { frame_timeout_ms: TIMEOUT, ..ServerConfig::default() };
    Pair::ready_with(client, server)
}

/// An APPEND of a payload of `len` bytes, which is no batch: the connection does not look.
fn frame_of(len: usize) -> Vec<u8> {
    let meta = [0u8; 8];
    let size = (HEADER_LEN + meta.len() + len) as u32;
    let head = Header { size, channel: 1, ..header(Kind::APPEND, 100, meta.len()) };
    crafted(head, &meta, &vec![0; len])
}

/// SPEC H-12, E-6: wherever a frame stops, its sender is told how much was there, and by which
/// limit it ends; the time begins with the frame.
#[test]
fn a_frame_that_stops_ends_its_connection() {
    for (at, says) in [
        (1, "1 bytes of a frame's beginning"),
        (31, "31 bytes of a frame's beginning"),
        (32, "32 bytes of a frame's beginning"),
        (40, "40 of the 1048616 bytes of a frame of APPEND"),
        (50_000, "50000 of the 1048616 bytes of a frame of APPEND"),
    ] {
        let mut pair = impatient();
        pair.run_ms(3000);
        pair.client_sends(&frame_of(1 << 20)[..at]);
        // A driver has the buffer while it reads.
        let _reading = pair.server.take_read_buf();
        pair.run_ms(TIMEOUT - 1);
        assert!(pair.server_closed.is_empty(), "{at} bytes");
        pair.run_ms(1);
        assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);
        let told = pair.server_closed[0].as_ref().expect("a fault").to_string();
        assert!(told.contains(says) && told.contains("frame_timeout_ms is 10000"), "{told}");
        assert!(matches!(
            &pair.client_events[0],
            ClientEvent::GoingAway(error) if error.code == Code::FRAME_TIMEOUT
        ));
    }
}

/// SPEC H-12: bytes that trickle in keep a heart beating, and no frame.
#[test]
fn who_trickles_is_let_go_as_well() {
    let mut pair = impatient();
    let frame = frame_of(1 << 20);
    let step = progress::due(TIMEOUT) / 10 - 1;
    for second in 0..10 {
        assert!(pair.server_closed.is_empty(), "after {second} s");
        pair.client_sends(&frame[second * step..][..step]);
        pair.run_ms(1000);
    }
    assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);
}

/// SPEC H-12: a link of a little over 1 KiB a second brings a large frame, however long it takes;
/// what came fast at first gives no time to stop in later.
#[test]
fn a_slow_link_brings_a_large_frame() {
    let mut pair = impatient();
    pair.open_producer(1);
    let frame = frame_of(500_000);
    for part in frame.chunks(progress::due(TIMEOUT)) {
        pair.client_sends(part);
        pair.run_ms(TIMEOUT - 1);
    }
    assert!(pair.server_closed.is_empty());
    assert_eq!(pair.asked.len(), 1, "the frame is whole");

    let mut pair = impatient();
    pair.client_sends(&frame[..frame.len() - 1]);
    pair.run_ms(TIMEOUT);
    assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);
}

/// SPEC H-12: between frames nobody is woken, and each frame has its own time.
#[test]
fn between_frames_there_is_nothing_to_be_late_with() {
    let mut pair = impatient();
    let beat = pair.server.poll_timeout().expect("heartbeats");
    for correlation in 100..104 {
        let ping = crafted(header(Kind::PING, correlation, 0), &[], &[]);
        let begun = pair.now;
        pair.client_sends(&ping[..7]);
        assert_eq!(pair.server.poll_timeout(), Some(begun.plus_ms(TIMEOUT)));
        pair.run_ms(TIMEOUT - 1);
        pair.client_sends(&ping[7..]);
        assert!(pair.server.poll_timeout().is_some_and(|at| at > beat), "heartbeats alone");
        pair.run_ms(TIMEOUT / 2);
    }
    assert!(pair.server_closed.is_empty());
    assert_eq!(pair.server_wakes, 0);
}

/// SPEC H-12, H-5: a server that does not read for a while gives the whole time anew.
#[test]
fn time_in_which_the_server_does_not_read_does_not_count() {
    let mut pair = impatient();
    let ping = crafted(header(Kind::PING, 100, 0), &[], &[]);
    pair.client_sends(&ping[..7]);
    let begun = pair.now;
    // Held back, and heard again just before the time is over.
    pair.server.pause(true);
    pair.run_ms(TIMEOUT - 1);
    pair.server.pause(false);
    pair.run_ms(1);
    assert_eq!(pair.server.poll_timeout(), Some(begun.plus_ms(2 * TIMEOUT)));
    // Held back when the time is over: however long it takes.
    pair.server.pause(true);
    pair.run_ms(3 * TIMEOUT);
    pair.server.pause(false);
    pair.run_ms(2 * TIMEOUT - 1);
    assert!(pair.server_closed.is_empty());
    pair.run_ms(1);
    assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);

    // So it is with one that waits for its own answers.
    let mut pair = impatient();
    pair.open_producer(1);
    let payload = Bytes::from(vec![0; 8 << 20]);
    for _ in 0..5 {
        let part = std::slice::from_ref(&payload);
        pair.client.request(pair.now, 1, &append(), part, 0).expect("room");
    }
    pair.drive();
    assert!(!pair.server.wants_input());
    // What had been read before there was too much is the beginning of a frame.
    feed_server(&mut pair.server, pair.now, &ping[..7]);
    pair.collect();
    pair.run_ms(3 * TIMEOUT);
    assert!(pair.server_closed.is_empty());
    pair.answer_all();
    pair.run_ms(2 * TIMEOUT);
    assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);
}

/// SPEC H-12: another time holds for what has begun, too.
#[test]
fn the_time_can_change_meanwhile() {
    let mut pair = impatient();
    pair.client_sends(&frame_of(100)[..7]);
    let begun = pair.now;
    pair.server.set_frame_timeout_ms(2 * TIMEOUT);
    assert_eq!(pair.server.poll_timeout(), Some(begun.plus_ms(2 * TIMEOUT)));
    pair.server.set_frame_timeout_ms(TIMEOUT / 2);
    pair.run_ms(TIMEOUT / 2);
    assert_eq!(pair.server_fault(), Code::FRAME_TIMEOUT);
}

/// SPEC H-12: a server that stops or trickles in the middle of a frame is given up as a silent one
/// is, though it is heard; what waits for it ends.
#[test]
fn a_client_gives_up_a_server_that_does_not_go_on() {
    let beat = 1000;
    let config = ClientConfig { heartbeat_ms: beat, ..ClientConfig::default() };
    let mut pair = Pair::ready_with(config, ServerConfig::default());
    let id = pair.ask();
    let head = Head { flags: Flags::ONE_WAY, channel: 3, ..Head::default() };
    let mut push = raw(head, &crate::message::Deliver { end_offset: 1 });
    push[0..4].copy_from_slice(&100_000u32.to_le_bytes());
    let begun = pair.now;
    // What the client sends meanwhile, its PING, reaches nobody.
    feed_client(&mut pair.client, pair.now, &push[..20]);
    pair.collect();
    for _ in 0..11 {
        pair.now = pair.now.plus_ms(beat / 4);
        feed_client(&mut pair.client, pair.now, &[0]);
        pair.collect();
        if pair.client.poll_timeout().is_some_and(|at| at <= pair.now) {
            pair.client.handle_timeout(pair.now);
        }
    }
    assert!(!pair.client.is_closed());
    pair.now = begun.plus_ms(3 * beat);
    assert_eq!(pair.client.poll_timeout(), Some(pair.now), "no later for what trickled in");
    pair.client.handle_timeout(pair.now);
    pair.collect();
    let why = pair.client_closed();
    assert_eq!(why.code, Code::DISCONNECTED);
    assert!(why.message.contains("31 bytes of a frame's beginning"), "{why}");
    assert_eq!(pair.replies()[0].0, id);
}
