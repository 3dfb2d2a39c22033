//! Changes an input a little, as fuzzers do.

use fastrand::Rng;

const BYTES_MAX: usize = 4_096;

pub(crate) fn changed(random: &mut Rng, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(..=bytes.len());
        let end = (at + random.usize(1..=8)).min(bytes.len());
        match random.u8(..7) {
            0 => drop(bytes.splice(at..at, [random.u8(..)])),
            1 => drop(bytes.drain(at..end)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            3 if at < bytes.len() => bytes[at] = random.u8(..),
            4 => {
                let repeated = bytes[at..end].to_vec();
                bytes.splice(at..at, repeated);
            }
            5 if !words.is_empty() => {
                let word = words[random.usize(..words.len())];
                bytes.splice(at..end.min(at + random.usize(..=1)), word.bytes());
            }
            _ if !other.is_empty() => {
                let from = random.usize(..other.len());
                let piece = &other[from..other.len().min(from + random.usize(1..=64))];
                bytes.splice(at..end, piece.iter().copied());
            }
            _ => {}
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}
