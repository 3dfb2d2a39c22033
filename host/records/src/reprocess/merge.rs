//! Joins stored rows, each a batch of its own, into batches of many: a connector is called for each batch.
//!
//! Values stay what they are, bit for bit. Only neighbours are joined, so that rows keep their order.

use pipeline::model::{
    Batch, Column, ColumnData, Columns, JsonLines, Operation, RowOperations, Rows, VarData,
};

/// Joins batches of one row that follow each other and are laid out alike.
pub(super) fn merge(rows: Vec<Batch>) -> Vec<Batch> {
    let mut merged = Vec::new();
    let mut open: Option<Merging> = None;
    for row in rows {
        if open.as_mut().is_some_and(|open| open.push(&row)) {
            continue;
        }
        merged.extend(open.take().map(Merging::finish));
        match Merging::begin(&row) {
            Some(begun) => open = Some(begun),
            // Not a row as we store one: it goes as it is.
            None => merged.push(row),
        }
    }
    merged.extend(open.map(Merging::finish));
    merged
}

struct Merging {
    /// The first row, for what all have in common.
    stream: String,
    schema_version: u32,
    operations: Vec<Operation>,
    rows: MergingRows,
}

enum MergingRows {
    Columns(Vec<MergingColumn>),
    Lines(Vec<u8>),
}

struct MergingColumn {
    validity: Vec<bool>,
    presence: Vec<bool>,
    data: MergingData,
}

enum MergingData {
    /// Booleans are bits only at the end.
    Boolean(Vec<bool>),
    Other(ColumnData),
}

impl Merging {
    fn begin(row: &Batch) -> Option<Self> {
        let rows = match &row.rows {
            Rows::Columns(columns) => {
                MergingRows::Columns(columns.columns.iter().map(MergingColumn::like).collect())
            }
            Rows::JsonLines(_) => MergingRows::Lines(Vec::new()),
        };
        let (stream, schema_version) = (row.stream.clone(), row.schema_version);
        let mut begun = Self { stream, schema_version, operations: Vec::new(), rows };
        begun.push(row).then_some(begun)
    }

    /// False where the row is laid out in another way: then nothing was added.
    fn push(&mut self, row: &Batch) -> bool {
        let Some(operation) = row.operations.get(0) else { return false };
        let is_alike = self.stream == row.stream && self.schema_version == row.schema_version;
        if !is_alike || row.row_count() != 1 {
            return false;
        }
        match (&mut self.rows, &row.rows) {
            (MergingRows::Lines(lines), Rows::JsonLines(one)) => lines.extend_from_slice(&one.data),
            (MergingRows::Columns(columns), Rows::Columns(one)) => {
                let pairs = || columns.iter().zip(&one.columns);
                if columns.len() != one.columns.len() || !pairs().all(|(column, one)| column.takes(one)) {
                    return false;
                }
                columns.iter_mut().zip(&one.columns).for_each(|(column, one)| column.push(one));
            }
            _ => return false,
        }
        self.operations.push(operation);
        true
    }

    fn finish(self) -> Batch {
        let Self { stream, schema_version, operations, rows } = self;
        let row_count = u32::try_from(operations.len()).unwrap_or(u32::MAX);
        let rows = match rows {
            MergingRows::Columns(columns) => {
                let columns = columns.into_iter().map(MergingColumn::finish).collect();
                Rows::Columns(Columns { row_count, columns })
            }
            MergingRows::Lines(data) => Rows::JsonLines(JsonLines { row_count, data }),
        };
        let operations = match operations.first() {
            Some(first) if operations.iter().all(|operation| operation == first) => {
                RowOperations::All(*first)
            }
            _ => RowOperations::Each(operations.iter().map(|operation| operation.to_byte()).collect()),
        };
        Batch { stream, schema_version, operations, rows }
    }
}

