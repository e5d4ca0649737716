//! Frames: the preface, the 32-byte header, and their checks.
//!
//! Everything after the preface travels in frames: header, meta, payload. The header's checksum
//! covers the meta, so no bit flip can send a batch to the wrong partition; the payload, which is
//! batches, has checksums of its own.

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::Writer;
use crate::crc::{crc32c, crc32c_append};
use crate::error::{Code, Disposition, Error};
use crate::limits;
use crate::message::{Kind, Message};

/// Bytes of the preface.
pub const PREFACE_LEN: usize = 8;
/// Bytes of a frame header.
pub const HEADER_LEN: usize = 32;
/// Bytes of a frame that are kept for what goes with a payload of batches.
pub const OVERHEAD: u32 = 1 << 10;
/// The protocol's major version: nothing of another major can be understood.
pub const MAJOR: u8 = 1;
/// The protocol's minor version: informative.
pub const MINOR: u8 = 0;

/// What both sides send first.
// SPEC P-2
pub const PREFACE: [u8; PREFACE_LEN] = [b'T', b'I', b'D', b'E', MAJOR, MINOR, 0, 0];

/// Checks what a peer sent first. `bytes` may be fewer than eight: the magic is judged once its
/// four bytes are there, so that the verdict does not depend on how they were cut. `Ok(false)`
/// wants more bytes.
// SPEC P-3
pub fn check_preface(bytes: &[u8]) -> Result<bool, Error> {
    let Some(magic) = bytes.first_chunk::<4>() else {
        return Ok(false);
    };
    if matches!(magic, [0x15 | 0x16, 3, ..]) {
        // Alerts and handshakes begin like this, in all versions.
        let text = "the peer speaks TLS here; the URL of a server that does begins with \
                    tidewire+tls://";
        return Err(Error::new(Code::NOT_TIDEWIRE, text));
    }
    if magic[..] != PREFACE[..4] {
        let shown = bytes[..bytes.len().min(24)].escape_ascii();
        return Err(Error::new(
            Code::NOT_TIDEWIRE,
            format!("the peer does not speak the Tidewire protocol: it sent \"{shown}\""),
        ));
    }
    if bytes.len() > 4 && bytes[4] != MAJOR {
        return Err(Error::new(
            Code::UNSUPPORTED_PROTOCOL,
            format!("the peer speaks protocol version {}, this side only {MAJOR}", bytes[4]),
        ));
    }
    Ok(bytes.len() >= PREFACE_LEN)
}

/// The largest frame of a connection, from what each side says that it takes: the smaller of
/// both, and never below what the handshake needs or above the protocol's limit.
// SPEC L-2
pub fn agreed_frame_len(ours: u32, theirs: u32) -> u32 {
    ours.min(theirs).clamp(limits::MAX_HANDSHAKE_FRAME_LEN, limits::MAX_FRAME_LEN)
}

/// Bits of a frame's `flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// An answer; the correlation is the request's.
    pub const RESPONSE: Self = Self(1);
    /// Not answered; the correlation is 0.
    pub const ONE_WAY: Self = Self(2);
    /// Reserved for answers in several frames.
    pub const MORE: Self = Self(4);
    /// Every bit with a meaning.
    pub const KNOWN: Self = Self(7);

    /// Whether all of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A parsed frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the whole frame, a multiple of 8.
    pub size: u32,
    /// What it is.
    pub kind: Kind,
    /// Layout of the meta.
    pub kind_version: u8,
    /// See [`Flags`].
    pub flags: Flags,
    /// Chosen by the client, rising; repeated in the answer.
    pub correlation: u64,
    /// A producer or subscription that the client opened; 0 is the connection itself.
    pub channel: u32,
    /// In a request the time that the client will wait, in milliseconds (0: no bound). In an
    /// answer the status (u16) and disposition (u8).
    pub aux: u32,
    /// Bytes of the meta, a multiple of 8.
    pub meta_len: u32,
}

