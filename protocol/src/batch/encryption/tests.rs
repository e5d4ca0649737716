//! That what was sealed is opened by its key at its place, and by nothing else.

use proptest::prelude::*;

use super::super::builder::{finish, reseal};
use super::super::{
    Batch, BatchBuilder, Compressor, Fault, HEADER_LEN, Header, Limits, RecordRef, STAMP_LEN,
    Sequence, Stamp, ZSTD_LEVEL, ids, validate,
};
use super::*;

fn key(id: u32, first: u8) -> EncryptionKey {
    EncryptionKey::new(id, std::array::from_fn(|i| first.wrapping_add(i as u8))).expect("good")
}

fn keys(all: &[EncryptionKey]) -> EncryptionKeys {
    let mut keys = EncryptionKeys::default();
    all.iter().for_each(|key| keys.add(key.clone()).expect("room"));
    keys
}

fn topic() -> TopicName {
    TopicName::parse("shop/orders").expect("good")
}

fn sealing(key: EncryptionKey) -> Sealing {
    Sealing::new(key, topic(), || std::array::from_fn(|i| i as u8))
}

const PARTITION: u32 = 3;

/// Some records, with ids if asked for.
fn sealed(sealing: &Sealing, codec: Codec, with_ids: bool) -> Bytes {
    let mut builder = BatchBuilder::of_encrypted(1 << 20, 100);
    for i in 0..20u8 {
        let record = RecordRef {
            key: Some(b"customer"),
            value: Some(b"a value that nobody is to see, and again: a value"),
            id: with_ids.then_some([i + 1; 16]),
            ..RecordRef::at(i64::from(i))
        };
        builder.push(&record).expect("room");
    }
    let promised = builder.sealed_len();
    let mut compressor = Compressor::new(codec, ZSTD_LEVEL);
    let sequence = Sequence { producer_id: 7, producer_epoch: 1, base_sequence: 5 };
    let bytes = builder.seal_encrypted(sequence, &mut compressor, sealing, PARTITION);
    match codec {
        Codec::None => assert_eq!(bytes.len(), promised),
        _ => assert!(bytes.len() < promised),
    }
    bytes
}

fn open(bytes: &Bytes, keys: &EncryptionKeys) -> Result<Batch, Malformed> {
    Batch::decode_with(bytes.clone(), keys, Place { topic: &topic(), partition: PARTITION })
}

fn fault(bytes: &Bytes, keys: &EncryptionKeys) -> Fault {
    open(bytes, keys).expect_err("refused").fault()
}

/// Makes lengths and checksums right for whatever the bytes say.
fn resealed(bytes: Vec<u8>, change: impl FnOnce(&mut Header)) -> Bytes {
    let mut header = Header::parse(&bytes).expect("a header");
    change(&mut header);
    finish(bytes, header).into()
}

/// SPEC B-17, B-18, B-20
#[test]
fn what_was_sealed_is_opened_with_its_key() {
    for codec in [Codec::None, Codec::Lz4, Codec::Zstd] {
        for with_ids in [false, true] {
            let bytes = sealed(&sealing(key(7, 1)), codec, with_ids);
            let (header, layout) = validate(&bytes, Limits::PROTOCOL).expect("whole");
            assert_eq!((header.key_id, header.codec, layout), (7, codec, None));
            for hidden in [&b"nobody"[..], b"customer"] {
                assert!(!bytes.windows(hidden.len()).any(|window| window == hidden));
            }
            let batch = open(&bytes, &keys(&[key(2, 9), key(7, 1)])).expect("opened");
            assert_eq!(batch.len(), 20);
            let record = batch.get(19).expect("the last one");
            assert_eq!(record.key(), Some(&b"customer"[..]));
            assert_eq!(record.timestamp_us(), 19);
            assert_eq!(record.id(), with_ids.then_some([20; 16]));
            assert_eq!(ids(&bytes).expect("whole"), batch.ids());
            assert_eq!(batch.bytes(), &bytes);
        }
    }
}

