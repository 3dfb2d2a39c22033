//! The rows of one stream, as batches.

use cofferdam_sdk::{
    Batch, ColumnsBuilder, Error, JsonLines, Layout, Operation, Result, Schema, StreamSchema,
};

use crate::{
    column::{Column, Scratch},
    config::{Config, Stream},
    preset,
    random::Draws,
    source::{operation, stream_schema},
};

/// The rows of one stream that are still to come.
#[derive(Debug)]
pub(super) struct StreamRows {
    schema: StreamSchema,
    columns: Vec<Column>,
    operation: Operation,
    rows: u64,
    next: u64,
    row_bytes_max: usize,
}

impl StreamRows {
    /// From row `next` on; `selected` are the fields wanted, in this order.
    pub(super) fn new(
        config: &Config,
        stream: &Stream,
        selected: Option<&[String]>,
        next: u64,
    ) -> Result<Self> {
        let mut all: Vec<_> = preset::fields(stream.columns, config.null_rate).collect();
        if let Some(selected) = selected {
            let find = |name: &String| {
                let found = all.iter().find(|(field, _)| field.name == *name).cloned();
                found.ok_or_else(|| Error::bug(format!("the stream `{}` has no field `{name}`", stream.name)))
            };
            all = selected.iter().map(find).collect::<Result<_>>()?;
        }
        let column = |(field, kind): &(_, _)| {
            let field: &cofferdam_sdk::Field = field;
            let draws = Draws::new(config.seed, &stream.name, &field.name);
            Column::new(*kind, field, draws, config.null_rate)
        };
        let columns: Vec<Column> = all.iter().map(column).collect();
        // The braces and the line feed.
        let row_bytes_max = columns.iter().map(Column::bytes_max).sum::<usize>() + 3;
        let schema = Schema::new(all.into_iter().map(|(field, _)| field));
        let schema = StreamSchema { schema, ..stream_schema(config, stream) };
        Ok(Self { schema, columns, operation: operation(config), rows: stream.rows, next, row_bytes_max })
    }

    pub(super) fn stream(&self) -> &str {
        &self.schema.stream
    }

    /// The next row; past the last one where a stream had more rows before.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn left(&self) -> u64 {
        self.rows.saturating_sub(self.next)
    }

    pub(super) fn advance(&mut self, count: u64) {
        self.next += count;
    }

    /// Bytes of a row, at most.
    pub(super) fn row_bytes_max(&self) -> usize {
        self.row_bytes_max
    }

    /// These rows in the configured layout.
    pub(super) fn batch(&self, rows: impl Iterator<Item = u64> + Clone) -> Result<Batch> {
        Ok(match self.schema.layout {
            Layout::Columns => {
                let mut builder = ColumnsBuilder::new(&self.schema.schema.fields);
                for (column, into) in self.columns.iter().zip(builder.columns()) {
                    column.fill(into, rows.clone());
                }
                Batch::new(&self.schema, self.operation, builder.finish()?)
            }
            Layout::JsonLines => {
                let mut lines = JsonLines { row_count: 0, data: Vec::new() };
                let mut scratch = Scratch::default();
                for row in rows {
                    self.push_json(row, &mut lines.data, &mut scratch)?;
                    lines.data.push(b'\n');
                    lines.row_count += 1;
                }
                Batch::new(&self.schema, self.operation, lines)
            }
        })
    }

    /// The first half of a row as JSON: what a broken connection would leave of it.
    pub(super) fn half_a_row(&self, row: u64) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        self.push_json(row, &mut data, &mut Scratch::default())?;
        data.truncate(data.len() / 2);
        Ok(data)
    }

    fn push_json(&self, row: u64, data: &mut Vec<u8>, scratch: &mut Scratch) -> Result<()> {
        data.push(b'{');
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                data.push(b',');
            }
            data.extend_from_slice(column.json_key().as_bytes());
            serde_json::to_writer(&mut *data, &column.cell(row, scratch))?;
        }
        data.push(b'}');
        Ok(())
    }
}
