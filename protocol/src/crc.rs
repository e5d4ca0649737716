//! The one checksum of Tidewire: CRC32C (Castagnoli), over frame heads and batches.
//!
//! A thin room around the `crc32c` crate, so that the choice of implementation stands once.
//! CRC32C finds every burst of up to 32 bits and runs in hardware on x86-64 and AArch64.

/// CRC32C of `bytes`.
#[inline]
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// Continues a CRC32C over `bytes`, as if they followed what `crc` covers.
#[inline]
pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
    ::crc32c::crc32c_append(crc, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_check_value() {
        // "123456789" is the check input of the CRC catalogue; CRC-32/ISCSI gives e3069283.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c_append(crc32c(b"1234"), b"56789"), 0xe306_9283);
    }
}
