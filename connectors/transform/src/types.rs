//! The names of types, as a configuration says them.

use cofferdam_sdk::{DataType, Zone};

use crate::faults::unknown;

const NAMES: [&str; 12] = [
    "boolean",
    "int64",
    "float64",
    "text",
    "bytes",
    "json",
    "date",
    "decimal",
    "time(utc)",
    "time(local)",
    "timestamp(utc)",
    "timestamp(local)",
];

/// The type of this name, or what is wrong with the name.
pub(crate) fn parse(name: &str) -> Result<DataType, String> {
    let compact: String = name.chars().filter(|character| !character.is_whitespace()).collect();
    match compact.as_str() {
        "boolean" => Ok(DataType::Boolean),
        "int64" => Ok(DataType::Int64),
        "float64" => Ok(DataType::Float64),
        "text" => Ok(DataType::Text),
        "bytes" => Ok(DataType::Bytes),
        "json" => Ok(DataType::Json),
        "date" => Ok(DataType::Date),
        "time(utc)" => Ok(DataType::Time(Zone::Utc)),
        "time(local)" => Ok(DataType::Time(Zone::Local)),
        "timestamp(utc)" => Ok(DataType::Timestamp(Zone::Utc)),
        "timestamp(local)" => Ok(DataType::Timestamp(Zone::Local)),
        "time" | "timestamp" => Err(format!("say `{name}(utc)` or `{name}(local)`")),
        decimal if decimal.starts_with("decimal") => parse_decimal(decimal).ok_or_else(|| {
            "a decimal is `decimal(precision, scale)`: precision 1 to 38, scale 0 to precision".to_owned()
        }),
        _ => Err(unknown("type", name, NAMES)),
    }
}

fn parse_decimal(name: &str) -> Option<DataType> {
    let (precision, scale) = name.strip_prefix("decimal(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale): (u8, u8) = (precision.parse().ok()?, scale.parse().ok()?);
    ((1..=38).contains(&precision) && scale <= precision).then(|| DataType::decimal(precision, scale))
}

#[cfg(test)]
mod tests {
    use super::{NAMES, parse};

    #[test]
    fn a_type_is_read_from_the_name_that_messages_call_it() {
        for name in
            NAMES.into_iter().filter(|name| *name != "decimal").chain(["decimal(38, 0)", "decimal(9, 9)"])
        {
            assert_eq!(parse(name).unwrap().name(), name);
        }
        assert_eq!(parse(" decimal( 12,2 ) ").unwrap().name(), "decimal(12, 2)");
    }

    #[test]
    fn what_is_no_type_is_said_with_what_would_be_one() {
        assert_eq!(parse("timestamp").unwrap_err(), "say `timestamp(utc)` or `timestamp(local)`");
        assert_eq!(parse("txet").unwrap_err(), "there is no type `txet`; did you mean `text`?");
        for wrong in
            ["decimal", "decimal(39, 0)", "decimal(5, 6)", "decimal(0, 0)", "decimal(5)", "decimal(-1, 0)"]
        {
            assert!(parse(wrong).unwrap_err().starts_with("a decimal is"), "{wrong}");
        }
        assert!(parse("number").unwrap_err().contains("`int64`"));
    }
}
