//! Vectors of compressed batches, and of what only looks like one.

use tidewire_protocol::batch::{BatchBuilder, Codec, Compressor, RecordRef, Sequence};
use tidewire_protocol::limits;

use super::columns::reseal;
use super::generate::{Id, Vectors, refused, understood};

/// LZ4, and what is not.
pub(super) fn compressed(out: &mut Vectors) {
    let mut builder = BatchBuilder::new(1 << 20, 1000);
    for i in 0..40u32 {
        let value = format!("{{\"place\":\"37km NNE of Amboy, Washington\",\"number\":{i}}}");
        let record = RecordRef {
            key: (i % 3 != 0).then_some(b"uw"),
            value: (i % 7 != 6).then_some(value.as_bytes()),
            ..RecordRef::at(i64::from(i))
        };
        builder.push(&record).expect("small");
    }
    let mut lz4 = Compressor::new(Codec::Lz4, 0);
    let good = builder.seal_with(Sequence::default(), &mut lz4).to_vec();
    assert_eq!(good[33], 1, "it became smaller");
    understood(out, codec_id("batch-lz4"), "decode", &good);
    compressed_lies(out, "lz4", &good);
}

fn codec_id(name: &str) -> Id<'_> {
    Id { file: "batch/codec", name, rule: "B-16", kind: "BATCH" }
}

/// Lies that a compressed batch can tell whatever its codec.
fn compressed_lies(out: &mut Vectors, codec: &str, good: &[u8]) {
    let raw_len = u32::from_le_bytes([good[68], good[69], good[70], good[71]]);
    let data_len = u32::from_le_bytes([good[80], good[81], good[82], good[83]]);
    let count = good[36];
    let too_large = limits::MAX_BATCH_LEN - 79;
    let patches: [(&str, usize, &[u8], &str); 8] = [
        ("raw-len-over", 68, &(raw_len + 8).to_le_bytes(), "CORRUPT_BATCH"),
        ("raw-len-under", 68, &(raw_len - 8).to_le_bytes(), "CORRUPT_BATCH"),
        ("bomb", 68, &[0xff; 4], "BATCH_TOO_LARGE"),
        ("raw-len-just-too-large", 68, &too_large.to_le_bytes(), "BATCH_TOO_LARGE"),
        ("data-len-over", 80, &(data_len + 8).to_le_bytes(), "CORRUPT_BATCH"),
        ("data-len-4-gib", 80, &[0xff; 4], "CORRUPT_BATCH"),
        ("second-word", 84, &[1], "UNSUPPORTED_BATCH"),
        ("of-more-records", 36, &[count + 1], "CORRUPT_BATCH"),
    ];
    for (name, at, bytes, error) in patches {
        let mut bad = good.to_vec();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        reseal(&mut bad);
        refused(out, codec_id(&format!("{codec}-{name}")), &bad, error);
    }
}

/// Zstandard at several levels, which choose different ways to write a block, and what is not one
/// plain frame.
pub(super) fn zstandard(out: &mut Vectors) {
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut builder = BatchBuilder::new(1 << 20, 1000);
    for i in 0..60 {
        let value = format!(
            "{{\"order\":\"{:08x}\",\"customer\":{},\"city\":\"{}\",\"cents\":{}}}",
            next(1 << 32),
            next(5000),
            ["Aarhus", "Bern", "Cádiz", "Đà Nẵng"][next(4) as usize],
            next(1_000_000),
        );
        let key = format!("customer-{}", next(40));
        let record = RecordRef {
            key: (i % 3 != 0).then_some(key.as_bytes()),
            value: (i % 7 != 6).then_some(value.as_bytes()),
            ..RecordRef::at(i * 1000)
        };
        builder.push(&record).expect("small");
    }
    let plain = builder.seal(Sequence::default()).to_vec();
    let mut good = Vec::new();
    for level in [-7, 1, 3, 19] {
        let frame = zstd::bulk::compress(&plain[80..], level).expect("compressed");
        good = with_frame(&plain, &frame);
        understood(out, codec_id(&format!("batch-zstd-level-{level}")), "decode", &good);
    }
    compressed_lies(out, "zstd", &good);

    let mut checked = zstd::bulk::Compressor::new(3).expect("a compressor");
    checked.include_checksum(true).expect("an option");
    checked.include_contentsize(false).expect("an option");
    let frame = checked.compress(&plain[80..]).expect("compressed");
    let batch = with_frame(&plain, &frame);
    understood(out, codec_id("batch-zstd-checksum-without-size"), "decode", &batch);
    let mut wrong = frame.clone();
    *wrong.last_mut().expect("a checksum") ^= 1;

    let empty = zstd::bulk::compress(&[], 1).expect("compressed");
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    let mut dictionary = frame.clone();
    // A descriptor that announces a dictionary of one byte, number 7, after the window.
    dictionary[4] |= 1;
    dictionary.insert(6, 7);
    let mut reserved = frame.clone();
    reserved[4] |= 8;
    let mut magic = frame.clone();
    magic[0] ^= 1;
    let lies: [(&str, Vec<u8>); 9] = [
        ("wrong-checksum", wrong),
        ("second-frame", [&frame[..], &empty[..]].concat()),
        ("skippable-before", [&skippable[..], &frame[..]].concat()),
        ("skippable-after", [&frame[..], &skippable[..]].concat()),
        ("byte-after", [&frame[..], &[0]].concat()),
        ("cut", frame[..frame.len() - 5].to_vec()),
        ("dictionary", dictionary),
        ("reserved-bit", reserved),
        ("magic", magic),
    ];
    for (name, frame) in lies {
        let bad = with_frame(&plain, &frame);
        refused(out, codec_id(&format!("zstd-{name}")), &bad, "CORRUPT_BATCH");
    }
}

/// The batch `plain` with `frame` in the place of its body.
fn with_frame(plain: &[u8], frame: &[u8]) -> Vec<u8> {
    let mut batch = plain[..80].to_vec();
    batch[33] = 2;
    batch.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    batch.extend_from_slice(&[0; 4]);
    batch.extend_from_slice(frame);
    batch.resize(batch.len().next_multiple_of(8), 0);
    let total = batch.len() as u32;
    batch[28..32].copy_from_slice(&total.to_le_bytes());
    reseal(&mut batch);
    batch
}
