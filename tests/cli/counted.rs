//! What a run of `--json` says of its rows, held against itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::Ran;

/// The rows of one stream in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) read: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) filtered: u64,
    /// How many were rejected with each code.
    pub(crate) codes: BTreeMap<String, u64>,
}

/// What the run said of this stream. That nothing was lost on the way is true of every stream of every run.
#[track_caller]
pub(crate) fn counted(ran: &Ran, stream: &str) -> Counted {
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.report()));
    let reported = &document["report"]["streams"][stream];
    let count = |name: &str| {
        reported["counters"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("no `{name}` of `{stream}`: {}", ran.report()))
    };
    let counted = Counted {
        read: count("read"),
        accepted: count("accepted"),
        rejected: count("rejected"),
        filtered: count("filtered"),
        codes: serde_json::from_value(reported["reject_codes"].clone()).unwrap(),
    };
    let sum = counted.accepted + counted.rejected + counted.filtered;
    assert_eq!(counted.read, sum, "`{stream}`: {}", ran.report());
    assert_eq!(counted.rejected, counted.codes.values().sum::<u64>(), "`{stream}`: {}", ran.report());
    counted
}

/// The code of the one error with which the run ended.
#[track_caller]
pub(crate) fn failed_with(ran: &Ran) -> String {
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.report()));
    let errors = document["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{}", ran.report());
    errors[0]["code"].as_str().unwrap().to_owned()
}
