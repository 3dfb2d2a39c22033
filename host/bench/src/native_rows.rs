//! A source and a destination that cost next to nothing, for runs in which the pipeline and what it keeps are measured: a
//! sandbox around either would hide a part of it.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::connector::{Budget, Destination, Reader, Source, Writer};
use pipeline::failure::Failure;
use pipeline::model::{
    Batch, Capabilities, Catalog, Column, ColumnData, Columns, CommitReport, DataType, Field, FieldFate,
    FieldVerdict, LastCommit, Layout, Layouts, Modes, OpenRead, Operation, Operations, Page, PageBudget,
    Pushdown, Reject, RowOperations, Rows, Schema, Step, StreamInfo, StreamPlan, StreamSchema, StreamVerdict,
    VarData, WriteReport, Zone,
};

pub(crate) const STREAM: &str = "bench";
const PAGE_ROWS: u64 = 10_000;
/// More different pages than one commit holds, so that what is kept of them compresses as rows do and not as repetitions.
const PAGES: u64 = 32;
const TEXTS: [(&str, &str); 3] =
    [("name", "amber harbor "), ("city", "cedar delta meadow "), ("note", "north ")];

/// Ten columns, about 150 bytes a row, made in advance.
#[derive(Clone)]
pub(crate) struct NativeRows {
    pages: Arc<Vec<Columns>>,
    count: u64,
}

