//! Values of flags that have a form of their own: sizes, counts, headers, acks, starts.
//!
//! Owns how they are written. The one invariant: a value that is refused is answered with how it
//! should look.

use std::time::Duration;

use tidewire::{Acks, Grant, Start};

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

/// Reads a grant: `read,write topic shop/*`.
pub fn grant(text: &str) -> Result<Grant, String> {
    text.parse()
}

/// Reads how long a token lives: `90d`, `12h`, `30m` or `45s`.
pub fn lifetime(text: &str) -> Result<Duration, String> {
    let lower = text.trim().to_ascii_lowercase();
    [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .and_then(|(digits, unit)| digits.parse::<u64>().ok()?.checked_mul(unit))
        .filter(|seconds| (1..=3_155_760_000).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "a time, up to 100 years, looks like 90d, 12h, 30m or 45s".to_owned())
}

/// Reads the number of an encryption key.
pub fn key_id(text: &str) -> Result<u32, String> {
    let most = tidewire_protocol::limits::MAX_ENCRYPTION_KEY_ID;
    text.parse::<u32>()
        .ok()
        .filter(|id| (1..=most).contains(id))
        .ok_or_else(|| format!("the number of a key is 1 to {most}"))
}

/// Reads a size that is sent as 32 bits.
pub fn small_size(text: &str) -> Result<u32, String> {
    u32::try_from(size(text)?).map_err(|_| "the limit is 4 GiB".to_owned())
}

/// Sizes of records, in bytes: all of them from `min` to `max` are as likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The smallest.
    pub min: u32,
    /// The largest.
    pub max: u32,
}

/// Reads one size, or a range of them: `100`, `100..1KiB`.
pub fn sizes(text: &str) -> Result<Sizes, String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let (min, max) = (small_size(min)?, small_size(max)?);
    if min > max {
        return Err(format!("a range of sizes goes from small to large: {max}..{min}"));
    }
    Ok(Sizes { min, max })
}

/// Reads a number of things, which may be none: 0, or as [`count`].
pub fn count_or_none(text: &str) -> Result<u64, String> {
    if text.trim() == "0" { Ok(0) } else { count(text) }
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

/// Units of ages, in milliseconds; `ms` stands before `m` and `s`, which it ends with.
const AGE_UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

/// Reads an age in milliseconds: `90s`, `12h`, `7d`, `2w`; `none` or 0 is 0.
pub fn age_ms(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    if lower == "none" || lower == "0" {
        return Ok(0);
    }
    AGE_UNITS
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .and_then(|(digits, unit)| digits.trim_end().parse::<u64>().ok()?.checked_mul(unit))
        .ok_or_else(|| "an age looks like 90s, 12h, 7d or none".to_owned())
}

/// Reads a size in bytes; `none` is 0.
pub fn size_or_none(text: &str) -> Result<u64, String> {
    if text.trim().eq_ignore_ascii_case("none") { Ok(0) } else { size(text) }
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
    text.parse().map_err(|_| {
        "a start is earliest, latest, an offset, last:N or time:MICROSECONDS".to_owned()
    })
}

/// Reads a moment: an age before `now_us`, or an RFC 3339 time; gives microseconds since the
/// Unix epoch.
pub fn moment(text: &str, now_us: i64) -> Result<i64, String> {
    if let Ok(time) = text.trim().parse::<jiff::Timestamp>() {
        return Ok(time.as_microsecond());
    }
    let age_us = age_ms(text).ok().and_then(|ms| i64::try_from(ms.checked_mul(1_000)?).ok());
    age_us
        .map(|age_us| now_us.saturating_sub(age_us))
        .ok_or_else(|| "a moment looks like 10m, 12h (ago) or 2026-01-02T03:04:05Z".to_owned())
}

/// Reads a moment as of now.
pub fn since(text: &str) -> Result<i64, String> {
    moment(text, jiff::Timestamp::now().as_microsecond())
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
    fn a_range_of_sizes_goes_up() {
        assert_eq!(sizes("100"), Ok(Sizes { min: 100, max: 100 }));
        assert_eq!(sizes("10..2KiB"), Ok(Sizes { min: 10, max: 2048 }));
        assert!(sizes("2..1").unwrap_err().contains("1..2"));
        assert!(sizes("..").is_err() && sizes("1..x").is_err());
        assert_eq!((count_or_none("0"), count_or_none("2k")), (Ok(0), Ok(2000)));
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
    fn ages_need_a_unit_or_are_none() {
        for (text, ms) in [
            ("none", 0),
            ("0", 0),
            ("5ms", 5),
            ("2 m", 120_000),
            ("7d", 604_800_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(age_ms(text), Ok(ms), "{text}");
        }
        for bad in ["", "7", "d", "-1s", "1.5h", "99999999999999999w"] {
            assert!(age_ms(bad).is_err(), "{bad}");
        }
        assert_eq!((size_or_none("none"), size_or_none("1k")), (Ok(0), Ok(1024)));
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
        assert_eq!(start("last:5"), Ok(Start::Last(5)));
        assert!(start("newest").is_err() && start("-1").is_err());
    }

    #[test]
    fn a_moment_is_an_age_or_a_date() {
        assert_eq!(moment("10m", 1_000_000_000), Ok(400_000_000));
        assert_eq!(moment("2026-01-02T03:04:05Z", 0), Ok(1_767_323_045_000_000));
        assert_eq!(moment("2026-01-02T05:04:05.5+02:00", 0), Ok(1_767_323_045_500_000));
        for bad in ["", "yesterday", "10", "-5m", "2026-13-01T00:00:00Z"] {
            assert!(moment(bad, 0).is_err(), "{bad}");
        }
    }
}
