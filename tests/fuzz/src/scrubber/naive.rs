//! The slow search: readers as programs have them, each unescaping all of a text from left to right, and the forms of a secret
//! looked for in what they read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// What a reader unescapes.
#[derive(Debug, Clone, Copy, Default)]
struct Reader {
    percent: bool,
    /// `%252F` is `/`.
    percent_twice: bool,
    /// How many backslashes stand before what is escaped; 0: it reads none.
    backslashes: usize,
    html: bool,
    plus: bool,
}

/// The reader that finds one of the secrets.
pub(super) fn finds(text: &[u8], secrets: &[Vec<u8>]) -> Option<String> {
    let forms: Vec<Vec<u8>> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    for reader in readers() {
        let read = reader.read(text);
        if forms.iter().any(|form| read.windows(form.len()).any(|window| window == form)) {
            return Some(format!("{reader:?}"));
        }
    }
    None
}

fn readers() -> Vec<Reader> {
    let none = Reader::default();
    let mut readers = vec![
        none,
        Reader { percent: true, ..none },
        Reader { percent: true, percent_twice: true, ..none },
        Reader { percent: true, plus: true, ..none },
        Reader { backslashes: 1, ..none },
        Reader { backslashes: 2, ..none },
        Reader { html: true, ..none },
    ];
    for (percent_twice, backslashes) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        for plus in [false, true] {
            readers.push(Reader { percent: true, percent_twice, backslashes, html: true, plus });
        }
    }
    readers
}

fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.to_vec(), hex(secret, false), hex(secret, true)];
    forms.extend((0..3).flat_map(|offset| [false, true].map(|url| base64_core(secret, offset, url))));
    forms
}

pub(super) fn hex(bytes: &[u8], upper: bool) -> Vec<u8> {
    let pair = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
    bytes.iter().map(pair).collect::<String>().into_bytes()
}

/// The characters of base64 in which there is nothing but the secret, behind so many other bytes.
pub(super) fn base64_core(secret: &[u8], before: usize, url: bool) -> Vec<u8> {
    let whole = [vec![0; before], secret.to_vec()].concat();
    let text = if url { URL_SAFE.encode(&whole) } else { STANDARD.encode(&whole) };
    let core = (before * 8).div_ceil(6)..whole.len() * 8 / 6;
    text.as_bytes()[core].to_vec()
}

impl Reader {
    fn read(self, text: &[u8]) -> Vec<u8> {
        let mut read = Vec::with_capacity(text.len());
        let mut rest = text;
        while let [first, behind @ ..] = rest {
            let (length, bytes) = self.escape(rest).unwrap_or_else(|| (1, vec![*first]));
            read.extend(bytes);
            rest = rest.get(length..).unwrap_or(behind);
        }
        read
    }

    fn escape(self, text: &[u8]) -> Option<(usize, Vec<u8>)> {
        match text[0] {
            b'%' if self.percent => {
                let twice = self
                    .percent_twice
                    .then(|| text.strip_prefix(b"%25").and_then(|rest| digits(rest, 2)))
                    .flatten();
                let (length, byte) = match twice {
                    Some(byte) => (5, byte),
                    None => (3, digits(&text[1..], 2)?),
                };
                Some((length, vec![u8::try_from(byte).unwrap()]))
            }
            b'\\' if self.backslashes > 0 => self.backslash(text),
            b'&' if self.html => entity(text),
            b'+' if self.plus => Some((1, vec![b' '])),
            _ => None,
        }
    }

    fn backslash(self, text: &[u8]) -> Option<(usize, Vec<u8>)> {
        let run = text.iter().take_while(|byte| **byte == b'\\').count().min(self.backslashes);
        if run < self.backslashes {
            return None;
        }
        let letter = *text.get(run)?;
        let simple = |byte: u8| Some((run + 1, vec![byte]));
        match letter {
            b'n' => simple(b'\n'),
            b'r' => simple(b'\r'),
            b't' => simple(b'\t'),
            b'/' | b'"' => simple(letter),
            // Two levels of it are four backslashes, for which nobody has patience here.
            b'\\' if run == 1 => simple(b'\\'),
            b'x' => Some((run + 3, vec![u8::try_from(digits(&text[run + 1..], 2)?).unwrap()])),
            b'u' => {
                let character = char::from_u32(digits(&text[run + 1..], 4)?)?;
                Some((run + 5, character.to_string().into_bytes()))
            }
            _ => None,
        }
    }
}

fn entity(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    let length = text.iter().take(10).position(|byte| *byte == b';')? + 1;
    let name = std::str::from_utf8(&text[1..length - 1]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let hexadecimal = number.strip_prefix(['x', 'X']);
            let (digits, base) = hexadecimal.map_or((number, 10), |digits| (digits, 16));
            if !digits.chars().all(|digit| digit.is_digit(base)) {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, base).ok()?)?
        }
    };
    Some((length, character.to_string().into_bytes()))
}

fn digits(text: &[u8], count: usize) -> Option<u32> {
    let text = std::str::from_utf8(text.get(..count)?).ok()?;
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(text, 16).ok()
}
