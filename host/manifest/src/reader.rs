//! A small reader over spanned TOML that goes on after a fault, so that one look at a document reports all of them.
//!
//! Every accessor reports what is wrong and answers none; a document is built only from values that are all there.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{Code, Fault, Faults};
use crate::place::Source;
use crate::text::{alternatives, did_you_mean, is_plain, quoted};

/// The largest document that is read. A manifest comes from outside; this is far more than the longest honest one.
pub(crate) const DOCUMENT_BYTES_MAX: usize = 512 * 1024;

/// More faults than this are only counted: a hostile document could have one a byte.
const FAULTS_MAX: usize = 200;

/// Read a document: all faults, or the value that `build` made of it.
pub(crate) fn read<T>(
    file: &str,
    text: &str,
    build: impl for<'d> FnOnce(Node<'d>) -> Option<T>,
) -> Result<T, Faults> {
    read_shown(file, text, text, build)
}

/// Read a document whose faults show the lines of another text, the same byte for byte but for what is not to be seen.
pub(crate) fn read_shown<T>(
    file: &str,
    text: &str,
    shown: &str,
    build: impl for<'d> FnOnce(Node<'d>) -> Option<T>,
) -> Result<T, Faults> {
    let (text, too_large) = if text.len() > DOCUMENT_BYTES_MAX { ("", true) } else { (text, false) };
    let sink = Sink { source: Source::new(shown), faults: RefCell::default(), left_out: Cell::new(0) };
    if too_large {
        let message = format!("the document is larger than {} KiB", DOCUMENT_BYTES_MAX / 1024);
        sink.report(Code::TooLarge, 0..0, String::new(), message, None);
        return Err(sink.into_faults(file));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        sink.report(Code::Syntax, span, String::new(), error.message().to_owned(), None);
    }
    let document = Spanned::new(document.span(), DeValue::Table(document.into_inner()));
    let value = build(Node { sink: &sink, value: &document, path: String::new() });
    match value {
        Some(value) if sink.faults.borrow().is_empty() => Ok(value),
        _ => Err(sink.into_faults(file)),
    }
}

/// Where faults are gathered.
pub(crate) struct Sink<'t> {
    source: Source<'t>,
    faults: RefCell<Vec<Fault>>,
    left_out: Cell<usize>,
}

impl Sink<'_> {
    fn report(&self, code: Code, span: Range<usize>, path: String, message: String, hint: Option<String>) {
        let mut faults = self.faults.borrow_mut();
        if faults.len() >= FAULTS_MAX {
            self.left_out.set(self.left_out.get() + 1);
            return;
        }
        let (line, column) = self.source.position(span.start);
        let excerpt = self.source.excerpt(&span);
        faults.push(Fault { code, line, column, path, message, hint, excerpt });
    }

    /// A hint that costs something: not for faults that are only counted.
    fn hint(&self, make: impl FnOnce() -> String) -> Option<String> {
        (self.faults.borrow().len() < FAULTS_MAX).then(make)
    }

    /// A broken line makes faults that are none: keys that seem missing, values that the parser made up.
    fn into_faults(self, file: &str) -> Faults {
        let mut faults = self.faults.into_inner();
        let broken: Vec<usize> =
            faults.iter().filter(|fault| fault.code == Code::Syntax).map(|fault| fault.line).collect();
        faults.retain(|fault| match fault.code {
            Code::Syntax => true,
            Code::MissingKey => broken.is_empty(),
            _ => !broken.contains(&fault.line),
        });
        faults.sort_by_key(|fault| (fault.line, fault.column));
        Faults { file: file.to_owned(), faults, left_out: self.left_out.get() }
    }
}

/// One value of a document.
#[derive(Clone)]
pub(crate) struct Node<'d> {
    sink: &'d Sink<'d>,
    value: &'d Spanned<DeValue<'d>>,
    path: String,
}

