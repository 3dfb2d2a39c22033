//! Keys of open row errors that later rows settle; that they are exact through every fault is part of each sweep.

use super::source::batch;
use crate::model::{CommitReport, LateReject, Layout, Reject};
use crate::records::{Effect, KeyHash, OpenKeys, RejectedBy};
use crate::run::pending::{Owner, Pending, Written};
use crate::run::track::{Origin, Tracked};
use crate::run::{RejectPolicy, RowData};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every key is open.
struct All;

impl OpenKeys for All {
    fn hash_if_open(&self, key: &[u8]) -> Option<KeyHash> {
        let mut hash = KeyHash::default();
        hash[..key.len()].copy_from_slice(key);
        Some(hash)
    }
}

/// No key is asked for.
struct Nothing;

impl OpenKeys for Nothing {
    fn hash_if_open(&self, _key: &[u8]) -> Option<KeyHash> {
        panic!("a row that is not accepted was looked at")
    }
}

fn tracked(ids: &[i64]) -> Tracked {
    let schema = super::world::Script::of(Vec::new()).schema("a", 0);
    let batch = Arc::new(batch("a", ids, 0, Layout::Columns));
    Tracked::new(batch, Arc::new(schema), 1, RowData::Stored)
}

fn reject(row: u32) -> Reject {
    Reject { row, code: "c".into(), message: String::new(), retryable: false }
}

/// Four rows with the ids 7, 7, 8, 9, of which the last is rejected when it is written. Ids of the keys that are settled
/// before the commit, and after these rows were rejected late.
fn settled(late: &[u32], given_up: bool) -> (Vec<i64>, Vec<i64>) {
    let mut pending = Pending::default();
    let mut rows = tracked(&[7, 7, 8, 9]);
    rows.reach(&Origin::Same, 4);
    rows.reject(3, reject(3), RejectedBy::Destination);
    rows.look_up(&All);
    let (stream, rejected) = ("a".to_owned(), BTreeSet::from([3]));
    pending.written.push(Written { parcel: 0, origin: Origin::Same, stream, rows: 4, rejected });
    pending.add(rows, 4);
    if given_up {
        pending.give_up(0);
    }
    let before = pending.settled_keys();
    let mut effect = Effect { settled: before.clone(), ..Effect::default() };
    let rejected = late.iter().map(|row| LateReject { batch: 0, reject: reject(*row) }).collect();
    let owner = Owner { run: 1, unit: "u", attempt: 1, row_data: RowData::Stored };
    let report = CommitReport { rejected };
    let policy = RejectPolicy::Quarantine;
    let amendment = pending.reject_late(report, &mut Default::default(), policy, owner).unwrap();
    assert_eq!(amendment.row_errors.iter().map(|chunk| chunk.errors.len()).sum::<usize>(), late.len());
    effect.amend(amendment);
    assert_eq!(effect.settled, pending.settled_keys());
    (ids(&before), ids(&effect.settled))
}

fn ids(settled: &BTreeMap<String, Vec<KeyHash>>) -> Vec<i64> {
    settled.values().flatten().map(|hash| super::world::id_of(hash)).collect()
}

#[test]
fn a_key_is_settled_once_and_as_long_as_one_row_of_it_is_accepted() {
    for given_up in [false, true] {
        assert_eq!(settled(&[], given_up), (vec![7, 8], vec![7, 8]));
        assert_eq!(settled(&[0], given_up), (vec![7, 8], vec![7, 8]));
        assert_eq!(settled(&[0, 1], given_up), (vec![7, 8], vec![8]));
        assert_eq!(settled(&[2, 1, 0], given_up), (vec![7, 8], vec![]));
    }
}

#[test]
fn only_rows_that_are_accepted_are_looked_at() {
    let mut rows = tracked(&[1, 2]);
    rows.look_up(&Nothing);
    rows.reach(&Origin::Same, 2);
    rows.reject(0, reject(0), RejectedBy::Host);
    rows.reject(1, reject(1), RejectedBy::Host);
    rows.look_up(&Nothing);
    assert_eq!(rows.open().count(), 0);
}