impl NativeRows {
    /// So many rows, in whole pages.
    pub(crate) fn new(count: u64) -> Self {
        Self { pages: Arc::new((0..PAGES).map(page).collect()), count: count / PAGE_ROWS * PAGE_ROWS }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// A multiplicative hash: values that look random and need no generator.
fn draw(row: u64) -> u64 {
    row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn page(number: u64) -> Columns {
    let draws = || (number * PAGE_ROWS..(number + 1) * PAGE_ROWS).map(draw);
    let integers = |shift: u32| draws().map(|draw| (draw >> shift).cast_signed()).collect();
    let mut columns = vec![
        ColumnData::Int64(integers(1)),
        ColumnData::Int64(integers(40)),
        ColumnData::Int64(integers(54)),
        ColumnData::Decimal(draws().flat_map(|draw| [draw >> 44, 0]).collect()),
        ColumnData::Float64(draws().map(|draw| (draw >> 40) as f64 / 8.0).collect()),
        ColumnData::Timestamp(integers(14)),
        ColumnData::Boolean(draws().step_by(8).map(|draw| draw.to_be_bytes()[0]).collect()),
    ];
    columns.extend(TEXTS.map(|(_, start)| ColumnData::Text(texts(start, draws()))));
    let column = |data| Column { validity: None, presence: None, data };
    let row_count = u32::try_from(PAGE_ROWS).unwrap_or_default();
    Columns { row_count, columns: columns.into_iter().map(column).collect() }
}

fn texts(start: &str, draws: impl Iterator<Item = u64>) -> VarData {
    let mut texts = VarData { offsets: vec![0], data: Vec::new() };
    for draw in draws {
        texts.data.extend_from_slice(format!("{start}{:06x}", draw >> 40).as_bytes());
        texts.offsets.push(i32::try_from(texts.data.len()).unwrap_or_default());
    }
    texts
}

fn schema() -> StreamSchema {
    let fields = [
        ("id", DataType::Int64),
        ("customer", DataType::Int64),
        ("quantity", DataType::Int64),
        ("price", DataType::Decimal { precision: 20, scale: 2 }),
        ("score", DataType::Float64),
        ("at", DataType::Timestamp(Zone::Utc)),
        ("active", DataType::Boolean),
    ];
    let fields = fields.into_iter().chain(TEXTS.map(|(name, _)| (name, DataType::Text)));
    let field = |(name, data_type): (&str, DataType)| Field {
        name: name.to_owned(),
        data_type,
        nullable: false,
        logical_type: None,
        description: None,
    };
    StreamSchema {
        stream: STREAM.to_owned(),
        version: 0,
        schema: Schema { fields: fields.map(field).collect(), additional_fields: false },
        keys: vec!["id".to_owned()],
        operations: Operations { insert: true, ..Operations::default() },
        layout: Layout::Columns,
    }
}

#[async_trait]
impl Source for NativeRows {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let info = StreamInfo {
            schema: schema(),
            group: None,
            cursor_fields: Vec::new(),
            incremental: true,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        Ok(Catalog { streams: vec![info], groups: Vec::new() })
    }

    async fn open(&self, _read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        Ok(Box::new(RowsReader { rows: self.clone(), given: 0 }))
    }
}

struct RowsReader {
    rows: NativeRows,
    given: u64,
}

#[async_trait]
impl Reader for RowsReader {
    async fn next(&mut self, _budget: PageBudget) -> Result<Step, Failure> {
        let number = usize::try_from(self.given / PAGE_ROWS % PAGES).unwrap_or_default();
        let Some(page) = self.rows.pages.get(number).filter(|_| self.given < self.rows.count) else {
            return Ok(Step::End);
        };
        let mut columns = page.clone();
        if let Some(Column { data: ColumnData::Int64(ids), .. }) = columns.columns.first_mut() {
            // Each row has a key of its own.
            let keys = self.given.cast_signed()..;
            ids.iter_mut().zip(keys).for_each(|(id, key)| *id = key);
        }
        self.given += PAGE_ROWS;
        let batch = Batch {
            stream: STREAM.to_owned(),
            schema_version: 0,
            operations: RowOperations::All(Operation::Insert),
            rows: Rows::Columns(columns),
        };
        let checkpoint = Some(self.given.to_string());
        Ok(Step::Page(Page { batches: vec![batch], checkpoint, ..Page::default() }))
    }

    async fn committed(&mut self, _checkpoint: String) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}

/// Keeps nothing.
#[derive(Clone, Copy)]
pub(crate) struct Rejecting {
    /// Each row whose number in its batch, from 1, is a multiple of this is rejected.
    pub(crate) every: u32,
    /// It might reject rows at a commit too, which it never does: the host must keep them until then.
    pub(crate) late: bool,
}

#[async_trait]
impl Destination for Rejecting {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn open(&self, _unit: String, _fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        Ok(Box::new(*self))
    }
}

#[async_trait]
impl Writer for Rejecting {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        Ok(Capabilities {
            exactly_once: true,
            transactions: true,
            fences: false,
            late_rejects: self.late,
            layouts: Layouts { columns: true, json_lines: false },
            modes: Modes { append: true, upsert: false, mirror: false, replace: false },
            operations: Operations { insert: true, ..Operations::default() },
        })
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        Ok(None)
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        _dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        let stored = |field: &Field| FieldVerdict { field: field.name.clone(), fate: FieldFate::Stored };
        let verdict = |plan: &StreamPlan| StreamVerdict {
            stream: plan.schema.stream.clone(),
            layout: Layout::Columns,
            fields: plan.schema.schema.fields.iter().map(stored).collect(),
        };
        Ok(plans.iter().map(verdict).collect())
    }

    async fn write(&mut self, _number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        let Rows::Columns(Columns { row_count, .. }) = batch.rows else { return Ok(WriteReport::default()) };
        let reject = |row| Reject {
            row,
            code: "not-taken".to_owned(),
            message: format!("row {row} of its batch is not taken"),
            retryable: false,
        };
        let rejected = (0..row_count).filter(|row| (row + 1).is_multiple_of(self.every));
        Ok(WriteReport { rejected: rejected.map(reject).collect() })
    }

    async fn commit(&mut self, _token: String, _last: bool) -> Result<CommitReport, Failure> {
        Ok(CommitReport::default())
    }

    fn budget(&self) -> Budget {
        Budget::new()
    }
}
