//! What a builder takes and refuses, and that what it builds is read back.

use proptest::prelude::*;

use super::super::{Batch, Fault, layout::SMALLEST};
use super::*;

const MAX: usize = 8 << 20;

fn value(bytes: &[u8]) -> RecordRef<'_> {
    RecordRef { value: Some(bytes), ..RecordRef::at(7) }
}

#[test]
fn the_smallest_batch_is_one_empty_value() {
    let mut builder = BatchBuilder::new(MAX, 10);
    builder.push(&value(b"")).expect("room");
    assert_eq!(builder.seal(Sequence::default()).len(), SMALLEST);
}

#[test]
fn a_batch_sealed_anew_is_as_if_it_had_been_sealed_so() {
    let sealed = |base_sequence| {
        let mut builder = BatchBuilder::new(MAX, 10);
        builder.push(&RecordRef { key: Some(b"k"), ..value(b"v") }).expect("room");
        builder.seal(Sequence { producer_id: 7, producer_epoch: 2, base_sequence })
    };
    let sequence = Sequence { producer_id: 7, producer_epoch: 2, base_sequence: 9 };
    let shared = sealed(3);
    assert_eq!(super::reseal(shared.clone(), sequence), sealed(9));
    assert_eq!(shared, sealed(3), "whoever shares it sees no change");
}

#[test]
fn a_record_over_the_limit_is_told_from_a_full_batch() {
    let mut builder = BatchBuilder::new(4096, 10);
    let big = vec![1; 4096];
    assert!(matches!(
        builder.push(&value(&big)),
        Err(PushError::TooLarge { len: 4184, limit: 4096 })
    ));
    builder.push(&value(b"x")).expect("room");
    assert_eq!(builder.push(&value(&big)), Err(PushError::Full));
    assert_eq!(builder.len(), 1);
}

#[test]
fn the_record_count_has_a_limit() {
    let mut builder = BatchBuilder::new(MAX, 2);
    assert_eq!(builder.push(&value(b"a")), Ok(0));
    assert_eq!(builder.push(&value(b"b")), Ok(1));
    assert_eq!(builder.push(&value(b"c")), Err(PushError::Full));
}

#[test]
fn times_too_far_apart_go_to_another_batch() {
    let mut builder = BatchBuilder::new(MAX, 10);
    builder.push(&RecordRef::at(0)).expect("room");
    let far = i64::from(u32::MAX);
    builder.push(&RecordRef::at(far)).expect("just within reach");
    assert_eq!(builder.push(&RecordRef::at(far + 1)), Err(PushError::Full));
    assert_eq!(builder.push(&RecordRef::at(i64::MIN)), Err(PushError::Full));
}

/// SPEC B-13: an id may come late, and sixteen zeros are none.
#[test]
fn records_have_ids_or_none() {
    let mut builder = BatchBuilder::new(MAX, 10);
    for id in [None, Some([0; 16])] {
        builder.push(&RecordRef { id, ..value(b"plain") }).expect("room");
    }
    let plain = Batch::decode(builder.seal(Sequence::default())).expect("valid");
    assert!(!plain.header().columns.has(Columns::IDS));

    let ids = [None, Some([7; 16]), None];
    for id in ids {
        builder.push(&RecordRef { id, ..value(b"x") }).expect("room");
    }
    let batch = Batch::decode(builder.seal(Sequence::default())).expect("valid");
    assert_eq!(batch.iter().map(|record| record.id()).collect::<Vec<_>>(), ids);
}

/// The quick way ends where the exact one does, to the byte.
#[test]
fn a_batch_is_filled_to_its_limit() {
    for len in (0..64).step_by(if cfg!(miri) { 63 } else { 1 }) {
        for key in [None, Some(&b"key"[..])] {
            let mut builder = BatchBuilder::new(4096, 1000);
            let bytes = vec![1; len];
            let mut time = 0;
            while builder
                .push(&RecordRef { key, value: Some(&bytes), ..RecordRef::at(time) })
                .is_ok()
            {
                time += 1;
            }
            let next = len + key.map_or(0, <[u8]>::len);
            let columns = Columns::TIMES.with(Columns::KEYS, key.is_some());
            assert!(builder.sealed_len() <= 4096);
            assert!(builder.len_with(next, builder.len() + 1, columns) > 4096, "{len} {key:?}");
        }
    }
}

