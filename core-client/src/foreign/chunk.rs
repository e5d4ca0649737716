//! Records packed into a chunk, as languages hand them over.
//!
//! Owns the form, which `packer.ts`, `RecordBuffer.kt`, `packer.rb` and `Client.swift` write;
//! `chunks.json` beside this file has examples that their tests share. The one invariant: every
//! length is checked against what is left of the chunk, so that any bytes give records or an error.
//!
//! A record is four words: what there is, and how long value, key and headers are. Then time (8
//! bytes), partition (4) and id (16), where there are any, the value, the key and the headers,
//! and zeros to a multiple of 4. A header is two lengths as words, then name and value. All
//! numbers are little-endian.

use tidewire_protocol::batch::RecordRef;

use crate::error::{Code, Error};

const KEY: u32 = 1;
const VALUE: u32 = 2;
const TIMESTAMP: u32 = 4;
const PARTITION: u32 = 8;
const ID: u32 = 16;

/// Most records that are handed over together.
const RUN: usize = 64;

/// Headers of a record that need no memory of their own: nearly all records have fewer.
const FEW: usize = 8;

/// Hands the records of a chunk over in order, until one is refused: those that are alike
/// (without headers, for the same partition or none) up to 64 together, others one by one.
/// Records without a time get `now_us`.
///
/// `take` is given records and their partition. It says how many of them it took, which are the
/// first ones, and, if they were not all, why the next one was refused.
///
/// Returns how many bytes of the chunk the records were that were taken, and why the next one was
/// not: `take`'s error, or `INVALID_ARGUMENT` if the chunk is malformed there.
pub fn push_chunk(
    chunk: &[u8],
    now_us: i64,
    mut take: impl FnMut(&[RecordRef<'_>], Option<u32>) -> (usize, Option<Error>),
) -> (usize, Result<(), Error>) {
    let mut reader = Reader { rest: chunk, now_us };
    let mut result = Ok(());
    while !reader.rest.is_empty() && result.is_ok() {
        result = push_next(&mut reader, &mut take);
    }
    (chunk.len() - reader.rest.len(), result)
}

/// Hands over the next records that are alike, or one that has headers.
fn push_next(
    reader: &mut Reader<'_>,
    take: &mut impl FnMut(&[RecordRef<'_>], Option<u32>) -> (usize, Option<Error>),
) -> Result<(), Error> {
    let mut run = [RecordRef::at(0); RUN];
    let mut ends = [reader.rest; RUN];
    let (mut len, mut of) = (0, None);
    let mut ahead = *reader;
    while len < RUN
        && let Some(Packed { record, partition, headers }) = ahead.record()
        && headers.rest.is_empty()
        && *of.get_or_insert(partition) == partition
    {
        run[len] = record;
        ends[len] = ahead.rest;
        len += 1;
    }
    if len == 0 {
        return push_one(reader, take);
    }
    let (taken, refused) = take(&run[..len], of.flatten());
    if let Some(last) = taken.checked_sub(1) {
        reader.rest = ends[last];
    }
    refused.map_or(Ok(()), Err)
}

fn push_one(
    reader: &mut Reader<'_>,
    take: &mut impl FnMut(&[RecordRef<'_>], Option<u32>) -> (usize, Option<Error>),
) -> Result<(), Error> {
    let invalid = |what: &str| {
        Error::new(Code::INVALID_ARGUMENT, format!("a chunk of records has {what}"))
    };
    let mut ahead = *reader;
    let packed = ahead.record().ok_or_else(|| invalid("an end before its last record's"))?;
    let mut left = packed.headers;
    let mut few = [("", &[][..]); FEW];
    let mut many = Vec::new();
    let mut count = 0;
    while !left.rest.is_empty() {
        let header = left.header().ok_or_else(|| invalid("malformed headers"))?;
        if count < FEW {
            few[count] = header;
        } else {
            if many.is_empty() {
                many.extend_from_slice(&few);
            }
            many.push(header);
        }
        count += 1;
    }
    let headers = if many.is_empty() { &few[..count] } else { &many };
    let (taken, refused) = take(&[RecordRef { headers, ..packed.record }], packed.partition);
    if taken > 0 {
        *reader = ahead;
    }
    refused.map_or(Ok(()), Err)
}

/// A record of a chunk, and where its headers are.
struct Packed<'a> {
    record: RecordRef<'a>,
    partition: Option<u32>,
    headers: Reader<'a>,
}

/// What is left of a chunk.
#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
    /// The time of records that have none.
    now_us: i64,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn record(&mut self) -> Option<Packed<'a>> {
        let before = self.rest.len();
        let what = self.word()?;
        let value_len = self.word()? as usize;
        let key_len = self.word()? as usize;
        let headers_len = self.word()? as usize;
        let timestamp_us = if what & TIMESTAMP == 0 {
            self.now_us
        } else {
            self.array().map(i64::from_le_bytes)?
        };
        let partition = if what & PARTITION == 0 { None } else { Some(self.word()?) };
        let id = if what & ID == 0 { None } else { Some(self.array()?) };
        let value = self.bytes(value_len)?;
        let key = self.bytes(key_len)?;
        let headers = Self { rest: self.bytes(headers_len)?, now_us: self.now_us };
        let len = before - self.rest.len();
        self.bytes(len.wrapping_neg() & 3)?;
        let record = RecordRef {
            key: (what & KEY != 0).then_some(key),
            value: (what & VALUE != 0).then_some(value),
            headers: &[],
            timestamp_us,
            id,
        };
        Some(Packed { record, partition, headers })
    }

    fn header(&mut self) -> Option<(&'a str, &'a [u8])> {
        let name_len = self.word()? as usize;
        let value_len = self.word()? as usize;
        let name = std::str::from_utf8(self.bytes(name_len)?).ok()?;
        Some((name, self.bytes(value_len)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_767_225_600_000_000;

    /// A record that owns what it has.
    #[derive(Clone, Debug, PartialEq)]
    struct Owned {
        value: Option<Vec<u8>>,
        key: Option<Vec<u8>>,
        headers: Vec<(String, Vec<u8>)>,
        timestamp_us: Option<i64>,
        partition: Option<u32>,
        id: Option<[u8; 16]>,
    }

    impl Owned {
        fn of(record: &RecordRef<'_>, partition: Option<u32>) -> Self {
            let headers = record.headers.iter();
            Self {
                value: record.value.map(<[u8]>::to_vec),
                key: record.key.map(<[u8]>::to_vec),
                headers: headers
                    .map(|(name, value)| ((*name).into(), value.to_vec()))
                    .collect(),
                timestamp_us: (record.timestamp_us != NOW).then_some(record.timestamp_us),
                partition,
                id: record.id,
            }
        }

        fn pack(&self, out: &mut Vec<u8>) {
            let mut headers = Vec::new();
            for (name, value) in &self.headers {
                headers.extend((name.len() as u32).to_le_bytes());
                headers.extend((value.len() as u32).to_le_bytes());
                headers.extend(name.as_bytes());
                headers.extend(value);
            }
            let what = [
                (self.key.is_some(), KEY),
                (self.value.is_some(), VALUE),
                (self.timestamp_us.is_some(), TIMESTAMP),
                (self.partition.is_some(), PARTITION),
                (self.id.is_some(), ID),
            ];
            let what: u32 = what.iter().filter(|(is, _)| *is).map(|(_, bit)| bit).sum();
            let len = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len) as u32;
            for word in [what, len(&self.value), len(&self.key), headers.len() as u32] {
                out.extend(word.to_le_bytes());
            }
            out.extend(self.timestamp_us.iter().flat_map(|time| time.to_le_bytes()));
            out.extend(self.partition.iter().flat_map(|partition| partition.to_le_bytes()));
            out.extend(self.id.iter().flatten());
            out.extend(self.value.iter().chain(&self.key).flatten());
            out.extend(headers);
            out.resize(out.len().next_multiple_of(4), 0);
        }
    }

    /// What `limit` records of a chunk are, how many bytes, and the error's text.
    fn read(chunk: &[u8], limit: usize) -> (Vec<Owned>, usize, Option<String>) {
        let mut found = Vec::new();
        let (bytes, result) = push_chunk(chunk, NOW, |records, partition| {
            assert!(records.len() <= RUN);
            let room = limit - found.len();
            let some = records.iter().take(room);
            found.extend(some.map(|record| Owned::of(record, partition)));
            let full = || Error::new(Code::QUEUE_FULL, "there is no room");
            (records.len().min(room), (room < records.len()).then(full))
        });
        (found, bytes, result.err().map(|error| error.to_string()))
    }

    fn bytes(json: &serde_json::Value) -> Option<Vec<u8>> {
        let text = json.as_str()?;
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
        Some((0..text.len()).step_by(2).map(byte).collect())
    }

    /// The examples that the writers of other languages are tried with.
    #[test]
    fn the_examples_are_read_as_they_were_meant() {
        let text = include_str!("chunks.json");
        let examples: Vec<serde_json::Value> = serde_json::from_str(text).expect("JSON");
        assert!(examples.len() >= 5);
        for example in examples {
            let chunk = bytes(&example["hex"]).expect("bytes");
            let mut wanted = Vec::new();
            for record in example["records"].as_array().expect("records") {
                let headers = record["headers"].as_array().into_iter().flatten();
                wanted.push(Owned {
                    value: bytes(&record["value"]),
                    key: bytes(&record["key"]),
                    headers: headers
                        .map(|header| {
                            let name = header[0].as_str().expect("a name").to_owned();
                            (name, bytes(&header[1]).expect("a value"))
                        })
                        .collect(),
                    timestamp_us: record["timestamp_us"].as_i64(),
                    partition: record["partition"].as_u64().map(|partition| partition as u32),
                    id: bytes(&record["id"]).map(|id| id.try_into().expect("16 bytes")),
                });
            }
            let name = &example["name"];
            assert_eq!(read(&chunk, usize::MAX), (wanted, chunk.len(), None), "{name}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused_where_it_stands() {
        let good = Owned {
            value: Some(b"value".to_vec()),
            key: None,
            headers: Vec::new(),
            timestamp_us: None,
            partition: None,
            id: None,
        };
        let mut chunk = Vec::new();
        good.pack(&mut chunk);
        let first = chunk.len();
        let word = |chunk: &mut [u8], at: usize, word: u32| {
            chunk[at..at + 4].copy_from_slice(&word.to_le_bytes());
        };
        let refused = |chunk: &[u8], says: &str| {
            let (records, bytes, why) = read(chunk, usize::MAX);
            assert_eq!((records, bytes), (vec![good.clone()], first), "{chunk:?}");
            let why = why.expect("an error");
            assert!(why.contains(says), "{why}");
        };
        let with = |header: (&str, &[u8])| {
            let mut chunk = chunk.clone();
            let headers = vec![(header.0.to_owned(), header.1.to_vec())];
            Owned { headers, ..good.clone() }.pack(&mut chunk);
            chunk
        };
        // A length beyond the end, the largest ones among them.
        for field in [4, 8, 12] {
            for len in [9, 1 << 20, u32::MAX] {
                let mut chunk = chunk.clone();
                good.pack(&mut chunk);
                word(&mut chunk, first + field, len);
                refused(&chunk, "an end before its last record's");
            }
        }
        // Headers whose own lengths are wrong, and a name that is no text.
        for (field, len) in [(0, 99), (0, u32::MAX), (4, 99), (4, u32::MAX), (0, 0)] {
            let mut chunk = with(("name", b"v"));
            word(&mut chunk, first + 16 + 5 + field, len);
            refused(&chunk, "malformed headers");
        }
        let mut chunk = with(("name", b"v"));
        chunk[first + 16 + 5 + 8] = 0xff;
        refused(&chunk, "malformed headers");
        assert_eq!(read(&[], usize::MAX), (Vec::new(), 0, None));
        assert_eq!(read(&[0; 3], usize::MAX).1, 0);
    }

    fn records() -> impl Strategy<Value = Vec<Owned>> {
        let some = |most: usize| prop::option::of(prop::collection::vec(any::<u8>(), 0..most));
        let headers =
            prop::collection::vec(("\\PC{1,6}", prop::collection::vec(0u8.., 0..9)), 0..12);
        let few = prop_oneof![4 => Just(Vec::new()), 1 => headers];
        let partition = prop::option::of(0u32..3);
        let time = prop::option::of((0i64..NOW).prop_map(|time| time - NOW / 2));
        let id = prop::option::weighted(0.2, any::<[u8; 16]>());
        let record = (some(40), some(9), few, time, partition, id);
        let record = record.prop_map(|(value, key, headers, timestamp_us, partition, id)| {
            Owned { value, key, headers, timestamp_us, partition, id }
        });
        prop::collection::vec(record, 0..200)
    }

    proptest! {
        #[test]
        fn what_was_packed_is_handed_over(records in records()) {
            let mut chunk = Vec::new();
            records.iter().for_each(|record| record.pack(&mut chunk));
            prop_assert_eq!(read(&chunk, usize::MAX), (records, chunk.len(), None));
        }

        #[test]
        fn of_what_has_no_room_the_rest_is_left(records in records(), room in 0usize..200) {
            let (mut chunk, mut ends) = (Vec::new(), vec![0]);
            for record in &records {
                record.pack(&mut chunk);
                ends.push(chunk.len());
            }
            let room = room.min(records.len());
            let (taken, bytes, refused) = read(&chunk, room);
            prop_assert_eq!(&taken, &records[..room]);
            prop_assert_eq!(bytes, ends[room]);
            prop_assert_eq!(refused.is_some(), room < records.len());
            // Pushed again, it goes on there.
            let (rest, left, _) = read(&chunk[bytes..], usize::MAX);
            prop_assert_eq!(&rest, &records[room..]);
            prop_assert_eq!(left, chunk.len() - bytes);
        }

        #[test]
        fn any_bytes_give_records_or_an_error(
            chunk in prop::collection::vec(prop_oneof![3 => Just(0u8), 2 => 0u8..32, 1 => any::<u8>()], 0..600),
        ) {
            let (records, bytes, refused) = read(&chunk, usize::MAX);
            prop_assert!(bytes <= chunk.len());
            prop_assert_eq!(refused.is_none(), bytes == chunk.len());
            prop_assert!(records.len() * 16 <= bytes);
        }

        #[test]
        fn a_chunk_that_was_cut_gives_what_is_whole(records in records(), cut in any::<prop::sample::Index>()) {
            let (mut chunk, mut ends) = (Vec::new(), vec![0]);
            for record in &records {
                record.pack(&mut chunk);
                ends.push(chunk.len());
            }
            let cut = cut.index(chunk.len() + 1);
            let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
            let (taken, bytes, refused) = read(&chunk[..cut], usize::MAX);
            prop_assert_eq!(&taken, &records[..whole]);
            prop_assert_eq!(bytes, ends[whole]);
            prop_assert_eq!(refused.is_some(), bytes < cut);
        }
    }
}
