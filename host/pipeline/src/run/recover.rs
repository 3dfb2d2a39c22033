//! What a commit of which nobody heard the answer leaves: made true if the destination knows it, else forgotten.

use super::Trouble;
use super::commit::attempt_of;
use super::context::{Context, Grace};
use super::group::{Doubt, GroupState};
use super::kept::{Kept, kept};
use super::pending::{Owner, push};
use super::plan::GroupPlan;
use super::spec::{RejectPolicy, RowData};
use super::track::cut_message;
use crate::connector::Writer;
use crate::error::Error;
use crate::failure::{Cause, Failure};
use crate::model::{Capabilities, CommitReport, LateReject, Reject, StreamSchema};
use crate::records::{
    Amendment, KeptBatch, KeyHash, Prepared, PreparedBatch, Purpose, RejectedBy, RowError, UnitRecord,
};
use std::collections::{BTreeMap, BTreeSet};

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
    // The position of a reprocess is the sync's, and says nothing of its own end.
    let ended = prepared.run == ticket.run && prepared.purpose == Purpose::Sync && prepared.position.complete;
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
    // What a reprocess rejects is never let go: the row is an error already.
    let policy = match prepared.purpose {
        Purpose::Sync => spec.rejects.policy,
        Purpose::Reprocess => RejectPolicy::Quarantine,
    };
    let is_late = !report.rejected.is_empty();
    let mut rejected = None;
    match state.doubt.as_mut().filter(|doubt| doubt.token == prepared.token) {
        Some(Doubt { token, settled, pending, attempt }) => {
            let owner = context.owner(&group.unit, *attempt);
            let amendment = pending.reject_late(report, settled, policy, owner)?;
            records.commit(ticket, &group.unit, token, amendment).await?;
            ledger.commit(&settled.streams, &settled.written);
            state.commits += 1;
            rejected = if is_late { pending.first_rejected() } else { None };
        }
        None => {
            let owner =
                Owner { run: prepared.run, ..context.owner(&group.unit, attempt_of(&prepared.token)) };
            let kept = if is_late && owner.row_data != RowData::Off && policy != RejectPolicy::Skip {
                records.kept(ticket, &group.unit, &prepared.token).await?
            } else {
                Vec::new()
            };
            let recovered = Recovered::new(prepared, schemas(group), owner, kept);
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

/// A commit of a process that has ended: it was written down whence each of its rows came, and the rows were kept as far as
/// there was room.
struct Recovered<'a> {
    prepared: &'a Prepared,
    schemas: BTreeMap<&'a str, &'a StreamSchema>,
    owner: Owner<'a>,
    kept: BTreeMap<u32, KeptBatch>,
}

/// Rejected rows of one source batch.
struct Rejected<'a> {
    batch: &'a PreparedBatch,
    rows: BTreeMap<u32, Reject>,
}

impl<'a> Recovered<'a> {
    fn new(
        prepared: &'a Prepared,
        schemas: BTreeMap<&'a str, &'a StreamSchema>,
        owner: Owner<'a>,
        kept: Vec<KeptBatch>,
    ) -> Self {
        let kept = kept.into_iter().map(|batch| (batch.number, batch)).collect();
        Self { prepared, schemas, owner, kept }
    }

    fn amendment(&self, report: CommitReport) -> Result<Amendment, String> {
        let mut amendment = Amendment::default();
        let mut seen = BTreeSet::new();
        let mut rejected: BTreeMap<u32, Rejected<'_>> = BTreeMap::new();
        for late in report.rejected {
            let (batch, row) = self.place(&late)?;
            *amendment.unwritten.entry(batch.output.clone()).or_default() += 1;
            let index = batch.first_index + u64::from(row);
            if batch.rejected.contains(&row) || !seen.insert((batch.stream.clone(), index)) {
                continue;
            }
            *amendment.rejected.entry(batch.stream.clone()).or_default() += 1;
            let of_source = rejected.entry(batch.source).or_insert(Rejected { batch, rows: BTreeMap::new() });
            of_source.rows.insert(row, late.reject);
        }
        for (source, Rejected { batch, rows }) in rejected {
            let kept = self.kept.get(&source);
            let schema = kept.map(|kept| kept.schema.as_ref());
            let Some(schema) = schema.or_else(|| self.schemas.get(batch.stream.as_str()).copied()) else {
                continue;
            };
            push(&mut amendment.row_errors, schema, self.errors(batch, rows, kept), self.owner);
        }
        amendment.unsettled = self.unsettled(&seen);
        Ok(amendment)
    }

