//! What has expired is not served under any clock, and destroyed in time under an honest one.

use cofferdam_storage::{Life, Pass};
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use vault::Bucket;

use crate::engines::{CHUNKS, EXPIRY, RECORDS, VALUES, of_space};
use crate::world::{DAY_MS, HOUR_MS, MINUTE_MS, START_MS, World, block_on, cases, get, put};

async fn sizes(world: &World) -> [usize; 4] {
    let mut sizes = [0; 4];
    for (size, space) in sizes.iter_mut().zip([RECORDS, CHUNKS, VALUES, EXPIRY]) {
        *size = of_space(world.engine.as_ref(), space).await.len();
    }
    sizes
}

#[tokio::test]
async fn a_bucket_that_has_ended_is_destroyed_by_the_next_pass_and_its_rows_removed() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    for number in 0..500 {
        put(&storage, "acme", &format!("{number}"), Life::Until(START_MS + 2 * HOUR_MS), b"a row").await;
    }
    put(&storage, "acme", "large", Life::Until(START_MS + 2 * HOUR_MS), &vec![1; 300_000]).await;
    put(&storage, "acme", "long", Life::Until(START_MS + 3 * DAY_MS), b"a row").await;
    let ends_ms = (START_MS / HOUR_MS + 2) * HOUR_MS;
    world.hands.set(ends_ms - 1);
    let before = u32::try_from(START_MS / HOUR_MS + 1).unwrap();
    assert_eq!(storage.maintain().await.unwrap().buckets_destroyed, [Bucket::Hour(before)]);
    assert!(get(&storage, "acme", "7").await.is_some());
    world.hands.set(ends_ms);
    let pass = storage.maintain().await.unwrap();
    assert_eq!(pass.buckets_destroyed, [Bucket::Hour(u32::try_from(ends_ms / HOUR_MS).unwrap())]);
    assert_eq!(pass.records_purged, 501);
    assert_eq!(sizes(&world).await, [1, 0, 0, 1]);
    assert_eq!(storage.maintain().await.unwrap(), Pass::default());
}

/// Lives are reckoned in UTC: nothing happens on the days on which clocks on walls are set. These two are of Berlin, 2024.
#[tokio::test]
async fn summer_time_changes_nothing() {
    for switch_ms in [1_711_846_800_000, 1_729_990_800_000] {
        let world = World::new();
        world.hands.set(switch_ms - HOUR_MS);
        let storage = world.open_with_organizations().await;
        put(&storage, "acme", "1", Life::Until(switch_ms + 23 * HOUR_MS), b"a row").await;
        for hour in 0..24 {
            world.hands.set(switch_ms + hour * HOUR_MS - 1);
            storage.maintain().await.unwrap();
            assert!(get(&storage, "acme", "1").await.is_some(), "{hour}");
        }
        world.hands.pass(1);
        assert!(get(&storage, "acme", "1").await.is_none());
    }
}

#[tokio::test]
async fn after_three_days_of_downtime_nothing_is_served_and_five_minutes_later_nothing_is_left() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Until(START_MS + DAY_MS), b"a row").await;
    put(&storage, "acme", "2", Life::Until(START_MS + 45 * DAY_MS), b"a row").await;
    drop(storage);
    world.hands.pass(3 * DAY_MS);
    let storage = world.open().await;
    assert_eq!(get(&storage, "acme", "1").await, None);
    assert!(get(&storage, "acme", "2").await.is_some());
    assert!(storage.maintain().await.unwrap().is_clock_doubted);
    world.hands.pass(5 * MINUTE_MS);
    let pass = storage.maintain().await.unwrap();
    assert_eq!((pass.is_clock_doubted, pass.records_purged), (false, 1));
    assert!(
        pass.buckets_destroyed.contains(&Bucket::Hour(u32::try_from((START_MS + DAY_MS) / HOUR_MS).unwrap()))
    );
    assert!(get(&storage, "acme", "2").await.is_some());
}

#[tokio::test]
async fn a_clock_that_leaps_45_days_by_mistake_destroys_nothing_when_it_is_put_right_in_time() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "1", Life::Until(START_MS + 45 * DAY_MS), b"a row").await;
    world.hands.pass(46 * DAY_MS);
    assert!(storage.maintain().await.unwrap().is_clock_doubted);
    assert_eq!(get(&storage, "acme", "1").await, None);
    drop(storage);
    let storage = world.open().await;
    assert_eq!(get(&storage, "acme", "1").await, None);
    world.hands.set(START_MS + 4 * MINUTE_MS);
    assert!(!storage.maintain().await.unwrap().is_clock_doubted);
    assert!(get(&storage, "acme", "1").await.is_some());
    // The honest end comes all the same.
    for day in 1..=45 {
        world.hands.set(START_MS + day * DAY_MS);
        storage.maintain().await.unwrap();
    }
    assert_eq!(sizes(&world).await, [0, 0, 0, 0]);
}

