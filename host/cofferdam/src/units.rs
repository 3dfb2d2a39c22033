//! Figures for people: counts with separators, bytes, durations, rates.

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
    use super::{amount, bytes, count, counted, duration, rate};

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