#[test]
fn null_and_empty_keys_and_values_stay_apart() {
    let mut builder = BatchBuilder::new(MAX, 10);
    type KeyAndValue = (Option<&'static [u8]>, Option<&'static [u8]>);
    let cases: [KeyAndValue; 4] =
        [(None, None), (Some(b""), Some(b"")), (None, Some(b"v")), (Some(b"k"), None)];
    for (key, value) in cases {
        builder.push(&RecordRef { key, value, ..RecordRef::at(0) }).expect("room");
    }
    let batch = Batch::decode(builder.seal(Sequence::default())).expect("valid");
    let got: Vec<_> = batch.iter().map(|record| (record.key(), record.value())).collect();
    assert_eq!(got, cases);
}

type Owned = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Vec<u8>)>, i64, Option<[u8; 16]>);

/// Not from a pattern: compiling one takes Miri a minute.
fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 1..9).prop_map(String::from_iter)
}

fn owned_record() -> impl Strategy<Value = Owned> {
    (
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50)),
        proptest::collection::vec((name(), proptest::collection::vec(any::<u8>(), 0..9)), 0..3),
        prop_oneof![3 => Just(5), 1 => -1000i64..1000],
        proptest::option::weighted(
            0.1,
            any::<[u8; 16]>().prop_filter("none", |id| *id != [0; 16]),
        ),
    )
}

fn build(records: &[Owned]) -> Bytes {
    let mut builder = BatchBuilder::new(MAX, 1000);
    for (key, value, headers, timestamp_us, id) in records {
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let record = RecordRef {
            key: key.as_deref(),
            value: value.as_deref(),
            headers: &headers,
            timestamp_us: *timestamp_us,
            id: *id,
        };
        builder.push(&record).expect("room");
    }
    let promised = builder.sealed_len();
    let bytes = builder.seal(Sequence { producer_id: 1, producer_epoch: 2, base_sequence: 3 });
    assert_eq!(promised, bytes.len());
    bytes
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(records in proptest::collection::vec(owned_record(), 1..40)) {
        let batch = Batch::decode(build(&records)).expect("a built batch is valid");
        let got: Vec<Owned> = batch
            .iter()
            .map(|r| (
                r.key().map(<[u8]>::to_vec),
                r.value().map(<[u8]>::to_vec),
                r.headers().map(|(n, v)| (n.to_owned(), v.to_vec())).collect(),
                r.timestamp_us(),
                r.id(),
            ))
            .collect();
        prop_assert_eq!(got, records);
    }

    #[test]
    fn a_flipped_bit_is_refused(
        records in proptest::collection::vec(owned_record(), 1..8),
        at in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = build(&records).to_vec();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Batch::decode(bytes.into()).is_err());
    }

    /// With the checksums made good again, whatever the tables say must be refused or be
    /// readable without a panic.
    #[test]
    fn a_lying_table_never_panics(
        records in proptest::collection::vec(owned_record(), 1..8),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = build(&records).to_vec();
        for (at, byte) in edits {
            let at = 33 + at.index(bytes.len() - 33);
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        if let Ok(batch) = Batch::decode(bytes.into()) {
            for record in &batch {
                let _ = (record.key(), record.value(), record.headers().count(), record.id());
                let _ = (record.offset(), record.timestamp_us());
            }
        }
    }

    #[test]
    fn a_cut_batch_is_truncated(
        records in proptest::collection::vec(owned_record(), 1..8),
        at in any::<proptest::sample::Index>(),
    ) {
        let bytes = build(&records);
        let cut = bytes.slice(..at.index(bytes.len()));
        prop_assert_eq!(Batch::decode(cut).expect_err("cut").fault(), Fault::Truncated);
    }
}

/// Makes both checksums right for whatever the bytes now say.
fn reseal(bytes: &mut [u8]) {
    let body_crc = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body_crc.to_le_bytes());
    let crc = crate::crc::crc32c_append(crc32c(&bytes[..20]), &bytes[24..HEADER_LEN]);
    bytes[20..24].copy_from_slice(&crc.to_le_bytes());
}
