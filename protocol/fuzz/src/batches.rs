//! Batches: any bytes, and any records.

use bytes::Bytes;
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Codec, Columns, Compressor, EncryptionKey, EncryptionKeys, HEADER_LEN,
    Header, Limits, Place, PushError, RecordRef, STAMP_LEN, Sequence, Stamp, ids, validate,
};
use tidewire_protocol::crc::{crc32c, crc32c_append};
use tidewire_protocol::name::TopicName;

/// Whatever the bytes say, they are refused or can be read to the end. The checksums are made
/// right first: otherwise nothing would ever get past them.
pub(crate) fn batch(data: &[u8]) {
    let _ = Batch::decode(Bytes::copy_from_slice(data));
    if data.len() < HEADER_LEN {
        return;
    }
    let mut bytes = data.to_vec();
    let body = crc32c(&bytes[28..]);
    bytes[24..28].copy_from_slice(&body.to_le_bytes());
    let head = crc32c_append(crc32c(&bytes[..20]), &bytes[24..HEADER_LEN]);
    bytes[20..24].copy_from_slice(&head.to_le_bytes());
    let bytes = Bytes::from(bytes);
    let valid = validate(&bytes, Limits::PROTOCOL);
    // A server that takes it finds its ids.
    assert!(ids(&bytes).is_ok() || valid.is_err());
    // The key and place of the golden vectors, which are among the seeds.
    let key = EncryptionKey::new(1, std::array::from_fn(|i| i as u8)).expect("a number");
    let mut keys = EncryptionKeys::default();
    keys.add(key).expect("room for one");
    let topic = TopicName::parse("shop/orders").expect("a name");
    let place = Place { topic: &topic, partition: 3 };
    let opened = Batch::decode_with(bytes.clone(), &keys, place);
    let encrypted = valid.as_ref().is_ok_and(|(_, layout)| layout.is_none());
    assert!(encrypted || opened.is_ok() == valid.is_ok());
    let Ok(batch) = opened else { return };
    assert!(!batch.is_empty());
    let mut last = None;
    for record in &batch {
        let _ = (record.key(), record.value(), record.id(), record.timestamp_us());
        for (name, _) in record.headers() {
            assert!(!name.is_empty());
        }
        assert!(last < Some(record.offset()), "offsets rise");
        last = Some(record.offset());
    }
    for offset in [0, batch.header().base_offset, u64::MAX] {
        assert!(batch.index_of(offset) <= batch.len());
    }
}

/// Any data under any codec is refused, or gives exactly the body that the header announces; what
/// was compressed comes back.
pub(crate) fn decompression(data: &[u8]) {
    let Some((&[codec, low, high], data)) = data.split_first_chunk::<3>() else { return };
    let raw_len = u32::from(u16::from_le_bytes([low, high])) * 8;
    let mut stored = (data.len() as u32).to_le_bytes().to_vec();
    stored.extend_from_slice(&[0; 4]);
    stored.extend_from_slice(data);
    stored.resize(stored.len().next_multiple_of(8), 0);
    let mut bytes = vec![0; HEADER_LEN];
    bytes.extend_from_slice(&stored);
    let mut header = Header {
        base_offset: 0,
        append_time_us: 0,
        leader_epoch: 0,
        body_crc: 0,
        total_len: bytes.len() as u32,
        codec: if codec & 1 == 0 { Codec::Lz4 } else { Codec::Zstd },
        columns: Columns(u16::from(codec >> 1)),
        record_count: 1,
        base_time_us: 0,
        producer_id: 0,
        base_sequence: 0,
        producer_epoch: 0,
        raw_len,
        key_id: 0,
    };
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    header.body_crc = crc32c(&bytes[28..]);
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    if let Ok(batch) = Batch::decode(bytes.into()) {
        assert_eq!(batch.body().len(), raw_len as usize);
    }

    let mut builder = BatchBuilder::new(1 << 20, 1);
    let record = RecordRef { value: Some(data), ..RecordRef::at(0) };
    if builder.push(&record).is_ok() {
        let mut compressor = Compressor::new(header.codec, 1);
        let sealed = builder.seal_with(Sequence::default(), &mut compressor);
        let batch = Batch::decode(sealed).expect("a built batch is valid");
        assert_eq!(batch.get(0).and_then(|record| record.value()), Some(data));
    }
}

/// Any records that are taken are read back as they were, stamped or not.
pub(crate) fn records(data: &[u8]) {
    let mut input = data;
    let limit = 200 + usize::from(byte(&mut input)) * 64;
    let mut builder = BatchBuilder::new(limit, 1 + usize::from(byte(&mut input)));
    let mut pushed = Vec::new();
    while !input.is_empty() {
        let flags = byte(&mut input);
        let key = piece(&mut input);
        let value = piece(&mut input);
        let name = String::from_utf8_lossy(piece(&mut input)).into_owned();
        let content = piece(&mut input);
        let time = i64::from(byte(&mut input)) << (flags >> 4);
        let id = (flags & 8 != 0).then(|| [byte(&mut input); 16]);
        let headers = [(name.as_str(), content)];
        let record = RecordRef {
            key: (flags & 1 != 0).then_some(key),
            value: (flags & 2 != 0).then_some(value),
            headers: if flags & 4 != 0 { &headers } else { &[] },
            timestamp_us: time,
            id,
        };
        let before = builder.len();
        match builder.push(&record) {
            Ok(index) => {
                assert_eq!(index, pushed.len());
                let headers = record
                    .headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
                    .collect::<Vec<_>>();
                pushed.push((
                    record.key.map(<[u8]>::to_vec),
                    record.value.map(<[u8]>::to_vec),
                    headers,
                    time,
                    id.filter(|id| *id != [0; 16]),
                ));
            }
            Err(PushError::Full) => break,
            Err(_) => assert_eq!(builder.len(), before),
        }
    }
    if pushed.is_empty() {
        return;
    }
    let promised = builder.sealed_len();
    let bytes = builder.seal(Sequence { producer_id: 1, producer_epoch: 2, base_sequence: 3 });
    assert!(bytes.len() <= promised && bytes.len() <= limit);
    let stamp = Stamp { base_offset: 41, append_time_us: 7, leader_epoch: 3 };
    let mut stamped = bytes.to_vec();
    stamped[..STAMP_LEN].copy_from_slice(&stamp.encode_for(&bytes));
    for bytes in [bytes, stamped.into()] {
        let batch = Batch::decode(bytes).expect("a built batch is valid");
        assert_eq!(batch.len(), pushed.len());
        for (record, (key, value, headers, time, id)) in batch.iter().zip(&pushed) {
            assert_eq!(record.key(), key.as_deref());
            assert_eq!(record.value(), value.as_deref());
            assert_eq!(record.timestamp_us(), *time);
            assert_eq!(record.id(), *id);
            let found: Vec<_> = record
                .headers()
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect();
            assert_eq!(found, *headers);
        }
    }
}

fn byte(input: &mut &[u8]) -> u8 {
    match input.split_first() {
        Some((&first, rest)) => {
            *input = rest;
            first
        }
        None => 0,
    }
}

/// A length in one byte, and up to as many bytes.
fn piece<'a>(input: &mut &'a [u8]) -> &'a [u8] {
    let len = usize::from(byte(input)).min(input.len());
    let (piece, rest) = input.split_at(len);
    *input = rest;
    piece
}
