//! The destination. Rows wait in memory for their commit; a key that comes twice is rejected only there.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_sdk::{
    Capabilities, CommitReport, DataType, Destination, FieldFate, Incoming, LastCommit, LateReject, Layouts,
    Modes, OpenWrite, Operations, Reject, Result, StreamPlan, StreamVerdict, WriteReport, Writer,
};
use serde_json::{Map, Value};

use crate::{Config, Directory, ledger::Ledger};

impl Destination for Directory {
    type Config = Config;
    type Writer = LinesWriter;

    fn check(config: &Config) -> Result<()> {
        Ok(std::fs::read_dir(&config.directory).map(drop)?)
    }

    fn open(config: Config, write: OpenWrite) -> Result<LinesWriter> {
        let mut ledger = Ledger::read(&config.directory, &write.unit)?;
        if let Some(fence) = write.fence {
            ledger.take_over(fence)?;
        }
        Ok(LinesWriter { ledger, pending: Vec::new(), seen: BTreeSet::new() })
    }
}

pub(crate) struct LinesWriter {
    ledger: Ledger,
    pending: Vec<Pending>,
    /// Streams and keys of the rows that were committed.
    seen: BTreeSet<(String, String)>,
}

struct Pending {
    batch: u64,
    row: u32,
    stream: String,
    key: Option<String>,
    line: Vec<u8>,
}

impl Writer for LinesWriter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exactly_once: true,
            transactions: true,
            fences: true,
            late_rejects: true,
            layouts: Layouts::COLUMNS | Layouts::JSON_LINES,
            modes: Modes::APPEND,
            operations: Operations::INSERT,
        }
    }

    fn committed(&mut self) -> Result<Option<LastCommit>> {
        let Some(token) = self.ledger.state.token.clone() else { return Ok(None) };
        Ok(Some(LastCommit { token, report: duplicates(&self.ledger.state.late) }))
    }

    fn prepare(&mut self, plans: &[StreamPlan], _dry_run: bool) -> Result<Vec<StreamVerdict>> {
        let fate = |data_type: &DataType| match data_type {
            DataType::Bytes => FieldFate::Converted("base64 text".to_owned()),
            DataType::List(_) | DataType::Struct(_) => FieldFate::Refused("reserved".to_owned()),
            _ => FieldFate::Stored,
        };
        Ok(plans.iter().map(|plan| StreamVerdict::by_type(plan, plan.schema.layout, fate)).collect())
    }

    fn write(&mut self, number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        let (keys, stream) = (&incoming.schema.keys, incoming.stream().to_owned());
        let mut rejected = Vec::new();
        for (index, row) in (0..).zip(incoming.objects()?) {
            let row = match row {
                Ok(row) => row,
                Err(fault) => {
                    rejected.push(Reject::new(index, "not_json", fault.to_string()));
                    continue;
                }
            };
            let Some(key) = key_of(&row, keys) else {
                rejected.push(Reject::new(index, "missing_key", format!("needs {}", keys.join(", "))));
                continue;
            };
            let mut line = serde_json::to_vec(&row)?;
            line.push(b'\n');
            self.pending.push(Pending { batch: number, row: index, stream: stream.clone(), key, line });
        }
        Ok(WriteReport { rejected })
    }

    fn commit(&mut self, token: &str, _last: bool) -> Result<CommitReport> {
        let (mut rows, mut late) = (BTreeMap::<String, Vec<u8>>::new(), Vec::new());
        for Pending { batch, row, stream, key, line } in self.pending.drain(..) {
            let fresh = key.is_none_or(|key| self.seen.insert((stream.clone(), key)));
            if fresh {
                rows.entry(stream).or_default().extend(line);
            } else {
                late.push((batch, row));
            }
        }
        let report = duplicates(&late);
        self.ledger.commit(&rows, token, late)?;
        Ok(report)
    }
}

/// What a commit answers about rows whose key was there already.
fn duplicates(late: &[(u64, u32)]) -> CommitReport {
    let reject = |row| Reject::new(row, "duplicate_key", "this key came before");
    let rejected = late.iter().map(|(batch, row)| LateReject { batch: *batch, reject: reject(*row) });
    CommitReport { rejected: rejected.collect() }
}

/// The values of the key as text: the inner none if the stream has no key, the outer if the row lacks a part of it.
fn key_of(row: &Map<String, Value>, keys: &[String]) -> Option<Option<String>> {
    let values = keys.iter().map(|key| row.get(key).filter(|value| !value.is_null()));
    let values = values.collect::<Option<Vec<_>>>()?;
    Some((!values.is_empty()).then(|| Value::from_iter(values.into_iter().cloned()).to_string()))
}
