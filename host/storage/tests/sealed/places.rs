//! What is stored opens at its place and unchanged, or not at all.

use cofferdam_storage::{Change, Life, Table};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use proptest::sample::{Index, select};
use vault::Class;

use crate::engines::{CHUNKS, RECORDS, of_space, put_raw};
use crate::world::{DAY_MS, HOUR_MS, POSITIONS, ROWS, START_MS, World, block_on, cases, get, put};

fn lives() -> Vec<Life> {
    vec![Life::Standing, Life::Until(START_MS + 5 * HOUR_MS), Life::Until(START_MS + 45 * DAY_MS)]
}

/// Small ones, and one that lies in chunks.
fn lengths() -> Vec<usize> {
    vec![0, 1, 100, 70_000]
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn what_was_put_is_what_is_found(
        key: Vec<u8>,
        value: Vec<u8>,
        class in select(Class::ALL.to_vec()),
        schema_version: u32,
        life in select(lives()),
        organization in select(vec!["acme", "other"]),
    ) {
        let table = Table { name: "any", class, schema_version };
        let found = block_on(async {
            let world = World::new();
            let storage = world.open_with_organizations().await;
            storage.commit(Change::new(organization).put(table, key.clone(), life, value.clone())).await.unwrap();
            storage.get(organization, table, &key).await.unwrap().unwrap()
        });
        prop_assert_eq!(found.value.expose(), value.as_slice());
        prop_assert_eq!(found.schema_version, schema_version);
    }

    #[test]
    fn no_flipped_bit_opens(
        length in select(lengths()),
        life in select(lives()),
        at in any::<Index>(),
        which in any::<Index>(),
    ) {
        let opens = block_on(async {
            let world = World::new();
            let storage = world.open_with_organizations().await;
            put(&storage, "acme", "1", life, &vec![1; length]).await;
            let mut entries = of_space(world.engine.as_ref(), RECORDS).await;
            entries.extend(of_space(world.engine.as_ref(), CHUNKS).await);
            let (key, mut value) = entries[which.index(entries.len())].clone();
            let bit = at.index(value.len() * 8);
            value[bit / 8] ^= 1 << (bit % 8);
            put_raw(world.engine.as_ref(), &[(key, value)]).await;
            matches!(storage.get("acme", ROWS, b"1").await, Ok(Some(_)))
        });
        prop_assert!(!opens);
    }
}

#[tokio::test]
async fn nothing_opens_in_the_place_of_another() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let places = [("acme", ROWS, "1"), ("acme", ROWS, "2"), ("acme", POSITIONS, "1"), ("other", ROWS, "1")];
    for (organization, table, key) in places {
        let change = Change::new(organization).put(table, key, Life::Standing, b"here".to_vec());
        storage.commit(change).await.unwrap();
    }
    let entries = of_space(world.engine.as_ref(), RECORDS).await;
    assert_eq!(entries.len(), places.len());
    for (to, original) in &entries {
        for (from, value) in entries.iter().filter(|(from, _)| from != to) {
            put_raw(world.engine.as_ref(), &[(to.clone(), value.clone())]).await;
            let mut opened = 0;
            for (organization, table, key) in places {
                opened += usize::from(storage.get(organization, table, key.as_bytes()).await.is_ok());
            }
            assert_eq!(opened, places.len() - 1, "{from:?} at {to:?}");
        }
        put_raw(world.engine.as_ref(), &[(to.clone(), original.clone())]).await;
    }
}

/// The schema version is in the clear, before the sealed part.
#[tokio::test]
async fn another_schema_version_does_not_open() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Standing, b"here").await;
    let (key, mut value) = of_space(world.engine.as_ref(), RECORDS).await.remove(0);
    assert_eq!(value[1..5], ROWS.schema_version.to_be_bytes());
    value[4] += 1;
    put_raw(world.engine.as_ref(), &[(key, value)]).await;
    assert_eq!(storage.get("acme", ROWS, b"1").await.err().map(|error| error.code()), Some("CD0904"));
}

#[tokio::test]
async fn chunks_of_two_values_cannot_be_exchanged_and_none_can_be_left_out() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Standing, &vec![1; 200_000]).await;
    put(&storage, "acme", "2", Life::Standing, &vec![2; 200_000]).await;
    let chunks = of_space(world.engine.as_ref(), CHUNKS).await;
    assert_eq!(chunks.len(), 8);
    for shift in [1, 4] {
        let moved: Vec<_> =
            (0..8).map(|at| (chunks[at].0.clone(), chunks[(at + shift) % 8].1.clone())).collect();
        put_raw(world.engine.as_ref(), &moved).await;
        for key in [b"1", b"2"] {
            assert_eq!(storage.get("acme", ROWS, key).await.err().map(|error| error.code()), Some("CD0904"));
        }
    }
    put_raw(world.engine.as_ref(), &chunks).await;
    assert_eq!(get(&storage, "acme", "2").await, Some(vec![2; 200_000]));
    let delete = chunks.iter().map(|(key, _)| key.clone()).take(6).collect();
    world.engine.commit(cofferdam_storage::Batch { delete, ..Default::default() }).await.unwrap();
    for key in [b"1", b"2"] {
        assert_eq!(storage.get("acme", ROWS, key).await.err().map(|error| error.code()), Some("CD1010"));
    }
    let verified = storage.verify_all().await.unwrap();
    assert_eq!((verified.records, verified.faults), (0, 2));
    assert_eq!(
        (verified.first[1].table.as_str(), verified.first[1].key.as_slice()),
        ("row_errors", b"2".as_slice())
    );
}
