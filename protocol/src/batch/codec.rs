//! Compressing a body as a whole, and getting it back.
//!
//! After the header, a batch whose codec is not `none` holds:
//!
//! | at | field |
//! |---|---|
//! | 80 | data_len u32: bytes of compressed data, without the padding |
//! | 84 | zero u32 |
//! | 88 | data: one LZ4 block (codec 1), or exactly one Zstandard frame without a dictionary (2) |
//! | 88 + data_len | zeros up to a multiple of 8, which is `total_len` |
//!
//! The data decompresses to the body: exactly `raw_len` bytes, which with the header may be no
//! more than the largest batch. `body_crc` covers the bytes as they are stored, so a damaged batch
//! is found before anything is decompressed.
//!
//! Owns the scratch memory of both directions: a [`Compressor`]'s lasts as long as it does, that
//! of decompression is kept per thread, at most the largest batch and a Zstandard context. The one
//! invariant: nothing is allocated by a `raw_len` that was not checked, and no more than `raw_len`
//! bytes are ever written.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use lz4_flex::block::{self as lz4, CompressTable};
use zstd::{bulk, zstd_safe};

use super::header::{HEADER_LEN, Header};
use super::layout::{pad8, u32_at};
use super::malformed::{Malformed, malformed};
use super::validate::Limits;
use crate::error::{Code, Error};
pub use crate::message::Codec;

/// The codecs of this major version, as HELLO's bitmap: bit n is codec n.
///
/// Every implementation reads all of them, so a server delivers what is stored without asking who
/// can read it. A codec that is added later will need its bit to be looked at.
pub const CODECS: u32 = 0b111;

/// Zstandard's level unless told otherwise: the fast end, since a producer's records wait for it.
pub const ZSTD_LEVEL: i32 = 1;

/// `data_len` and the zero after it.
const PREFIX_LEN: usize = 8;

const NAMES: [(Codec, &str); 3] =
    [(Codec::None, "none"), (Codec::Lz4, "lz4"), (Codec::Zstd, "zstd")];

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(codec, _)| codec == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "codec {}", u8::from(*self)),
        }
    }
}

impl FromStr for Codec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = NAMES.iter().find(|(_, name)| *name == text);
        found.map(|(codec, _)| *codec).ok_or_else(|| {
            Error::new(
                Code::INVALID_OPTION,
                format!("codec is \"{text}\", but should be none, lz4 or zstd"),
            )
        })
    }
}

/// Compresses the bodies of batches, one after the other, in memory of its own.
///
/// One serves all batch builders of a thread. The default leaves bodies as they are.
#[derive(Default)]
pub struct Compressor {
    engine: Engine,
    /// Room for the largest result so far; grows, and is never cleared.
    out: Vec<u8>,
}

#[derive(Default)]
enum Engine {
    #[default]
    None,
    Lz4(Box<CompressTable>),
    Zstd(bulk::Compressor<'static>),
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("codec", &self.codec()).finish_non_exhaustive()
    }
}

impl Compressor {
    /// A compressor. `level` is Zstandard's, where it is the codec: higher is smaller and slower;
    /// [`ZSTD_LEVEL`] is a good one. A codec that is not known here leaves bodies as they are.
    pub fn new(codec: Codec, level: i32) -> Self {
        let engine = match codec {
            // The small table would be exchanged for this one at the first large body, and bytes
            // would then depend on what was compressed before.
            Codec::Lz4 => Engine::Lz4(Box::new(CompressTable::large())),
            // Zstandard holds a level to its own range, so what is left to fail is memory.
            Codec::Zstd => bulk::Compressor::new(level).map_or(Engine::None, Engine::Zstd),
            _ => Engine::None,
        };
        Self { engine, out: Vec::new() }
    }

    /// What it compresses with.
    pub fn codec(&self) -> Codec {
        match self.engine {
            Engine::None => Codec::None,
            Engine::Lz4(_) => Codec::Lz4,
            Engine::Zstd(_) => Codec::Zstd,
        }
    }

