//! What writers write, told by their numbers alone: so whoever knows how far they came knows what must be there.

use std::collections::BTreeMap;

use fastrand::Rng;

/// Keys of one writer: few, so that most are overwritten and deleted many times.
const KEYS: u32 = 24;
/// One step has at most so many changes.
const CHANGES: usize = 5;

/// What one step of a writer changes: keys with their values, or none where they are deleted.
pub type Step = BTreeMap<String, Option<Vec<u8>>>;

/// Keys and values.
pub type State = BTreeMap<String, Vec<u8>>;

/// The step with this number of this writer, from 0.
#[must_use]
pub fn step(writer: u32, number: u32) -> Step {
    let mut random = Rng::with_seed(u64::from(writer) << 32 | u64::from(number));
    let count = random.usize(1..=CHANGES);
    (0..count).map(|_| (key(writer, random.u32(0..KEYS)), value(&mut random))).collect()
}

/// What there is when a writer has done so many steps.
#[must_use]
pub fn state_after(writer: u32, steps: u32) -> State {
    let mut state = State::new();
    (0..steps).for_each(|number| apply(&mut state, step(writer, number)));
    state
}

/// Changes a state by a step.
pub fn apply(state: &mut State, step: Step) {
    for (key, value) in step {
        match value {
            Some(value) => drop(state.insert(key, value)),
            None => drop(state.remove(&key)),
        }
    }
}

/// One line for each key, with enough of its value to tell whether it is the right one.
#[must_use]
pub fn fact(key: &str, value: &[u8]) -> String {
    // FNV-1a, eight bytes at a time: nobody attacks this.
    let hash = value.chunks(8).fold(0xcbf2_9ce4_8422_2325_u64, |hash, chunk| {
        let number = chunk.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (hash ^ number).wrapping_mul(0x0100_0000_01b3)
    });
    format!("row {key} {} {hash:016x}", value.len())
}

/// All the facts of what a writer has left.
#[must_use]
pub fn facts(writer: u32, steps: u32) -> Vec<String> {
    state_after(writer, steps).iter().map(|(key, value)| fact(key, value)).collect()
}

/// Whether a line is a fact, of whatever writer.
#[must_use]
pub fn is_fact(line: &str) -> bool {
    line.starts_with("row ")
}

/// Whether a fact is of this writer.
#[must_use]
pub fn is_fact_of(line: &str, writer: u32) -> bool {
    line.starts_with(&format!("row {}", key(writer, "")))
}

fn key(writer: u32, name: impl std::fmt::Display) -> String {
    format!("{writer}/{name}")
}

/// Mostly small, now and then one of several blocks.
fn value(random: &mut Rng) -> Option<Vec<u8>> {
    let length = match random.u8(0..20) {
        0..4 => return None,
        4 => random.usize(0..40_000),
        _ => random.usize(0..600),
    };
    let mut value = vec![0; length];
    random.fill(&mut value);
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{facts, state_after, step};

    #[test]
    fn a_writer_overwrites_and_deletes() {
        let steps: Vec<_> = (0..200).map(|number| step(3, number)).collect();
        assert!(steps.iter().flatten().any(|(_, value)| value.is_none()));
        let written: usize = steps.iter().map(|step| step.len()).sum();
        assert!(written > 3 * state_after(3, 200).len());
    }

    #[test]
    fn each_step_is_seen_in_what_there_is() {
        let different: BTreeSet<_> = (0..50).map(|steps| facts(3, steps)).collect();
        // A step that deletes what is not there changes nothing.
        assert!(different.len() > 40, "{}", different.len());
    }
}
