//! One commit: prepared, made by the destination, committed.

use super::Trouble;
use super::context::{Context, Grace};
use super::group::Doubt;
use super::observe::Phase;
use super::pending::{Pending, Settled};
use super::spec::RejectPolicy;
use super::write::WriteStage;
use crate::error::Error;
use crate::model::CommitReport;
use crate::records::{Amendment, Position, Prepared};
use std::sync::Arc;

impl WriteStage<'_> {
    /// Makes everything that waits true. Only called where a checkpoint covers what was written, or at the source's end.
    pub(super) async fn commit(&mut self, last: bool) -> Result<(), Trouble> {
        let context = Arc::clone(&self.context);
        let (group, unit, attempt) = (self.group.name.clone(), self.group.unit.clone(), self.state.attempt);
        let checkpoint = self.pending.checkpoint.clone().or_else(|| self.position.checkpoint.clone());
        let position = Position { checkpoint, complete: last, ..self.position.clone() };
        let published = last && position.replace;
        // What a reprocess reads says nothing of the source: its own checkpoints only say where a commit may be.
        let kept = self.stays.clone().unwrap_or_else(|| position.clone());
        let stands = self.state.position.as_ref() == Some(&kept);
        if !self.pending.any() && !published && stands {
            return Ok(());
        }
        context.phase(&group, attempt, Phase::Committing);
        let mut settled = self.pending.settle()?;
        let token = self.next_token();
        self.commits += 1;
        self.keeper.finish(&token).await?;
        let prepared = self.prepared(&token, &kept, &settled);
        let Context { records, ticket, .. } = context.as_ref();
        records.prepare(ticket, &unit, prepared).await?;
        // Without anything written there is nothing for the destination to do; the position moves on all the same.
        let report = if self.pending.written.is_empty() && !published {
            CommitReport::default()
        } else {
            // Until the answer is there, what waits for it outlives this attempt.
            let pending = std::mem::take(&mut self.pending);
            self.state.doubt = Some(Doubt { token: token.clone(), settled, pending, attempt });
            let report = context.call(Grace::FromCall, self.writer.commit(token.clone(), last)).await?;
            let doubt =
                self.state.doubt.take().ok_or_else(|| Error::internal("a commit without its rows"))?;
            (settled, self.pending) = (doubt.settled, doubt.pending);
            report
        };
        let late = !report.rejected.is_empty();
        let amendment = self.late_rejects(report, &mut settled)?;
        records.commit(ticket, &unit, &token, amendment).await?;
        self.committed(position, kept, &settled);
        let rejected = if late { self.pending.first_rejected() } else { None };
        self.pending = Pending::default();
        for stream in settled.streams.keys() {
            context.progress(&group, stream);
        }
        context.phase(&group, attempt, Phase::Moving);
        match rejected {
            Some(error) if context.spec.rejects.policy == RejectPolicy::Fail => Err(error.into()),
            _ => Ok(context.ledger.judge(&context.spec.rejects)?),
        }
    }

    /// Of the commit that is being filled.
    pub(super) fn next_token(&self) -> String {
        token(self.context.ticket.run, self.state.attempt, self.commits)
    }

    fn prepared(&self, token: &str, position: &Position, settled: &Settled) -> Prepared {
        let owner = self.context.owner(&self.group.unit, self.state.attempt);
        let row_errors = self.pending.row_errors(self.context.spec.rejects.policy, owner);
        Prepared {
            token: token.to_owned(),
            run: self.context.ticket.run,
            purpose: self.context.spec.purpose,
            position: position.clone(),
            effect: settled.effect(row_errors, self.pending.settled_keys()),
            batches: if self.capabilities.tells_late_rejects() { self.pending.batches() } else { Vec::new() },
        }
    }

    fn late_rejects(&mut self, report: CommitReport, settled: &mut Settled) -> Result<Amendment, Error> {
        let policy = self.context.spec.rejects.policy;
        let owner = self.context.owner(&self.group.unit, self.state.attempt);
        self.pending.reject_late(report, settled, policy, owner)
    }

    fn committed(&mut self, position: Position, kept: Position, settled: &Settled) {
        self.context.ledger.commit(&settled.streams, &settled.written);
        self.state.commits += 1;
        if position.checkpoint != self.position.checkpoint {
            self.committed.send_replace(position.checkpoint.clone());
        }
        self.position = Position { complete: false, ..position };
        self.state.position = Some(kept);
    }
}

/// Of the run's nth commit of a group, and in which attempt: no other commit has had it.
fn token(run: u64, attempt: u32, commits: u64) -> String {
    format!("{run}-{attempt}-{commits}")
}

/// In which attempt a commit was made.
pub(super) fn attempt_of(token: &str) -> u32 {
    // Nobody else makes tokens; one that says nothing is of the first attempt.
    token.split('-').nth(1).and_then(|attempt| attempt.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::{attempt_of, token};

    #[test]
    fn a_token_says_in_which_attempt_its_commit_was_made() {
        for (run, attempt, commits) in [(1, 1, 1), (7, 3, 12), (u64::MAX, u32::MAX, 0)] {
            assert_eq!(attempt_of(&token(run, attempt, commits)), attempt);
        }
    }
}
