//! Two ways to do the same, repeated in turn, so that what disturbs the machine disturbs both.

use anyhow::Result;

use crate::clock::{Took, median};
use crate::report::{Goal, Row};

/// The repetitions of ours and of the reference.
pub(crate) struct Pair {
    ours: Vec<Took>,
    reference: Vec<Took>,
}

/// Repetitions that were made in turn.
impl From<(Vec<Took>, Vec<Took>)> for Pair {
    fn from((ours, reference): (Vec<Took>, Vec<Took>)) -> Self {
        Self { ours, reference }
    }
}

impl Pair {
    /// Run both once unmeasured, then `repetitions` times in turn.
    pub(crate) fn of(
        repetitions: usize,
        mut ours: impl FnMut() -> Result<Took>,
        mut reference: impl FnMut() -> Result<Took>,
    ) -> Result<Self> {
        ours()?;
        reference()?;
        let mut pair = Self { ours: Vec::new(), reference: Vec::new() };
        for _ in 0..repetitions {
            pair.ours.push(ours()?);
            pair.reference.push(reference()?);
        }
        Ok(pair)
    }

    /// A row of `amount` things each repetition, as millions or whatever `scale` says, a second.
    pub(crate) fn row(&self, what: impl Into<String>, amount: f64, unit: &'static str, goal: Goal) -> Row {
        let rate = |took: &Took| amount / took.wall.as_secs_f64();
        let both = self.ours.iter().zip(&self.reference);
        Row {
            what: what.into(),
            unit,
            ours: median(self.ours.iter().map(rate)),
            reference: Some(median(self.reference.iter().map(rate))),
            ratio: Some(median(both.map(|(ours, reference)| rate(ours) / rate(reference)))),
            goal,
        }
    }

    /// The same ratio by processor time, which other processes on the machine disturb less.
    pub(crate) fn cpu_ratio(&self) -> f64 {
        let both = self.ours.iter().zip(&self.reference);
        median(both.map(|(ours, reference)| reference.cpu.as_secs_f64() / ours.cpu.as_secs_f64()))
    }

    /// The lowest and the highest ratio of a repetition.
    pub(crate) fn spread(&self) -> (f64, f64) {
        let both = self.ours.iter().zip(&self.reference);
        let ratios = both.map(|(ours, reference)| reference.wall.as_secs_f64() / ours.wall.as_secs_f64());
        ratios.fold((f64::INFINITY, 0.0), |(low, high), ratio| (low.min(ratio), high.max(ratio)))
    }

    /// What one repetition of ours takes.
    pub(crate) fn ours_seconds(&self) -> f64 {
        median(self.ours.iter().map(|took| took.wall.as_secs_f64()))
    }

    /// Processor time of one repetition of ours, on all threads: what is left when nobody waits for a disk.
    pub(crate) fn ours_cpu_seconds(&self) -> f64 {
        median(self.ours.iter().map(|took| took.cpu.as_secs_f64()))
    }
}
