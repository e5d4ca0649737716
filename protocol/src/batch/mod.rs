//! The batch: one set of bytes from producer to disk to consumer.
//!
//! A batch is an 80-byte [`Header`] and a columnar body: all values, then all keys, then all
//! record headers, then tables of offsets into them in Arrow's `Binary` shape. The producer
//! builds it with a [`BatchBuilder`]; the server [`validate`]s it, writes a 24-byte [`Stamp`]
//! over its first bytes and touches nothing else; the consumer reads it through [`Batch`]. A
//! [`Compressor`] may shrink the body as a whole, and a [`Sealing`] encrypt it; the server then
//! stores it as it came.
//!
//! Invariant: bytes 24 to the end never change after the producer sealed the batch, so
//! `body_crc` covers a record from the producer's memory to the consumer's.
//!
//! ```
//! use tidewire_protocol::batch::{Batch, BatchBuilder, RecordRef, Sequence};
//!
//! let mut builder = BatchBuilder::new(8 << 20, 65_536);
//! builder.push(&RecordRef { key: Some(b"k"), value: Some(b"hello"), ..RecordRef::at(0) })?;
//! let sealed = builder.seal(Sequence::default());
//!
//! let batch = Batch::decode(sealed)?;
//! assert_eq!(batch.get(0).unwrap().value(), Some(&b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod codec;
mod encryption;
mod header;
mod key;
mod layout;
mod malformed;
mod validate;
mod view;

pub use builder::{BatchBuilder, PushError, RecordRef, Sequence, reseal};
pub use codec::{CODECS, Codec, Compressor, ZSTD_LEVEL};
pub use encryption::{ENCRYPTION_NONCE_LEN, Place, Sealing};
pub use header::{Columns, FORMAT, HEADER_LEN, Header, STAMP_LEN, Stamp};
pub use key::{ENCRYPTION_KEY_LEN, EncryptionKey, EncryptionKeys};
pub use layout::Layout;
pub use malformed::{Fault, Malformed};
pub use validate::{Limits, check_tables, validate};
pub use view::{Batch, Headers, Iter, RecordView, ids};
