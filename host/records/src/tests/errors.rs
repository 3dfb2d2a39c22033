//! Row errors as commands see them.

use super::rows::{chunk, commit, rejected, run_with};
use super::world::World;
use crate::{ErrorFilter, ErrorId, ErrorState, SealedRecords, Settings, StateFilter};
use pipeline::model::{Comparison, Condition};
use pipeline::records::{RowCopy, RunRecords};

async fn ids(records: &SealedRecords, filter: &ErrorFilter) -> Vec<String> {
    let page = records.errors("sync", filter, None, usize::MAX).await.unwrap();
    assert_eq!(page.next, None);
    page.errors.iter().map(|error| error.id.to_string()).collect()
}

fn condition(field: &str, comparison: Comparison, value: &str) -> Condition {
    Condition { field: field.into(), comparison, value: value.into() }
}

#[tokio::test]
async fn row_errors_are_found_by_run_stream_code_id_and_conditions() {
    let world = World::new();
    let records = world.open().await;
    assert_eq!(run_with(&records, &[(1, "a", "x"), (2, "b", "y"), (3, "c", "x")]).await, 1);
    let ticket = records.begin("sync").await.unwrap();
    let other = vec![rejected("other", 0, 9, "z", "x")];
    let more = vec![rejected("s", 0, 4, "d", "y")];
    commit(&records, &ticket, "t1", vec![chunk(2, "sync/s", "other", other), chunk(2, "sync/s", "s", more)])
        .await;

    let all = ErrorFilter::default();
    assert_eq!(ids(&records, &all).await, ["1-1", "1-2", "1-3", "2-1", "2-2"]);
    assert_eq!(ids(&records, &ErrorFilter { run: Some(2), ..all.clone() }).await, ["2-1", "2-2"]);
    assert_eq!(ids(&records, &ErrorFilter { stream: Some("other".into()), ..all.clone() }).await, ["2-1"]);
    assert_eq!(
        ids(&records, &ErrorFilter { codes: vec!["x".into()], ..all.clone() }).await,
        ["1-1", "1-3", "2-1"]
    );
    let wanted = vec!["2-2".parse().unwrap(), "1-3".parse().unwrap(), "7-7".parse().unwrap()];
    assert_eq!(ids(&records, &ErrorFilter { ids: wanted, ..all.clone() }).await, ["1-3", "2-2"]);
    let conditions =
        vec![condition("id", Comparison::Greater, "1"), condition("name", Comparison::Less, "\"d\"")];
    assert_eq!(ids(&records, &ErrorFilter { conditions, ..all.clone() }).await, ["1-2", "1-3"]);
    assert_eq!(ids(&records, &ErrorFilter { state: StateFilter::Superseded, ..all.clone() }).await, [""; 0]);
    let counts = records.count_errors("sync", &all).await.unwrap();
    assert_eq!(counts[&(1, "s".into(), "x".into())], 2);
    assert_eq!(counts.values().sum::<u64>(), 5);
}

#[tokio::test]
async fn a_row_error_is_shown_whole() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x"), (2, "b", "y")]).await;
    let id: ErrorId = "1-2".parse().unwrap();
    let found = records.error("sync", id).await.unwrap().unwrap();
    assert_eq!((found.id, found.unit.as_str(), found.tries, found.tried_by), (id, "sync/s", 1, None));
    assert_eq!(found.state, ErrorState::Open);
    let mut given = rejected("s", 1, 2, "b", "y");
    given.key = None;
    assert_eq!(found.error, given);
    assert_eq!(*found.schema, super::rows::schema("s"));
    assert_eq!(records.error("sync", "1-3".parse().unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_double() {
    let world = World::new();
    let records = world.open().await;
    let rows: Vec<(i64, &str, &str)> = (0..25).map(|id| (id, "n", "x")).collect();
    run_with(&records, &rows).await;
    run_with(&records, &rows).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = records.errors("sync", &ErrorFilter::default(), after, 7).await.unwrap();
        seen.extend(page.errors.iter().map(|error| (error.id.run, error.id.number)));
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(page.errors.len(), 7);
    }
    let expected: Vec<(u64, u64)> =
        (1..=2).flat_map(|run| (1..=25).map(move |number| (run, number))).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn conditions_that_cannot_be_judged_are_refused() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    for (field, value) in [("nome", "\"a\""), ("id", "\"a\""), ("id", "null")] {
        let conditions = vec![condition(field, Comparison::Equal, value)];
        let filter = ErrorFilter { conditions, ..ErrorFilter::default() };
        let error = records.errors("sync", &filter, None, 9).await.unwrap_err();
        assert_eq!(error.code(), "CD1056", "{field} {value}");
        assert_eq!(records.delete_errors("sync", &filter).await.unwrap_err().code(), "CD1056");
    }
    let unknown = records.errors("never", &ErrorFilter::default(), None, 9).await.unwrap_err();
    assert_eq!(unknown.code(), "CD1052");
    assert!(unknown.to_string().contains("known are `sync`"), "{unknown}");
}

#[tokio::test]
async fn many_row_errors_come_back_in_their_order_and_bit_for_bit() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    // Far more than one batch of storage takes, of which nothing can be compressed.
    let errors: Vec<_> = (0..4_000)
        .map(|index: u64| {
            let name: String = (0..400).map(|_| fastrand::alphanumeric()).collect();
            rejected("s", index, i64::try_from(index).unwrap(), &name, "x")
        })
        .collect();
    commit(&records, &ticket, "t", vec![chunk(1, "sync/s", "s", errors.clone())]).await;
    let kept = records.row_errors("sync", 1, 0, usize::MAX).await.unwrap();
    assert!(kept.len() > 20, "{} chunks", kept.len());
    let kept: Vec<_> = kept.into_iter().flat_map(|chunk| chunk.errors).collect();
    assert_eq!(kept.len(), errors.len());
    for (kept, mut given) in kept.into_iter().zip(errors) {
        given.key = None;
        assert_eq!(kept, given);
    }
}

