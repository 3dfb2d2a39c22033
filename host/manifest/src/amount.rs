//! Sizes and times as people write them: `"256 MiB"`, `"30 s"`, or a plain number of bytes or milliseconds.

use toml::de::DeValue;

use crate::fault::Code;
use crate::reader::Node;
use crate::text::{alternatives, quoted};

/// Units of sizes, in bytes.
const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("kB", 1000),
    ("KiB", 1024),
    ("MB", 1_000_000),
    ("MiB", 1024 * 1024),
    ("GB", 1_000_000_000),
    ("GiB", 1024 * 1024 * 1024),
];

/// Units of times, in milliseconds.
const TIMES: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];

/// A size in bytes.
pub(crate) fn bytes(node: &Node<'_>) -> Option<u64> {
    amount(node, &SIZES, "256 MiB")
}

/// A time in milliseconds.
pub(crate) fn milliseconds(node: &Node<'_>) -> Option<u64> {
    amount(node, &TIMES, "30 s")
}

fn amount(node: &Node<'_>, units: &[(&str, u64)], example: &str) -> Option<u64> {
    let text = match node.value() {
        DeValue::Integer(_) => return node.unsigned(),
        DeValue::String(text) => text.as_ref(),
        other => {
            let message =
                format!("expected a number or a text such as `\"{example}\"`, found {}", other.type_str());
            node.fault(Code::WrongType, message);
            return None;
        }
    };
    let read = parse(text, units);
    if let Err(hint) = &read {
        node.fault_with(Code::WrongAmount, format!("{} is not an amount", quoted(text)), Some(hint.clone()));
    }
    read.ok()
}

/// The amount, or what would be right.
fn parse(text: &str, units: &[(&str, u64)]) -> Result<u64, String> {
    let digits_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let usage = || format!("write a whole number and one of {}", alternatives(&names));
    if digits.is_empty() {
        return Err(usage());
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit.trim()) else {
        let near = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()));
        return Err(near.map_or_else(usage, |(name, _)| format!("did you mean `{digits} {name}`?")));
    };
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(*factor)).ok_or_else(|| "the number is too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{SIZES, TIMES, parse};

    #[test]
    fn amounts_are_read_in_their_units() {
        let rows = [
            ("256 MiB", 268_435_456),
            ("64KiB", 65_536),
            ("1 GB", 1_000_000_000),
            ("2 MB", 2_000_000),
            ("3 GiB", 3_221_225_472),
            ("0 B", 0),
            ("7 kB", 7000),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text, &SIZES), Ok(expected), "{text}");
        }
        for (text, expected) in [("30 s", 30_000), ("250 ms", 250), ("2 min", 120_000), ("1 h", 3_600_000)] {
            assert_eq!(parse(text, &TIMES), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_says_what_would_be() {
        let hint = |text: &str| parse(text, &SIZES).unwrap_err();
        assert_eq!(hint("256 mib"), "did you mean `256 MiB`?");
        for text in ["", "MiB", "-1 MiB", "1.5 GiB", "5", "5 parsecs", "१ MiB"] {
            assert!(hint(text).starts_with("write a whole number"), "{text}");
        }
        assert_eq!(hint("99999999999999999999 B"), "the number is too large");
        assert_eq!(hint("18446744073709551615 GiB"), "the number is too large");
    }
}
