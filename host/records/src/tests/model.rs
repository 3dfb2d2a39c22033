//! Random histories of a sync, held against a model that is easy to believe.

use super::rows::{chunk, prepared, rejected};
use super::world::World;
use crate::{ErrorFilter, ErrorState, SealedRecords, StateFilter};
use fastrand::Rng;
use pipeline::records::{Amendment, RunRecords};
use std::collections::BTreeMap;
use std::sync::Arc;

const CODES: [&str; 3] = ["x", "y", "z"];

/// A row error that is kept.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    key: i64,
    code: &'static str,
    superseded_by: Option<u64>,
}

/// What there must be: row errors by run and number.
#[derive(Debug, Default)]
struct Model {
    kept: BTreeMap<(u64, u64), Known>,
    /// How many row errors each run has had.
    counts: BTreeMap<u64, u64>,
    commits: u64,
    reads: u64,
}

/// One run: some commits, each with rejected rows and accepted keys; some of them are discarded.
async fn run(records: &SealedRecords, model: &mut Model, random: &mut Rng) {
    let ticket = records.begin("sync").await.unwrap();
    let open = records.open_keys(&ticket, "s").await.unwrap();
    for _ in 0..random.u32(0..4) {
        model.reads += 1;
        let token = format!("t{}", model.reads);
        let new: Vec<Known> = (0..random.usize(0..6))
            .map(|_| Known { key: random.i64(0..12), code: CODES[random.usize(0..3)], superseded_by: None })
            .collect();
        let errors = (0..).zip(&new).map(|(index, known)| rejected("s", index, known.key, "n", known.code));
        let errors: Vec<_> = errors.collect();
        let accepted: Vec<i64> = (0..12).filter(|_| random.u32(0..6) == 0).collect();
        let hash = |key: &i64| open.as_ref().and_then(|open| open.hash_if_open(&key.to_be_bytes()));
        let mut commit = prepared(&ticket, &token, vec![chunk(ticket.run, "sync/s", "s", errors)]);
        commit.effect.settled = BTreeMap::from([("s".into(), accepted.iter().filter_map(hash).collect())]);
        records.prepare(&ticket, "sync/s", commit).await.unwrap();
        if random.u32(0..4) == 0 {
            records.discard(&ticket, "sync/s", &token).await.unwrap();
            continue;
        }
        records.commit(&ticket, "sync/s", &token, Amendment::default()).await.unwrap();
        model.commits += 1;
        // Only what was there when the run asked for its keys is looked for.
        for ((of_run, _), known) in &mut model.kept {
            if *of_run < ticket.run && known.superseded_by.is_none() && accepted.contains(&known.key) {
                known.superseded_by = Some(ticket.run);
            }
        }
        let count = model.counts.entry(ticket.run).or_default();
        for known in new {
            *count += 1;
            model.kept.insert((ticket.run, *count), known);
        }
    }
    records.release(&ticket);
}

async fn delete(records: &SealedRecords, model: &mut Model, random: &mut Rng) {
    let code = CODES[random.usize(0..3)];
    let state = [StateFilter::Any, StateFilter::Open, StateFilter::Superseded][random.usize(0..3)];
    let only_run = random.bool().then(|| random.u64(1..4));
    let filter = ErrorFilter { run: only_run, codes: vec![code.into()], state, ..ErrorFilter::default() };
    let is_deleted = |(run, _): &(u64, u64), known: &Known| {
        let in_state = match state {
            StateFilter::Any => true,
            StateFilter::Open => known.superseded_by.is_none(),
            StateFilter::Superseded => known.superseded_by.is_some(),
        };
        only_run.is_none_or(|only| only == *run) && known.code == code && in_state
    };
    let expected = model.kept.iter().filter(|(id, known)| is_deleted(id, known)).count() as u64;
    model.kept.retain(|id, known| !is_deleted(id, known));
    assert_eq!(records.delete_errors("sync", &filter).await.unwrap(), expected);
}

async fn assert_is(records: &SealedRecords, model: &Model) {
    let page = records.errors("sync", &ErrorFilter::default(), None, usize::MAX).await.unwrap();
    let found: BTreeMap<(u64, u64), (String, ErrorState)> = page
        .errors
        .iter()
        .map(|error| ((error.id.run, error.id.number), (error.error.code.clone(), error.state)))
        .collect();
    let state = |by: Option<u64>| by.map_or(ErrorState::Open, |by_run| ErrorState::Superseded { by_run });
    let expected: BTreeMap<_, _> = model
        .kept
        .iter()
        .map(|(id, known)| (*id, (known.code.to_owned(), state(known.superseded_by))))
        .collect();
    assert_eq!(found, expected);
    let counts = records.count_errors("sync", &ErrorFilter::default()).await.unwrap();
    assert_eq!(counts.values().sum::<u64>(), model.kept.len() as u64, "by the index");
    let commits: u64 = records.checkpoints("sync").await.unwrap().iter().map(|unit| unit.commits).sum();
    assert_eq!(commits, model.commits);
    if !model.reads.is_multiple_of(5) {
        return;
    }
    assert_eq!(super::crash::remains(records).await, 0);
}

#[tokio::test]
async fn any_history_of_runs_and_deletions_is_as_the_model_says() {
    let seeds = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 300 } else { 20 };
    for seed in 0..seeds {
        let mut random = Rng::with_seed(seed);
        let world = World::new();
        let mut records: Arc<SealedRecords> = world.open().await;
        let mut model = Model::default();
        run(&records, &mut model, &mut random).await;
        for _ in 0..25 {
            match random.u32(0..6) {
                0..3 => run(&records, &mut model, &mut random).await,
                3 | 4 => delete(&records, &mut model, &mut random).await,
                _ => {
                    World::close(records).await;
                    records = world.open().await;
                }
            }
            assert_is(&records, &model).await;
        }
    }
}
