//! The scripted destination: what is committed is durable, and nothing else is.

use super::faults::{GUEST_TEXT, lock};
use super::reprocess::stays_rejected;
use super::world::{World, late_rejects, write_rejects};
use crate::connector::{Budget, Destination, Usage, Writer};
use crate::failure::Failure;
use crate::model::{
    Batch, Capabilities, ColumnData, CommitReport, FieldFate, FieldVerdict, LastCommit, LateReject, Mode,
    Modes, Operations, Reject, Rows, StreamPlan, StreamVerdict, WriteReport,
};
use crate::validate::{self, Limits};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a destination knows of one commit unit.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) last: Option<LastCommit>,
    pub(super) visible: Vec<i64>,
    /// Committed rows of a refill that is not complete.
    pub(super) staged: Vec<i64>,
    pub(super) generation: u64,
    pub(super) fence: u64,
    pub(super) commits: u64,
}

/// The ids of the rows of a batch in either layout.
pub(super) fn ids(batch: &Batch) -> Vec<i64> {
    match &batch.rows {
        Rows::Columns(columns) => {
            let ColumnData::Int64(ids) = &columns.columns[0].data else { panic!("no ids") };
            ids.clone()
        }
        Rows::JsonLines(lines) => String::from_utf8(lines.data.clone())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_i64().unwrap())
            .collect(),
    }
}

pub(super) struct ScriptedDestination(pub(super) Arc<World>);

#[async_trait]
impl Destination for ScriptedDestination {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        let fence = fence.unwrap();
        {
            let mut units = lock(&self.0.units);
            let known = units.entry(unit.clone()).or_default();
            self.0.must(fence >= known.fence, || format!("the fence fell to {fence}"));
            known.fence = fence;
        }
        let world = Arc::clone(&self.0);
        let writer = ScriptedWriter { world, unit, plans: BTreeMap::new(), written: Vec::new() };
        self.0.faults.call("destination.open", || Box::new(writer) as Box<dyn Writer>).await
    }

    fn budget(&self) -> Budget {
        self.0.faults.budget()
    }
}

struct ScriptedWriter {
    world: Arc<World>,
    unit: String,
    plans: BTreeMap<String, StreamPlan>,
    written: Vec<Vec<i64>>,
}

#[async_trait]
impl Writer for ScriptedWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        let script = &self.world.script;
        let capabilities = Capabilities {
            exactly_once: script.exactly_once,
            transactions: script.transactions,
            fences: true,
            late_rejects: script.late_rejects,
            layouts: script.layouts,
            modes: Modes { append: true, upsert: true, mirror: false, replace: true },
            operations: Operations { insert: true, ..Operations::default() },
        };
        self.world.faults.call("writer.capabilities", || capabilities).await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        let last = lock(&self.world.units)[&self.unit].last.clone();
        self.world.faults.call("writer.committed", || last).await
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        _dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        let layouts = self.world.script.layouts;
        let verdict = |plan: &StreamPlan| {
            let field = |name: &String| FieldVerdict { field: name.clone(), fate: FieldFate::Stored };
            StreamVerdict {
                stream: plan.schema.stream.clone(),
                layout: plan.schema.layout,
                fields: plan.schema.schema.fields.iter().map(|one| field(&one.name)).collect(),
            }
        };
        let verdicts: Vec<StreamVerdict> = plans.iter().map(verdict).collect();
        self.world.must_be(validate::verdicts(&verdicts, &plans, layouts));
        lock(&self.world.prepared).extend(plans.iter().cloned());
        for plan in plans {
            let mut units = lock(&self.world.units);
            let unit = units.get_mut(&self.unit).unwrap();
            // A new generation begins: what an older one had staged is gone.
            if plan.mode == Mode::Replace && plan.generation != unit.generation {
                unit.staged.clear();
                unit.generation = plan.generation;
            }
            self.plans.insert(plan.schema.stream.clone(), plan);
        }
        self.world.faults.call("writer.prepare", || verdicts).await
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        let expected = self.written.len() as u64;
        self.world.must(number == expected, || format!("batch {number} after {expected}"));
        self.world.must(batch.row_count() > 0, || "an empty batch".into());
        match self.plans.get(&batch.stream) {
            Some(plan) => self.world.must_be(validate::batch(&batch, &plan.schema, &Limits::default())),
            None => self.world.must(false, || format!("`{}` was not prepared", batch.stream)),
        }
        let world = Arc::clone(&self.world);
        let mut report = WriteReport::default();
        let mut kept = Vec::new();
        for (row, id) in (0..).zip(ids(&batch)) {
            if world.rejects_now(world.script.write_rejects && write_rejects(id), id) {
                report.rejected.push(reject(row, "write", id));
                // The place stays, so that late rejects count by row.
                kept.push(-1);
            } else {
                kept.push(id);
            }
        }
        world
            .faults
            .call("writer.write", || {
                self.written.push(kept);
                report
            })
            .await
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        let world = Arc::clone(&self.world);
        world.faults.call("writer.commit", || self.make_durable(token, last)).await
    }

    fn budget(&self) -> Budget {
        vec![Usage { limit: "batches".into(), used: self.written.len() as u64, allowed: 1_000 }]
    }
}

impl ScriptedWriter {
    fn make_durable(&mut self, token: String, last: bool) -> CommitReport {
        let mut units = lock(&self.world.units);
        let unit = units.get_mut(&self.unit).unwrap();
        let replace = self.plans.values().any(|plan| plan.mode == Mode::Replace);
        let rows = if replace { &mut unit.staged } else { &mut unit.visible };
        let mut report = CommitReport::default();
        for (batch, ids) in (0..).zip(self.written.drain(..)) {
            for (row, id) in (0..).zip(ids) {
                let late = id >= 0 && self.world.script.late_rejects && late_rejects(id);
                if self.world.rejects_now(late, id) {
                    report.rejected.push(LateReject { batch, reject: reject(row, "late", id) });
                } else if id >= 0 {
                    rows.push(id);
                }
            }
        }
        if replace && last {
            unit.visible = std::mem::take(&mut unit.staged);
        }
        unit.last = Some(LastCommit { token, report: report.clone() });
        unit.commits += 1;
        report
    }
}

impl World {
    /// Whether what it rejected so far it rejects still.
    fn rejects_now(&self, rejected: bool, id: i64) -> bool {
        rejected && (!self.mended.load(Ordering::SeqCst) || stays_rejected(id))
    }
}

fn reject(row: u32, code: &str, id: i64) -> Reject {
    Reject { row, code: code.into(), message: format!("{GUEST_TEXT}: {id}"), retryable: true }
}
