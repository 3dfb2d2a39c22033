//! Takes rows of CSV apart. A row without quotes is split in place; one with quotes goes through `csv-core`, which
//! knows all that quotes can do.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::config::Dialect;

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// The row is not whole yet.
    More,
    /// Nothing but blank lines and comments, up to the end.
    End,
    Row(Span),
}

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where it begins, after blank lines and comments.
    pub(crate) start: usize,
    /// Where the next one begins.
    pub(crate) end: usize,
    /// Whether the file ends within quotes.
    pub(crate) unclosed: bool,
}

#[derive(Debug)]
pub(crate) struct Splitter {
    core: Reader,
    quote: Option<u8>,
    delimiter: u8,
    comment: Option<u8>,
    /// The fields of a row with quotes, one after the other.
    unquoted: Vec<u8>,
    /// Where each field ends: in `unquoted`, or in the row itself, where delimiters stand in between.
    ends: Vec<usize>,
    count: usize,
    in_place: bool,
}

impl Splitter {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        Self {
            core: core(dialect),
            quote: dialect.quote,
            delimiter: dialect.delimiter,
            comment: dialect.comment,
            unquoted: Vec::new(),
            ends: Vec::new(),
            count: 0,
            in_place: true,
        }
    }

    /// Take apart the first row of these bytes.
    #[inline]
    pub(crate) fn split(&mut self, bytes: &[u8], at_end: bool) -> Split {
        let Some(start) = self.leading(bytes, at_end) else { return Split::More };
        let row = bytes.get(start..).unwrap_or_default();
        if row.is_empty() {
            return Split::End;
        }
        let special = match self.quote {
            Some(quote) => memchr::memchr3(b'\n', b'\r', quote, row),
            None => memchr::memchr2(b'\n', b'\r', row),
        };
        let length = match special {
            Some(place) if row.get(place).copied() == self.quote => {
                return self.split_quoted(start, row, at_end);
            }
            Some(place) => place,
            None if at_end => row.len(),
            None => return Split::More,
        };
        self.split_in_place(row.get(..length).unwrap_or_default());
        let end = start + length + line_end(row.get(length..).unwrap_or_default());
        Split::Row(Span { start, end, unclosed: false })
    }

    fn split_in_place(&mut self, line: &[u8]) {
        self.ends.clear();
        self.ends.extend(memchr::memchr_iter(self.delimiter, line));
        self.ends.push(line.len());
        (self.count, self.in_place) = (self.ends.len(), true);
    }

    /// Bytes of blank lines and comments; `None` if more may follow.
    #[inline]
    fn leading(&self, bytes: &[u8], at_end: bool) -> Option<usize> {
        let mut place = 0;
        loop {
            match bytes.get(place) {
                None if at_end => return Some(place),
                None => return None,
                Some(b'\n' | b'\r') => place += 1,
                Some(byte) if Some(*byte) == self.comment => {
                    let rest = bytes.get(place..).unwrap_or_default();
                    match memchr::memchr2(b'\n', b'\r', rest) {
                        Some(length) => place += length + 1,
                        None if at_end => place = bytes.len(),
                        None => return None,
                    }
                }
                Some(_) => return Some(place),
            }
        }
    }

    fn split_quoted(&mut self, start: usize, row: &[u8], at_end: bool) -> Split {
        self.core.reset();
        let (mut used, mut written, mut ended) = (0, 0, 0);
        let mut unclosed = false;
        loop {
            let rest = row.get(used..).unwrap_or_default();
            if rest.is_empty() && !at_end {
                return Split::More;
            }
            // A last row gets the end that its line does not have: within quotes that ends nothing.
            let input = if rest.is_empty() { b"\n" } else { rest };
            let output = self.unquoted.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(ended..).unwrap_or_default();
            let (result, read, wrote, fields) = self.core.read_record(input, output, ends);
            (used, written, ended) = (used + read.min(rest.len()), written + wrote, ended + fields);
            match result {
                ReadRecordResult::InputEmpty if rest.is_empty() => {
                    unclosed = true;
                    break;
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    self.unquoted.resize(self.unquoted.len().max(row.len().min(4096)) * 2, 0);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len().max(32) * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        (self.count, self.in_place) = (ended, false);
        let line_feed =
            usize::from(used > 0 && row.get(used - 1) == Some(&b'\r') && row.get(used) == Some(&b'\n'));
        Split::Row(Span { start, end: start + used + line_feed, unclosed })
    }

    /// Ends of lines in the row that was taken apart last.
    #[inline]
    pub(crate) fn row_lines(&self, row: &[u8]) -> u64 {
        if self.in_place { u64::from(matches!(row.last(), Some(b'\n' | b'\r'))) } else { lines(row) }
    }

    /// How many fields the row has that was taken apart last.
    pub(crate) fn field_count(&self) -> usize {
        self.count
    }

    /// The fields of the row that was taken apart last; `row` are the bytes from its start on.
    #[inline]
    pub(crate) fn fields<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let (bytes, gap) = if self.in_place { (row, 1) } else { (self.unquoted.as_slice(), 0) };
        let mut start = 0;
        self.ends.iter().take(self.count).map(move |end| {
            let field = bytes.get(start..*end).unwrap_or_default();
            start = end + gap;
            field
        })
    }
}

/// The fields of the first row of some text.
pub(crate) fn first_row(text: &[u8], dialect: &Dialect) -> Option<Vec<String>> {
    let mut splitter = Splitter::new(dialect);
    let Split::Row(span) = splitter.split(text, true) else { return None };
    let row = text.get(span.start..).unwrap_or_default();
    Some(splitter.fields(row).map(|field| String::from_utf8_lossy(field).into_owned()).collect())
}

/// The parser for rows with quotes.
pub(crate) fn core(dialect: &Dialect) -> Reader {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(dialect.delimiter).comment(dialect.comment).escape(dialect.escape);
    match dialect.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    builder.build()
}

/// Ends of lines; a file whose lines end with carriage returns alone has one for each row.
pub(crate) fn lines(bytes: &[u8]) -> u64 {
    match memchr::memchr_iter(b'\n', bytes).count() {
        0 => u64::from(bytes.last() == Some(&b'\r')),
        count => count as u64,
    }
}

fn line_end(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, Split, Splitter};
    use crate::config::Dialect;

    fn dialect() -> Dialect {
        Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            header: true,
            comment: Some(b'#'),
            nulls: vec![],
            trim: false,
        }
    }

    fn rows(dialect: &Dialect, text: &str) -> Vec<Vec<String>> {
        let mut splitter = Splitter::new(dialect);
        let (mut rest, mut rows) = (text.as_bytes(), Vec::new());
        while let Split::Row(span) = splitter.split(rest, true) {
            let fields = splitter.fields(&rest[span.start..]);
            rows.push(fields.map(|field| String::from_utf8(field.to_vec()).unwrap()).collect());
            rest = &rest[span.end..];
        }
        rows
    }

    #[test]
    fn both_ways_agree_on_lines_blanks_and_comments() {
        let plain = rows(&dialect(), "a,b\r\n\r\n# no row\n,\nc\rd,,e");
        assert_eq!(plain, [vec!["a", "b"], vec!["", ""], vec!["c"], vec!["d", "", "e"]]);
        let quoted = rows(&dialect(), "\"a\",b\r\n\r\n# no row\n,\"\"\n\"c\"\r\"d\",,e");
        assert_eq!(quoted, plain);
    }

    #[test]
    fn quotes_hold_delimiters_line_feeds_and_quotes() {
        assert_eq!(rows(&dialect(), "1,\"a,\"\"b\"\"\nc\"\n"), [["1", "a,\"b\"\nc"]]);
        let escaped = Dialect { escape: Some(b'\\'), quote: Some(b'\''), ..dialect() };
        assert_eq!(rows(&escaped, "1,'it\\'s',\"x\"\n"), [["1", "it's", "\"x\""]]);
        let unquoted = Dialect { quote: None, ..dialect() };
        assert_eq!(rows(&unquoted, "1,\"a\n"), [["1", "\"a"]]);
    }

    #[test]
    fn a_row_that_is_not_whole_waits_for_more() {
        let mut splitter = Splitter::new(&dialect());
        for bytes in ["", "\n\n", "# comment", "a,b", "\"a\nb", "\"a\"\"", "\"a\""] {
            assert_eq!(splitter.split(bytes.as_bytes(), false), Split::More, "{bytes:?}");
        }
        assert_eq!(splitter.split(b"\n# comment", true), Split::End);
        let whole = Split::Row(Span { start: 1, end: 4, unclosed: false });
        assert_eq!(splitter.split(b"\n\"a\"", true), whole);
        assert_eq!(splitter.split(b"\"a\nb", true), Split::Row(Span { start: 0, end: 4, unclosed: true }));
    }

    #[test]
    fn long_rows_with_many_fields_grow_what_they_are_kept_in() {
        let long = format!("\"{}\"{}\n", "x".repeat(100_000), ",\"y\"".repeat(500));
        let found = rows(&dialect(), &long);
        assert_eq!((found[0].len(), found[0][0].len()), (501, 100_000));
    }
}
