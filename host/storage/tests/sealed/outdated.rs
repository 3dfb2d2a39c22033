//! What is read under an earlier generation of its key is sealed anew in passing, over each engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_storage::sled::{Options, SledEngine};
use cofferdam_storage::{
    Batch, Change, Engine, EngineError, Entry, Life, MemoryEngine, Range, Scan, Sequence, Snapshot, Storage,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::engines::{RECORDS, of_space};
use crate::world::{DAY_MS, ROWS, START_MS, World, get, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);

/// Tells which records each commit has put.
struct Telling {
    inner: Arc<dyn Engine>,
    tell: UnboundedSender<Vec<Vec<u8>>>,
}

impl Telling {
    fn over(inner: Arc<dyn Engine>) -> (Arc<Self>, UnboundedReceiver<Vec<Vec<u8>>>) {
        let (tell, told) = unbounded_channel();
        (Arc::new(Self { inner, tell }), told)
    }
}

#[async_trait]
impl Engine for Telling {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        let records = batch.put.iter().map(|(key, _)| key).filter(|key| key.first() == Some(&RECORDS));
        let records: Vec<Vec<u8>> = records.cloned().collect();
        let done = self.inner.commit(batch).await;
        if done.is_ok() && !records.is_empty() {
            // Nobody listens any more once a test has seen enough.
            let _ = self.tell.send(records);
        }
        done
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        self.inner.is_exclusive()
    }
}

fn sled(world: &World, directory: &Path) -> Arc<dyn Engine> {
    let key = *world.keyring().journal_key().expose();
    Arc::new(SledEngine::open(&Options::new(directory, [7; 16], key)).unwrap())
}

/// Both engines, each in a world of its own.
fn worlds() -> [(World, Arc<dyn Engine>); 2] {
    let (memory, durable) = (World::new(), World::new());
    let engine = sled(&durable, &durable.directory.path().join("data/storage"));
    [(memory, Arc::new(MemoryEngine::new())), (durable, engine)]
}

/// As a crash leaves it that came right behind the new generation: there is no job yet.
async fn rotate(storage: &Storage) {
    storage.with_keyring_mut(|keyring| keyring.rotate_organization("acme")).await.unwrap();
}

/// Keys of the records that are not sealed under the current generation.
async fn outdated(storage: &Storage, engine: &dyn Engine) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, stored) in of_space(engine, RECORDS).await {
        // Behind the form and the version of the schema; where chunks are named, behind their id and count too.
        let sealed = &stored[if stored[0] == 2 { 25 } else { 5 }..];
        if storage.with_keyring(|keyring| keyring.needs_reseal("acme", sealed).unwrap()) {
            let number = key.iter().rposition(|byte| !byte.is_ascii_digit()).unwrap() + 1;
            keys.push(String::from_utf8(key[number..].to_vec()).unwrap());
        }
    }
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_is_sealed_anew_beside_its_readers_and_nothing_else() {
    for (world, engine) in worlds() {
        let (telling, mut told) = Telling::over(engine.clone());
        let storage = Arc::new(world.open_on(telling).await);
        storage.create_organization("acme").await.unwrap();
        for number in 10..30 {
            let value = if number == 21 { vec![7; 200_000] } else { b"a row".to_vec() };
            put(&storage, "acme", &number.to_string(), LONG, &value).await;
        }
        rotate(&storage).await;
        let maintenance = storage.spawn_maintenance(Duration::from_secs(3_600), |pass| drop(pass.unwrap()));
        while told.try_recv().is_ok() {}
        for _ in 0..3 {
            get(&storage, "acme", "11").await.unwrap();
            let range = Range { prefix: b"2", limit: 100, ..Range::default() };
            assert_eq!(storage.scan("acme", ROWS, range).await.unwrap().len(), 10);
        }
        let mut resealed = 0;
        while resealed < 11 {
            resealed += told.recv().await.unwrap().len();
        }
        assert_eq!(resealed, 11, "each once, however often it was read");
        let left: Vec<String> =
            (10..20).filter(|number| *number != 11).map(|number| number.to_string()).collect();
        assert_eq!(outdated(&storage, engine.as_ref()).await, left);
        assert_eq!(get(&storage, "acme", "21").await, Some(vec![7; 200_000]));
        maintenance.stop().await;
        let verified = storage.verify_all().await.unwrap();
        assert_eq!((verified.records, verified.faults), (20, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_replaced_since_it_was_read_stays_as_it_is() {
    for (world, engine) in worlds() {
        let (telling, mut told) = Telling::over(engine);
        let storage = Arc::new(world.open_on(telling).await);
        storage.create_organization("acme").await.unwrap();
        for number in 10..13 {
            put(&storage, "acme", &number.to_string(), LONG, b"before").await;
        }
        rotate(&storage).await;
        for number in ["10", "11", "12"] {
            get(&storage, "acme", number).await.unwrap();
        }
        put(&storage, "acme", "11", LONG, b"after").await;
        storage.commit(Change::new("acme").discard(ROWS, "12")).await.unwrap();
        while told.try_recv().is_ok() {}
        let maintenance = storage.spawn_maintenance(Duration::from_secs(3_600), |pass| drop(pass.unwrap()));
        let resealed = told.recv().await.unwrap();
        assert!(resealed.len() == 1 && resealed[0].ends_with(b"10"), "{resealed:?}");
        maintenance.stop().await;
        assert_eq!(get(&storage, "acme", "10").await.as_deref(), Some(b"before".as_slice()));
        assert_eq!(get(&storage, "acme", "11").await.as_deref(), Some(b"after".as_slice()));
        assert_eq!(get(&storage, "acme", "12").await, None);
    }
}

/// A process that has the directory for a moment only, or only to read, changes nothing by reading.
#[tokio::test]
async fn reading_alone_writes_nothing() {
    let (telling, mut told) = Telling::over(Arc::new(MemoryEngine::new()));
    let world = World::new();
    let storage = world.open_on(telling).await;
    storage.create_organization("acme").await.unwrap();
    put(&storage, "acme", "10", LONG, b"a row").await;
    rotate(&storage).await;
    while told.try_recv().is_ok() {}
    get(&storage, "acme", "10").await.unwrap();
    drop(storage);
    assert_eq!(told.recv().await, None);
}
