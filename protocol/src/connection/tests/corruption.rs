//! A wire that flips bits: what arrives is what was sent, or an end.

use proptest::prelude::*;

use super::*;
use crate::batch::{Limits, validate};
use crate::codec::Reader;
use crate::message::Deliver;

fn flip(bytes: &mut [u8], at: prop::sample::Index) {
    let bit = at.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

/// A batch that only request `index` has.
fn batch_of(index: u32) -> Bytes {
    batch(10 + index as usize)
}

/// All that a side has to transmit now.
fn transmitted(mut poll: impl FnMut(&mut Vec<Bytes>) -> bool) -> Vec<u8> {
    let mut parts = Vec::new();
    while poll(&mut parts) {}
    parts.concat()
}

proptest! {
    /// SPEC W-9, B-4: on the way up no request becomes another one.
    #[test]
    fn a_flipped_bit_never_changes_what_was_asked(
        count in 1u32..8,
        at in any::<prop::sample::Index>(),
        chunk in 1usize..300,
    ) {
        let mut pair = Pair::ready();
        pair.open_producer(1);
        for index in 0..count {
            let append = Append { partition: index, acks: Acks::Synced };
            let now = pair.now;
            pair.client.request(now, 1, &append, &[batch_of(index)], 0).expect("room");
        }
        let mut bytes = transmitted(|out| pair.client.poll_transmit(out));
        flip(&mut bytes, at);
        for part in bytes.chunks(chunk) {
            feed_server(&mut pair.server, pair.now, part);
            pair.collect();
        }
        let mut damaged = 0;
        for (index, (ticket, request, payload)) in pair.asked.drain(..).enumerate() {
            let index = index as u32;
            prop_assert_eq!(ticket.channel, 1);
            let sent = Append { partition: index, acks: Acks::Synced };
            prop_assert_eq!(request, AnyRequest::Append(sent));
            if validate(&payload, Limits::PROTOCOL).is_ok() {
                prop_assert_eq!(payload, batch_of(index));
            } else {
                damaged += 1;
            }
        }
        // Exactly one thing went wrong, and it was noticed (a frame may still be waited for).
        let waits = !pair.server_closed.is_empty() || damaged == 1;
        pair.cut();
        prop_assert!(waits || pair.server_closed.len() == 1);
        prop_assert!(damaged <= 1);
        prop_assert_eq!(pair.replies().len(), count as usize);
    }

    /// SPEC W-9, B-4: on the way down no reply or delivery does.
    #[test]
    fn a_flipped_bit_never_changes_an_answer(
        count in 1u32..8,
        at in any::<prop::sample::Index>(),
        chunk in 1usize..300,
    ) {
        let mut pair = Pair::ready();
        pair.open_producer(1);
        pair.subscribe(2, 1 << 20);
        let ids: Vec<RequestId> =
            (0..count).map(|_| pair.request(1, &append(), 0)).collect();
        pair.drive();
        for index in 0..count {
            let (ticket, ..) = pair.asked.pop_front().expect("asked");
            pair.server.reply(ticket, &appended(100 + u64::from(index)), &[]);
            let message = Deliver { end_offset: u64::from(index) };
            pair.server.deliver(2, &message, &[batch_of(index)]);
        }
        let mut bytes = transmitted(|out| pair.server.poll_transmit(out));
        flip(&mut bytes, at);
        for part in bytes.chunks(chunk) {
            feed_client(&mut pair.client, pair.now, part);
            pair.collect();
        }
        pair.client.handle_eof();
        pair.collect();
        let mut ended = Vec::new();
        for event in pair.client_events.drain(..) {
            match event {
                ClientEvent::Reply { id, result: Ok(frame) } => {
                    let index = ids.iter().position(|&asked| asked == id).expect("asked");
                    let reply = AppendReply::decode(Reader::new(&frame.meta));
                    prop_assert_eq!(reply, Ok(appended(100 + index as u64)));
                    ended.push(id);
                }
                ClientEvent::Reply { id, .. } => ended.push(id),
                ClientEvent::Deliver { channel, message, payload } => {
                    prop_assert_eq!(channel, 2);
                    if validate(&payload, Limits::PROTOCOL).is_ok() {
                        prop_assert_eq!(payload, batch_of(message.end_offset as u32));
                    }
                }
                ClientEvent::Closed(_) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        ended.sort_unstable();
        prop_assert_eq!(ended, ids);
    }
}
