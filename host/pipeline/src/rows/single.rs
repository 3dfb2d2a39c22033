//! What is kept of single rows of a batch. Of many rows at once, since JSON lines have to be walked from their first.

use super::json_line::{FieldIndex, ParsedLine, lines};
use super::row;
use crate::model::{Batch, Column, ColumnData, JsonLines, RowOperations, Rows, StreamSchema};

/// Each of these rows as a batch of its own, as [`row`] gives it. The indexes rise; those past the end are left out.
pub fn singles(batch: &Batch, rows: &[u32]) -> Vec<Batch> {
    let Rows::JsonLines(given) = &batch.rows else {
        return rows.iter().filter_map(|one| row(batch, *one)).collect();
    };
    let single = |(row, line): (u32, &[u8])| {
        let operations = match &batch.operations {
            RowOperations::All(operation) => RowOperations::All(*operation),
            RowOperations::Each(bytes) => {
                RowOperations::Each(bytes.get(row as usize).copied().into_iter().collect())
            }
        };
        let mut data = Vec::with_capacity(line.len() + 1);
        data.extend_from_slice(line);
        data.push(b'\n');
        let rows = Rows::JsonLines(JsonLines { row_count: 1, data });
        Batch { stream: batch.stream.clone(), schema_version: batch.schema_version, operations, rows }
    };
    picked(given, rows).map(single).collect()
}

/// How many bytes each row has as a batch of its own.
pub fn sizes(batch: &Batch) -> Vec<usize> {
    let operation = usize::from(matches!(batch.operations, RowOperations::Each(_)));
    let mut sizes = vec![operation; batch.row_count() as usize];
    match &batch.rows {
        Rows::Columns(given) => given.columns.iter().for_each(|column| add_sizes(column, &mut sizes)),
        Rows::JsonLines(given) => {
            sizes.iter_mut().zip(lines(given)).for_each(|(size, line)| *size += line.len() + 1);
        }
    }
    sizes
}

fn add_sizes(column: &Column, sizes: &mut [usize]) {
    let bitmaps = usize::from(column.validity.is_some()) + usize::from(column.presence.is_some());
    let fixed = match &column.data {
        ColumnData::Boolean(_) => 1,
        ColumnData::Int64(_) | ColumnData::Float64(_) | ColumnData::Time(_) | ColumnData::Timestamp(_) => 8,
        ColumnData::Decimal(_) => 16,
        ColumnData::Date(_) => 4,
        ColumnData::Text(var) | ColumnData::Bytes(var) | ColumnData::Json(var) => {
            for (size, ends) in sizes.iter_mut().zip(var.offsets.windows(2)) {
                let [start, end] = ends else { continue };
                *size += end.abs_diff(*start) as usize;
            }
            2 * size_of::<i32>()
        }
    };
    sizes.iter_mut().for_each(|size| *size += bitmaps + fixed);
}

/// Names of the declared fields that each of these rows has, be they null. Undeclared ones are left out: whoever may choose
/// names freely may put anything into them. A line that cannot be read has none. The indexes rise.
pub fn field_names(batch: &Batch, schema: &StreamSchema, rows: &[u32]) -> Vec<Vec<String>> {
    let declared = &schema.schema.fields;
    match &batch.rows {
        Rows::Columns(given) => {
            let names = |row: &u32| {
                let pairs = declared.iter().zip(&given.columns);
                let present = pairs.filter(|(_, column)| column.is_present(*row as usize));
                present.map(|(field, _)| field.name.clone()).collect()
            };
            rows.iter().map(names).collect()
        }
        Rows::JsonLines(given) => {
            let index = FieldIndex::new(declared);
            let mut parsed = ParsedLine::new(&index);
            let names = |(_, line)| {
                if parsed.parse(line, &index).is_err() {
                    return Vec::new();
                }
                let pairs = declared.iter().zip(&parsed.declared);
                pairs.filter(|(_, raw)| raw.is_some()).map(|(field, _)| field.name.clone()).collect()
            };
            picked(given, rows).map(names).collect()
        }
    }
}

/// These lines, with their indexes.
fn picked<'l>(given: &'l JsonLines, rows: &[u32]) -> impl Iterator<Item = (u32, &'l [u8])> {
    let mut rows = rows.iter().copied().peekable();
    (0..).zip(lines(given)).filter(move |(row, _)| rows.next_if_eq(row).is_some())
}

#[cfg(test)]
mod tests {
    use super::{field_names, singles, sizes};
    use crate::fixtures::{column, columns_batch, lines_batch, schema, texts};
    use crate::model::{Batch, Column, ColumnData, DataType, Layout, RowOperations};
    use crate::rows::row;

    const FIELDS: [(&str, DataType); 2] = [("a", DataType::Int64), ("b", DataType::Int64)];

    fn batches() -> [(Layout, Batch); 2] {
        let texts = ColumnData::Text(texts(&["", "long", "é"]));
        let dates = ColumnData::Date(vec![1, 2, 3]);
        let others = [texts, dates, ColumnData::Boolean(vec![5]), ColumnData::Decimal(vec![1; 6])];
        let others = others.map(column);
        let some = Column { presence: Some(vec![0b101]), ..column(ColumnData::Int64(vec![7, 0, 9])) };
        let lines = lines_batch("s", &[r#"{"a":1,"b":7}"#, r#"{"x":1,"a":null}"#, "{"]);
        let columns = [column(ColumnData::Int64(vec![1, 2, 3])), some].into_iter().chain(others);
        [(Layout::Columns, columns_batch("s", 3, columns.collect())), (Layout::JsonLines, lines)]
    }

    #[test]
    fn many_single_rows_are_the_same_as_one_after_the_other() {
        for (_, mut batch) in batches() {
            for operations in [batch.operations.clone(), RowOperations::Each(vec![0, 1, 2])] {
                batch.operations = operations;
                let each: Vec<Batch> = [0, 2].into_iter().filter_map(|one| row(&batch, one)).collect();
                assert_eq!(singles(&batch, &[0, 2, 9]), each);
                let bytes: Vec<usize> = (0..3).map(|one| row(&batch, one).unwrap().byte_count()).collect();
                assert_eq!(sizes(&batch), bytes);
            }
        }
    }

    #[test]
    fn only_names_of_declared_fields_that_are_there_are_told() {
        let [(_, columns), (_, lines)] = batches();
        let names = |layout, batch: &Batch, rows: &[u32]| {
            let names = field_names(batch, &schema("s", &FIELDS, layout), rows);
            names.into_iter().map(|names| names.join(",")).collect::<Vec<_>>()
        };
        assert_eq!(names(Layout::Columns, &columns, &[0, 1]), ["a,b", "a"]);
        assert_eq!(names(Layout::JsonLines, &lines, &[0, 1, 2]), ["a,b", "a", ""]);
        assert_eq!(names(Layout::JsonLines, &lines, &[1]), ["a"]);
    }
}
