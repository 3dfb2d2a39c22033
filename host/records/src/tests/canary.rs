//! No byte of a row, a key or a text is in what an engine holds; and with `row_data = "off"` not even under the seal.

use super::rows::{batch, chunk, commit, rejected, schema};
use super::systems::{Rows, Target, TargetOf};
use super::world::World;
use crate::{ErrorFilter, LogLevel, LogLine, Preview, RunLog, SealedRecords, Session};
use pipeline::clock::SystemClock;
use pipeline::records::{RowCopy, RowError, RunRecords};
use pipeline::report::Outcome;
use pipeline::run::{NoObserver, RowData, Run, RunSpec};
use std::sync::Arc;
use storage::{Engine, MemoryEngine, Scan};
use tokio_util::sync::CancellationToken;

const CANARY: &str = "CANARY-4711";
/// The key of the canary's row; no eight bytes like these come about by chance.
const KEY: i64 = 0x4b45_5943_414e_4152;

pub(super) async fn entries(engine: &dyn Engine) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = engine.scan(Scan { prefix: Vec::new(), after, limit: 1_000 }).await.unwrap();
        let Some((last, _)) = page.last() else { return all };
        after = Some(last.clone());
        all.extend(page);
    }
}

pub(super) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn has_canary(bytes: &[u8]) -> bool {
    contains(bytes, CANARY.as_bytes())
        || contains(bytes, &KEY.to_be_bytes())
        || contains(bytes, &KEY.to_le_bytes())
        || contains(bytes, KEY.to_string().as_bytes())
}

/// Everything of the tables of this crate, unsealed and unpacked.
async fn unsealed(records: &SealedRecords) -> Vec<(&'static str, Vec<u8>)> {
    use crate::tables as t;
    let tables = [
        t::SYNCS,
        t::RUNS,
        t::REPORTS,
        t::LEDGERS,
        t::LOGS,
        t::UNITS,
        t::STAGES,
        t::ERROR_COUNTS,
        t::ERROR_GROUPS,
        t::ERROR_INDEX,
        t::ERROR_CHUNKS,
        t::ERROR_KEYS,
        t::ERROR_SCHEMAS,
        t::SETTLEMENTS,
        t::CHANGES,
        t::PREVIEWS,
        t::REPROCESS_REQUESTS,
        t::SETTINGS,
        t::CREDENTIALS,
        t::CREDENTIAL_SECRETS,
    ];
    let mut values = Vec::new();
    for table in tables {
        for (key, found) in records.scan_all(table, &[]).await.unwrap() {
            values.push((table.name, key));
            values.push((table.name, crate::codec::unpack(table, found.value.expose()).unwrap()));
        }
    }
    values
}

#[tokio::test]
async fn an_engine_sees_nothing_of_rows_keys_and_texts() {
    let engine = Arc::new(MemoryEngine::new());
    let world = World::over(engine.clone());
    let records = world.open().await;
    let log = Arc::new(RunLog::new(Arc::clone(&records)));
    let session = Session::new(Arc::clone(&records)).with_log(Arc::clone(&log));
    let ticket = session.begin("sync").await.unwrap();
    log.push(LogLine { at_ms: 1, connector: "source".into(), level: LogLevel::Info, text: CANARY.into() });
    let errors = vec![rejected("s", 0, KEY, CANARY, CANARY), rejected("s", 1, 2, CANARY, CANARY)];
    commit(&records, &ticket, CANARY, vec![chunk(1, "sync/s", "s", errors)]).await;
    session.finish(&ticket, super::history::report(&ticket)).await.unwrap();
    records.keep_ledger("sync", 1, &[CANARY]).await.unwrap();
    let preview = Preview { at_ms: 1, schema: schema("s"), batches: vec![batch("s", &[(KEY, CANARY)])] };
    records.keep_preview("sync", &preview).await.unwrap();
    session.release(&ticket);
    records.edit_checkpoint("sync", "sync/s", &format!("\"{CANARY}\"")).await.unwrap();
    records
        .delete_errors("sync", &ErrorFilter { ids: vec!["1-2".parse().unwrap()], ..ErrorFilter::default() })
        .await
        .unwrap();

    let entries = entries(engine.as_ref()).await;
    assert!(entries.len() > 15, "{} entries", entries.len());
    for (key, value) in &entries {
        assert!(!has_canary(key) && !has_canary(value), "{key:?}");
    }
    let seen: usize = unsealed(&records).await.iter().filter(|(_, value)| has_canary(value)).count();
    assert!(seen >= 6, "the search finds what is there: {seen}");
}