impl<'d> Node<'d> {
    pub(crate) fn value(&self) -> &'d DeValue<'d> {
        self.value.get_ref()
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn fault(&self, code: Code, message: impl Into<String>) {
        self.fault_with(code, message, None);
    }

    pub(crate) fn fault_with(&self, code: Code, message: impl Into<String>, hint: Option<String>) {
        self.sink.report(code, self.value.span(), self.path.clone(), message.into(), hint);
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        let message = format!("expected {what}, found {}", self.value().type_str());
        self.fault(Code::WrongType, message);
        None
    }

    pub(crate) fn string(&self) -> Option<&'d str> {
        match self.value() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => self.expected("a string"),
        }
    }

    /// A text for people, on one line.
    pub(crate) fn line_of_text(&self, chars_max: usize) -> Option<String> {
        let text = self.text(chars_max)?;
        if text.contains('\n') {
            self.fault(Code::WrongValue, "must stand on one line");
            return None;
        }
        Some(text)
    }

    /// A text for people: nothing in it that steers a terminal or hides what it says.
    pub(crate) fn text(&self, chars_max: usize) -> Option<String> {
        let text = self.string()?;
        if text.trim().is_empty() {
            self.fault(Code::WrongValue, "must not be empty");
            return None;
        }
        if text.chars().count() > chars_max {
            self.fault(Code::WrongValue, format!("is longer than {chars_max} characters"));
            return None;
        }
        if let Some(hidden) = text.chars().find(|character| *character != '\n' && !is_plain(*character)) {
            let message = format!("holds the invisible character `{}`", hidden.escape_unicode());
            self.fault(Code::WrongValue, message);
            return None;
        }
        Some(text.to_owned())
    }

    /// A name of ours: `[a-z][a-z0-9-]{0,62}`.
    pub(crate) fn identifier(&self) -> Option<String> {
        let text = self.string()?;
        let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if letters && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.len() <= 63 {
            return Some(text.to_owned());
        }
        let folded = text.to_lowercase().replace([' ', '_', '.'], "-");
        let hint = "a name starts with a letter and has at most 63 of `a` to `z`, `0` to `9` and `-`";
        let nearer =
            folded != text && folded.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let hint = if nearer { format!("{hint}, such as {}", quoted(&folded)) } else { hint.to_owned() };
        self.fault_with(Code::WrongValue, format!("{} is not a name", quoted(text)), Some(hint));
        None
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        self.value().as_bool().or_else(|| self.expected("`true` or `false`"))
    }

    pub(crate) fn unsigned(&self) -> Option<u64> {
        let DeValue::Integer(integer) = self.value() else { return self.expected("a whole number") };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            self.fault(
                Code::WrongValue,
                format!("{} is not a number from 0 to {}", quoted(integer.as_str()), u64::MAX),
            );
        }
        number
    }

    /// A whole number within bounds.
    pub(crate) fn unsigned_within(&self, bounds: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.unsigned()?;
        if bounds.contains(&number) {
            return Some(number);
        }
        self.fault(Code::WrongValue, format!("must be from {} to {}", bounds.start(), bounds.end()));
        None
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string()?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let message = format!("{} is not {}", quoted(text), alternatives(&words));
        self.fault_with(Code::WrongValue, message, did_you_mean(text, words));
        None
    }

    pub(crate) fn items(&self) -> Option<Vec<Node<'d>>> {
        let DeValue::Array(array) = self.value() else { return self.expected("an array") };
        let item = |(index, value)| Node { sink: self.sink, value, path: format!("{}[{index}]", self.path) };
        Some(array.iter().enumerate().map(item).collect())
    }

    /// A table with these keys and no others.
    pub(crate) fn table(&self, known: &[&str]) -> Option<Table<'d>> {
        let table = self.open_table()?;
        for (key, _) in table.table {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let message = format!("unknown key {}", quoted(name));
                let hint = self.sink.hint(|| {
                    did_you_mean(name, known.iter().copied())
                        .unwrap_or_else(|| format!("known here: {}", alternatives(known)))
                });
                self.sink.report(Code::UnknownKey, key.span(), self.path.clone(), message, hint);
            }
        }
        Some(table)
    }

    /// A table with any keys.
    pub(crate) fn open_table(&self) -> Option<Table<'d>> {
        match self.value() {
            DeValue::Table(table) => Some(Table { node: self.clone(), table }),
            _ => self.expected("a table"),
        }
    }

    /// The value at a JSON Pointer below this one, or the nearest above it that is there.
    pub(crate) fn at_pointer(&self, pointer: &str) -> Node<'d> {
        let mut node = self.clone();
        for segment in pointer.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let Some(next) = node.child(&segment) else { break };
            node = next;
        }
        node
    }

    fn child(&self, segment: &str) -> Option<Node<'d>> {
        match self.value() {
            DeValue::Table(table) => Table { node: self.clone(), table }.get(segment),
            DeValue::Array(_) => self.items()?.into_iter().nth(segment.parse().ok()?),
            _ => None,
        }
    }
}

/// One table of a document.
pub(crate) struct Table<'d> {
    node: Node<'d>,
    table: &'d DeTable<'d>,
}

impl<'d> Table<'d> {
    /// The table as a value, to report a fault of the whole.
    pub(crate) fn node(&self) -> &Node<'d> {
        &self.node
    }

    pub(crate) fn get(&self, key: &str) -> Option<Node<'d>> {
        let value = self.table.get(key)?;
        Some(Node { sink: self.node.sink, value, path: self.path_of(key) })
    }

    pub(crate) fn required(&self, key: &str) -> Option<Node<'d>> {
        let node = self.get(key);
        if node.is_none() {
            self.node.fault(Code::MissingKey, format!("`{key}` is missing"));
        }
        node
    }

    /// A value that may be absent. The outer option: whether it can be read; the inner: whether it is there.
    pub(crate) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Node<'d>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.get(key).map_or(Some(None), |node| read(&node).map(Some))
    }

    /// The items of an array; none of them when the key is absent.
    pub(crate) fn items(&self, key: &str) -> Vec<Node<'d>> {
        self.get(key).and_then(|node| node.items()).unwrap_or_default()
    }

    /// Every key with its value.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'d str, Node<'d>)> {
        self.table.iter().map(|(key, value)| {
            let key = key.get_ref().as_ref();
            (key, Node { sink: self.node.sink, value, path: self.path_of(key) })
        })
    }

    fn path_of(&self, key: &str) -> String {
        let bare = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        let key = if bare && !key.is_empty() { key.to_owned() } else { quoted(key).replace('`', "\"") };
        match self.node.path() {
            "" => key,
            path => format!("{path}.{key}"),
        }
    }
}

/// Reports every name that stands twice, at its later places.
pub(crate) fn refuse_duplicates<'n, 'd: 'n>(
    what: &str,
    names: impl Iterator<Item = (&'n str, &'n Node<'d>)>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for (name, node) in names {
        if !seen.insert(name) {
            node.fault(Code::Duplicate, format!("{what} {} stands twice", quoted(name)));
        }
    }
}
