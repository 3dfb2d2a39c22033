//! Random numbers that can be asked for in any order: SplitMix64, whose n-th number is a function of n.

/// The odd number closest to 2^64 divided by the golden ratio: its multiples spread evenly.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The numbers of one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64, stream: &str, field: &str) -> Self {
        Self(hash(hash(mix(seed), stream), field))
    }

    /// The number of a row.
    #[inline]
    pub(crate) fn at(self, row: u64) -> u64 {
        mix(self.0.wrapping_add(row.wrapping_add(1).wrapping_mul(GAMMA)))
    }
}

/// Another number, made of one that was used already.
#[inline]
pub(crate) fn again(draw: u64) -> u64 {
    mix(draw.wrapping_add(GAMMA))
}

/// A number below `span`, from the upper half of a draw.
#[inline]
pub(crate) fn below(draw: u64, span: u32) -> u32 {
    // The product of two numbers below 2^32 has its upper half below the second of them.
    (((draw >> 32) * u64::from(span)) >> 32) as u32
}

/// One of several; the empty text of none.
#[inline]
pub(crate) fn pick(draw: u64, choices: &'static [&'static str]) -> &'static str {
    choices.get(below(draw, choices.len() as u32) as usize).copied().unwrap_or_default()
}

#[inline]
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn hash(start: u64, text: &str) -> u64 {
    text.bytes().fold(again(start), |state, byte| mix(state ^ u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::{Draws, below};

    #[test]
    fn streams_fields_and_seeds_draw_different_numbers() {
        let draws = [("a", "bc", 1), ("ab", "c", 1), ("a", "bc", 2)];
        let first = draws.map(|(stream, field, seed)| Draws::new(seed, stream, field).at(0));
        assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
    }

    #[test]
    fn numbers_below_a_span_reach_both_ends_of_it() {
        assert_eq!((below(0, 7), below(u64::MAX, 7), below(u64::MAX, 1)), (0, 6, 0));
        let draws = Draws::new(0, "s", "f");
        let mut seen = [0_u32; 7];
        (0..7_000).for_each(|row| seen[below(draws.at(row), 7) as usize] += 1);
        assert!(seen.iter().all(|count| (900..1_100).contains(count)), "{seen:?}");
    }
}
