//! Chunks of row errors give back each row bit by bit, however the rows came.

use super::rows::{chunk, rejected, schema};
use super::world::World;
use crate::chunk::{CHUNK_BYTES_MAX, Encoding, encode};
use crate::tables::{ERROR_CHUNKS, Key};
use crate::{ErrorFilter, ErrorId, Settings, tests::rows};
use pipeline::model::{
    Batch, Column, ColumnData, Columns, JsonLines, Operation, RowOperations, Rows, VarData,
};
use pipeline::records::{KeptRow, RowCopy, RowError, RowErrorChunk, RunRecords};
use std::sync::Arc;
use storage::{Change, Life};

/// Source batches of columns: with and without bitmaps, one operation for all or for each row.
fn columns(random: &mut fastrand::Rng, rows: u32, noise: usize) -> Batch {
    let count = rows as usize;
    let some = |random: &mut fastrand::Rng| random.bool().then(|| bits(random, count));
    let mut texts = VarData { offsets: vec![0], data: Vec::new() };
    for _ in 0..rows {
        texts.data.extend((0..random.usize(..=noise)).map(|_| random.u8(b'a'..=b'z')));
        texts.offsets.push(i32::try_from(texts.data.len()).unwrap());
    }
    let data = [
        ColumnData::Int64((0..rows).map(|_| random.i64(..)).collect()),
        ColumnData::Text(texts),
        ColumnData::Float64((0..rows).map(|_| f64::from_bits(random.u64(..))).collect()),
        ColumnData::Boolean(bits(random, count)),
        ColumnData::Decimal((0..count * 2).map(|_| random.u64(..)).collect()),
        ColumnData::Date((0..rows).map(|_| random.i32(..)).collect()),
    ];
    let column = |data| Column { validity: some(random), presence: some(random), data };
    let columns = data.into_iter().map(column).collect();
    batch(random, rows, Rows::Columns(Columns { row_count: rows, columns }))
}

/// What is behind the last row says nothing, and is not kept.
fn bits(random: &mut fastrand::Rng, count: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..count.div_ceil(8)).map(|_| random.u8(..)).collect();
    if let (Some(last), behind @ 1..) = (bytes.last_mut(), count % 8) {
        *last &= (1 << behind) - 1;
    }
    bytes
}

fn lines(random: &mut fastrand::Rng, rows: u32, noise: usize) -> Batch {
    let mut data = Vec::new();
    for _ in 0..rows {
        data.extend((0..random.usize(..=noise)).map(|_| random.u8(b'a'..=b'z')));
        data.push(b'\n');
    }
    batch(random, rows, Rows::JsonLines(JsonLines { row_count: rows, data }))
}

fn batch(random: &mut fastrand::Rng, count: u32, rows: Rows) -> Batch {
    let operations = if random.bool() {
        RowOperations::All(Operation::Insert)
    } else {
        RowOperations::Each((0..count).map(|_| random.u8(..4)).collect())
    };
    Batch { stream: "s".into(), schema_version: random.u32(..2), operations, rows }
}

/// Row errors of several source batches, some without a row between them.
fn errors(random: &mut fastrand::Rng, batches: Vec<Batch>, share: f64) -> Vec<RowError> {
    let mut errors = Vec::new();
    for batch in batches.into_iter().map(Arc::new) {
        let wanted: Vec<u32> = (0..batch.row_count()).filter(|_| random.f64() < share).collect();
        for row in wanted {
            let copy = match random.u8(..20) {
                0 => RowCopy::GivenUp,
                1 => RowCopy::Raw(vec![random.u8(..); 3]),
                _ => RowCopy::Row(KeptRow::new(Arc::clone(&batch), row).unwrap()),
            };
            let index = errors.len() as u64;
            errors.push(RowError { row: copy, ..rejected("s", index, 0, "", "x") });
        }
    }
    errors
}

/// What is read back of these row errors, after a run has stored them.
async fn stored(world: &World, settings: Settings, errors: Vec<RowErrorChunk>) -> Vec<RowError> {
    let records = world.open_with(settings).await;
    let ticket = records.begin("sync").await.unwrap();
    rows::commit(&records, &ticket, "t", errors).await;
    let chunks = records.row_errors("sync", ticket.run, 0, usize::MAX).await.unwrap();
    let sizes = records.scan_all(ERROR_CHUNKS, &Key::of("sync")).await.unwrap();
    assert!(sizes.iter().all(|(_, found)| found.value.expose().len() <= CHUNK_BYTES_MAX));
    chunks.into_iter().flat_map(|chunk| chunk.errors).collect()
}

fn without_keys(errors: &[RowError]) -> Vec<RowError> {
    errors.iter().cloned().map(|error| RowError { key: None, ..error }).collect()
}

