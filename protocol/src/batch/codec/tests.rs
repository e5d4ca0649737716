//! What compression promises: the same records back, and nothing from bytes that lie.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::builder::finish;
use super::super::{Batch, BatchBuilder, Fault, RecordRef, Sequence, validate};
use super::*;

const MAX: usize = 8 << 20;
const CODECS_AND_LEVELS: [(Codec, i32); 4] =
    [(Codec::Lz4, 0), (Codec::Zstd, -1), (Codec::Zstd, 1), (Codec::Zstd, 3)];
/// Zstandard is C, which Miri does not run.
const COMPRESSING: &[Codec] =
    if cfg!(miri) { &[Codec::Lz4] } else { &[Codec::Lz4, Codec::Zstd] };

fn compressor(codec: Codec) -> Compressor {
    Compressor::new(codec, ZSTD_LEVEL)
}

fn builder(values: &[Vec<u8>]) -> BatchBuilder {
    let mut builder = BatchBuilder::new(MAX, 65_536);
    for value in values {
        let record = RecordRef { key: Some(b"key"), value: Some(value), ..RecordRef::at(7) };
        builder.push(&record).expect("room");
    }
    builder
}

fn seal(values: &[Vec<u8>], codec: Codec) -> Bytes {
    builder(values).seal_with(Sequence::default(), &mut compressor(codec))
}

/// Values that shrink well.
fn texts() -> Vec<Vec<u8>> {
    (0..50).map(|i| format!("{{\"order\":{i},\"state\":\"paid\"}}").into_bytes()).collect()
}

/// A batch with another compressed body, its lengths and checksums made good.
fn with_data(header: &Header, data: &[u8]) -> Bytes {
    let mut batch = vec![0; HEADER_LEN];
    batch.extend_from_slice(&(data.len() as u32).to_le_bytes());
    batch.extend_from_slice(&[0; 4]);
    batch.extend_from_slice(data);
    batch.resize(pad8(batch.len()), 0);
    finish(batch, *header).into()
}

fn parts(batch: &Bytes) -> (Header, Vec<u8>) {
    let header = Header::parse(batch).expect("sealed");
    let data = data(&header, &batch[HEADER_LEN..]).expect("compressed").to_vec();
    (header, data)
}

/// Refused by the client's way and the server's, for the same reason.
fn refusal(batch: Bytes) -> Malformed {
    let refused = validate(&batch, Limits::PROTOCOL).expect_err("the server refuses it");
    assert_eq!(Batch::decode(batch).expect_err("the client refuses it"), refused);
    refused
}

#[test]
fn names_are_read_as_they_are_written() {
    for (bit, (codec, name)) in NAMES.into_iter().enumerate() {
        assert_eq!((codec.to_string().as_str(), name.parse()), (name, Ok(codec)));
        assert_eq!(u8::from(codec), bit as u8);
        assert_eq!(CODECS >> bit & 1, 1);
    }
    assert_eq!(CODECS.count_ones() as usize, NAMES.len());
    assert!("topic".parse::<Codec>().is_err());
}

