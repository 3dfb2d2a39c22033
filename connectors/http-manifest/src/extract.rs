//! Finds the records of an answer. A record stays the text that it is, so that no digit of it changes.

use std::collections::BTreeMap;

use cofferdam_sdk::{Error, Result};
use serde_json::{error::Category, value::RawValue};

use crate::{answer, http::Answer};

/// One step of the path to the records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Each member, each item.
    Each,
    /// The member of this name, the item of this number.
    Key(String),
}

/// The records of an answer, in their order.
pub(crate) fn records<'a>(label: &str, answer: &'a Answer, path: &[Step]) -> Result<Vec<&'a RawValue>> {
    let Some(root) = parse(label, answer)? else { return Ok(Vec::new()) };
    let mut values = vec![root];
    for step in path {
        values = values.into_iter().flat_map(|value| follow(value, step)).collect();
    }
    if path.contains(&Step::Each) {
        return Ok(values);
    }
    Ok(match values.first() {
        Some(value) if value.get().starts_with('[') => items(value),
        Some(value) if !is_falsy(value) => vec![value],
        _ => Vec::new(),
    })
}

/// The answer as JSON; none when it is empty.
fn parse<'a>(label: &str, answer: &'a Answer) -> Result<Option<&'a RawValue>> {
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let text = std::str::from_utf8(body)
        .map_err(|fault| Error::data(format!("{label} answered bytes that are not UTF-8: {fault}")))?;
    serde_json::from_str(text).map(Some).map_err(|fault| {
        let kind = answer.header("content-type").map(|kind| format!(" ({kind})")).unwrap_or_default();
        let quote = answer::quoted(answer);
        match fault.classify() {
            Category::Eof => Error::transient(format!("{label} answered JSON that is cut off: {fault}")),
            _ => Error::data(format!("{label} answered what is not JSON{kind}: {fault}{quote}")),
        }
    })
}

fn follow<'a>(value: &'a RawValue, step: &Step) -> Vec<&'a RawValue> {
    match (value.get().as_bytes().first(), step) {
        (Some(b'['), Step::Each) => items(value),
        (Some(b'['), Step::Key(key)) => {
            let index = key.parse().unwrap_or(usize::MAX);
            items(value).get(index).copied().into_iter().collect()
        }
        (Some(b'{'), Step::Each) => members(value).into_iter().map(|(_, value)| value).collect(),
        (Some(b'{'), Step::Key(key)) => {
            members(value).into_iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect()
        }
        _ => Vec::new(),
    }
}

/// The text was read as JSON before, so that nothing fails here.
fn items(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

fn members(value: &RawValue) -> Vec<(String, &RawValue)> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    members.into_iter().collect()
}

fn is_falsy(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "false" | "\"\"" | "0" | "{}")
        || value.get().strip_prefix('{').is_some_and(|rest| rest.trim() == "}")
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::Error;

    use super::{Step, records};
    use crate::http::Answer;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "text/x".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    fn check(body: &str, path: &[&str], expected: &[&str]) {
        let step = |part: &&str| if *part == "*" { Step::Each } else { Step::Key((*part).to_owned()) };
        let path: Vec<Step> = path.iter().map(step).collect();
        let answer = answer(body);
        let found: Vec<&str> = records("GET x", &answer, &path)
            .unwrap()
            .into_iter()
            .map(serde_json::value::RawValue::get)
            .collect();
        assert_eq!(found, expected, "{body} at {path:?}");
    }

    #[test]
    fn records_are_found_and_stay_as_they_are_written() {
        check(
            r#"[{"a": 1.10}, {"a" : 12345678901234567890123}]"#,
            &[],
            &[r#"{"a": 1.10}"#, r#"{"a" : 12345678901234567890123}"#],
        );
        check(r#"{"data": {"items": [1, {"a":2}]}}"#, &["data", "items"], &["1", r#"{"a":2}"#]);
        check(r#"{"data": {"a": 1}}"#, &["data"], &[r#"{"a": 1}"#]);
        check(r#"{"data": [{"r": {"a":1}}, {"x": 0}, {"r": 2}]}"#, &["data", "*", "r"], &[r#"{"a":1}"#, "2"]);
        check(r#"{"x": {"a": [1]}, "y": {"a": [2]}}"#, &["*", "a", "*"], &["1", "2"]);
        check(r#"{"data": [[{"a":1}], 7]}"#, &["data", "0"], &[r#"{"a":1}"#]);
        check("\u{feff}[{}]", &[], &["{}"]);
    }

    #[test]
    fn where_nothing_is_there_are_no_records() {
        for (body, path) in [
            ("", &[] as &[&str]),
            ("  \n", &["data"]),
            ("{}", &["data"]),
            ("null", &[]),
            (r#"{"data": null}"#, &["data"]),
            (r#"{"data": { }}"#, &["data"]),
            (r#"{"data": 7}"#, &["data", "x"]),
            ("[]", &["data"]),
        ] {
            check(body, path, &[]);
        }
    }

    #[test]
    fn what_is_no_json_says_what_it_is() {
        let html = records("GET x", &answer("<html>\n<b>Sign in</b>"), &[]).unwrap_err();
        let Error::Data(message) = html else { panic!("{html}") };
        assert!(message.starts_with("GET x answered what is not JSON (text/x): expected value"), "{message}");
        assert!(message.ends_with(": <html> <b>Sign in</b>"), "{message}");
        assert!(matches!(records("GET x", &answer(r#"{"data": [1, "#), &[]), Err(Error::Transient(_))));
        let binary = Answer { body: vec![b'"', 0xff, b'"'], ..answer("") };
        assert!(matches!(records("GET x", &binary, &[]), Err(Error::Data(_))));
    }
}
