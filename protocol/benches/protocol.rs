//! What the formats cost: building, checking and reading a batch of 1,000 records, checksums, and
//! frames. `cargo bench -p tidewire-protocol`
//!
//! Each figure is for the whole batch, so microseconds per batch are nanoseconds per record.
//! `copy` is the least that building a batch can cost: the same value bytes, appended to one
//! buffer of the right size.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use tidewire_protocol::batch::{
    Batch, BatchBuilder, Compressor, EncryptionKey, EncryptionKeys, HEADER_LEN, Header, Layout,
    Place, RecordRef, Sealing, Sequence, check_tables,
};
use tidewire_protocol::crc::crc32c;
use tidewire_protocol::frame::{self, Head};
use tidewire_protocol::limits::MAX_FRAME_LEN;
use tidewire_protocol::message::{Acks, Append};
use tidewire_protocol::name::TopicName;

const RECORDS: usize = 1_000;
const SIZES: [usize; 2] = [100, 1_024];

fn push_all(builder: &mut BatchBuilder, value: &[u8]) {
    for i in 0..RECORDS {
        let record = RecordRef { value: Some(value), ..RecordRef::at(i as i64) };
        builder.push(&record).expect("room");
    }
}

fn build(builder: &mut BatchBuilder, value: &[u8]) -> Bytes {
    push_all(builder, value);
    builder.seal(Sequence::default())
}

/// The same as plain batches are measured by, encrypted. The nonce is no random one here: what the
/// system takes for 24 bytes is not the format's.
fn encryption(group: &mut BenchmarkGroup<'_, WallTime>, size: usize, value: &[u8]) {
    let key = EncryptionKey::new(1, [7; 32]).expect("a number");
    let topic = TopicName::parse("shop/orders").expect("a name");
    let mut keys = EncryptionKeys::default();
    keys.add(key.clone()).expect("room");
    let sealing = Sealing::new(key, topic.clone(), || [9; 24]);
    let mut builder = BatchBuilder::of_encrypted(8 << 20, 65_536);
    let mut seal = || {
        push_all(&mut builder, value);
        let compressor = &mut Compressor::default();
        builder.seal_encrypted(Sequence::default(), compressor, &sealing, 0)
    };
    let sealed = seal();
    group.bench_function(BenchmarkId::new("build and seal, encrypted", size), |bencher| {
        bencher.iter(&mut seal);
    });
    group.bench_function(BenchmarkId::new("decode, encrypted", size), |bencher| {
        let place = Place { topic: &topic, partition: 0 };
        bencher.iter(|| {
            Batch::decode_with(black_box(&sealed).clone(), &keys, place).expect("valid")
        });
    });
}

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    for size in SIZES {
        let value = vec![7u8; size];
        let mut builder = BatchBuilder::new(8 << 20, 65_536);
        let sealed = build(&mut builder, &value);
        group.throughput(Throughput::Bytes(sealed.len() as u64));

        group.bench_function(BenchmarkId::new("copy", size), |bencher| {
            bencher.iter(|| {
                let mut buffer = Vec::with_capacity(sealed.len());
                for _ in 0..RECORDS {
                    buffer.extend_from_slice(black_box(&value));
                }
                buffer
            });
        });
        group.bench_function(BenchmarkId::new("copy and checksum", size), |bencher| {
            bencher.iter(|| {
                let mut buffer = Vec::with_capacity(sealed.len());
                for _ in 0..RECORDS {
                    buffer.extend_from_slice(black_box(&value));
                }
                (crc32c(&buffer), buffer)
            });
        });
        group.bench_function(BenchmarkId::new("build and seal", size), |bencher| {
            bencher.iter(|| build(&mut builder, black_box(&value)));
        });
        group.bench_function(BenchmarkId::new("decode with checksums", size), |bencher| {
            bencher.iter(|| Batch::decode(black_box(&sealed).clone()).expect("valid"));
        });
        encryption(&mut group, size, &value);
        group.bench_function(BenchmarkId::new("validate without checksums", size), |bencher| {
            let header = Header::parse(&sealed).expect("valid");
            let body = &sealed[HEADER_LEN..];
            bencher.iter(|| {
                let layout = Layout::of(black_box(&header), black_box(body)).expect("valid");
                check_tables(&layout, body).expect("valid");
                layout
            });
        });
        group.bench_function(BenchmarkId::new("iterate", size), |bencher| {
            let batch = Batch::decode(sealed.clone()).expect("valid");
            bencher.iter(|| {
                let mut bytes = 0;
                for record in black_box(&batch) {
                    bytes += record.value().map_or(0, <[u8]>::len);
                }
                bytes
            });
        });
        group.bench_function(BenchmarkId::new("checksum", size), |bencher| {
            bencher.iter(|| crc32c(black_box(&sealed)));
        });
    }
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    let append = Append { partition: 3, acks: Acks::Synced };
    let head = Head { correlation: 7, channel: 1, ..Head::default() };
    let mut out = BytesMut::with_capacity(4096);
    group.bench_function("encode an APPEND", |bencher| {
        bencher.iter(|| {
            out.clear();
            frame::encode(&mut out, black_box(head), black_box(&append), 1 << 16, MAX_FRAME_LEN)
        });
    });
    out.clear();
    frame::encode(&mut out, head, &append, 1 << 16, MAX_FRAME_LEN).expect("small");
    group.bench_function("parse and check a header", |bencher| {
        bencher.iter(|| {
            let bytes: &[u8; frame::HEADER_LEN] =
                black_box(&out).first_chunk().expect("a header");
            let header = frame::Header::parse(bytes, MAX_FRAME_LEN).expect("valid");
            frame::Header::check_meta(bytes, &out[frame::HEADER_LEN..]).expect("valid");
            header
        });
    });
    group.finish();
}

criterion_group!(benches, batches, frames);
criterion_main!(benches);