/// SPEC B-20: why a batch cannot be read is told apart as far as can be.
#[test]
fn each_reason_not_to_open_has_its_fault() {
    let bytes = sealed(&sealing(key(7, 1)), Codec::None, true);
    let good = keys(&[key(7, 1)]);
    assert_eq!(Batch::decode(bytes.clone()).expect_err("no keys").fault(), Fault::KeyMissing);
    let error = open(&bytes, &keys(&[key(2, 1), key(3, 1)])).expect_err("no such key");
    assert_eq!(error.fault(), Fault::KeyMissing);
    assert!(error.to_string().contains("key 7, there is only the keys 2 and 3"), "{error}");
    assert_eq!(fault(&bytes, &keys(&[key(7, 2)])), Fault::KeyWrong);

    // Damage is found by the checksum, whatever the keys.
    let mut damaged = bytes.to_vec();
    damaged[200] ^= 1;
    assert_eq!(fault(&damaged.into(), &good), Fault::BodyChecksum);
    // Whoever makes the checksums right is found out by the tag.
    for at in [NONCE_AT, LEN_AT - 1, PREFIX_LEN, PREFIX_LEN + 20 * 16].map(|at| at + HEADER_LEN)
    {
        let mut forged = bytes.to_vec();
        forged[at] ^= 1;
        assert_eq!(fault(&resealed(forged, |_| ()), &good), Fault::Forged, "byte {at}");
    }
    let mut forged = bytes.to_vec();
    *forged.last_mut().expect("the tag") ^= 1;
    assert_eq!(fault(&resealed(forged, |_| ()), &good), Fault::Forged);
    let mut other = bytes.to_vec();
    other[HEADER_LEN] ^= 1;
    assert_eq!(fault(&resealed(other, |_| ()), &good), Fault::KeyWrong, "the key's sign");
}

/// SPEC B-19: the header's fields that a producer writes once, and the place, are authenticated.
#[test]
fn a_batch_belongs_where_it_was_sealed_for() {
    let bytes = sealed(&sealing(key(7, 1)), Codec::Zstd, false);
    let good = keys(&[key(7, 1), key(8, 1)]);
    for (name, partition) in
        [("shop/orders", 2), ("default/orders", 3), ("shop/order", 3), ("shop/sorders", 3)]
    {
        let topic = TopicName::parse(name).expect("good");
        let place = Place { topic: &topic, partition };
        let error = Batch::decode_with(bytes.clone(), &good, place).expect_err("elsewhere");
        assert_eq!(error.fault(), Fault::Forged, "{name}/{partition}");
    }
    type Change = fn(&mut Header);
    let changes: [(Change, Fault); 6] = [
        (|h| h.codec = Codec::Lz4, Fault::Forged),
        (|h| h.columns.0 ^= 1, Fault::Forged),
        (|h| h.record_count -= 1, Fault::Forged),
        (|h| h.base_time_us += 1, Fault::Forged),
        (|h| h.raw_len += 8, Fault::Forged),
        // The same bytes, but that is not the number that it was sealed under.
        (|h| h.key_id = 8, Fault::Forged),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        let forged = resealed(bytes.to_vec(), change);
        assert_eq!(fault(&forged, &good), expected, "change {number}");
    }
}

/// SPEC B-19, I-8: what is written later is not authenticated, and does not change the rest.
#[test]
fn stamps_and_sequences_may_change() {
    let bytes = sealed(&sealing(key(7, 1)), Codec::None, false);
    let sequence = Sequence { producer_id: 9, producer_epoch: 4, base_sequence: 77 };
    let mut moved = reseal(bytes.clone(), sequence).to_vec();
    assert_eq!(moved[HEADER_LEN..], bytes[HEADER_LEN..]);
    let stamp = Stamp { base_offset: 41, append_time_us: 5, leader_epoch: 2 };
    let front = stamp.encode_for(&moved);
    moved[..STAMP_LEN].copy_from_slice(&front);
    let batch = open(&moved.into(), &keys(&[key(7, 1)])).expect("opened");
    assert_eq!(batch.get(0).expect("one").offset(), 41);
    assert_eq!(batch.header().base_sequence, 77);
}

