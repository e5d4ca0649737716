//! The head of a batch as languages read it: 32 words that say where its columns are. The body as
//! it is stored, decompressed, follows, or lies elsewhere.
//!
//! Owns the order of the words, which `batch.ts`, `Batch.kt`, `batch.rb` and `Batch.swift` read;
//! the columns are those of `protocol/SPEC.md`. The one invariant: all words are little-endian in
//! memory, as the tables of the body are, whatever the machine is.

use tidewire_protocol::batch as stored;

use crate::Batch;

/// Words of the head.
const WORDS: usize = 32;

/// Bytes of the head: a multiple of 8, so that tables behind it stay aligned.
pub const HEAD_LEN: usize = 4 * WORDS;

/// The head of a batch that was delivered; `topic` is a number that stands for its topic.
pub fn head(batch: &Batch, topic: u32) -> [u32; WORDS] {
    let offsets = [batch.end_offset(), batch.next_offset()];
    words(batch.stored(), [topic, batch.partition()], batch.hidden(), offsets)
}

/// The head of a batch of which only its bytes are known.
pub fn head_of_stored(batch: &stored::Batch) -> [u32; WORDS] {
    let next = batch.last_offset().saturating_add(1);
    words(batch, [0, 0], 0, [next, next])
}

fn words(
    batch: &stored::Batch,
    [topic, partition]: [u32; 2],
    hidden: usize,
    [end_offset, next_offset]: [u64; 2],
) -> [u32; WORDS] {
    let (header, layout) = (batch.header(), batch.layout());
    let halves = |number: u64| [number as u32, (number >> 32) as u32];
    let [base_low, base_high] = halves(header.base_offset);
    let [append_low, append_high] = halves(header.append_time_us.cast_unsigned());
    let [time_low, time_high] = halves(header.base_time_us.cast_unsigned());
    let [end_low, end_high] = halves(end_offset);
    let [next_low, next_high] = halves(next_offset);
    [
        topic,
        partition,
        layout.count as u32,
        u32::from(layout.columns.0),
        hidden as u32,
        layout.values_end as u32,
        layout.keys_end as u32,
        layout.headers_end as u32,
        layout.value_ends as u32,
        layout.key_ends as u32,
        layout.header_ends as u32,
        layout.times as u32,
        layout.ids as u32,
        layout.offset_deltas as u32,
        layout.value_validity as u32,
        layout.key_validity as u32,
        base_low,
        base_high,
        append_low,
        append_high,
        time_low,
        time_high,
        end_low,
        end_high,
        next_low,
        next_high,
        batch.bytes().len() as u32,
        0,
        0,
        0,
        0,
        0,
    ]
    .map(u32::to_le)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidewire_protocol::batch::{BatchBuilder, RecordRef, Sequence};

    use super::*;

    const KEYS: u32 = 1;
    const HEADERS: u32 = 2;
    const TIMES: u32 = 4;
    const IDS: u32 = 8;
    const VALUE_NULLS: u32 = 16;
    const KEY_NULLS: u32 = 32;
    const OFFSET_DELTAS: u32 = 64;

    /// What the readers of other languages do, by nothing but the words and the body.
    struct Reader<'a> {
        words: [u32; WORDS],
        body: &'a [u8],
    }

    impl<'a> Reader<'a> {
        fn has(&self, column: u32) -> bool {
            self.words[3] & column != 0
        }

        fn word(&self, at: usize) -> u32 {
            u32::from_le_bytes(self.body[at..at + 4].try_into().expect("four bytes"))
        }

        fn bit(&self, table: usize, index: usize) -> bool {
            self.body[self.words[table] as usize + index / 8] >> (index % 8) & 1 != 0
        }

        fn slice(&self, begin: u32, table: usize, index: usize) -> &'a [u8] {
            let at = self.words[table] as usize + 4 * index;
            &self.body[(begin + self.word(at)) as usize..(begin + self.word(at + 4)) as usize]
        }

        fn long(&self, at: usize) -> u64 {
            u64::from(self.words[at]) | u64::from(self.words[at + 1]) << 32
        }

        fn offset(&self, index: usize) -> u64 {
            let table = self.words[13] as usize;
            let delta = match self.has(OFFSET_DELTAS) {
                true => u64::from(self.word(table + 4 * index)),
                false => index as u64,
            };
            self.long(16).wrapping_add(delta)
        }

        fn time(&self, index: usize) -> i64 {
            let table = self.words[11] as usize;
            let delta = if self.has(TIMES) { self.word(table + 4 * index) } else { 0 };
            self.long(20).cast_signed().wrapping_add(i64::from(delta))
        }

        fn value(&self, index: usize) -> Option<&'a [u8]> {
            let is = !self.has(VALUE_NULLS) || self.bit(14, index);
            is.then(|| self.slice(0, 8, index))
        }

        fn key(&self, index: usize) -> Option<&'a [u8]> {
            let is = self.has(KEYS) && (!self.has(KEY_NULLS) || self.bit(15, index));
            is.then(|| self.slice(self.words[5], 9, index))
        }

        fn headers(&self, index: usize) -> &'a [u8] {
            if self.has(HEADERS) { self.slice(self.words[6], 10, index) } else { &[] }
        }

        fn id(&self, index: usize) -> Option<&'a [u8]> {
            let at = self.words[12] as usize + 16 * index;
            let id = self.has(IDS).then(|| &self.body[at..at + 16])?;
            id.iter().any(|byte| *byte != 0).then_some(id)
        }
    }

    fn assert_reads(batch: &stored::Batch) {
        let reader =
            Reader { words: head_of_stored(batch).map(u32::from_le), body: batch.body() };
        assert_eq!(reader.words[2] as usize, batch.len());
        assert_eq!(reader.long(24), batch.last_offset().saturating_add(1));
        assert_eq!(reader.long(18).cast_signed(), batch.header().append_time_us);
        assert_eq!(reader.words[26] as usize, batch.bytes().len());
        for (index, record) in batch.iter_from(0).enumerate() {
            assert_eq!(reader.offset(index), record.offset());
            assert_eq!(reader.time(index), record.timestamp_us());
            assert_eq!(reader.value(index), record.value());
            assert_eq!(reader.key(index), record.key());
            assert_eq!(reader.id(index), record.id().as_ref().map(|id| &id[..]));
            let mut rest = reader.headers(index);
            for (name, value) in record.headers() {
                let (lens, bytes) = rest.split_at(6);
                let name_len = usize::from(u16::from_le_bytes([lens[0], lens[1]]));
                let value_len =
                    u32::from_le_bytes([lens[2], lens[3], lens[4], lens[5]]) as usize;
                assert_eq!(&bytes[..name_len], name.as_bytes());
                assert_eq!(&bytes[name_len..name_len + value_len], value);
                rest = &bytes[name_len + value_len..];
            }
            assert!(rest.is_empty());
        }
    }

    type Parts =
        (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Vec<u8>)>, u32, Option<[u8; 16]>);

    fn parts() -> impl Strategy<Value = Vec<Parts>> {
        let bytes = |most: usize| prop::collection::vec(any::<u8>(), 0..most);
        let some = |most: usize| prop::option::of(bytes(most));
        let headers = prop::collection::vec(("\\PC{1,6}", bytes(9)), 0..3);
        let id = prop::option::of(any::<[u8; 16]>());
        let record = (some(40), some(9), headers, 0u32..1_000_000, id);
        prop::collection::vec(record, 1..80)
    }

    proptest! {
        /// Whatever columns there are, the head says where.
        #[test]
        fn every_record_is_found_by_the_head_alone(parts in parts(), columns in 0u8..32) {
            let has = |column: u8| columns >> column & 1 != 0;
            let mut builder = BatchBuilder::new(1 << 20, 1000);
            for (value, key, headers, time, id) in &parts {
                let headers: Vec<(&str, &[u8])> =
                    headers.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
                let record = RecordRef {
                    key: key.as_deref().filter(|_| has(0)),
                    value: if has(1) { value.as_deref() } else { Some(value.as_deref().unwrap_or_default()) },
                    headers: if has(2) { &headers } else { &[] },
                    timestamp_us: if has(3) { i64::from(*time) - 500_000 } else { -7 },
                    id: id.filter(|_| has(4)),
                };
                builder.push(&record).expect("room");
            }
            let bytes = builder.seal(Sequence::default());
            assert_reads(&stored::Batch::decode(bytes).expect("a batch"));
        }
    }

    /// Those of the protocol have columns that no producer writes, too.
    #[test]
    fn the_golden_batches_are_found_by_the_head_alone() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/vectors/batch");
        let mut read = 0;
        for file in ["records", "columns", "codec"] {
            let text = std::fs::read_to_string(format!("{directory}/{file}.json"));
            let vectors: Vec<serde_json::Value> =
                serde_json::from_str(&text.expect("a file")).expect("JSON");
            for vector in vectors.iter().filter(|vector| vector["class"] != "reject") {
                let hex = vector["hex"].as_str().expect("bytes");
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
                let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
                assert_reads(&stored::Batch::decode(bytes.into()).expect("a batch"));
                read += 1;
            }
        }
        assert!(read > 100, "{read}");
    }
}
