//! Guesses types from values. Whoever guesses wrong rejects rows, so a doubt ends at `text` or `json`.

use cofferdam_sdk::{Date, LocalTimestamp, Timestamp, Zone};

use crate::columns::{is_float, is_integer, parse_integer};
use crate::kind::Kind;

/// Longer texts are neither numbers nor dates.
const VALUE_BYTES_MAX: usize = 64;
/// Integers up to here are exact as a `float64`.
const EXACT_MAX: u64 = 1 << 53;

/// What the texts of a column could be. Types stand in the order in which they are preferred.
#[derive(Debug, Clone)]
pub(crate) struct TextGuess {
    possible: [bool; TYPES.len()],
    any: bool,
}

type Test = fn(&[u8]) -> bool;

const TYPES: [(Kind, Test); 6] = [
    (Kind::Boolean, |text| text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false")),
    (Kind::Int64, is_integer),
    (Kind::Float64, is_float),
    (Kind::Date, |text| words(text).is_some_and(|text| text.parse::<Date>().is_ok())),
    (Kind::Timestamp(Zone::Utc), |text| words(text).is_some_and(|text| text.parse::<Timestamp>().is_ok())),
    (Kind::Timestamp(Zone::Local), |text| {
        words(text).is_some_and(|text| text.parse::<LocalTimestamp>().is_ok())
    }),
];

fn words(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

impl Default for TextGuess {
    fn default() -> Self {
        Self { possible: [true; TYPES.len()], any: false }
    }
}

impl TextGuess {
    /// See one value that is not null.
    pub(crate) fn see(&mut self, text: &[u8]) {
        self.any = true;
        let short = text.len() <= VALUE_BYTES_MAX;
        for (possible, (_, test)) in self.possible.iter_mut().zip(TYPES) {
            *possible = *possible && short && test(text);
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        let found = self.possible.iter().zip(TYPES).find(|(possible, _)| **possible && self.any);
        found.map_or(Kind::Text, |(_, (kind, _))| kind)
    }
}

/// What the JSON values of a field are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JsonGuess {
    boolean: bool,
    integer: bool,
    /// An integer that a `float64` does not hold.
    wide: bool,
    float: bool,
    text: bool,
    /// Arrays, objects, and numbers that no type holds.
    other: bool,
}

impl JsonGuess {
    /// See one value, as its token.
    pub(crate) fn see(&mut self, token: &str) {
        match token.as_bytes().first() {
            Some(b'n') => {}
            Some(b't' | b'f') => self.boolean = true,
            Some(b'"') => self.text = true,
            Some(b'-' | b'0'..=b'9') => self.see_number(token),
            _ => self.other = true,
        }
    }

    fn see_number(&mut self, token: &str) {
        match parse_integer(token.as_bytes()) {
            Some(value) => {
                self.integer = true;
                self.wide |= value.unsigned_abs() > EXACT_MAX;
            }
            None if token.contains(['.', 'e', 'E']) && token.parse().is_ok_and(f64::is_finite) => {
                self.float = true
            }
            None => self.other = true,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        let number = self.integer || self.float;
        match (self.boolean, number, self.text) {
            _ if self.other => Kind::Json,
            (true, false, false) => Kind::Boolean,
            (false, true, false) if !self.float => Kind::Int64,
            (false, true, false) if !self.wide => Kind::Float64,
            (false, false, true) => Kind::Text,
            _ => Kind::Json,
        }
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::Zone;

    use super::{JsonGuess, TextGuess};
    use crate::kind::Kind;

    fn of_texts(texts: &[&str]) -> Kind {
        let mut guess = TextGuess::default();
        texts.iter().for_each(|text| guess.see(text.as_bytes()));
        guess.kind()
    }

    fn of_tokens(tokens: &[&str]) -> Kind {
        let mut guess = JsonGuess::default();
        tokens.iter().for_each(|token| guess.see(token));
        guess.kind()
    }

    #[test]
    fn texts_become_the_narrowest_type_that_holds_all_of_them() {
        assert_eq!(of_texts(&["true", "FALSE"]), Kind::Boolean);
        assert_eq!(of_texts(&["1", "-20"]), Kind::Int64);
        assert_eq!(of_texts(&["1", "2.5"]), Kind::Float64);
        assert_eq!(of_texts(&["1", "007"]), Kind::Text);
        assert_eq!(of_texts(&["2024-02-29"]), Kind::Date);
        assert_eq!(of_texts(&["2024-02-29", "2024-02-30"]), Kind::Text);
        assert_eq!(of_texts(&["2024-02-29T01:02:03+01:00"]), Kind::Timestamp(Zone::Utc));
        assert_eq!(of_texts(&["2024-02-29 01:02:03"]), Kind::Timestamp(Zone::Local));
        assert_eq!(of_texts(&["2024-02-29 01:02:03", "2024-02-29T01:02:03Z"]), Kind::Text);
        assert_eq!(of_texts(&["99999999999999999999"]), Kind::Text);
        assert_eq!(of_texts(&[]), Kind::Text);
    }

    #[test]
    fn json_values_keep_their_own_type_and_mixed_ones_stay_json() {
        assert_eq!(of_tokens(&["true", "null"]), Kind::Boolean);
        assert_eq!(of_tokens(&["1", "-2"]), Kind::Int64);
        assert_eq!(of_tokens(&["1", "2.5"]), Kind::Float64);
        assert_eq!(of_tokens(&["9007199254740993", "2.5"]), Kind::Json);
        assert_eq!(of_tokens(&["99999999999999999999"]), Kind::Json);
        assert_eq!(of_tokens(&["1", "\"1\""]), Kind::Json);
        assert_eq!(of_tokens(&["\"2024-02-29\""]), Kind::Text);
        assert_eq!(of_tokens(&["[1]"]), Kind::Json);
        assert_eq!(of_tokens(&["null"]), Kind::Json);
    }
}