#[tokio::test]
async fn with_row_data_off_nothing_of_a_row_is_kept_but_a_keyed_hash() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    // As the pipeline gives it then.
    let withheld = RowError {
        message: String::new(),
        row: RowCopy::Withheld,
        fields: vec!["id".into(), "name".into()],
        ..rejected("s", 0, KEY, CANARY, "wrong_type")
    };
    commit(&records, &ticket, "t", vec![chunk(1, "sync/s", "s", vec![withheld.clone()])]).await;
    records.finish(&ticket, super::history::report(&ticket)).await.unwrap();
    records.release(&ticket);
    let values = unsealed(&records).await;
    assert!(values.len() > 14);
    for (table, value) in &values {
        assert!(!has_canary(value), "{table}");
    }
    let plain_hash = blake3::hash(&KEY.to_be_bytes());
    let prefix = plain_hash.as_bytes().first_chunk::<16>().unwrap();
    assert!(
        values.iter().all(|(_, value)| !contains(value, prefix)),
        "whoever guesses a key cannot check it"
    );
    let kept = records.error("sync", "1-1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.error, RowError { key: None, ..withheld });
    let ticket = records.begin("sync").await.unwrap();
    let open = records.open_keys(&ticket, "s").await.unwrap().unwrap();
    assert!(open.hash_if_open(&KEY.to_be_bytes()).is_some(), "the hash finds the key again");
}

#[tokio::test]
async fn a_run_without_row_data_leaves_nothing_of_its_rows_anywhere() {
    let world = World::new();
    let records = world.open().await;
    for (row_data, is_seen) in [(RowData::Off, false), (RowData::Stored, true)] {
        let target = Target::refusing(Some('!'), Some('?'));
        let rows = vec![(KEY, format!("{CANARY}!")), (1, format!("{CANARY}?")), (2, CANARY.to_owned())];
        let log = Arc::new(RunLog::new(Arc::clone(&records)));
        let session = Session::new(Arc::clone(&records)).with_log(log);
        let mut spec = RunSpec::new("sync", Arc::new(Rows(rows)), Arc::new(TargetOf(Arc::clone(&target))));
        spec.rejects.row_data = row_data;
        let run = Run::new(spec, Arc::new(session), Arc::new(SystemClock::new()), Arc::new(NoObserver));
        let report = run.run(CancellationToken::new()).await;
        assert_eq!((report.outcome, report.total().rejected), (Outcome::Completed, 2), "{:?}", report.error);
        let seen = unsealed(&records).await.iter().any(|(_, value)| has_canary(value));
        assert_eq!(seen, is_seen, "{row_data:?}");
        records.reset_checkpoint("sync", None).await.unwrap();
    }
}

#[tokio::test]
async fn of_a_sync_that_is_forgotten_nothing_is_left_and_of_others_everything() {
    let world = World::new();
    let records = world.open().await;
    for sync in ["sync", "syn", "sync2"] {
        let log = Arc::new(RunLog::new(Arc::clone(&records)));
        let session = Session::new(Arc::clone(&records)).with_log(Arc::clone(&log));
        let ticket = session.begin(sync).await.unwrap();
        log.push(LogLine {
            at_ms: 1,
            connector: "source".into(),
            level: LogLevel::Info,
            text: CANARY.into(),
        });
        // More chunks than one change takes.
        let chunks =
            (0..50).map(|id| chunk(1, "sync/s", &format!("s{id}"), vec![rejected("s", 0, id, CANARY, "x")]));
        commit(&records, &ticket, "t", chunks.collect()).await;
        session.finish(&ticket, super::history::report(&ticket)).await.unwrap();
        records.keep_ledger(sync, 1, &[CANARY]).await.unwrap();
        let preview = Preview { at_ms: 1, schema: schema("s"), batches: vec![batch("s", &[(KEY, CANARY)])] };
        records.keep_preview(sync, &preview).await.unwrap();
        let running = records.forget_sync(sync).await.unwrap_err();
        assert_eq!(running.code(), "CD1051");
        session.release(&ticket);
        records.edit_checkpoint(sync, "sync/s", "1").await.unwrap();
    }
    let before = unsealed(&records).await.len();
    records.forget_sync("sync").await.unwrap();
    assert_eq!(unsealed(&records).await.len() * 3, before * 2);
    assert_eq!(records.runs("sync", None, 9).await.unwrap_err().code(), "CD1052");
    for other in ["syn", "sync2"] {
        let page = records.errors(other, &ErrorFilter::default(), None, 99).await.unwrap();
        assert_eq!(page.errors.len(), 50);
    }
    records.forget_sync("sync").await.unwrap();
    assert!(records.erase_now().await.unwrap().is_some());
}