impl Header {
    /// The header's 32 bytes; the checksum covers `meta`.
    pub fn encode(&self, meta: &[u8]) -> [u8; HEADER_LEN] {
        let mut out = [0u8; HEADER_LEN];
        out[..4].copy_from_slice(&self.size.to_le_bytes());
        out[4..6].copy_from_slice(&self.kind.0.to_le_bytes());
        out[6] = self.kind_version;
        out[7] = self.flags.0;
        out[8..16].copy_from_slice(&self.correlation.to_le_bytes());
        out[16..20].copy_from_slice(&self.channel.to_le_bytes());
        out[20..24].copy_from_slice(&self.aux.to_le_bytes());
        out[24..28].copy_from_slice(&self.meta_len.to_le_bytes());
        let crc = crc32c_append(crc32c(&out[..28]), meta);
        out[28..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header and checks that its lengths are possible and within `max_frame_len`. The
    /// checksum needs the meta: see [`Header::check_meta`].
    // SPEC W-2, W-3, W-4, W-5
    pub fn parse(bytes: &[u8; HEADER_LEN], max_frame_len: u32) -> Result<Self, Error> {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let header = Self {
            size: u32_at(0),
            kind: Kind(u16::from_le_bytes([bytes[4], bytes[5]])),
            kind_version: bytes[6],
            flags: Flags(bytes[7]),
            correlation: u64::from(u32_at(8)) | u64::from(u32_at(12)) << 32,
            channel: u32_at(16),
            aux: u32_at(20),
            meta_len: u32_at(24),
        };
        if header.size > max_frame_len {
            return Err(Error::new(
                Code::FRAME_TOO_LARGE,
                format!(
                    "a frame of {} bytes is over the limit of {max_frame_len}",
                    header.size
                ),
            ));
        }
        if (header.size as usize) < HEADER_LEN || !header.size.is_multiple_of(8) {
            return Err(Error::new(
                Code::MALFORMED_FRAME,
                format!("frame size {} is not a multiple of 8 of at least 32", header.size),
            ));
        }
        let room = (header.size - HEADER_LEN as u32).min(limits::MAX_META_LEN);
        if header.meta_len > room || !header.meta_len.is_multiple_of(8) {
            return Err(Error::new(
                Code::MALFORMED_FRAME,
                format!("meta length {} is not a multiple of 8 up to {room}", header.meta_len),
            ));
        }
        if header.flags.0 & !Flags::KNOWN.0 != 0 {
            return Err(Error::new(
                Code::MALFORMED_FRAME,
                format!("reserved bits are set in flags {:#04x}", header.flags.0),
            ));
        }
        Ok(header)
    }

    /// Checks the checksum over the header's bytes and the meta that followed.
    // SPEC W-9
    pub fn check_meta(bytes: &[u8; HEADER_LEN], meta: &[u8]) -> Result<(), Error> {
        let stored = u32::from_le_bytes([bytes[28], bytes[29], bytes[30], bytes[31]]);
        let computed = crc32c_append(crc32c(&bytes[..28]), meta);
        if stored == computed {
            return Ok(());
        }
        Err(Error::new(
            Code::FRAME_CHECKSUM,
            format!("a frame's checksum is {stored:08x}, its bytes give {computed:08x}"),
        ))
    }

    /// An answer's status and disposition, from `aux`.
    // SPEC W-8, E-3
    pub fn status(&self) -> (Code, Disposition) {
        let [low, high, disposition, _] = self.aux.to_le_bytes();
        (Code(u16::from_le_bytes([low, high])), Disposition(disposition))
    }
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its header.
    pub header: Header,
    /// Its meta, padding included.
    pub meta: Bytes,
    /// Its payload.
    pub payload: Bytes,
}

/// The parts of a header that its sender chooses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// See [`Header::flags`].
    pub flags: Flags,
    /// See [`Header::correlation`].
    pub correlation: u64,
    /// See [`Header::channel`].
    pub channel: u32,
    /// See [`Header::aux`].
    pub aux: u32,
}

/// Appends a frame's header and meta to `out`, announcing a payload of `payload_len` bytes that
/// must follow. Nothing is appended if the frame would be over `max_frame_len`.
pub fn encode<M: Message>(
    out: &mut BytesMut,
    head: Head,
    message: &M,
    payload_len: usize,
    max_frame_len: u32,
) -> Result<(), Error> {
    encode_with(out, M::KIND, M::VERSION, head, payload_len, max_frame_len, |writer| {
        message.encode(writer);
    })
}

/// As [`encode`], with the meta written by `meta`.
pub(crate) fn encode_with(
    out: &mut BytesMut,
    kind: Kind,
    kind_version: u8,
    head: Head,
    payload_len: usize,
    max_frame_len: u32,
    meta: impl FnOnce(&mut Writer<'_>),
) -> Result<(), Error> {
    let start = out.len();
    out.put_bytes(0, HEADER_LEN);
    meta(&mut Writer::new(out));
    let unpadded = out.len() - start - HEADER_LEN;
    out.put_bytes(0, unpadded.next_multiple_of(8) - unpadded);
    let meta_len = out.len() - start - HEADER_LEN;
    let size = HEADER_LEN + meta_len + payload_len;
    if meta_len > limits::MAX_META_LEN as usize || size > max_frame_len as usize {
        out.truncate(start);
        return Err(Error::new(
            Code::FRAME_TOO_LARGE,
            format!(
                "{kind} needs a frame of {size} bytes with a meta of {meta_len}; the limits are \
                 {max_frame_len} and {}",
                limits::MAX_META_LEN
            ),
        ));
    }
    debug_assert!(payload_len.is_multiple_of(8), "payloads are batches");
    let header = Header {
        size: size as u32,
        kind,
        kind_version,
        flags: head.flags,
        correlation: head.correlation,
        channel: head.channel,
        aux: head.aux,
        meta_len: meta_len as u32,
    };
    let (header_at, meta) = out[start..].split_at_mut(HEADER_LEN);
    header_at.copy_from_slice(&header.encode(meta));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Ping;

    #[test]
    fn ping_has_the_published_bytes() {
        let mut out = BytesMut::new();
        let head = Head { correlation: 7, ..Head::default() };
        encode(&mut out, head, &Ping {}, 0, limits::MAX_FRAME_LEN).expect("small");
        let expected = [
            0x20, 0, 0, 0, 3, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0xd9, 0x0c, 0xec, 0xef,
        ];
        assert_eq!(out[..], expected);
    }

    #[test]
    fn a_preface_is_judged_by_its_magic_and_then_by_its_major() {
        assert_eq!(check_preface(b"TI"), Ok(false));
        assert_eq!(check_preface(b"GET"), Ok(false));
        assert_eq!(check_preface(&PREFACE), Ok(true));
        assert_eq!(check_preface(b"TIDE\x01\x09\xff\xff"), Ok(true));
        assert_eq!(check_preface(b"GET ").expect_err("http").code, Code::NOT_TIDEWIRE);
        let other = check_preface(b"TIDE\x02\0\0\0").expect_err("other major");
        assert_eq!(other.code, Code::UNSUPPORTED_PROTOCOL);
    }

    #[test]
    fn impossible_headers_are_refused() {
        let good = Header {
            size: 40,
            kind: Kind::PING,
            kind_version: 1,
            flags: Flags::default(),
            correlation: 1,
            channel: 0,
            aux: 0,
            meta_len: 8,
        };
        let parse = |header: Header| Header::parse(&header.encode(&[0; 8]), 1 << 20);
        assert_eq!(parse(good), Ok(good));
        for (bad, code) in [
            (Header { size: 0, ..good }, Code::MALFORMED_FRAME),
            (Header { size: 24, ..good }, Code::MALFORMED_FRAME),
            (Header { size: 41, ..good }, Code::MALFORMED_FRAME),
            (Header { size: u32::MAX, ..good }, Code::FRAME_TOO_LARGE),
            (Header { meta_len: 16, ..good }, Code::MALFORMED_FRAME),
            (Header { meta_len: 4, ..good }, Code::MALFORMED_FRAME),
            (Header { size: 1 << 20, meta_len: 65_544, ..good }, Code::MALFORMED_FRAME),
            (Header { flags: Flags(8), ..good }, Code::MALFORMED_FRAME),
        ] {
            assert_eq!(parse(bad).expect_err("impossible").code, code, "{bad:?}");
        }
    }
}
