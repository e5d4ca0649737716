//! Values of flags that have a form of their own: sizes, counts, headers, acks, starts.
//!
//! Owns how they are written. The one invariant: a value that is refused is answered with how it
//! should look.

use std::time::Duration;

use tidewire::{Acks, Start};

/// Units of sizes, longest first so that a suffix is never cut in half.
const SIZE_UNITS: [(&str, u64); 10] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("b", 1),
];

/// Reads a size in bytes: `4096`, `64KiB`, `64K` (the same) or `64kB` (64,000).
pub fn size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, unit) = SIZE_UNITS
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .unwrap_or((&lower, 1));
    digits
        .trim_end()
        .replace('_', "")
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "a size looks like 4096, 64KiB or 1GiB".to_owned())
}

/// Reads a size that is sent as 32 bits.
pub fn small_size(text: &str) -> Result<u32, String> {
    u32::try_from(size(text)?).map_err(|_| "the limit is 4 GiB".to_owned())
}

/// Reads a number of things, at least one: `5000000`, `5_000_000`, `5M` or `100k`.
pub fn count(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase().replace('_', "");
    let (digits, unit) = [("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000)]
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .unwrap_or((&lower, 1));
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|number| *number > 0)
        .ok_or_else(|| "a number, at least 1, looks like 5000, 100k or 5M".to_owned())
}

/// Reads a time: `10s`, `500ms`, `2m`; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, unit_ms) = [("ms", 1), ("s", 1_000), ("m", 60_000)]
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .unwrap_or((&lower, 1_000));
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_ms))
        .filter(|ms| *ms > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| "a time looks like 10s, 500ms or 2m".to_owned())
}

/// Reads a header, `name=value`; the value may be empty and may hold `=`.
pub fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a header looks like name=value".to_owned()),
    }
}

/// Reads what an acknowledgement is to promise.
pub fn acks(text: &str) -> Result<Acks, String> {
    match text {
        "none" => Ok(Acks::None),
        "written" => Ok(Acks::Written),
        "synced" => Ok(Acks::Synced),
        _ => Err("acks are none, written or synced".to_owned()),
    }
}

/// Reads where to begin.
pub fn start(text: &str) -> Result<Start, String> {
    match text {
        "earliest" => Ok(Start::Earliest),
        "latest" => Ok(Start::Latest),
        text => text
            .parse()
            .map(Start::Offset)
            .map_err(|_| "a start is earliest, latest or an offset".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("17B", 17), ("2k", 2048), ("2 MiB", 2 << 20), ("3kB", 3000)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "x", "-1", "1.5M", "99999999999G", "MiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert!(small_size("4GiB").is_err());
    }

    #[test]
    fn counts_and_times_are_at_least_one() {
        assert_eq!(count("5M"), Ok(5_000_000));
        assert_eq!(count("1_707"), Ok(1707));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert!(count("0").is_err() && duration("0s").is_err() && duration("s").is_err());
    }

    #[test]
    fn headers_may_hold_anything_after_the_first_equals_sign() {
        assert_eq!(header("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(header("a="), Ok(("a".to_owned(), String::new())));
        assert!(header("=b").is_err() && header("ab").is_err());
    }

    #[test]
    fn starts_are_words_or_offsets() {
        assert_eq!(start("17"), Ok(Start::Offset(17)));
        assert_eq!(start("latest"), Ok(Start::Latest));
        assert!(start("newest").is_err() && start("-1").is_err());
    }
}
