//! Rows as JSON objects, one a line: for records that have no fixed shape.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, JsonLines, Result};

/// Writes rows as JSON lines.
///
/// ```
/// use cofferdam_sdk::JsonLinesBuilder;
///
/// let mut rows = JsonLinesBuilder::new();
/// rows.push(&serde_json::json!({"title": "Metropolis", "year": 1927}))?;
/// rows.push_json(r#"{"title": "Nosferatu"}"#)?;
/// assert_eq!((rows.row_count(), rows.byte_count()), (2, 58));
/// let lines = rows.finish();
/// assert!(lines.data.starts_with(b"{\"title\":\"Metropolis\",\"year\":1927}\n"));
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct JsonLinesBuilder {
    data: Vec<u8>,
    rows: u32,
}

impl JsonLinesBuilder {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add one row: anything that serde writes as an object.
    pub fn push(&mut self, row: &impl Serialize) -> Result<()> {
        let start = self.data.len();
        let written = serde_json::to_writer(&mut self.data, row)
            .map_err(|fault| Error::bug(format!("a row that JSON cannot say: {fault}")));
        let ended = written.and_then(|()| self.end_row(start));
        if ended.is_err() {
            self.data.truncate(start);
        }
        ended
    }

    /// Add one row that is JSON text already. It must be an object; its inside is not looked at here.
    pub fn push_json(&mut self, object: &str) -> Result<()> {
        let start = self.data.len();
        self.data.extend_from_slice(object.trim().as_bytes());
        let ended = self.end_row(start);
        if ended.is_err() {
            self.data.truncate(start);
        }
        ended
    }

    fn end_row(&mut self, start: usize) -> Result<()> {
        let row = self.data.get_mut(start..).unwrap_or_default();
        if !(row.starts_with(b"{") && row.ends_with(b"}")) {
            return Err(Error::bug("a row must be a JSON object"));
        }
        // Inside JSON text a bare line feed can only be white space between tokens, so a blank means the same.
        for byte in row.iter_mut().filter(|byte| **byte == b'\n') {
            *byte = b' ';
        }
        self.data.push(b'\n');
        self.rows += 1;
        Ok(())
    }

    /// Take back the last row, which began here.
    pub(crate) fn undo(&mut self, bytes: usize) {
        self.data.truncate(bytes);
        self.rows = self.rows.saturating_sub(1);
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u32 {
        self.rows
    }

    /// How many bytes they take.
    pub fn byte_count(&self) -> usize {
        self.data.len()
    }

    /// The rows.
    pub fn finish(self) -> JsonLines {
        JsonLines { row_count: self.rows, data: self.data }
    }
}

impl JsonLines {
    /// Each line, without its line feed.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.data.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
    }

    /// Each row as a value of this type; a row that is not one is an error of its own and does not end the iteration.
    pub fn parse<T: DeserializeOwned>(&self) -> impl Iterator<Item = Result<T>> {
        self.lines().map(|line| serde_json::from_slice(line).map_err(Error::from))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::RawValue};

    use super::JsonLinesBuilder;
    use crate::Error;

    #[test]
    fn each_row_is_one_line_also_when_raw_json_is_pretty() {
        let mut rows = JsonLinesBuilder::new();
        let raw: Box<RawValue> = serde_json::from_str("{\n \"b\": 1\n}").unwrap();
        rows.push(&json!({"text": "two\nlines"})).unwrap();
        rows.push(&json!({"outer": 0})).unwrap();
        rows.push(&raw).unwrap();
        rows.push_json(" {\"c\":\n2}\n").unwrap();
        let lines = rows.finish();
        let parsed: Vec<Value> = lines.parse().map(Result::unwrap).collect();
        assert_eq!(
            parsed,
            [json!({"text": "two\nlines"}), json!({"outer": 0}), json!({"b": 1}), json!({"c": 2})]
        );
        assert_eq!(lines.row_count, 4);
    }

    #[test]
    fn what_is_no_object_leaves_no_trace() {
        let mut rows = JsonLinesBuilder::new();
        rows.push(&json!({"a": 1})).unwrap();
        assert_eq!(rows.push(&json!([1])), Err(Error::bug("a row must be a JSON object")));
        assert_eq!(rows.push_json("3"), Err(Error::bug("a row must be a JSON object")));
        assert_eq!(rows.finish().data, b"{\"a\":1}\n");
    }

    #[test]
    fn a_broken_line_is_one_error() {
        let lines = crate::JsonLines { row_count: 3, data: b"{\"a\":1}\n{oops\n{\"a\":3}\n".to_vec() };
        let parsed: Vec<_> = lines.parse::<Value>().map(|row| row.is_ok()).collect();
        assert_eq!(parsed, [true, false, true]);
    }
}
