//! Rules of the batch that a vector cannot say: against the builder, and in which order faults
//! are found.

use bytes::Bytes;
use proptest::prelude::*;
use tidewire_protocol::batch::{
    Batch, Columns, Fault, HEADER_LEN, Limits, STAMP_LEN, Stamp, validate,
};

use super::columns::{Plan, Record, built, reseal, reseal_header};

fn any_record() -> impl Strategy<Value = Record> {
    (
        proptest::option::of(prop::collection::vec(any::<u8>(), 0..9)),
        proptest::option::of(prop::collection::vec(any::<u8>(), 0..30)),
        prop::collection::vec((".{1,5}", prop::collection::vec(any::<u8>(), 0..5)), 0..3),
        0u32..3,
    )
        .prop_map(|(key, value, headers, time_delta)| Record {
            key,
            value,
            headers,
            time_delta,
            ..Record::default()
        })
}

/// The columns that these records need.
fn needed(records: &[Record]) -> Columns {
    let keys = records.iter().any(|record| record.key.is_some());
    let first = records[0].time_delta;
    Columns::default()
        .with(Columns::KEYS, keys)
        .with(Columns::KEY_NULLS, keys && records.iter().any(|record| record.key.is_none()))
        .with(Columns::HEADERS, records.iter().any(|record| !record.headers.is_empty()))
        .with(Columns::TIMES, records.iter().any(|record| record.time_delta != first))
        .with(Columns::VALUE_NULLS, records.iter().any(|record| record.value.is_none()))
}

proptest! {
    /// SPEC B-1, B-8, B-12: what the builder makes is what the text says, byte by byte.
    #[test]
    fn the_builder_writes_what_the_text_says(
        mut records in prop::collection::vec(any_record(), 1..20),
    ) {
        let least = records.iter().map(|record| record.time_delta).min().expect("one");
        let columns = needed(&records);
        let mut plan = Plan::new(columns.0, records.clone());
        plan.header.base_time_us += i64::from(least);
        for record in &mut records {
            record.time_delta -= least;
        }
        plan.records = records;
        prop_assert_eq!(built(&plan), plan.write());
    }
}

fn fault(bytes: &[u8]) -> Fault {
    validate(bytes, Limits::PROTOCOL).expect_err("a fault").fault()
}

/// SPEC B-6: each fault hides those that come after it in the list.
#[test]
fn the_first_fault_is_named() {
    let value = Record { value: Some(b"v".to_vec()), ..Record::default() };
    let mut bytes = Plan::new(0, vec![value]).write();
    // The body is wrong, then more and more of what is looked at before it.
    bytes[HEADER_LEN + 8] = 1;
    reseal(&mut bytes);
    assert_eq!(fault(&bytes), Fault::Layout);
    bytes[35] = 0x80;
    reseal(&mut bytes);
    assert_eq!(fault(&bytes), Fault::Unsupported);
    bytes[24] ^= 1;
    reseal_header(&mut bytes);
    assert_eq!(fault(&bytes), Fault::BodyChecksum);
    let cut = &bytes[..bytes.len() - 1];
    assert_eq!(fault(cut), Fault::Truncated);
    let tight = Limits { max_batch_len: 88, max_batch_records: 1 };
    assert_eq!(validate(cut, tight).expect_err("long").fault(), Fault::Limit);
    bytes[36] = 0;
    reseal_header(&mut bytes);
    assert_eq!(validate(&bytes, tight).expect_err("no record").fault(), Fault::Layout);
    bytes[32] = 9;
    reseal_header(&mut bytes);
    assert_eq!(fault(&bytes), Fault::Unsupported);
    bytes[33] ^= 1;
    assert_eq!(fault(&bytes), Fault::HeaderChecksum);
    assert_eq!(fault(&bytes[..79]), Fault::Truncated);
}

/// SPEC B-1, B-5: a stamp touches the first 24 bytes and nothing else, however often.
#[test]
fn a_stamp_leaves_the_producers_bytes_alone() {
    let value = Record { value: Some(b"v".to_vec()), ..Record::default() };
    let sealed = Plan::new(0, vec![value]).write();
    let mut stamped = sealed.clone();
    for base_offset in [41, u64::MAX, 0] {
        let stamp = Stamp { base_offset, append_time_us: 7, leader_epoch: 2 };
        let front = stamp.encode_for(&stamped);
        stamped[..STAMP_LEN].copy_from_slice(&front);
        assert_eq!(stamped[STAMP_LEN..], sealed[STAMP_LEN..]);
        let batch = Batch::decode(Bytes::from(stamped.clone())).expect("valid");
        assert_eq!(batch.header().base_offset, base_offset);
    }
}

/// SPEC I-1, I-2: what a producer writes of itself comes back as it was.
#[test]
fn the_producers_numbers_travel() {
    let value = Record { value: Some(b"v".to_vec()), ..Record::default() };
    let mut plan = Plan::new(0, vec![value]);
    plan.header.producer_id = u64::MAX;
    plan.header.producer_epoch = 7;
    plan.header.base_sequence = 1 << 60;
    let mut bytes = built(&plan);
    let stamp = Stamp { base_offset: 5, append_time_us: 7, leader_epoch: 2 };
    let front = stamp.encode_for(&bytes);
    bytes[..STAMP_LEN].copy_from_slice(&front);
    let batch = Batch::decode(bytes.into()).expect("valid");
    let header = batch.header();
    assert_eq!((header.producer_id, header.producer_epoch), (u64::MAX, 7));
    assert_eq!(header.base_sequence, 1 << 60);
}

proptest! {
    /// SPEC B-14, C-8: the first record at or after an offset, also where records were taken out.
    #[test]
    fn a_reader_finds_its_place(
        gaps in prop::collection::vec(0u32..4, 1..20),
        thinned in any::<bool>(),
        wanted in 0u64..1_100,
    ) {
        let mut next = 0;
        let records = gaps.into_iter().map(|gap| {
            let offset_delta = next + gap;
            next = offset_delta + 1;
            Record { value: Some(Vec::new()), offset_delta, ..Record::default() }
        });
        let mut plan = Plan::new(if thinned { 64 } else { 0 }, records.collect());
        plan.header.base_offset = 1_000;
        let batch = Batch::decode(plan.write().into()).expect("valid");
        let found = batch.iter().position(|record| record.offset() >= wanted);
        prop_assert_eq!(batch.index_of(wanted), found.unwrap_or(batch.len()));
        for record in &batch {
            prop_assert_eq!(batch.index_of(record.offset()), record.index());
        }
    }
}