/// Nobody noticed in time: the wrong time is believed, and a clock put right would be behind it for years.
#[tokio::test]
async fn a_time_that_was_believed_by_mistake_can_be_set_by_the_clock() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    put(&storage, "acme", "stays", Life::Standing, b"a row").await;
    put(&storage, "acme", "lost", Life::Until(START_MS + 45 * DAY_MS), b"a row").await;
    for _ in 0..2 {
        world.hands.set(world.hands.now().max(START_MS + 5_000 * DAY_MS) + 5 * MINUTE_MS);
        storage.maintain().await.unwrap();
    }
    world.hands.set(START_MS);
    assert!(storage.now_ms() > START_MS + 5_000 * DAY_MS);
    storage.set_time_by_clock().await.unwrap();
    assert_eq!(storage.now_ms(), START_MS);
    put(&storage, "acme", "new", Life::Until(START_MS + 45 * DAY_MS), b"a row").await;
    drop(storage);
    let storage = world.open().await;
    assert_eq!(storage.now_ms(), START_MS);
    assert_eq!(crate::world::keys(&storage, "acme").await, ["new", "stays"]);
}

#[tokio::test]
async fn keys_are_there_before_they_are_needed() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let sequence = || storage.with_keyring(|keyring| keyring.status().unwrap().sequence);
    let before = sequence();
    for hours in 1..=24 {
        put(&storage, "acme", "1", Life::Until(START_MS + hours * HOUR_MS), b"").await;
    }
    for days in 2..=46 {
        put(&storage, "acme", "1", Life::Until(START_MS + days * DAY_MS), b"").await;
    }
    assert_eq!(sequence(), before);
    put(&storage, "acme", "1", Life::Until(START_MS + 400 * DAY_MS), b"").await;
    assert_eq!(sequence(), before + 1);
}

#[derive(Clone, Debug)]
enum Step {
    Put { record: u8, minutes: u64 },
    Pass { minutes: u64 },
    Back { hours: u64 },
    Leap { days: u64 },
    Maintain,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6_u8, 1..3 * 24 * 60_u64).prop_map(|(record, minutes)| Step::Put { record, minutes }),
        4 => (1..300_u64).prop_map(|minutes| Step::Pass { minutes }),
        1 => (1..100_u64).prop_map(|hours| Step::Back { hours }),
        1 => (2..46_u64).prop_map(|days| Step::Leap { days }),
        3 => Just(Step::Maintain),
        1 => Just(Step::Restart),
    ]
}

/// What must hold, told without looking into storage.
struct Model {
    /// The latest time to which the clock came in steps of at most 25 hours while somebody looked.
    seen_ms: u64,
    /// The same, as far as storage had an occasion to keep it.
    kept_ms: u64,
    /// The latest time that the clock ever showed.
    highest_ms: u64,
    ends_ms: [Option<u64>; 6],
}

impl Model {
    fn look(&mut self, clock_ms: u64) {
        if clock_ms.saturating_sub(self.seen_ms) <= 25 * HOUR_MS {
            self.seen_ms = self.seen_ms.max(clock_ms);
        }
        self.highest_ms = self.highest_ms.max(clock_ms);
    }

    fn keep(&mut self) {
        self.kept_ms = self.kept_ms.max(self.seen_ms / HOUR_MS * HOUR_MS);
    }
}

async fn never_served_late(steps: Vec<Step>) {
    let world = World::new();
    let mut storage = world.open_with_organizations().await;
    let mut clock_ms = START_MS;
    let mut model = Model { seen_ms: START_MS, kept_ms: 0, highest_ms: START_MS, ends_ms: [None; 6] };
    for step in steps {
        match step {
            Step::Put { record, minutes } => {
                let life = Life::Until(storage.now_ms() + minutes * MINUTE_MS);
                let change = cofferdam_storage::Change::new("acme");
                let change = change.put(crate::world::ROWS, record.to_string(), life, b"a row".to_vec());
                // Less than an hour, rounded down, has ended already, and is refused.
                if storage.commit(change).await.is_ok() {
                    let ends_ms = match life {
                        Life::Until(at) if at - storage.now_ms() <= DAY_MS => at / HOUR_MS * HOUR_MS,
                        Life::Until(at) => at / DAY_MS * DAY_MS,
                        Life::Standing => u64::MAX,
                    };
                    model.ends_ms[usize::from(record)] = Some(ends_ms);
                    model.keep();
                }
            }
            Step::Pass { minutes } => clock_ms += minutes * MINUTE_MS,
            Step::Back { hours } => clock_ms -= hours * HOUR_MS,
            Step::Leap { days } => clock_ms += days * DAY_MS,
            Step::Maintain => {
                storage.maintain().await.unwrap();
                model.keep();
            }
            Step::Restart => {
                drop(storage);
                model.seen_ms = model.kept_ms;
                storage = world.open().await;
            }
        }
        world.hands.set(clock_ms);
        model.look(clock_ms);
        assert!(storage.now_ms() >= model.seen_ms);
        for (record, ends_ms) in model.ends_ms.iter().enumerate() {
            let Some(ends_ms) = *ends_ms else { continue };
            let is_served = get(&storage, "acme", &record.to_string()).await.is_some();
            let has_ended = clock_ms >= ends_ms || model.seen_ms >= ends_ms;
            assert!(!(is_served && has_ended), "{record} was served after its end");
            assert!(is_served || model.highest_ms >= ends_ms, "{record} was lost before its end");
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn no_clock_makes_an_expired_row_served_or_another_one_lost(steps in proptest::collection::vec(step(), 1..60)) {
        block_on(never_served_late(steps));
    }
}
