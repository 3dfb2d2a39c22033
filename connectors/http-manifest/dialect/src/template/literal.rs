//! Reads the text that a template gave as a literal, where it is one: the dialect's templates only give text, and a
//! page number that was taken from an answer must reach the next request's JSON as a number.

use serde_json::{Number, Value as Json};

/// The value; none where the text spells none or is empty.
pub(super) fn read(text: &str) -> Option<Json> {
    let trimmed = text.trim();
    match trimmed {
        "" | "None" => return None,
        "True" => return Some(Json::Bool(true)),
        "False" => return Some(Json::Bool(false)),
        _ => {}
    }
    let read = match trimmed.as_bytes().first() {
        Some(b'[' | b'{') => serde_json::from_str(trimmed).ok(),
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => number(trimmed).map(Json::Number),
        _ => None,
    };
    Some(read.unwrap_or_else(|| Json::String(text.to_owned())))
}

/// A number as Python reads one: `007` is none.
fn number(text: &str) -> Option<Number> {
    let digits = text.trim_start_matches(['-', '+']);
    let zero_led = digits.len() > 1
        && digits.starts_with('0')
        && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    if zero_led || text.len() - digits.len() > 1 || !text.bytes().all(numeric) {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Number::from(integer));
    }
    if text.contains(['.', 'e', 'E']) { text.parse().ok().and_then(Number::from_f64) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn check(text: &str, expected: &Value) {
        assert_eq!(read(text).unwrap_or(Value::Null), *expected, "{text}");
    }

    #[test]
    fn literals_are_read_and_everything_else_stays_text() {
        check("7", &json!(7));
        check("-1.5", &json!(-1.5));
        check("True", &json!(true));
        check("None", &json!(null));
        check("", &json!(null));
        check(r#"{"a": [1]}"#, &json!({"a": [1]}));
        check("{a}", &json!("{a}"));
        check("007", &json!("007"));
        check("1-2", &json!("1-2"));
        check("--1", &json!("--1"));
        check("2024-01-01", &json!("2024-01-01"));
        check("99999999999999999999", &json!("99999999999999999999"));
        check("true", &json!("true"));
    }
}