/// SPEC B-17: what is looked at without a key.
#[test]
fn a_body_that_does_not_fit_is_refused_without_a_key() {
    let bytes = sealed(&sealing(key(7, 1)), Codec::None, true);
    let refusal = |bytes: Bytes| validate(&bytes, Limits::PROTOCOL).expect_err("bad").fault();
    let at = |at: usize, byte: u8| {
        let mut bad = bytes.to_vec();
        bad[HEADER_LEN + at] ^= byte;
        refusal(resealed(bad, |_| ()))
    };
    assert_eq!(at(LEN_AT, 1), Fault::Layout);
    assert_eq!(at(LEN_AT + 3, 0x80), Fault::Layout);
    assert_eq!(at(LEN_AT + 4, 1), Fault::Unsupported);
    type Change = fn(&mut Header);
    let changes: [(Change, Fault); 7] = [
        (|h| h.raw_len += 8, Fault::Layout),
        (|h| h.record_count += 1, Fault::Layout),
        (|h| h.record_count = 60_000, Fault::Layout),
        (|h| h.columns = Columns(h.columns.0 & !Columns::IDS.0), Fault::Layout),
        (|h| h.columns = Columns(h.columns.0 | Columns::OFFSET_DELTAS.0), Fault::Unsupported),
        (|h| h.columns = Columns(h.columns.0 | 1 << 9), Fault::Unsupported),
        (|h| h.codec = Codec::Other(9), Fault::Unsupported),
    ];
    for (number, (change, expected)) in changes.into_iter().enumerate() {
        assert_eq!(refusal(resealed(bytes.to_vec(), change)), expected, "change {number}");
    }
    let short = bytes[..HEADER_LEN + PREFIX_LEN - 8].to_vec();
    assert_eq!(refusal(resealed(short, |_| ())), Fault::Layout);
    let plain = resealed(bytes.to_vec(), |h| h.key_id = 0);
    assert!(validate(&plain, Limits::PROTOCOL).is_err(), "it is no plain body");
}

/// SPEC B-20: a producer that tells the server other ids than its consumers is found out.
#[test]
fn ids_in_the_clear_are_those_that_were_sealed() {
    let mut builder = BatchBuilder::new(1 << 20, 10);
    let record = RecordRef { value: Some(b"x"), id: Some([1; 16]), ..RecordRef::at(0) };
    builder.push(&record).expect("room");
    let plain = builder.seal(Sequence::default());
    for (id, expected) in [(1, None), (2, Some(Fault::Layout))] {
        let mut header = Header::parse(&plain).expect("a header");
        let sealed = sealing(key(7, 1)).seal(&plain, &mut header, &[id; 16], PARTITION);
        let bytes = Bytes::from(finish(sealed, header));
        assert_eq!(ids(&bytes).expect("whole")[..], [id; 16]);
        let opened = open(&bytes, &keys(&[key(7, 1)]));
        assert_eq!(opened.err().map(|error| error.fault()), expected);
    }
}

/// The limit of a batch holds with what encryption adds, to the byte.
#[test]
fn a_batch_is_filled_to_its_limit_and_no_further() {
    let sealing = sealing(key(7, 1));
    for id in [None, Some([1; 16])] {
        let mut builder = BatchBuilder::of_encrypted(4096, 1000);
        let record = RecordRef { value: Some(b"x"), id, ..RecordRef::at(0) };
        while builder.push(&record).is_ok() {}
        let bytes = builder.seal_encrypted(
            Sequence::default(),
            &mut Compressor::default(),
            &sealing,
            PARTITION,
        );
        assert!(bytes.len() <= 4096 && bytes.len() > 4096 - 64, "{}", bytes.len());
        open(&bytes, &keys(&[key(7, 1)])).expect("opened");
    }
}

proptest! {
    /// Whatever is changed, nothing is shown of it, and nothing panics.
    #[test]
    fn a_changed_batch_is_never_opened(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 1u8..), 1..4),
        with_ids in any::<bool>(),
        zstd in any::<bool>(),
    ) {
        let codec = if zstd { Codec::Zstd } else { Codec::None };
        let good = sealed(&sealing(key(7, 1)), codec, with_ids);
        let mut bytes = good.to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len() - HEADER_LEN);
            bytes[HEADER_LEN + at] ^= byte;
        }
        prop_assume!(bytes != good);
        let forged = resealed(bytes, |_| ());
        prop_assert!(open(&forged, &keys(&[key(7, 1)])).is_err());
    }
}
