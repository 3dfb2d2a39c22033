//! One CSV file: its header, and its rows one after the other.

use std::collections::HashSet;

use cofferdam_sdk::{Error, Result};
use csv_core::ReadRecordResult;

use super::{
    draft::ROW_BYTES_MAX,
    splitter::{Span, Split, Splitter, core, lines},
};
use crate::{
    config::Dialect,
    input::{ByteStream, Window},
};

/// What a look at the next row brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is the one that was taken apart last. It stays until it is consumed.
    Row(Span),
    /// It is longer than any row may be.
    TooLong,
    End,
}

pub(crate) struct CsvFile {
    pub(crate) window: Window,
    pub(crate) splitter: Splitter,
    pub(crate) dialect: Dialect,
    /// The columns, each with a name of its own.
    pub(crate) names: Vec<String>,
    /// Lines before the first row.
    pub(crate) header_lines: u64,
}

impl CsvFile {
    pub(crate) fn open(path: &str, gzip: bool, dialect: Dialect) -> Result<Self> {
        let mut window = Window::new(ByteStream::open(path, gzip)?);
        window.skip_byte_order_mark()?;
        let splitter = Splitter::new(&dialect);
        let mut file = Self { window, splitter, dialect, names: Vec::new(), header_lines: 0 };
        file.read_header()?;
        Ok(file)
    }

    fn read_header(&mut self) -> Result<()> {
        let path = self.window.stream().path().to_owned();
        let span = match self.next_row()? {
            Next::End => return Ok(()),
            Next::TooLong => {
                return Err(Error::data(format!("the first row of `{path}` never ends: is it CSV?")));
            }
            Next::Row(span) => span,
        };
        if self.window.check_text(span.end).is_err() || span.unclosed {
            return Err(Error::data(format!("the first row of `{path}` is no sound CSV in UTF-8")));
        }
        if !self.dialect.header {
            self.names = (1..=self.splitter.field_count()).map(|number| format!("column_{number}")).collect();
            return Ok(());
        }
        let row = self.window.bytes().get(span.start..).unwrap_or_default();
        let fields = self.splitter.fields(row).map(|field| String::from_utf8_lossy(field).trim().to_owned());
        self.names = distinct(fields.collect());
        self.header_lines = lines(self.window.bytes().get(..span.end).unwrap_or_default());
        self.window.consume(span.end);
        Ok(())
    }

    /// Take the next row apart.
    #[inline]
    pub(crate) fn next_row(&mut self) -> Result<Next> {
        loop {
            match self.splitter.split(self.window.bytes(), self.window.at_end()) {
                Split::Row(span) if span.end - span.start > ROW_BYTES_MAX => return Ok(Next::TooLong),
                Split::Row(span) => return Ok(Next::Row(span)),
                Split::End => return Ok(Next::End),
                Split::More if self.window.bytes().len() > ROW_BYTES_MAX => return Ok(Next::TooLong),
                Split::More => {
                    self.window.fill()?;
                }
            }
        }
    }

    /// Whether the file ends with the row, without an end of its line.
    pub(crate) fn is_unterminated(&self, span: Span) -> bool {
        let bytes = self.window.bytes();
        let last = bytes.get(..span.end).and_then(<[u8]>::last);
        self.window.at_end() && span.end == bytes.len() && !matches!(last, Some(b'\n' | b'\r'))
    }

    /// Consume a row that is too long to be kept; returns how many lines it took.
    pub(crate) fn skip_long_row(&mut self) -> Result<u64> {
        let mut core = core(&self.dialect);
        let (mut output, mut ends, mut count) = ([0; 4096], [0; 64], 0);
        loop {
            let (result, used, ..) = core.read_record(self.window.bytes(), &mut output, &mut ends);
            count += lines(self.window.bytes().get(..used).unwrap_or_default());
            self.window.consume(used);
            match result {
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::InputEmpty if self.window.fill()? => {}
                _ => break,
            }
        }
        self.window.shrink();
        Ok(count)
    }
}

/// Names that are empty or taken get a number.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut seen = HashSet::new();
    let mut numbered = |base: String, first: usize| {
        let mut number = first;
        loop {
            let name = format!("{base}_{number}");
            if taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    };
    let mut result = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let name = name.replace(char::is_control, " ");
        result.push(match name.as_str() {
            "" => numbered("column".to_owned(), index + 1),
            _ if seen.insert(name.clone()) => name,
            _ => numbered(name, 2),
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use super::distinct;

    #[test]
    fn every_column_gets_a_name_of_its_own() {
        let names = ["a", "", "a", "a_2", "b", "a", ""];
        let distinct = distinct(names.map(str::to_owned).to_vec());
        assert_eq!(distinct, ["a", "column_2", "a_3", "a_2", "b", "a_4", "column_7"]);
    }
}
