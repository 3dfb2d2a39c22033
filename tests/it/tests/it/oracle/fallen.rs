//! What is left of an attack: how its run ended, what it had used and asked for by then, and whether all that is as it must be.

use super::{Attack, must};
use egress::Entry;
use egress::Outcome::{Abandoned, Denied};
use manifest::Limits;
use pipeline::connector::Budget;

/// A failure over this is a flood.
const TEXT_BYTES_MAX: usize = 16_384;

/// Those attacks that ask a system for something. Nothing stands in the ledger of any other.
const ASKING: [&str; 2] = ["h37_asks_ten_thousand_hosts", "h37_holds_requests"];

/// The error that ended an attack, and what the attacker had used by then.
#[derive(Clone)]
pub(crate) struct Fallen {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) budget: Budget,
    /// How many requests it began.
    pub(crate) requests: u64,
    /// What became of them.
    pub(crate) ledger: Vec<Entry>,
}

impl Fallen {
    /// Err: what is not as it must be.
    pub(crate) fn judge(&self, attack: &Attack) -> Result<(), String> {
        let (text, words) = (&self.message, attack.expect.words());
        must(self.code == attack.expect.code(), || format!("the code is {}: {text}", self.code))?;
        must(text.contains(&words), || format!("unexpected failure: {text}"))?;
        must(text.len() < TEXT_BYTES_MAX, || format!("a failure of {} bytes", text.len()))?;
        must(!text.contains('\u{1b}'), || "escapes reach the terminal".to_owned())?;
        if let Some(limit) = attack.expect.limit() {
            self.judge_limit(limit)?;
        }
        self.judge_ledger(attack.test)
    }

    /// A limit that can be set stands in the budget, and the failure says what it was.
    fn judge_limit(&self, limit: &str) -> Result<(), String> {
        let usage = self.budget.iter().find(|usage| usage.limit == limit);
        let is_set = Limits::KEYS.iter().any(|(key, _)| *key == limit);
        must(usage.is_some() || !is_set, || format!("`{limit}` is not in the budget"))?;
        let is_told = usage.is_none_or(|usage| self.message.contains(&format!("({} ", usage.allowed)));
        must(is_told, || format!("another `{limit}` is told than {usage:?}: {}", self.message))
    }

    /// Whoever asks is seen each time, and as nothing is granted, nothing of it leaves the machine.
    fn judge_ledger(&self, test: &str) -> Result<(), String> {
        let (entered, begun) = (self.ledger.len() as u64, self.requests);
        must(entered >= begun, || format!("{begun} requests began, {entered} are in the ledger"))?;
        let denied = self.ledger.iter().any(|entry| matches!(entry.outcome, Denied { .. }));
        must(denied == ASKING.contains(&test), || format!("a denial is entered: {denied}"))?;
        self.ledger.iter().try_for_each(judge_entry)
    }
}

fn judge_entry(entry: &Entry) -> Result<(), String> {
    // The last ones may have been under way when their connector was ended.
    let is_denied = matches!(entry.outcome, Denied { code: "CD0201", .. } | Abandoned);
    must(is_denied, || format!("another outcome: {entry:?}"))?;
    let left = (entry.address, entry.status, entry.bytes_out, entry.bytes_in);
    must(left == (None, None, 0, 0), || format!("something left the machine: {entry:?}"))?;
    must(!entry.host.is_empty() && entry.rule.is_none(), || format!("allowed, or of nobody: {entry:?}"))
}
