//! Where a stream is: what a checkpoint says.

use cofferdam_sdk::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::memory::Memory;

/// The form of checkpoints that this connector writes.
const VERSION: u32 = 1;

/// Where a stream is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    version: u32,
    /// Up to where earlier runs have read everything, in microseconds since 1970.
    pub(crate) cursor: Option<i64>,
    /// Records at and after the cursor's reach that were given already.
    pub(crate) known: Memory,
    /// The run that is not at its end; none: all was read.
    pub(crate) reading: Option<Reading>,
}

/// A run on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// Up to where it reads, in microseconds since 1970; settled when it begins.
    pub(crate) until: i64,
    /// Where the slice at hand begins.
    pub(crate) slice: i64,
    /// The page that comes next in it.
    pub(crate) page: NextPage,
    /// The largest cursor's value that it met.
    pub(crate) highest: Option<i64>,
    /// Records near that value that it gave.
    pub(crate) seen: Memory,
}

/// The page that comes next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NextPage {
    /// Its token; none for the first one.
    pub(crate) token: Option<Value>,
    /// How many pages of the slice were read.
    pub(crate) read: u64,
    /// How many of them were empty, up to now, without one between them that was not.
    pub(crate) empty: u32,
    /// By which a circle of tokens is noticed.
    pub(crate) lap: Lap,
}

/// Notices when tokens go in a circle, however long it is: one token is kept and compared with all that follow, and
/// is exchanged for the newest after 1, 2, 4, … of them (Brent's method).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lap {
    kept: Option<Value>,
    steps: u64,
    length: u64,
}

impl Position {
    /// The beginning.
    pub(crate) fn start() -> Self {
        Self { version: VERSION, cursor: None, known: Memory::default(), reading: None }
    }

    /// Refuses a checkpoint of another form.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.version == VERSION {
            return Ok(self);
        }
        let found = self.version;
        Err(Error::data(format!("the checkpoint has the form {found}, this connector reads {VERSION}")))
    }
}

impl Reading {
    pub(crate) fn new(slice: i64, until: i64) -> Self {
        Self { until, slice, page: NextPage::default(), highest: None, seen: Memory::default() }
    }

    /// Up to where everything will have been read once this run is at its end. Never after its own end: a record of a
    /// later moment may have come while records before it were missed.
    pub(crate) fn reaches(&self, cursor: Option<i64>) -> Option<i64> {
        self.highest.map(|highest| highest.min(self.until)).max(cursor)
    }
}

impl Lap {
    /// Whether this token came before.
    pub(crate) fn closes_with(&mut self, token: &Value) -> bool {
        if self.kept.as_ref() == Some(token) {
            return true;
        }
        self.steps += 1;
        if self.kept.is_none() || self.steps == self.length {
            self.kept = Some(token.clone());
            self.length = (self.length * 2).max(1);
            self.steps = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Lap, Position, Reading};

    #[test]
    fn every_circle_of_tokens_is_noticed_and_nothing_else() {
        for tail in 0..5_u64 {
            for circle in 1..7_u64 {
                let token = |step: u64| json!(if step < tail { step } else { tail + (step - tail) % circle });
                let mut lap = Lap::default();
                let noticed = (0..100).position(|step| lap.closes_with(&token(step)));
                assert!(
                    noticed.is_some_and(|step| step as u64 <= 3 * (tail + circle)),
                    "{tail} {circle} {noticed:?}"
                );
            }
        }
        let mut lap = Lap::default();
        assert!(!(0..1000).any(|step| lap.closes_with(&json!(step))));
    }

    #[test]
    fn a_run_never_claims_more_than_its_own_end() {
        let reading = |highest| Reading { highest, ..Reading::new(10, 20) };
        assert_eq!(reading(Some(15)).reaches(Some(12)), Some(15));
        assert_eq!(reading(Some(99)).reaches(Some(12)), Some(20));
        assert_eq!(reading(Some(5)).reaches(Some(12)), Some(12));
        assert_eq!(reading(None).reaches(None), None);
    }

    #[test]
    fn a_checkpoint_of_another_form_is_refused() {
        let mut position = serde_json::to_value(Position::start()).unwrap();
        assert!(serde_json::from_value::<Position>(position.clone()).unwrap().checked().is_ok());
        position["version"] = json!(2);
        assert!(serde_json::from_value::<Position>(position.clone()).unwrap().checked().is_err());
        position["more"] = json!(1);
        assert!(serde_json::from_value::<Position>(position).is_err());
    }
}
