//! How runs, row errors and conditions are written on the command line.

use std::str::FromStr;

use pipeline::model::{Comparison, Condition};
use records::ErrorId;

/// A run: `my-sync/3`, or `3` where there is one sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunName {
    pub(crate) sync: Option<String>,
    pub(crate) run: u64,
}

/// A row error: `my-sync/3-17`, or `3-17` where there is one sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorName {
    pub(crate) sync: Option<String>,
    pub(crate) id: ErrorId,
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sync, number) = split(text);
        let run = number.parse().map_err(|_| "a run is a number, as in `3` or `my-sync/3`".to_owned())?;
        Ok(Self { sync, run })
    }
}

impl FromStr for ErrorName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (sync, id) = split(text);
        let id = id
            .parse()
            .map_err(|_| "an id is a run and a number, as in `3-17` or `my-sync/3-17`".to_owned())?;
        Ok(Self { sync, id })
    }
}

fn split(text: &str) -> (Option<String>, &str) {
    match text.rsplit_once('/') {
        Some((sync, rest)) => (Some(sync.to_owned()), rest),
        None => (None, text),
    }
}

/// The longer ones first: `<=` begins as `<` does.
const SIGNS: [(&str, Comparison); 6] = [
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// `field sign value`; a value that is no JSON is a text. `field is null`, `field is not null`.
pub(crate) fn condition(text: &str) -> Result<Condition, String> {
    let text = text.trim();
    let null = [(" is not null", Comparison::IsNotNull), (" is null", Comparison::IsNull)];
    for (words, comparison) in null {
        if let Some(field) = text.strip_suffix(words) {
            return made(field, comparison, "null");
        }
    }
    let first = text.find(['!', '<', '>', '=']).ok_or_else(wrong)?;
    let (field, rest) = text.split_at(first);
    let (sign, comparison) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(wrong)?;
    let value = rest.strip_prefix(sign).unwrap_or_default().trim();
    if value.is_empty() {
        return Err(wrong());
    }
    match serde_json::from_str::<serde_json::Value>(value) {
        Ok(_) => made(field, *comparison, value),
        Err(_) => made(field, *comparison, &serde_json::Value::from(value).to_string()),
    }
}

fn made(field: &str, comparison: Comparison, value: &str) -> Result<Condition, String> {
    let field = field.trim();
    if field.is_empty() {
        return Err(wrong());
    }
    Ok(Condition { field: field.to_owned(), comparison, value: value.to_owned() })
}

fn wrong() -> String {
    "a condition is `field = value`, with `=`, `!=`, `<`, `<=`, `>`, `>=`, or `field is null`, `field is not null`".into()
}

#[cfg(test)]
mod tests {
    use super::{ErrorName, RunName, condition};

    #[test]
    fn runs_and_errors_are_named_with_or_without_their_sync() {
        let run: RunName = "my-sync/3".parse().unwrap();
        assert_eq!((run.sync.as_deref(), run.run), (Some("my-sync"), 3));
        assert_eq!("7".parse::<RunName>().unwrap().sync, None);
        let error: ErrorName = "a/3-17".parse().unwrap();
        assert_eq!((error.sync.as_deref(), error.id.to_string().as_str()), (Some("a"), "3-17"));
        for wrong in ["", "x", "a/", "a/b", "3-"] {
            assert!(wrong.parse::<RunName>().is_err() && wrong.parse::<ErrorName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn conditions_are_read_as_people_write_them() {
        let shown = |text: &str| {
            condition(text).map(|one| format!("{}|{:?}|{}", one.field, one.comparison, one.value)).ok()
        };
        let expected = [
            ("amount >= 10", "amount|GreaterOrEqual|10"),
            ("amount<1.5", "amount|Less|1.5"),
            ("name = \"x\"", "name|Equal|\"x\""),
            ("name=x y", "name|Equal|\"x y\""),
            ("name != a=b", "name|NotEqual|\"a=b\""),
            ("paid is null", "paid|IsNull|null"),
            (" paid is not null ", "paid|IsNotNull|null"),
        ];
        for (text, parts) in expected {
            assert_eq!(shown(text).as_deref(), Some(parts), "{text}");
        }
        for wrong in ["", "amount", "= 3", "amount =", "amount ! 3", " is null"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