#[tokio::test]
async fn a_row_larger_than_what_is_kept_of_one_is_told_with_its_size() {
    let world = World::new();
    let records = world.open_with(Settings { row_bytes_max: 1_000, ..Settings::default() }).await;
    run_with(&records, &[(1, &"n".repeat(900), "x"), (2, &"n".repeat(1_100), "x")]).await;
    let page = records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap();
    assert!(matches!(page.errors[0].error.row, RowCopy::Row(_)));
    assert!(matches!(page.errors[1].error.row, RowCopy::TooLarge { bytes } if bytes > 1_100));
}

#[tokio::test]
async fn a_row_far_larger_than_a_chunk_is_kept() {
    let world = World::new();
    let records = world.open().await;
    let name: String = (0..900_000).map(|_| fastrand::alphanumeric()).collect();
    run_with(&records, &[(1, "before", "x"), (2, &name, "x"), (3, "behind", "x")]).await;
    let found = records.error("sync", "1-2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(found.error.row, super::rows::row("s", 2, &name));
    assert_eq!(ids(&records, &ErrorFilter::default()).await.len(), 3);
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_once_and_the_others_keep_their_ids() {
    let world = World::new();
    let records = world.open().await;
    let rows: Vec<(i64, &str, &str)> =
        (1..=9).map(|id| (id, "n", if id % 2 == 0 { "even" } else { "odd" })).collect();
    run_with(&records, &rows).await;
    let even = ErrorFilter { codes: vec!["even".into()], ..ErrorFilter::default() };
    assert_eq!(records.delete_errors("sync", &even).await.unwrap(), 4);
    assert_eq!(ids(&records, &ErrorFilter::default()).await, ["1-1", "1-3", "1-5", "1-7", "1-9"]);
    assert_eq!(ids(&records, &even).await, [""; 0]);
    assert_eq!(records.delete_errors("sync", &even).await.unwrap(), 0);
    let unit = &records.checkpoints("sync").await.unwrap()[0];
    assert_eq!(unit.streams["s"].rejected, 9, "counters stay");
    let one = ErrorFilter { ids: vec!["1-5".parse().unwrap()], ..ErrorFilter::default() };
    assert_eq!(records.delete_errors("sync", &one).await.unwrap(), 1);
    assert_eq!(records.delete_errors("sync", &ErrorFilter::default()).await.unwrap(), 4);
    assert_eq!(ids(&records, &ErrorFilter::default()).await, [""; 0]);
    assert_eq!(run_with(&records, &[(7, "n", "x")]).await, 2);
    assert_eq!(ids(&records, &ErrorFilter::default()).await, ["2-1"]);
}

#[tokio::test]
async fn large_rows_make_short_pages_and_none_is_missing() {
    let world = World::new();
    let records = world.open().await;
    let name = "n".repeat(900_000);
    let rows: Vec<(i64, &str, &str)> = (0..24).map(|id| (id, name.as_str(), "x")).collect();
    run_with(&records, &rows).await;
    let (mut seen, mut after, mut longest) = (Vec::new(), None, 0);
    loop {
        let page = records.errors("sync", &ErrorFilter::default(), after, 100).await.unwrap();
        longest = longest.max(page.errors.len());
        seen.extend(page.errors.iter().map(|error| error.id.number));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=24).collect::<Vec<u64>>());
    assert!((15..=25).contains(&longest), "{longest}");
}

#[tokio::test]
async fn what_is_sent_is_what_pages_hold_and_waits_for_whoever_takes_it() {
    let world = World::new();
    let records = world.open().await;
    let name = "n".repeat(1_000);
    let rows: Vec<(i64, &str, &str)> = (0..3_000).map(|id| (id, name.as_str(), "x")).collect();
    run_with(&records, &rows).await;
    let filter = ErrorFilter::default();
    let (to, mut from) = tokio::sync::mpsc::channel(1);
    let sending = records.send_errors("sync", &filter, &to);
    let mut sending = std::pin::pin!(sending);
    let mut sent = Vec::new();
    loop {
        tokio::select! {
            biased;
            Some(some) = from.recv() => {
                assert!(some.len() < 3_000, "a part at a time");
                sent.extend(some);
            }
            done = &mut sending => {
                done.unwrap();
                break;
            }
        }
    }
    while let Ok(some) = from.try_recv() {
        sent.extend(some);
    }
    assert!(sent == records.errors("sync", &filter, None, usize::MAX).await.unwrap().errors);
    // Nobody takes it any more.
    drop(from);
    records.send_errors("sync", &filter, &to).await.unwrap();
}

#[tokio::test]
async fn what_was_deleted_is_erased_when_it_is_said_to_be() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    assert_eq!(records.erase_now().await.unwrap(), None);
    records.delete_errors("sync", &ErrorFilter::default()).await.unwrap();
    assert!(records.storage.erase_due_since_ms("local").await.unwrap().is_some());
    assert!(records.erase_now().await.unwrap().is_some());
    assert_eq!(records.storage.erase_due_since_ms("local").await.unwrap(), None);
}