#[test]
fn a_compressed_batch_is_smaller_and_reads_like_the_plain_one() {
    let plain = Batch::decode(seal(&texts(), Codec::None)).expect("valid");
    for &codec in COMPRESSING {
        let bytes = seal(&texts(), codec);
        assert!(bytes.len() < plain.bytes().len() / 2, "{codec}: {}", bytes.len());
        let batch = Batch::decode(bytes.clone()).expect("valid");
        assert_eq!((batch.bytes(), batch.body()), (&bytes, plain.body()));
        assert_eq!(batch.layout(), plain.layout());
        let header = batch.header();
        assert_eq!((header.codec, header.total_len as usize), (codec, bytes.len()));
        assert_eq!(header.raw_len as usize, plain.body().len());
        assert_eq!(header.record_count, 50);
        let value = batch.get(49).and_then(|record| record.value_range()).expect("a value");
        assert_eq!(batch.slice(value), texts()[49]);
        assert_eq!(validate(&bytes, Limits::PROTOCOL), Ok((*header, Some(*plain.layout()))));
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn what_does_not_shrink_stays_plain() {
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    let values = vec![(0..5000).map(|_| noise()).collect()];
    for &codec in COMPRESSING {
        assert_eq!(seal(&values, codec), seal(&values, Codec::None), "{codec}");
        assert_eq!(seal(&[vec![]], codec), seal(&[vec![]], Codec::None), "{codec}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn a_batch_does_not_depend_on_those_compressed_before_it() {
    for &codec in COMPRESSING {
        let mut compressor = compressor(codec);
        let mut builder = builder(&texts());
        let first = builder.seal_with(Sequence::default(), &mut compressor);
        for value in [vec![7; 300_000], vec![7; 200]] {
            let record = RecordRef { value: Some(&value), ..RecordRef::at(7) };
            builder.push(&record).expect("room");
            let bytes = builder.seal_with(Sequence::default(), &mut compressor);
            let batch = Batch::decode(bytes).expect("valid");
            assert_eq!(batch.get(0).and_then(|record| record.value()), Some(&value[..]));
        }
        for value in texts() {
            let record =
                RecordRef { key: Some(b"key"), value: Some(&value), ..RecordRef::at(7) };
            builder.push(&record).expect("room");
        }
        assert_eq!(builder.seal_with(Sequence::default(), &mut compressor), first, "{codec}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn the_largest_batch_survives_compression() {
    let values = vec![vec![b'x'; MAX - 200]];
    for &codec in COMPRESSING {
        let batch = Batch::decode(seal(&values, codec)).expect("valid");
        assert_eq!(batch.get(0).and_then(|record| record.value()), Some(&values[0][..]));
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn a_decompression_bomb_is_refused() {
    for &codec in COMPRESSING {
        let (header, data) = parts(&seal(&[vec![0; MAX - 200]], codec));
        // It says how large it is: refused before anything is allocated.
        for raw_len in [u32::MAX, MAX as u32 - 72] {
            let honest = Header { raw_len, ..header };
            assert_eq!(refusal(with_data(&honest, &data)).fault(), Fault::Limit, "{codec}");
        }
        // It lies: no more is written than it says.
        for raw_len in [header.raw_len - 1, header.raw_len - 8, 64, 8, 0] {
            let lie = Header { raw_len, ..header };
            assert_eq!(refusal(with_data(&lie, &data)).fault(), Fault::Layout, "{codec}");
        }
    }
}

#[test]
fn a_body_shorter_than_it_says_is_refused() {
    for &codec in COMPRESSING {
        let (header, data) = parts(&seal(&texts(), codec));
        let more = Header { raw_len: header.raw_len + 8, ..header };
        let refused = refusal(with_data(&more, &data));
        assert_eq!(refused.fault(), Fault::Layout);
        assert!(refused.to_string().contains(&codec.to_string()), "{refused}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "Zstandard is C")]
fn data_after_the_compressed_body_is_refused() {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    let empty = bulk::compress(b"", 1).expect("compresses");
    for &codec in COMPRESSING {
        let (header, data) = parts(&seal(&texts(), codec));
        assert_eq!(with_data(&header, &data), seal(&texts(), codec));
        for extra in [&[0][..], &[1; 8], &skippable, &empty] {
            let longer = [&data, extra].concat();
            assert_eq!(refusal(with_data(&header, &longer)).fault(), Fault::Layout);
            let before = [extra, &data].concat();
            assert_eq!(refusal(with_data(&header, &before)).fault(), Fault::Layout);
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn every_truncation_of_compressed_data_is_refused() {
    for &codec in COMPRESSING {
        let (header, data) = parts(&seal(&texts(), codec));
        for len in 0..data.len() {
            let refused = refusal(with_data(&header, &data[..len]));
            assert_eq!(refused.fault(), Fault::Layout, "{codec} cut to {len}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn every_flipped_bit_of_a_stored_batch_is_refused() {
    for &codec in COMPRESSING {
        let batch = seal(&texts(), codec);
        for bit in 0..batch.len() * 8 {
            let mut bad = batch.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            refusal(bad.into());
        }
    }
}

/// Whoever makes the checksums good can say what he likes, within the body that he announced.
#[test]
#[cfg_attr(miri, ignore = "too much data for Miri")]
fn a_flipped_bit_under_good_checksums_is_refused_or_readable() {
    for &codec in COMPRESSING {
        let (header, data) = parts(&seal(&texts(), codec));
        for bit in 0..data.len() * 8 {
            let mut bad = data.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let Ok(batch) = Batch::decode(with_data(&header, &bad)) else { continue };
            assert_eq!(batch.body().len(), header.raw_len as usize);
            assert_eq!(batch.iter().filter(|record| record.value().is_some()).count(), 50);
        }
    }
}

#[test]
fn what_surrounds_the_compressed_data_is_exact() {
    for &codec in COMPRESSING {
        let batch = seal(&texts(), codec);
        let (header, data) = parts(&batch);
        let refused = |edit: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = batch.to_vec();
            edit(&mut bytes);
            refusal(finish(bytes, header).into()).fault()
        };
        assert_eq!(refused(&|b| b[HEADER_LEN + 5] = 1), Fault::Unsupported);
        assert_eq!(refused(&|b| b[HEADER_LEN + 3] = 0xff), Fault::Layout);
        assert_eq!(refused(&|b| b.extend([0; 8])), Fault::Layout);
        assert_eq!(refused(&|b| b.truncate(HEADER_LEN)), Fault::Layout);
        assert_eq!(refused(&|b| b.truncate(HEADER_LEN + 8)), Fault::Layout);
        // One byte less of data leaves one that is not zero in the padding, or cuts the data.
        let less = (data.len() as u32 - 1).to_le_bytes();
        assert_eq!(
            refused(&|b| b[HEADER_LEN..HEADER_LEN + 4].copy_from_slice(&less)),
            Fault::Layout
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "Zstandard is C")]
fn a_codec_that_is_not_known_is_unsupported() {
    let (header, data) = parts(&seal(&texts(), Codec::Zstd));
    let strange = Header { codec: Codec::Other(9), ..header };
    let refused = refusal(with_data(&strange, &data));
    assert_eq!(
        (refused.fault(), refused.to_string().contains('9')),
        (Fault::Unsupported, true)
    );
    assert_eq!(Compressor::new(Codec::Other(9), 1).codec(), Codec::None);
}

#[test]
#[cfg_attr(miri, ignore = "Zstandard is C")]
fn one_codec_is_not_taken_for_another() {
    for (codec, other) in [(Codec::Lz4, Codec::Zstd), (Codec::Zstd, Codec::Lz4)] {
        let (header, data) = parts(&seal(&texts(), codec));
        refusal(with_data(&Header { codec: other, ..header }, &data));
    }
}

type Owned = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Vec<u8>)>, i64);

fn owned_record() -> impl Strategy<Value = Owned> {
    // Few letters, so that much of it shrinks.
    let bytes = |len| proptest::collection::vec(0u8..4, 0..len);
    (
        proptest::option::of(bytes(20)),
        proptest::option::of(bytes(200)),
        proptest::collection::vec((".{1,8}", bytes(9)), 0..3),
        -1000i64..1000,
    )
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "Zstandard is C")]
    fn what_is_compressed_is_read_back(
        records in proptest::collection::vec(owned_record(), 1..40),
    ) {
        for (codec, level) in CODECS_AND_LEVELS {
            let mut builder = BatchBuilder::new(MAX, 1000);
            for (key, value, headers, timestamp_us) in &records {
                let headers: Vec<(&str, &[u8])> =
                    headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
                builder
                    .push(&RecordRef {
                        key: key.as_deref(),
                        value: value.as_deref(),
                        headers: &headers,
                        ..RecordRef::at(*timestamp_us)
                    })
                    .expect("room");
            }
            let most = builder.sealed_len();
            let sequence = Sequence { producer_id: 1, producer_epoch: 2, base_sequence: 3 };
            let bytes = builder.seal_with(sequence, &mut Compressor::new(codec, level));
            prop_assert!(bytes.len() <= most && bytes.len().is_multiple_of(8));
            let batch = Batch::decode(bytes).expect("a built batch is valid");
            prop_assert_eq!(batch.header().base_sequence, 3);
            let got: Vec<Owned> = batch
                .iter()
                .map(|r| (
                    r.key().map(<[u8]>::to_vec),
                    r.value().map(<[u8]>::to_vec),
                    r.headers().map(|(n, v)| (n.to_owned(), v.to_vec())).collect(),
                    r.timestamp_us(),
                ))
                .collect();
            prop_assert_eq!(&got, &records);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Zstandard is C")]
    fn noise_never_panics_and_never_overruns(
        data in proptest::collection::vec(any::<u8>(), 0..200),
        raw_len in 0u32..1000,
        zstd in any::<bool>(),
    ) {
        let codec = if zstd { Codec::Zstd } else { Codec::Lz4 };
        let (header, _) = parts(&seal(&texts(), Codec::Zstd));
        // Zstandard's magic lets more of it pass the first look.
        let magic: &[u8] = if zstd { &[0x28, 0xb5, 0x2f, 0xfd] } else { &[] };
        let header = Header { codec, raw_len, ..header };
        let _ = Batch::decode(with_data(&header, &[magic, &data].concat()));
    }
}
