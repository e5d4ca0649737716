//! Numbers as a person reads them.
//!
//! Owns counts, sizes, times, rates and bars. The one invariant: three significant digits at
//! most where a unit is chosen, all digits where things are counted.

use std::time::Duration;

/// `1707` as `1,707`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 record`, `2 records`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size: `512 B`, `395 KiB`, `1.25 GiB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // Past this, it would be rounded up to 1000 of a unit that ends at 1024.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three_digits(value), units[unit])
}

/// A rate: `949`, `12,300`, `4,560,000`, in three significant digits.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second < 0.0 {
        return "–".to_owned();
    }
    if per_second < 1000.0 {
        return three_digits(per_second);
    }
    let scale = 10f64.powi(per_second.log10() as i32 - 2);
    count(((per_second / scale).round() * scale) as u64)
}

/// A time: `412 µs`, `1.3 ms`, `2.41 s`.
pub fn time(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    match us {
        us if us < 999.5 => format!("{} µs", three_digits(us)),
        us if us < 999_500.0 => format!("{} ms", three_digits(us / 1e3)),
        us => format!("{} s", three_digits(us / 1e6)),
    }
}

/// An age in the largest unit that gives a whole number: `500 ms`, `90 s`, `36 h`, `7 d`.
pub fn age(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let whole = units.iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
    whole.map_or_else(|| "0 ms".to_owned(), |(unit, name)| format!("{} {name}", ms / unit))
}

/// Three significant digits, and no `.0`.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A bar of at most `width` columns, in eighths of one; never nothing where there is something.
pub fn bar(value: u64, max: u64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value == 0 || max == 0 {
        return String::new();
    }
    let eighths = (value.min(max) as f64 / max as f64 * width as f64 * 8.0).round() as usize;
    let eighths = eighths.max(1);
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// Microseconds since the Unix epoch, in RFC 3339; `None` outside the years that it has.
pub fn rfc3339(timestamp_us: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(timestamp_us).ok().map(|time| time.to_string())
}

/// Microseconds since the Unix epoch, to the second, for people; in UTC.
pub fn date(timestamp_us: i64) -> String {
    jiff::Timestamp::from_microsecond(timestamp_us).map_or_else(
        |_| format!("{timestamp_us} µs"),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1707, "1,707"), (1_000_000, "1,000,000")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "record", "records"), "1 record");
        assert_eq!(counted(0, "record", "records"), "0 records");
    }

    #[test]
    fn ages_are_whole_numbers() {
        for (ms, text) in [
            (0, "0 ms"),
            (1_500, "1500 ms"),
            (90_000, "90 s"),
            (129_600_000, "36 h"),
            (604_800_000, "7 d"),
        ] {
            assert_eq!(age(ms), text);
        }
    }

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (404_751, "395 KiB"),
            (1023 * 1024, "1 MiB"),
            (256 << 20, "256 MiB"),
            (5 << 28, "1.25 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn times_and_rates_have_three_digits() {
        for (us, text) in [
            (0, "0 µs"),
            (412, "412 µs"),
            (1300, "1.3 ms"),
            (9999, "10 ms"),
            (2_412_345, "2.41 s"),
        ] {
            assert_eq!(time(Duration::from_micros(us)), text);
        }
        assert_eq!(time(Duration::from_nanos(999_900)), "1 ms");
        assert_eq!(rate(4_561_234.0), "4,560,000");
        assert_eq!(rate(0.25), "0.25");
        assert_eq!(rate(f64::NAN), "–");
    }

    #[test]
    fn bars_show_everything_that_is_there() {
        assert_eq!(bar(8, 8, 4), "████");
        assert_eq!(bar(3, 8, 4), "█▌");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(0, 8, 4), "");
        assert_eq!(bar(0, 0, 4), "");
    }

    #[test]
    fn timestamps_are_rfc_3339() {
        assert_eq!(rfc3339(1_517_363_399_650_000).as_deref(), Some("2018-01-31T01:49:59.65Z"));
        assert_eq!(rfc3339(i64::MAX), None);
        assert_eq!(date(1_517_363_399_650_000), "2018-01-31 01:49:59");
    }
}