    fn errors(
        &self,
        batch: &PreparedBatch,
        rejected: BTreeMap<u32, Reject>,
        source: Option<&KeptBatch>,
    ) -> Vec<RowError> {
        let rows: Vec<u32> = rejected.keys().copied().collect();
        let row_data = self.owner.row_data;
        let places = |source: &KeptBatch| rows.iter().map(|row| source.place_of(*row)).collect();
        let places: Option<Vec<u32>> = source.and_then(places);
        let copies = match source.zip(places) {
            Some((KeptBatch { batch, schema, .. }, places)) => kept(batch, schema, &places, row_data),
            None => rows.iter().map(|_| Kept::nothing(row_data)).collect(),
        };
        let operation = |row: u32| {
            let source = source?;
            source.batch.operations.get(source.place_of(row)? as usize)
        };
        let error = |((row, reject), copy): ((u32, Reject), Kept)| {
            let reject = row_data.allowed(reject);
            let Kept { copy, fields, key } = copy;
            RowError {
                index: batch.first_index + u64::from(row),
                code: reject.code,
                message: cut_message(reject.message),
                retryable: reject.retryable,
                by: RejectedBy::Destination,
                operation: operation(row),
                attempt: self.owner.attempt,
                row: copy,
                fields,
                key,
            }
        };
        rejected.into_iter().zip(copies).map(error).collect()
    }

    /// Keys of which no row is accepted any more, now that these rows are rejected.
    fn unsettled(&self, rejected: &BTreeSet<(String, u64)>) -> BTreeMap<String, Vec<KeyHash>> {
        let mut left: BTreeMap<(&str, KeyHash), bool> = BTreeMap::new();
        for batch in &self.prepared.batches {
            for (row, hash) in &batch.open {
                let index = batch.first_index + u64::from(*row);
                let accepted = !rejected.contains(&(batch.stream.clone(), index));
                *left.entry((batch.stream.as_str(), *hash)).or_default() |= accepted;
            }
        }
        let mut unsettled: BTreeMap<String, Vec<KeyHash>> = BTreeMap::new();
        for ((stream, hash), _) in left.into_iter().filter(|(_, left)| !left) {
            unsettled.entry(stream.to_owned()).or_default().push(hash);
        }
        unsettled
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

#[cfg(test)]
mod tests {
    use super::Recovered;
    use crate::fixtures::schema;
    use crate::model::{CommitReport, LateReject, Layout, Reject};
    use crate::records::PreparedBatch;
    use crate::records::conformance::prepared;
    use crate::run::RowData;
    use crate::run::pending::Owner;
    use std::collections::BTreeMap;

    /// Rows 0 and 1 have one key, row 2 another; row 3 has none that is open. What no longer holds when these are rejected.
    fn unsettled(rows: &[u32]) -> Vec<u8> {
        let mut prepared = prepared("t", "1", Vec::new());
        let batch = PreparedBatch {
            output: "out".into(),
            rows: 4,
            source: 0,
            stream: "s".into(),
            first_index: 10,
            origin: None,
            rejected: Vec::new(),
            open: vec![(0, [1; 32]), (1, [1; 32]), (2, [2; 32])],
        };
        prepared.batches = vec![batch];
        let schema = schema("s", &[], Layout::Columns);
        let schemas = BTreeMap::from([("s", &schema)]);
        let owner = Owner { run: 1, unit: "u", attempt: 1, row_data: RowData::Stored };
        let reject = |row: &u32| LateReject {
            batch: 0,
            reject: Reject { row: *row, code: "c".into(), message: String::new(), retryable: false },
        };
        let report = CommitReport { rejected: rows.iter().map(reject).collect() };
        let amendment = Recovered::new(&prepared, schemas, owner, Vec::new()).amendment(report).unwrap();
        amendment.unsettled.get("s").into_iter().flatten().map(|hash| hash[0]).collect()
    }

    #[test]
    fn a_key_is_settled_as_long_as_one_row_of_it_is_accepted() {
        let cases: [(&[u32], &[u8]); 6] = [
            (&[], &[]),
            (&[0], &[]),
            (&[3], &[]),
            (&[0, 1], &[1]),
            (&[2, 0], &[2]),
            (&[0, 1, 2, 3], &[1, 2]),
        ];
        for (rejected, expected) in cases {
            assert_eq!(unsettled(rejected), expected, "{rejected:?}");
        }
    }
}
