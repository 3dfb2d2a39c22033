//! A source and a destination for runs of the real pipeline.

use super::rows::{batch, rows_of, schema};
use async_trait::async_trait;
use pipeline::connector::{Budget, Destination, Reader, Source, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    Batch, Capabilities, Catalog, CommitReport, FieldFate, FieldVerdict, LastCommit, LateReject, Layout,
    Layouts, Modes, OpenRead, Operations, Page, PageBudget, Pushdown, Reject, Step, StreamInfo, StreamPlan,
    StreamVerdict, WriteReport,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Gives these rows of the stream `s`, a few a page.
pub(super) struct Rows(pub(super) Vec<(i64, String)>);

struct RowsReader {
    pages: Vec<(u64, Vec<(i64, String)>)>,
}

#[async_trait]
impl Source for Rows {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let info = StreamInfo {
            schema: schema("s"),
            group: None,
            cursor_fields: Vec::new(),
            incremental: true,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        Ok(Catalog { streams: vec![info], groups: Vec::new() })
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let done: u64 = read.checkpoint.map_or(0, |checkpoint| checkpoint.parse().unwrap());
        let pages = (1..).zip(self.0.chunks(3)).map(|(number, rows)| (number, rows.to_vec()));
        let mut pages: Vec<_> = pages.filter(|(number, _)| *number > done).collect();
        pages.reverse();
        Ok(Box::new(RowsReader { pages }))
    }
}

#[async_trait]
impl Reader for RowsReader {
    async fn next(&mut self, _budget: PageBudget) -> Result<Step, Failure> {
        let Some((number, rows)) = self.pages.pop() else { return Ok(Step::End) };
        let rows: Vec<(i64, &str)> = rows.iter().map(|(id, name)| (*id, name.as_str())).collect();
        let checkpoint = Some(number.to_string());
        Ok(Step::Page(Page { batches: vec![batch("s", &rows)], checkpoint, ..Page::default() }))
    }

    async fn committed(&mut self, _checkpoint: String) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// A destination that knows its commits, and refuses rows by a letter in their name: some when they are written, some only
/// when they are committed.
#[derive(Default)]
pub(super) struct Target {
    pub(super) state: Mutex<TargetState>,
}

#[derive(Default)]
pub(super) struct TargetState {
    pub(super) rows: Vec<(i64, String)>,
    pub(super) refuses: Option<char>,
    pub(super) refuses_late: Option<char>,
    /// Batches as they came.
    pub(super) batches: Vec<Batch>,
    last: BTreeMap<String, LastCommit>,
}

impl Target {
    pub(super) fn refusing(refuses: Option<char>, refuses_late: Option<char>) -> Arc<Self> {
        let target = Self::default();
        target.refuse(refuses, refuses_late);
        Arc::new(target)
    }

    pub(super) fn refuse(&self, refuses: Option<char>, refuses_late: Option<char>) {
        let mut state = self.state.lock().unwrap();
        (state.refuses, state.refuses_late) = (refuses, refuses_late);
    }

    /// What it has, by id; each row once.
    pub(super) fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.state.lock().unwrap().rows.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }
}

pub(super) struct TargetWriter {
    target: Arc<Target>,
    unit: String,
    /// Rows of each batch with their place in it.
    written: Vec<(u64, u32, (i64, String))>,
}

#[async_trait]
impl Destination for TargetOf {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn open(&self, unit: String, _fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        Ok(Box::new(TargetWriter { target: Arc::clone(&self.0), unit, written: Vec::new() }))
    }
}

/// As the pipeline takes it.
pub(super) struct TargetOf(pub(super) Arc<Target>);

#[async_trait]
impl Writer for TargetWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        Ok(Capabilities {
            exactly_once: true,
            transactions: true,
            fences: false,
            late_rejects: true,
            layouts: Layouts { columns: true, json_lines: false },
            modes: Modes { append: true, upsert: true, mirror: false, replace: true },
            operations: Operations { insert: true, update: true, upsert: true, delete: true },
        })
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        Ok(self.target.state.lock().unwrap().last.get(&self.unit).cloned())
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        _dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        let fields = |plan: &StreamPlan| {
            let field = |name: &str| FieldVerdict { field: name.into(), fate: FieldFate::Stored };
            plan.schema.schema.fields.iter().map(|one| field(&one.name)).collect()
        };
        let verdict = |plan: &StreamPlan| StreamVerdict {
            stream: plan.schema.stream.clone(),
            layout: Layout::Columns,
            fields: fields(plan),
        };
        Ok(plans.iter().map(verdict).collect())
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        let mut state = self.target.state.lock().unwrap();
        state.batches.push(batch.as_ref().clone());
        let mut report = WriteReport::default();
        for (row, values) in (0..).zip(rows_of(&batch)) {
            if state.refuses.is_some_and(|letter| values.1.contains(letter)) {
                report.rejected.push(reject(row, "refused", &values.1));
            } else {
                self.written.push((number, row, values));
            }
        }
        Ok(report)
    }

    async fn commit(&mut self, token: String, _last: bool) -> Result<CommitReport, Failure> {
        let mut state = self.target.state.lock().unwrap();
        let mut report = CommitReport::default();
        for (batch, row, values) in std::mem::take(&mut self.written) {
            if state.refuses_late.is_some_and(|letter| values.1.contains(letter)) {
                report.rejected.push(LateReject { batch, reject: reject(row, "refused_late", &values.1) });
            } else {
                state.rows.push(values);
            }
        }
        state.last.insert(self.unit.clone(), LastCommit { token, report: report.clone() });
        Ok(report)
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// Says so with the row in its words, as others do.
fn reject(row: u32, code: &str, name: &str) -> Reject {
    Reject { row, code: code.into(), message: format!("`{name}` is not taken"), retryable: false }
}
