//! What was chosen to be sent through again, until a run does it.

use super::rows::run_with;
use super::world::{DAY_MS, START_MS, World};
use crate::{Choice, ErrorFilter, Reprocess};
use pipeline::model::{Comparison, Condition};
use std::sync::Arc;

#[tokio::test]
async fn a_choice_is_kept_for_a_day_and_says_what_it_finds() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x"), (2, "b", "y")]).await;
    run_with(&records, &[(3, "c", "x"), (4, "d", "x")]).await;
    run_with(&records, &[(5, "e", "y")]).await;
    let value = "\"d\"".to_owned();
    let conditions = vec![Condition { field: "name".into(), comparison: Comparison::Less, value }];
    let filter = ErrorFilter { codes: vec!["x".into()], conditions, ..ErrorFilter::default() };
    let kept = records.keep_reprocess_request("sync", None, filter.clone(), false).await.unwrap();
    let (id, request, choice) = kept;
    assert_eq!((request.run, choice.rows), (2, 1), "the newest run with such row errors");
    assert_eq!(records.reprocess_request(&id).await.unwrap(), request);
    assert_eq!((&request.filter, request.force), (&filter, false));
    let chosen = Reprocess::of(Arc::clone(&records), request).await.unwrap();
    assert_eq!(chosen.choice(), Choice { rows: 1, ..Choice::default() });
    let (other, ..) = records.keep_reprocess_request("sync", Some(1), filter, true).await.unwrap();
    records.forget_reprocess_request(&other).await.unwrap();
    assert_eq!(records.reprocess_request(&other).await.unwrap_err().code(), "CD1068");
    world.clock.set(START_MS + DAY_MS - 1);
    records.reprocess_request(&id).await.unwrap();
    world.clock.set(START_MS + DAY_MS);
    assert_eq!(records.reprocess_request(&id).await.unwrap_err().code(), "CD1068");
}

#[tokio::test]
async fn a_choice_that_finds_nothing_is_not_kept() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    let none = ErrorFilter { codes: vec!["z".into()], ..ErrorFilter::default() };
    for run in [None, Some(1)] {
        let refused = records.keep_reprocess_request("sync", run, none.clone(), false).await.unwrap_err();
        assert_eq!(refused.code(), "CD1060");
    }
    let refused = records.keep_reprocess_request("sync", Some(7), none, false).await.unwrap_err();
    assert_eq!(refused.code(), "CD1053");
}
