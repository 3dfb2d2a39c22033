//! What a commit of which nobody heard the answer leaves: made true if the destination knows it, else forgotten.

use super::Trouble;
use super::context::{Context, Grace};
use super::group::{Doubt, GroupState};
use super::pending::{Owner, push};
use super::plan::GroupPlan;
use super::spec::RejectPolicy;
use super::track::cut_message;
use crate::connector::Writer;
use crate::error::Error;
use crate::failure::{Cause, Failure};
use crate::model::{Capabilities, CommitReport, LateReject, StreamSchema};
use crate::records::{Amendment, Prepared, PreparedBatch, RejectedBy, RowCopy, RowError, UnitRecord};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an attempt finds.
pub(super) struct Found {
    pub(super) record: UnitRecord,
    /// This run had committed the source's end already.
    pub(super) ended: bool,
}

/// Settles a commit that was cut off.
pub(super) async fn recover(
    context: &Context,
    group: &GroupPlan,
    state: &mut GroupState,
    writer: &mut dyn Writer,
    capabilities: &Capabilities,
) -> Result<Found, Trouble> {
    let Context { records, ticket, .. } = context;
    let record = records.unit(ticket, &group.unit).await?;
    let last = if capabilities.exactly_once {
        context.call(Grace::FromStop, writer.committed()).await?
    } else {
        None
    };
    let Some(prepared) = record.prepared.clone() else {
        return Ok(Found { record, ended: false });
    };
    let Some(last) = last.filter(|last| last.token == prepared.token) else {
        records.discard(ticket, &group.unit, &prepared.token).await?;
        state.doubt = None;
        let record = records.unit(ticket, &group.unit).await?;
        return Ok(Found { record, ended: false });
    };
    took_effect(context, group, state, &prepared, last.report).await?;
    let record = records.unit(ticket, &group.unit).await?;
    let ended = prepared.run == ticket.run && prepared.position.complete;
    Ok(Found { record, ended })
}

/// The rows of a recovered commit belong to the report of the run that made it; if that was an earlier one, they are told
/// apart.
async fn took_effect(
    context: &Context,
    group: &GroupPlan,
    state: &mut GroupState,
    prepared: &Prepared,
    report: CommitReport,
) -> Result<(), Trouble> {
    let Context { records, ticket, spec, ledger, .. } = context;
    let policy = spec.rejects.policy;
    let is_late = !report.rejected.is_empty();
    let mut rejected = None;
    match state.doubt.as_mut().filter(|doubt| doubt.token == prepared.token) {
        Some(Doubt { token, settled, pending, attempt }) => {
            let owner = Owner { run: ticket.run, unit: &group.unit, attempt: *attempt };
            let amendment = pending.reject_late(report, settled, policy, owner)?;
            records.commit(ticket, &group.unit, token, amendment).await?;
            ledger.commit(&settled.streams, &settled.written);
            state.commits += 1;
            rejected = if is_late { pending.first_rejected() } else { None };
        }
        None => {
            let owner = Owner { run: prepared.run, unit: &group.unit, attempt: 1 };
            let recovered = Recovered { prepared, schemas: &schemas(group), owner };
            let amendment = recovered.amendment(report).map_err(broken)?;
            let first = amendment.row_errors.first();
            rejected =
                first.and_then(|chunk| Some(row_rejected(&chunk.schema, chunk.errors.first()?))).or(rejected);
            let mut effect = prepared.effect.clone();
            let kept = without_rows(amendment, policy);
            effect.amend(kept.clone());
            records.commit(ticket, &group.unit, &prepared.token, kept).await?;
            ledger.recover(&effect);
        }
    }
    state.doubt = None;
    match rejected {
        Some(error) if policy == RejectPolicy::Fail => Err(error.into()),
        _ => Ok(ledger.judge(&spec.rejects)?),
    }
}

fn schemas(group: &GroupPlan) -> BTreeMap<&str, &StreamSchema> {
    group.streams.iter().map(|one| (one.chosen.stream.as_str(), &one.info.schema)).collect()
}

fn without_rows(amendment: Amendment, policy: RejectPolicy) -> Amendment {
    if policy == RejectPolicy::Skip { Amendment { row_errors: Vec::new(), ..amendment } } else { amendment }
}

fn row_rejected(schema: &StreamSchema, error: &RowError) -> Error {
    Error::RowRejected {
        stream: schema.stream.clone(),
        index: error.index,
        code: error.code.clone(),
        message: error.message.clone(),
        row: None,
    }
}

fn broken(message: String) -> Trouble {
    Trouble::Error(Error::Failure(Box::new(Failure {
        cause: Cause::Contract(message),
        connector: "destination".into(),
        call: "writer.committed".into(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    })))
}

/// A commit of a process that has ended: its rows are no longer there, but it was written down whence each came.
struct Recovered<'a> {
    prepared: &'a Prepared,
    schemas: &'a BTreeMap<&'a str, &'a StreamSchema>,
    owner: Owner<'a>,
}

impl Recovered<'_> {
    fn amendment(&self, report: CommitReport) -> Result<Amendment, String> {
        let mut amendment = Amendment::default();
        let mut seen = BTreeSet::new();
        for late in report.rejected {
            let (batch, row) = self.place(&late)?;
            *amendment.unwritten.entry(batch.output.clone()).or_default() += 1;
            let index = batch.first_index + u64::from(row);
            if batch.rejected.contains(&row) || !seen.insert((batch.stream.clone(), index)) {
                continue;
            }
            *amendment.rejected.entry(batch.stream.clone()).or_default() += 1;
            let Some(schema) = self.schemas.get(batch.stream.as_str()) else { continue };
            let error = RowError {
                index,
                code: late.reject.code,
                message: cut_message(late.reject.message),
                retryable: late.reject.retryable,
                by: RejectedBy::Destination,
                operation: None,
                attempt: self.owner.attempt,
                row: RowCopy::GivenUp,
                fields: Vec::new(),
                key: None,
            };
            push(&mut amendment.row_errors, &Arc::new((*schema).clone()), error, self.owner);
        }
        Ok(amendment)
    }

    /// The batch, and the row of its source batch.
    fn place(&self, late: &LateReject) -> Result<(&PreparedBatch, u32), String> {
        let (number, row) = (late.batch, late.reject.row);
        let unknown = || format!("row {row} of batch {number} is rejected, and the commit had no such row");
        let batch = usize::try_from(number).ok().and_then(|number| self.prepared.batches.get(number));
        let batch = batch.filter(|batch| row < batch.rows).ok_or_else(unknown)?;
        let source = match &batch.origin {
            None => Some(row),
            Some(origin) => origin.get(row as usize).copied(),
        };
        Ok((batch, source.ok_or_else(unknown)?))
    }
}
