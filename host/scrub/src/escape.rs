//! What an escape stands for. More readings than any one reader has: what is read too much is only held against secrets.

/// So much text may stand for one byte, and no more: four hexadecimal digits behind as many backslashes as are read.
pub(crate) const BYTE_SPELLED_MAX: usize = BACKSLASHES_MAX + 5;
/// JSON in JSON in JSON has seven backslashes before a quotation mark.
const BACKSLASHES_MAX: usize = 7;

/// Whether an escape could begin with it; `+` apart.
pub(crate) fn is_lead(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// The longest escape: two times four hexadecimal digits behind `u` and as many backslashes as are read. With so much text
/// before it, no reading is open.
pub(crate) const ESCAPE_BYTES_MAX: usize = 2 * BYTE_SPELLED_MAX;

/// One reading: so many bytes of text stand for these bytes. Small, as readings are made by the million.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    text_bytes: u8,
    value_bytes: u8,
    value: [u8; 4],
}

impl Reading {
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes.into()
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.value.get(..self.value_bytes.into()).unwrap_or_default()
    }
}

/// All readings of what begins at one place.
#[derive(Default)]
pub(crate) struct Readings {
    readings: [Reading; READINGS_MAX],
    count: usize,
    /// Whether more text could give another reading.
    pub(crate) open: bool,
}

/// A run of backslashes is one, or two, or belongs to what stands behind it.
const READINGS_MAX: usize = 3;

impl Readings {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter().take(self.count)
    }

    fn byte(&mut self, text_bytes: usize, byte: u8) {
        self.add(text_bytes, [byte, 0, 0, 0], 1);
    }

    fn character(&mut self, text_bytes: usize, character: char) {
        let mut value = [0; 4];
        let value_bytes = character.encode_utf8(&mut value).len();
        self.add(text_bytes, value, value_bytes);
    }

    fn add(&mut self, text_bytes: usize, value: [u8; 4], value_bytes: usize) {
        let small = |bytes: usize| u8::try_from(bytes).unwrap_or_default();
        if let Some(free) = self.readings.get_mut(self.count) {
            *free = Reading { text_bytes: small(text_bytes), value_bytes: small(value_bytes), value };
            self.count += 1;
        }
    }
}

/// The readings of the escape with which this text begins.
pub(crate) fn readings(text: &[u8]) -> Readings {
    let mut readings = Readings::default();
    match text.first() {
        Some(b'%') => percent(text, &mut readings),
        Some(b'\\') => backslash(text, &mut readings),
        Some(b'&') => entity(text, &mut readings),
        Some(b'+') => readings.byte(1, b' '),
        _ => {}
    }
    readings
}

/// `%2F`, and `%252F`, which is itself once more escaped.
fn percent(text: &[u8], readings: &mut Readings) {
    for (before, digits) in [(1, 2), (3, 2)] {
        if before == 3 && !text.starts_with(b"%25") {
            return;
        }
        match number(text, before, digits, 16) {
            Number::Is(value) => {
                readings.byte(before + digits, u8::try_from(value).unwrap_or_default());
            }
            Number::Open => readings.open = true,
            Number::None => {}
        }
    }
}

fn backslash(text: &[u8], readings: &mut Readings) {
    let run = text.iter().take(BACKSLASHES_MAX + 1).take_while(|byte| **byte == b'\\').count();
    for pairs in [2, 4] {
        if run >= pairs {
            readings.byte(pairs, b'\\');
        }
    }
    if run > BACKSLASHES_MAX {
        return;
    }
    let Some(letter) = text.get(run) else {
        readings.open = true;
        return;
    };
    let simple = match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(text, run, readings),
        b'x' => return two_digits(text, run + 1, readings),
        other if other.is_ascii_punctuation() || *other == b' ' => *other,
        _ => return,
    };
    readings.byte(run + 1, simple);
}

fn two_digits(text: &[u8], before: usize, readings: &mut Readings) {
    match number(text, before, 2, 16) {
        Number::Is(value) => readings.byte(before + 2, u8::try_from(value).unwrap_or_default()),
        Number::Open => readings.open = true,
        Number::None => {}
    }
}

/// `\u002f`, or two of them for a character outside of the first 65,536.
fn unicode(text: &[u8], backslashes: usize, readings: &mut Readings) {
    let before = backslashes + 1;
    let first = match number(text, before, 4, 16) {
        Number::Is(value) => value,
        Number::Open => {
            readings.open = true;
            return;
        }
        Number::None => return,
    };
    if let Some(character) = char::from_u32(first) {
        readings.character(before + 4, character);
        return;
    }
    let second_at = before * 2 + 4;
    // The second is written like the first: with as many backslashes.
    let same = |(one, other): (&u8, &u8)| one == other;
    let between = text.get(before + 4..).unwrap_or_default().iter().take(before);
    if !between.zip(text).all(same) {
        return;
    }
    match number(text, second_at, 4, 16) {
        Number::Is(second) => {
            let pair = [first, second].map(|half| u16::try_from(half).unwrap_or_default());
            if let Some(Ok(character)) = char::decode_utf16(pair).next() {
                readings.character(second_at + 4, character);
            }
        }
        Number::Open => readings.open = true,
        Number::None => {}
    }
}

fn entity(text: &[u8], readings: &mut Readings) {
    const NAMES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
    for (name, value) in NAMES {
        if text.starts_with(name) {
            readings.byte(name.len(), value);
        }
        readings.open |= text.len() < name.len() && name.starts_with(text);
    }
    match text.get(1..3) {
        Some([b'#', b'x' | b'X']) => numbered(text, 3, 16, readings),
        Some([b'#', _]) => numbered(text, 2, 10, readings),
        Some(_) => {}
        None => readings.open |= b"&#".starts_with(text),
    }
}

fn numbered(text: &[u8], before: usize, base: u32, readings: &mut Readings) {
    let rest = text.get(before..BYTE_SPELLED_MAX.min(text.len())).unwrap_or_default();
    let digits = rest.iter().take_while(|byte| char::from(**byte).is_digit(base)).count();
    match rest.get(digits) {
        Some(b';') => {
            let value = match number(text, before, digits, base) {
                Number::Is(value) => char::from_u32(value),
                _ => None,
            };
            if let Some(character) = value {
                readings.character(before + digits + 1, character);
            }
        }
        Some(_) => {}
        None => readings.open |= text.len() < BYTE_SPELLED_MAX,
    }
}

enum Number {
    Is(u32),
    /// The text ends before so many digits.
    Open,
    None,
}

/// So many digits at this place.
fn number(text: &[u8], at: usize, digits: usize, base: u32) -> Number {
    let mut value = 0_u32;
    for place in at..at + digits {
        let Some(byte) = text.get(place) else {
            return Number::Open;
        };
        let Some(digit) = char::from(*byte).to_digit(base) else {
            return Number::None;
        };
        value = value.saturating_mul(base).saturating_add(digit);
    }
    if digits == 0 { Number::None } else { Number::Is(value) }
}
