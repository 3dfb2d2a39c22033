//! Figures for people: counts with separators, bytes, durations, rates.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in binary units.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64;
    let mut shown = "B";
    for unit in UNITS {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        shown = unit;
    }
    format!("{amount:.1} {shown}")
}

/// Milliseconds as a person says them.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// A moment as a person writes it, in UTC.
pub(crate) fn moment(ms: u64) -> String {
    let (days, second) = (ms / 86_400_000, ms / 1_000 % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3_600, second / 60 % 60)
}

/// The same to the second, for logs.
pub(crate) fn second(ms: u64) -> String {
    let (minute, second) = (moment(ms), ms / 1_000 % 60);
    format!("{}:{second:02}", minute.trim_end_matches(" UTC"))
}

/// Year, month and day of a day since 1970, in the calendar that counts from 1 March (Hinnant, "chrono-compatible
/// low-level date algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Rows a second.
pub(crate) fn rate(rows: u64, ms: u64) -> String {
    format!("{}/s", count(rows.saturating_mul(1000) / ms.max(1)))
}

/// An amount of a limit, whose name says its unit.
pub(crate) fn amount(limit: &str, amount: u64) -> String {
    if limit.ends_with("_bytes") || limit.starts_with("bytes_") {
        bytes(amount)
    } else if limit.ends_with("_ms") {
        duration(amount)
    } else {
        count(amount)
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{amount, bytes, count, counted, duration, moment, rate};

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment(0), "1970-01-01 00:00 UTC");
        assert_eq!(moment(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(moment(951_868_740_000), "2000-02-29 23:59 UTC");
        assert_eq!(moment(1_767_225_599_999), "2025-12-31 23:59 UTC");
        assert_eq!(moment(4_107_542_400_000), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [bytes(0), bytes(1023), bytes(1536), bytes(64 << 20)],
            ["0 B", "1023 B", "1.5 KiB", "64.0 MiB"]
        );
        assert_eq!(bytes(u64::MAX), "16777216.0 TiB");
        assert_eq!([duration(7), duration(1_500), duration(61_000)], ["7 ms", "1.5 s", "1 min 1 s"]);
        assert_eq!(duration(7_260_000), "2 h 1 min");
        assert_eq!([rate(10, 0), rate(3_000, 1_500)], ["10,000/s", "2,000/s"]);
        assert_eq!([counted(1, "row", "rows"), counted(2, "row", "rows")], ["1 row", "2 rows"]);
    }

    #[test]
    fn the_name_of_a_limit_gives_its_unit() {
        assert_eq!(amount("memory_bytes", 1024), "1.0 KiB");
        assert_eq!(amount("bytes_out", 1), "1 B");
        assert_eq!(amount("cpu_ms", 2_000), "2.0 s");
        assert_eq!(amount("requests", 100_000), "100,000");
    }
}