impl MergingColumn {
    fn like(column: &Column) -> Self {
        let var = || VarData { offsets: vec![0], data: Vec::new() };
        let data = match &column.data {
            ColumnData::Boolean(_) => MergingData::Boolean(Vec::new()),
            ColumnData::Int64(_) => MergingData::Other(ColumnData::Int64(Vec::new())),
            ColumnData::Float64(_) => MergingData::Other(ColumnData::Float64(Vec::new())),
            ColumnData::Decimal(_) => MergingData::Other(ColumnData::Decimal(Vec::new())),
            ColumnData::Text(_) => MergingData::Other(ColumnData::Text(var())),
            ColumnData::Bytes(_) => MergingData::Other(ColumnData::Bytes(var())),
            ColumnData::Json(_) => MergingData::Other(ColumnData::Json(var())),
            ColumnData::Date(_) => MergingData::Other(ColumnData::Date(Vec::new())),
            ColumnData::Time(_) => MergingData::Other(ColumnData::Time(Vec::new())),
            ColumnData::Timestamp(_) => MergingData::Other(ColumnData::Timestamp(Vec::new())),
        };
        Self { validity: Vec::new(), presence: Vec::new(), data }
    }

    fn takes(&self, one: &Column) -> bool {
        match (&self.data, &one.data) {
            (MergingData::Boolean(_), ColumnData::Boolean(_)) => true,
            (MergingData::Boolean(_), _) => false,
            // Offsets of texts are 31 bits.
            (MergingData::Other(data), one) => {
                std::mem::discriminant(data) == std::mem::discriminant(one)
                    && var_of(data).zip(var_of(one)).is_none_or(|(data, one)| {
                        i32::try_from(data.data.len().saturating_add(one.data.len())).is_ok()
                    })
            }
        }
    }

    fn push(&mut self, one: &Column) {
        let bit = |bits: &Option<Vec<u8>>| bits.as_ref().is_none_or(|bits| first_bit(bits));
        self.validity.push(bit(&one.validity));
        self.presence.push(bit(&one.presence));
        match (&mut self.data, &one.data) {
            (MergingData::Boolean(values), ColumnData::Boolean(bits)) => values.push(first_bit(bits)),
            (MergingData::Other(data), one) => extend(data, one),
            (MergingData::Boolean(_), _) => {}
        }
    }

    fn finish(self) -> Column {
        let bitmap = |flags: Vec<bool>| (!flags.iter().all(|flag| *flag)).then(|| to_bits(&flags));
        let data = match self.data {
            MergingData::Boolean(values) => ColumnData::Boolean(to_bits(&values)),
            MergingData::Other(data) => data,
        };
        Column { validity: bitmap(self.validity), presence: bitmap(self.presence), data }
    }
}

fn extend(data: &mut ColumnData, one: &ColumnData) {
    match (data, one) {
        (ColumnData::Int64(data), ColumnData::Int64(one))
        | (ColumnData::Time(data), ColumnData::Time(one))
        | (ColumnData::Timestamp(data), ColumnData::Timestamp(one)) => data.extend_from_slice(one),
        (ColumnData::Float64(data), ColumnData::Float64(one)) => data.extend_from_slice(one),
        (ColumnData::Decimal(data), ColumnData::Decimal(one)) => data.extend_from_slice(one),
        (ColumnData::Date(data), ColumnData::Date(one)) => data.extend_from_slice(one),
        (ColumnData::Text(data), ColumnData::Text(one))
        | (ColumnData::Bytes(data), ColumnData::Bytes(one))
        | (ColumnData::Json(data), ColumnData::Json(one)) => {
            data.data.extend_from_slice(one.value(0).unwrap_or_default());
            data.offsets.push(i32::try_from(data.data.len()).unwrap_or(i32::MAX));
        }
        // Others were not taken.
        _ => {}
    }
}

fn var_of(data: &ColumnData) -> Option<&VarData> {
    match data {
        ColumnData::Text(var) | ColumnData::Bytes(var) | ColumnData::Json(var) => Some(var),
        _ => None,
    }
}

fn first_bit(bits: &[u8]) -> bool {
    bits.first().is_some_and(|byte| byte & 1 == 1)
}

/// LSB-first.
fn to_bits(flags: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, flag| byte << 1 | u8::from(*flag));
    flags.chunks(8).map(byte).collect()
}

#[cfg(test)]
mod tests;
