//! Pages as connectors give them: the judge of the contract agrees with a slow one that reads value by value; and what was found
//! sound is converted to the other layout and back without the loss of a value.

mod made;
mod naive;

use std::collections::BTreeMap;
use std::sync::Arc;

use arbitrary::Unstructured;
use pipeline::model::{Batch, Layout, RowOperations, Rows, StreamSchema};
use pipeline::rows::{Converted, convert, converted_schema, row_json, singles, sizes, split, take};
use pipeline::validate::{self, Limits};
use serde_json::value::RawValue;

pub(crate) fn run(input: &[u8]) {
    // Too few bytes are no input.
    let _ = judged(&mut Unstructured::new(input));
}

fn judged(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let schema = made::schema(input)?;
    let batch = made::batch(input, &schema)?;
    let limits = match input.ratio(1, 8)? {
        true => Limits { batch_bytes_max: 48, row_bytes_max: 24, ..Limits::default() },
        false => Limits::default(),
    };
    let verdict = validate::batch(&batch, &schema, &limits);
    assert_eq!(
        verdict.is_ok(),
        naive::is_sound(&batch, &schema, &limits),
        "{verdict:?} of {batch:?} by {schema:?}"
    );
    if verdict.is_ok() {
        converted(&batch, &schema);
        parts(&batch, &schema);
    }
    Ok(())
}

fn converted(batch: &Batch, schema: &StreamSchema) {
    let other = match schema.layout {
        Layout::Columns => Layout::JsonLines,
        Layout::JsonLines => Layout::Columns,
    };
    let there = convert(batch, schema, other);
    let there_schema = converted_schema(schema, other);
    complete(&there, batch);
    sound(&there.batch, &there_schema);
    if let Rows::Columns(columns) = &batch.rows {
        let kept = there.kept.clone().unwrap_or_else(|| (0..columns.row_count).collect());
        for (line, row) in lines(&there.batch).iter().zip(&kept) {
            naive::same(line, columns, schema, *row as usize);
        }
    }
    // Whatever came through once comes through again, and nothing is lost on the way.
    let back = convert(&there.batch, &there_schema, schema.layout);
    assert!(back.rejected.is_empty(), "{:?} of {:?} that was {batch:?}", back.rejected, there.batch);
    let again = convert(&back.batch, &StreamSchema { layout: schema.layout, ..there_schema.clone() }, other);
    assert!(again.rejected.is_empty(), "{:?}", again.rejected);
    assert_eq!(again.batch, there.batch, "there and back and there, of {batch:?}");
}

/// Each row is either kept or rejected, once.
fn complete(converted: &Converted, batch: &Batch) {
    let count = batch.row_count();
    let kept = converted.kept.clone().unwrap_or_else(|| (0..count).collect());
    assert!(kept.is_sorted() && kept.len() == converted.batch.row_count() as usize);
    let mut all: Vec<u32> =
        kept.iter().copied().chain(converted.rejected.iter().map(|reject| reject.row)).collect();
    all.sort_unstable();
    assert_eq!(all, (0..count).collect::<Vec<_>>(), "{converted:?}");
    for (place, row) in kept.iter().enumerate() {
        assert_eq!(converted.batch.operations.get(place), batch.operations.get(*row as usize));
    }
}

fn sound(batch: &Batch, schema: &StreamSchema) {
    let verdict = validate::batch(batch, schema, &Limits::default());
    assert_eq!(verdict, Ok(()), "{batch:?} by {schema:?}");
    assert!(naive::is_sound(batch, schema, &Limits::default()), "{batch:?} by {schema:?}");
}

/// Values as they are written: JSON has numbers and texts that no program can hold.
pub(crate) type Line = BTreeMap<String, Box<RawValue>>;

fn lines(batch: &Batch) -> Vec<Line> {
    let Rows::JsonLines(lines) = &batch.rows else { panic!("no lines: {batch:?}") };
    let lines = lines.data.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {batch:?}")))
        .collect()
}

/// Parts of a batch are batches, and together they are all of it.
fn parts(batch: &Batch, schema: &StreamSchema) {
    let rows: Vec<u32> = (0..batch.row_count()).collect();
    let shown = |batch: &Batch| {
        (0..batch.row_count()).map(|row| row_json(batch, schema, row).unwrap()).collect::<Vec<String>>()
    };
    let whole = shown(batch);
    let taken = take(batch, &rows);
    sound(&taken, schema);
    assert_eq!(shown(&taken), whole);
    assert_eq!(row_json(batch, schema, batch.row_count()), None);
    assert_eq!(sizes(batch).len(), rows.len());
    let alone: Vec<String> = singles(batch, &rows).iter().flat_map(&shown).collect();
    assert_eq!(alone, whole);
    let mut pieced = Vec::new();
    for (first, piece) in split(Arc::new(batch.clone()), 32) {
        assert_eq!(first as usize, pieced.len());
        sound(&piece, schema);
        assert_eq!(
            piece.operations.get(0).is_none(),
            piece.row_count() == 0 && matches!(piece.operations, RowOperations::Each(_))
        );
        pieced.extend(shown(&piece));
    }
    assert_eq!(pieced, whole);
}