    /// What to store after the header in place of `body`; `None` if that is not shorter.
    pub(super) fn compress(&mut self, body: &[u8]) -> Option<&[u8]> {
        let bound = match self.engine {
            Engine::None => return None,
            Engine::Lz4(_) => lz4::get_maximum_output_size(body.len()),
            Engine::Zstd(_) => zstd_safe::compress_bound(body.len()),
        };
        let room = PREFIX_LEN + pad8(bound);
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let data = &mut self.out[PREFIX_LEN..room];
        // With room for the worst case neither fails; if one did, the body would stay plain.
        let data_len = match &mut self.engine {
            Engine::None => return None,
            Engine::Lz4(table) => lz4::compress_into_with_table(body, data, table).ok()?,
            Engine::Zstd(context) => context.compress_to_buffer(body, data).ok()?,
        };
        let len = PREFIX_LEN + pad8(data_len);
        if len >= body.len() {
            return None;
        }
        self.out[..4].copy_from_slice(&(data_len as u32).to_le_bytes());
        self.out[PREFIX_LEN + data_len..len].fill(0);
        Some(&self.out[..len])
    }
}

thread_local! {
    static ZSTD: RefCell<bulk::Decompressor<'static>> = RefCell::default();
    static BODY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Checks that the codec is known, and that the body once decompressed is no larger than that of
/// the largest batch.
pub(super) fn check_header(header: &Header, limits: Limits) -> Result<(), Malformed> {
    if let Codec::Other(codec) = header.codec {
        return Err(malformed!(Unsupported, "codec {codec} is not known here"));
    }
    let plain_len = HEADER_LEN as u64 + u64::from(header.raw_len);
    if plain_len > u64::from(limits.max_batch_len) {
        return Err(malformed!(
            Limit,
            "a batch of {plain_len} bytes once decompressed is over the limit of {}",
            limits.max_batch_len
        ));
    }
    Ok(())
}

/// The body of a compressed batch in memory of its own. The header passed [`check_header`].
pub(super) fn decompress(header: &Header, stored: &[u8]) -> Result<Vec<u8>, Malformed> {
    decompress_data(header, data(header, stored)?)
}

/// As [`decompress`], of the compressed data alone.
pub(super) fn decompress_data(header: &Header, data: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut body = vec![0; header.raw_len as usize];
    decompress_into(header.codec, data, &mut body)?;
    Ok(body)
}

/// Gives `look` the body of a compressed batch, in memory that this thread uses again.
pub(super) fn with_decompressed<T>(
    header: &Header,
    stored: &[u8],
    look: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    let data = data(header, stored)?;
    BODY.with_borrow_mut(|scratch| {
        let len = header.raw_len as usize;
        if scratch.len() < len {
            scratch.resize(len, 0);
        }
        let body = &mut scratch[..len];
        decompress_into(header.codec, data, body)?;
        look(body)
    })
}

/// The compressed data, without its length and padding.
fn data<'a>(header: &Header, stored: &'a [u8]) -> Result<&'a [u8], Malformed> {
    if stored.len() < PREFIX_LEN {
        return Err(malformed!(
            Layout,
            "a compressed body of {} bytes has no room for its length",
            stored.len()
        ));
    }
    let (data_len, zero) = (u32_at(stored, 0) as usize, u32_at(stored, 4));
    if zero != 0 {
        return Err(malformed!(
            Unsupported,
            "the word after the compressed length is {zero}, not 0"
        ));
    }
    let padded = &stored[PREFIX_LEN..];
    if pad8(data_len) != padded.len() {
        return Err(malformed!(
            Layout,
            "{data_len} bytes of {} data do not end a body of {} bytes",
            header.codec,
            stored.len()
        ));
    }
    let (data, padding) = padded.split_at(data_len);
    if padding.iter().any(|&byte| byte != 0) {
        return Err(malformed!(Layout, "the padding after the compressed data is not zero"));
    }
    Ok(data)
}

/// Fills `body` exactly.
fn decompress_into(codec: Codec, data: &[u8], body: &mut [u8]) -> Result<(), Malformed> {
    let raw_len = body.len();
    let broken = |why: &dyn fmt::Display| {
        malformed!(
            Layout,
            "{} bytes of {codec} data do not decompress to {raw_len}: {why}",
            data.len()
        )
    };
    let len = match codec {
        Codec::Lz4 => lz4::decompress_into(data, body).map_err(|why| broken(&why))?,
        Codec::Zstd => {
            // Zstandard itself would take several frames, and frames that hold no data.
            if zstd_safe::find_frame_compressed_size(data).ok() != Some(data.len()) {
                return Err(broken(&"they are not exactly one frame"));
            }
            ZSTD.with_borrow_mut(|context| context.decompress_to_buffer(data, body))
                .map_err(|why| broken(&why))?
        }
        other => return Err(malformed!(Unsupported, "{other} is not known here")),
    };
    if len != raw_len {
        return Err(broken(&format_args!("they give {len}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
