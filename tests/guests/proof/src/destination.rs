//! The destination: tells every call, rejects what it is told to reject, and keeps rows in files if it is told to.

use cofferdam_sdk::{
    Capabilities, CommitReport, DataType, Destination, FieldFate, Incoming, LastCommit, LateReject, Layouts,
    Modes, OpenWrite, Operations, Reject, Result, StreamPlan, StreamVerdict, WriteReport, Writer,
};

use crate::{Config, Proof, files::Files, show};

/// What it can do if nothing else is said.
const ABILITIES: &[&str] = &[
    "transactions",
    "late-rejects",
    "columns",
    "json-lines",
    "append",
    "replace",
    "insert",
    "update",
    "upsert-rows",
    "delete",
];

impl Destination for Proof {
    type Config = Config;
    type Writer = ProofWriter;

    fn check(config: &Config) -> Result<()> {
        config.pass("destination.check")
    }

    fn open(config: Config, write: OpenWrite) -> Result<ProofWriter> {
        log::info!("open `{}` fence {:?}", write.unit, write.fence);
        config.pass("destination.open")?;
        Ok(ProofWriter { config, files: Files::default(), written: 0 })
    }
}

pub(crate) struct ProofWriter {
    config: Config,
    files: Files,
    /// Batches since the last commit.
    written: u64,
}

impl ProofWriter {
    fn can(&self, ability: &str) -> bool {
        let told = &self.config.abilities;
        if told.is_empty() { ABILITIES.contains(&ability) } else { told.iter().any(|told| told == ability) }
    }

    /// The rejects of a commit of so many batches.
    fn late(&self, batches: u64) -> CommitReport {
        let late = self.config.reject_late.iter().filter(|(batch, _)| *batch < batches);
        let late = late.map(|(batch, row)| LateReject {
            batch: *batch,
            reject: Reject::new(*row, "came_before", "only seen at the commit").retryable(),
        });
        CommitReport { rejected: late.collect() }
    }

    /// The flags whose names it was told.
    fn set<F: FromIterator<F>, const N: usize>(&self, flags: [(&str, F); N]) -> F {
        flags.into_iter().filter(|(name, _)| self.can(name)).map(|(_, flag)| flag).collect()
    }
}

impl Writer for ProofWriter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exactly_once: self.can("exactly-once"),
            transactions: self.can("transactions"),
            fences: self.can("fences"),
            late_rejects: self.can("late-rejects"),
            layouts: self.set([("columns", Layouts::COLUMNS), ("json-lines", Layouts::JSON_LINES)]),
            modes: self.set([
                ("append", Modes::APPEND),
                ("upsert", Modes::UPSERT),
                ("mirror", Modes::MIRROR),
                ("replace", Modes::REPLACE),
            ]),
            operations: self.set([
                ("insert", Operations::INSERT),
                ("update", Operations::UPDATE),
                ("upsert-rows", Operations::UPSERT),
                ("delete", Operations::DELETE),
            ]),
        }
    }

    fn committed(&mut self) -> Result<Option<LastCommit>> {
        self.config.pass("writer.committed")?;
        let token = if self.config.keep { Files::token()? } else { None };
        // As many batches as the configuration speaks of: this destination keeps the rejects nowhere else.
        Ok(token.map(|token| LastCommit { token, report: self.late(u64::MAX) }))
    }

    fn prepare(&mut self, plans: &[StreamPlan], dry_run: bool) -> Result<Vec<StreamVerdict>> {
        self.config.pass("writer.prepare")?;
        for plan in plans {
            let (schema, mode, generation) = (&plan.schema, plan.mode, plan.generation);
            log::info!(
                "prepare `{}` version {} keys {:?} {mode:?} generation {generation} dry {dry_run}",
                schema.stream,
                schema.version,
                schema.keys
            );
            if self.config.keep && !dry_run {
                self.files.prepare(plan)?;
            }
        }
        let secret = self.config.secret();
        let fate = |data_type: &DataType| match secret {
            Some(secret) => FieldFate::Converted(secret.clone()),
            None => fate(data_type),
        };
        Ok(plans.iter().map(|plan| StreamVerdict::by_type(plan, plan.schema.layout, fate)).collect())
    }

    fn write(&mut self, number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        self.config.pass("writer.write")?;
        let (stream, version) = (incoming.stream(), incoming.batch.schema_version);
        log::info!("write {number} `{stream}` version {version} {:?}", incoming.batch.operations);
        let rows = show::rows(&incoming)?;
        rows.iter().for_each(|row| log::info!("row {row}"));
        self.written += 1;
        let count = incoming.row_count();
        let rejected = self.config.reject.iter().copied().filter(|row| *row < count);
        let rejected: Vec<_> =
            rejected.map(|row| Reject::new(row, "not_wanted", format!("row {row}"))).collect();
        let taken = (0..count).zip(rows).filter(|(row, _)| rejected.iter().all(|reject| reject.row != *row));
        if self.config.keep {
            self.files.write(stream, taken.map(|(_, text)| text));
        }
        Ok(WriteReport { rejected })
    }

    fn commit(&mut self, token: &str, last: bool) -> Result<CommitReport> {
        self.config.pass("writer.commit")?;
        log::info!("commit `{token}` last {last}");
        if self.config.keep {
            self.files.commit(token, last)?;
        }
        self.config.pass("writer.commit answered")?;
        let written = std::mem::take(&mut self.written);
        Ok(self.late(written))
    }
}

/// Every fate for some type.
fn fate(data_type: &DataType) -> FieldFate {
    match data_type {
        DataType::Boolean => FieldFate::Converted("0 or 1".to_owned()),
        DataType::Decimal(_) => FieldFate::Narrowed("float".to_owned()),
        DataType::Bytes => FieldFate::Dropped("no bytes here".to_owned()),
        DataType::Json => FieldFate::Refused("no JSON here".to_owned()),
        _ => FieldFate::Stored,
    }
}
