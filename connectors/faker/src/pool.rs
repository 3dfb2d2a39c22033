//! Texts that are put together once: a value is then a piece of them, and costs no more than to copy it.

use crate::{random::Draws, words::WORDS};

/// Enough that texts seldom repeat, few enough that all stay in the processor's nearest cache.
const WORDS_MAX: u32 = 1024;
const OBJECTS_MAX: u32 = 256;

/// Texts that follow one another.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    text: String,
    /// Where each begins, and the end of the last one.
    starts: Vec<usize>,
}

impl Pool {
    /// Words, each with a blank after it.
    pub(crate) fn of_words(draws: Draws) -> Self {
        Self::new(WORDS_MAX, |index, text| {
            text.push_str(word(draws.at(index)));
            text.push(' ');
        })
    }

    /// JSON objects.
    pub(crate) fn of_objects(draws: Draws) -> Self {
        Self::new(OBJECTS_MAX, |index, text| {
            let draw = draws.at(index);
            let (one, other, score) = (word(draw), word(draw >> 4), (draw >> 8) % 1000);
            text.push_str(&format!("{{\"tags\":[\"{one}\",\"{other}\"],\"score\":{score}}}"));
        })
    }

    fn new(count: u32, push: impl Fn(u64, &mut String)) -> Self {
        let (mut text, mut starts) = (String::new(), vec![0]);
        for index in 0..count {
            push(index.into(), &mut text);
            starts.push(text.len());
        }
        Self { text, starts }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// So many of them from this one on, without a blank at the end.
    #[inline]
    pub(crate) fn piece(&self, first: u32, count: u32) -> &str {
        let start = |index: u32| self.starts.get(index as usize).copied().unwrap_or_default();
        let piece = self.text.get(start(first)..start(first + count)).unwrap_or_default();
        piece.strip_suffix(' ').unwrap_or(piece)
    }
}

fn word(draw: u64) -> &'static str {
    WORDS.get((draw & 15) as usize).copied().unwrap_or_default()
}