#[tokio::test]
async fn each_row_comes_back_bit_by_bit() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let noise = [4, 300, 20_000][seed as usize % 3];
        let make = if seed % 2 == 0 { columns } else { lines };
        let batches = (0..6).map(|size| make(&mut random, 1 << size, noise)).collect();
        let given = errors(&mut random, batches, [1.0, 0.3][seed as usize % 2]);
        let chunks = vec![chunk(1, "sync/s", "s", given.clone())];
        let found = stored(&World::new(), Settings::default(), chunks).await;
        assert_eq!(found.len(), given.len(), "seed {seed}");
        for (found, given) in found.iter().zip(without_keys(&given)) {
            assert!(same(found, &given), "seed {seed}, row error {}", given.index);
        }
    }
}

/// Floats of any bits: what is no number is not equal to itself.
fn same(found: &RowError, given: &RowError) -> bool {
    serde_json::to_string(found).unwrap() == serde_json::to_string(given).unwrap()
}

#[tokio::test]
async fn what_is_too_large_is_said_to_be_and_the_rows_around_it_are_kept() {
    let rows = [(1, "a"), (2, &*"long".repeat(100)), (3, "b")];
    let batch = Arc::new(rows::batch("s", &rows));
    let given: Vec<RowError> = (0..3)
        .map(|row| RowError {
            row: RowCopy::Row(KeptRow::new(Arc::clone(&batch), row).unwrap()),
            ..rejected("s", row.into(), 0, "", "x")
        })
        .collect();
    let bytes = KeptRow::new(Arc::clone(&batch), 1).unwrap().to_batch().byte_count() as u64;
    let settings = Settings { row_bytes_max: 300, ..Settings::default() };
    let found = stored(&World::new(), settings, vec![chunk(1, "sync/s", "s", given.clone())]).await;
    assert_eq!((&found[0].row, &found[2].row), (&given[0].row, &given[2].row));
    assert_eq!(found[1].row, RowCopy::TooLarge { bytes });
}

/// What is left of a chunk is written anew when some of it is deleted.
#[tokio::test]
async fn rows_that_are_left_of_a_chunk_stay_as_they_are() {
    for make in [columns, lines] {
        let mut random = fastrand::Rng::with_seed(5);
        let batches = vec![make(&mut random, 60, 40), make(&mut random, 1, 40), make(&mut random, 40, 40)];
        let given = errors(&mut random, batches, 1.0);
        let world = World::new();
        let records = world.open().await;
        let ticket = records.begin("sync").await.unwrap();
        rows::commit(&records, &ticket, "t", vec![chunk(1, "sync/s", "s", given.clone())]).await;
        records.release(&ticket);
        let mut left = without_keys(&given);
        for every in [3, 2] {
            let deleted = |error: &RowError| error.index.is_multiple_of(every);
            let ids = left.iter().filter(|error| deleted(error));
            let ids = ids.map(|error| ErrorId { run: 1, number: error.index + 1 }).collect();
            let filter = ErrorFilter { ids, ..ErrorFilter::default() };
            assert!(records.delete_errors("sync", &filter).await.unwrap() > 10);
            left.retain(|error| !deleted(error));
            let chunks = records.row_errors("sync", 1, 0, usize::MAX).await.unwrap();
            let found: Vec<RowError> = chunks.into_iter().flat_map(|chunk| chunk.errors).collect();
            assert!(
                found.len() == left.len() && found.iter().zip(&left).all(|(one, other)| same(one, other))
            );
        }
    }
}

#[test]
fn rejected_rows_of_one_batch_take_little_more_than_the_batch() {
    let mut random = fastrand::Rng::with_seed(7);
    let batch = Arc::new(columns(&mut random, 4_000, 20));
    let all = (0..4_000).map(|row| RowError {
        row: RowCopy::Row(KeptRow::new(Arc::clone(&batch), row).unwrap()),
        message: "no".into(),
        key: None,
        ..rejected("s", row.into(), 0, "", "x")
    });
    let encoding = Encoding { row_bytes_max: usize::MAX, now_ms: 0 };
    let encoded = encode(vec![chunk(1, "u", "s", all.collect())], encoding).unwrap();
    let bytes: usize = encoded.chunks.iter().map(|chunk| chunk.packed.len()).sum();
    assert!(bytes < batch.byte_count() * 5 / 4, "{bytes} for {}", batch.byte_count());
    assert!(encoded.chunks.iter().all(|chunk| chunk.packed.len() <= CHUNK_BYTES_MAX));
    assert!(encoded.chunks.len() < 2 * bytes.div_ceil(CHUNK_BYTES_MAX), "{}", encoded.chunks.len());
    assert_eq!(encoded.schemas.len(), 1);
    assert!(encoded.schemas.values().all(|one| **one == schema("s")));
}

#[tokio::test]
async fn a_chunk_of_another_version_is_told() {
    let world = World::new();
    let records = world.open().await;
    rows::run_with(&records, &[(1, "a", "x")]).await;
    let (key, _) = records.scan_all(ERROR_CHUNKS, &Key::of("sync")).await.unwrap().remove(0);
    let older = storage::Table { schema_version: 1, ..ERROR_CHUNKS };
    let change = Change::new("local").put(older, key, Life::Standing, vec![0, 0]);
    records.storage.commit(change).await.unwrap();
    let error = records.row_errors("sync", 1, 0, 9).await.unwrap_err();
    assert!(error.to_string().contains("it is of version 1, and 2 is known"), "{error}");
}
