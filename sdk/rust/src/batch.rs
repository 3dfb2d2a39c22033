//! Batches: making them, and reading those that come in.

use serde_json::{Map, Value};

use crate::{
    Batch, Columns, ColumnsView, CommitReport, DataType, Error, FieldFate, FieldVerdict, JsonLines,
    LastCommit, Layout, Operation, Reject, Result, RowOperations, Rows, Step, StreamPlan, StreamSchema,
    StreamVerdict, WriteReport,
};

/// Rows as JSON objects.
pub type Objects<'a> = Box<dyn Iterator<Item = Result<Map<String, Value>>> + 'a>;

/// A batch as a destination or a transform receives it, with the schema by which its rows are laid out.
#[derive(Debug, Clone)]
pub struct Incoming<'a> {
    /// What the stream looks like.
    pub schema: &'a StreamSchema,
    /// The rows.
    pub batch: Batch,
}

impl<'a> Incoming<'a> {
    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.batch.stream
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u32 {
        self.batch.row_count()
    }

    /// The rows as columns; an error if the host was asked for JSON lines.
    pub fn columns(&self) -> Result<ColumnsView<'_>> {
        match &self.batch.rows {
            Rows::Columns(columns) => ColumnsView::new(&self.schema.schema.fields, columns),
            Rows::JsonLines(_) => Err(Error::bug(format!("`{}` comes as JSON lines", self.stream()))),
        }
    }

    /// The rows as JSON lines; an error if the host was asked for columns.
    pub fn json_lines(&self) -> Result<&JsonLines> {
        match &self.batch.rows {
            Rows::JsonLines(lines) => Ok(lines),
            Rows::Columns(_) => Err(Error::bug(format!("`{}` comes as columns", self.stream()))),
        }
    }

    /// The rows as JSON objects, in whichever layout they came. Fields that are absent have no key.
    ///
    /// Convenient, and slow beside columns: each row is built as a tree.
    pub fn objects(&self) -> Result<Objects<'_>> {
        match &self.batch.rows {
            Rows::JsonLines(lines) => Ok(Box::new(lines.parse())),
            Rows::Columns(_) => {
                let view = self.columns()?;
                Ok(Box::new((0..view.row_count()).map(move |row| view.row(row).to_object())))
            }
        }
    }
}

impl Batch {
    /// Rows of this stream that all ask for one operation.
    pub fn new(schema: &StreamSchema, operation: Operation, rows: impl Into<Rows>) -> Self {
        Self::with_operations(schema, RowOperations::All(operation), rows)
    }

    /// Rows of this stream.
    pub fn with_operations(schema: &StreamSchema, operations: RowOperations, rows: impl Into<Rows>) -> Self {
        Self { stream: schema.stream.clone(), schema_version: schema.version, operations, rows: rows.into() }
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u32 {
        match &self.rows {
            Rows::Columns(columns) => columns.row_count,
            Rows::JsonLines(lines) => lines.row_count,
        }
    }

    /// Bytes of all values, bitmaps and offsets: what counts against a budget.
    pub fn byte_count(&self) -> usize {
        let rows = match &self.rows {
            Rows::Columns(columns) => columns.byte_count(),
            Rows::JsonLines(lines) => lines.data.len(),
        };
        let operations = match &self.operations {
            RowOperations::All(_) => 0,
            RowOperations::Each(bytes) => bytes.len(),
        };
        rows + operations
    }
}

impl From<Columns> for Rows {
    fn from(columns: Columns) -> Self {
        Self::Columns(columns)
    }
}

impl From<JsonLines> for Rows {
    fn from(lines: JsonLines) -> Self {
        Self::JsonLines(lines)
    }
}

impl RowOperations {
    /// The operation of one row; `None` past the last row.
    pub fn get(&self, row: u32) -> Option<Operation> {
        match self {
            Self::All(operation) => Some(*operation),
            Self::Each(bytes) => match bytes.get(row as usize)? {
                0 => Some(Operation::Insert),
                1 => Some(Operation::Update),
                2 => Some(Operation::Upsert),
                3 => Some(Operation::Delete),
                _ => None,
            },
        }
    }
}

impl FromIterator<Operation> for RowOperations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        let bytes: Vec<u8> = operations.into_iter().map(|operation| operation as u8).collect();
        let uniform = bytes.first().is_some_and(|first| bytes.iter().all(|byte| byte == first));
        let each = Self::Each(bytes);
        match each.get(0) {
            Some(operation) if uniform => Self::All(operation),
            _ => each,
        }
    }
}

impl Reject {
    /// A row that will not be taken. The code is stable and for machines: `[a-z0-9_.-]{1,64}`.
    pub fn new(row: u32, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { row, code: code.into(), message: message.into(), retryable: false }
    }

    /// The same row could be taken at a later time.
    pub fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }
}

impl WriteReport {
    /// Every row was taken.
    pub fn all_taken() -> Self {
        Self { rejected: Vec::new() }
    }
}

impl LastCommit {
    /// Of a destination that rejects nothing at its commits.
    pub fn of_token(token: String) -> Self {
        Self { token, report: CommitReport { rejected: Vec::new() } }
    }
}

impl StreamVerdict {
    /// Every field is kept as it is.
    pub fn all_stored(plan: &StreamPlan, layout: Layout) -> Self {
        Self::by_type(plan, layout, |_| FieldFate::Stored)
    }

    /// What becomes of each field follows from its type.
    pub fn by_type(plan: &StreamPlan, layout: Layout, fate: impl Fn(&DataType) -> FieldFate) -> Self {
        let fields = plan.schema.schema.fields.iter();
        let fields =
            fields.map(|field| FieldVerdict { field: field.name.clone(), fate: fate(&field.data_type) });
        Self { stream: plan.schema.stream.clone(), layout, fields: fields.collect() }
    }
}

impl Step {
    /// Nothing for now: the host sleeps, keeps the reader open, and asks again.
    pub fn wait(duration: std::time::Duration) -> Self {
        Self::Wait(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Operation, RowOperations};

    #[test]
    fn operations_that_are_all_the_same_are_said_once() {
        let of = |operations: &[Operation]| operations.iter().copied().collect::<RowOperations>();
        assert_eq!(of(&[Operation::Delete, Operation::Delete]), RowOperations::All(Operation::Delete));
        let mixed = of(&[Operation::Insert, Operation::Update, Operation::Upsert, Operation::Delete]);
        assert_eq!(mixed, RowOperations::Each(vec![0, 1, 2, 3]));
        assert_eq!(mixed.get(2), Some(Operation::Upsert));
        assert_eq!(mixed.get(4), None);
        assert_eq!(of(&[]), RowOperations::Each(Vec::new()));
    }
}
