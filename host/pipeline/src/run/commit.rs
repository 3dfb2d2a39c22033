//! One commit: prepared, made by the destination, committed; and what a cut-off one leaves.

use super::Trouble;
use super::context::{Context, Grace};
use super::group::{Doubt, GroupState};
use super::observe::Phase;
use super::pending::{Owner, Pending, Settled};
use super::plan::GroupPlan;
use super::spec::RejectPolicy;
use super::write::WriteStage;
use crate::connector::Writer;
use crate::error::Error;
use crate::model::{Capabilities, CommitReport};
use crate::records::{Amendment, Position, Prepared, UnitRecord};
use std::sync::Arc;

impl WriteStage<'_> {
    /// Makes everything that waits true. Only called where a checkpoint covers what was written, or at the source's end.
    pub(super) async fn commit(&mut self, last: bool) -> Result<(), Trouble> {
        let context = Arc::clone(&self.context);
        let (group, unit, attempt) = (self.group.name.clone(), self.group.unit.clone(), self.state.attempt);
        let checkpoint = self.pending.checkpoint.clone().or_else(|| self.position.checkpoint.clone());
        let position = Position { checkpoint, complete: last, ..self.position.clone() };
        let published = last && position.replace;
        let stands = self.state.position.as_ref() == Some(&position);
        if !self.pending.any() && !published && stands {
            return Ok(());
        }
        context.phase(&group, attempt, Phase::Committing);
        let mut settled = self.pending.settle()?;
        let token = format!("{}-{attempt}-{}", context.ticket.run, self.commits);
        self.commits += 1;
        let prepared = self.prepared(&token, &position, &settled);
        let Context { records, ticket, .. } = context.as_ref();
        records.prepare(ticket, &unit, prepared).await?;
        // Without anything written there is nothing for the destination to do; the position moves on all the same.
        let report = if self.pending.written.is_empty() && !published {
            CommitReport::default()
        } else {
            self.state.doubt = Some(Doubt {
                token: token.clone(),
                settled: settled.streams.clone(),
                written: settled.written.clone(),
            });
            context.call(Grace::FromCall, self.writer.commit(token.clone(), last)).await?
        };
        let late = !report.rejected.is_empty();
        let amendment = self.late_rejects(report, &mut settled)?;
        records.commit(ticket, &unit, &token, amendment).await?;
        self.committed(position, &settled);
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

    fn prepared(&self, token: &str, position: &Position, settled: &Settled) -> Prepared {
        let row_errors = self.pending.row_errors(self.context.spec.rejects.policy, self.owner());
        Prepared {
            token: token.to_owned(),
            run: self.context.ticket.run,
            position: position.clone(),
            effect: settled.effect(row_errors),
        }
    }

    fn late_rejects(&mut self, report: CommitReport, settled: &mut Settled) -> Result<Amendment, Error> {
        let policy = self.context.spec.rejects.policy;
        let owner =
            Owner { run: self.context.ticket.run, unit: &self.group.unit, attempt: self.state.attempt };
        self.pending.reject_late(report, settled, policy, owner)
    }

    fn owner(&self) -> Owner<'_> {
        Owner { run: self.context.ticket.run, unit: &self.group.unit, attempt: self.state.attempt }
    }

    fn committed(&mut self, position: Position, settled: &Settled) {
        self.context.ledger.commit(&settled.streams, &settled.written);
        self.state.doubt = None;
        self.state.commits += 1;
        if position.checkpoint != self.position.checkpoint {
            self.committed.send_replace(position.checkpoint.clone());
        }
        self.position = Position { complete: false, ..position.clone() };
        self.state.position = Some(position);
    }
}

/// What an attempt finds.
pub(super) struct Found {
    pub(super) record: UnitRecord,
    /// This run had committed the source's end already.
    pub(super) ended: bool,
}

/// Settles a commit that was cut off: made true if the destination knows its token, else forgotten.
pub(super) async fn recover(
    context: &Context,
    group: &GroupPlan,
    state: &mut GroupState,
    writer: &mut dyn Writer,
    capabilities: &Capabilities,
) -> Result<Found, Trouble> {
    let Context { records, ticket, .. } = context;
    let record = records.unit(ticket, &group.unit).await?;
    let token = if capabilities.exactly_once {
        context.call(Grace::FromStop, writer.committed()).await?
    } else {
        None
    };
    let Some(prepared) = record.prepared.clone() else {
        return Ok(Found { record, ended: false });
    };
    let took_effect = token.as_deref() == Some(prepared.token.as_str());
    if took_effect {
        let amendment = Amendment::default();
        records.commit(ticket, &group.unit, &prepared.token, amendment).await?;
        count(context, state, &prepared);
    } else {
        records.discard(ticket, &group.unit, &prepared.token).await?;
    }
    state.doubt = None;
    let record = records.unit(ticket, &group.unit).await?;
    let ended = took_effect && prepared.run == ticket.run && prepared.position.complete;
    Ok(Found { record, ended })
}

/// The rows of a recovered commit belong to the report of the run that made it; if that was an earlier one, they are told
/// apart.
fn count(context: &Context, state: &mut GroupState, prepared: &Prepared) {
    match state.doubt.take().filter(|doubt| doubt.token == prepared.token) {
        Some(doubt) => {
            context.ledger.commit(&doubt.settled, &doubt.written);
            state.commits += 1;
        }
        None => context.ledger.recover(&prepared.effect),
    }
}
