//! Whoever has every byte that was ever written, every keyring, and the KEK of today, reads nothing that was deleted; and
//! nothing that is private is on any disk in the clear.

use std::path::Path;
use std::sync::Arc;

use cofferdam_storage::sled::{Options, SledEngine};
use cofferdam_storage::{Change, Entry, Life, MemoryEngine, Storage, Table, restore_backup};
use vault::{Class, Keyring, Place, RecordHeader};

use crate::engines::{RECORDS, Recording, everything};
use crate::world::{DAY_MS, HOUR_MS, POSITIONS, ROWS, START_MS, World, get, put};

const LONG: Life = Life::Until(START_MS + 45 * DAY_MS);

/// A record among what was written. Large ones are known by their heads.
struct Written {
    organization: String,
    table: String,
    key: Vec<u8>,
    schema_version: u32,
    sealed: Vec<u8>,
}

impl Written {
    fn parse(key: &[u8], value: &[u8]) -> Self {
        let (organization, rest) = key[2..].split_at(usize::from(key[1]));
        let (table, key) = rest[1..].split_at(usize::from(rest[0]));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            organization: text(organization),
            table: text(table),
            key: key.to_vec(),
            schema_version: u32::from_be_bytes(value[1..5].try_into().unwrap()),
            sealed: if value[0] == 1 { value[5..].to_vec() } else { value[25..].to_vec() },
        }
    }

    fn opens(&self, keyring: &Keyring) -> bool {
        let RecordHeader { class, bucket, .. } = RecordHeader::parse(&self.sealed).unwrap();
        let Self { organization, table, key, schema_version, .. } = self;
        let place = Place { organization, table, key, schema_version: *schema_version, class, bucket };
        keyring.open_record(&place, &self.sealed, 0).is_ok()
    }
}

/// How many of the records of an organization open by a keyring.
fn opening(keyring: &Keyring, organization: &str, written: &[Entry]) -> usize {
    let records = written.iter().filter(|(key, _)| key[0] == RECORDS);
    let records = records.map(|(key, value)| Written::parse(key, value));
    records.filter(|record| record.organization == organization && record.opens(keyring)).count()
}

/// A backup in memory.
async fn backup(storage: &Storage) -> Vec<u8> {
    let mut bytes = Vec::new();
    storage.backup(&mut bytes).await.unwrap();
    bytes
}

struct History {
    world: World,
    recording: Arc<Recording>,
    keyrings: Vec<Vec<u8>>,
    backups: Vec<Vec<u8>>,
}

impl History {
    fn new() -> Self {
        let recording = Recording::new();
        let world = World::with(recording.clone());
        Self { world, recording, keyrings: Vec::new(), backups: Vec::new() }
    }

    async fn keep(&mut self, storage: &Storage) {
        self.keyrings.push(std::fs::read(self.world.keyring_path()).unwrap());
        self.backups.push(backup(storage).await);
    }

    /// Opens every keyring there ever was with the KEK and slot of today, and tries all that was written with each. Answers
    /// the most that any has opened.
    fn opened_by_any_keyring(&self, organization: &str) -> usize {
        let written = self.recording.written();
        let mut most = 0;
        for keyring in &self.keyrings {
            let thief = World::with(Arc::new(MemoryEngine::new()));
            std::fs::copy(self.world.key_file_path(), thief.key_file_path()).unwrap();
            std::fs::copy(self.world.keyring_path(), thief.keyring_path()).unwrap();
            std::fs::write(thief.keyring_path(), keyring).unwrap();
            if let Ok(keyring) = Keyring::open_read_only(thief.location(), None) {
                most = most.max(opening(&keyring, organization, &written));
            }
        }
        most
    }

    /// Restores each backup under the keyring of today; answers how many records of an organization came back at most.
    async fn restored_by_any_backup(&self, organization: &str) -> usize {
        let keyring = Keyring::open_read_only(self.world.location(), None).unwrap();
        let mut most = 0;
        for backup in &self.backups {
            let engine = MemoryEngine::new();
            restore_backup(backup.as_slice(), &engine, &keyring).await.unwrap();
            most = most.max(opening(&keyring, organization, &everything(&engine).await));
        }
        most
    }
}

#[tokio::test]
async fn of_a_deleted_organization_nothing_opens_from_any_byte_that_was_ever_written() {
    let mut history = History::new();
    let storage = history.world.open_with_organizations().await;
    for organization in ["acme", "other"] {
        for number in 0..20 {
            put(&storage, organization, &format!("{number}"), LONG, b"a row").await;
        }
        put(&storage, organization, "large", Life::Standing, &vec![1; 100_000]).await;
        let position = Change::new(organization).put(POSITIONS, "p", Life::Standing, b"7".to_vec());
        storage.commit(position).await.unwrap();
        storage.keyed_hasher(organization, "row key").await.unwrap();
    }
    history.keep(&storage).await;
    assert_eq!(history.opened_by_any_keyring("acme"), 23, "the proof must be able to fail");
    assert_eq!(history.restored_by_any_backup("acme").await, 23);
    storage.delete_organization("acme").await.unwrap();
    history.keep(&storage).await;
    assert_eq!((history.opened_by_any_keyring("acme"), history.restored_by_any_backup("acme").await), (0, 0));
    assert_eq!(
        (history.opened_by_any_keyring("other"), history.restored_by_any_backup("other").await),
        (23, 23)
    );
    assert_eq!(get(&storage, "other", "large").await, Some(vec![1; 100_000]));
}

#[tokio::test]
async fn of_what_has_expired_nothing_opens_from_any_byte_that_was_ever_written() {
    let mut history = History::new();
    let storage = history.world.open_with_organizations().await;
    put(&storage, "acme", "preview", Life::Until(START_MS + 20 * HOUR_MS), b"a row").await;
    put(&storage, "acme", "error", LONG, b"a row").await;
    put(&storage, "acme", "setting", Life::Standing, b"a row").await;
    history.keep(&storage).await;
    assert_eq!(history.opened_by_any_keyring("acme"), 3);
    for (day, left) in [(1, 2), (44, 2), (46, 1)] {
        while storage.now_ms() < START_MS + day * DAY_MS {
            history.world.hands.pass(12 * HOUR_MS);
            storage.maintain().await.unwrap();
        }
        history.keep(&storage).await;
        assert_eq!(history.opened_by_any_keyring("acme"), left, "day {day}");
        assert_eq!(history.restored_by_any_backup("acme").await, left, "day {day}");
    }
}

#[tokio::test]
async fn of_what_was_erased_nothing_opens_from_any_byte_that_was_ever_written() {
    let mut history = History::new();
    let storage = history.world.open_with_organizations().await;
    put(&storage, "acme", "gone", LONG, b"a row").await;
    put(&storage, "acme", "stays", LONG, b"a row").await;
    history.keep(&storage).await;
    storage.commit(Change::new("acme").delete(ROWS, "gone")).await.unwrap();
    history.keep(&storage).await;
    assert_eq!(history.opened_by_any_keyring("acme"), 2);
    storage.erase_now("acme").await.unwrap();
    history.keep(&storage).await;
    assert_eq!(history.opened_by_any_keyring("acme"), 1);
    // The backups from before are of the former key, and so have lost this organization; the last one has it.
    assert_eq!(history.restored_by_any_backup("acme").await, 1);
    history.backups.pop();
    assert_eq!(history.restored_by_any_backup("acme").await, 0);
}

/// Keys of cells: 4 KiB a cell behind the first block, the key behind eight bytes of order.
fn keys_of(key_file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(key_file).unwrap();
    let cells = bytes.chunks(4096).skip(1).map(|cell| cell[8..40].to_vec());
    cells.filter(|key| key.iter().any(|byte| *byte != 0)).collect()
}

/// How often a text is found in the files below a directory.
fn found_in(directory: &Path, canary: &[u8]) -> usize {
    let mut found = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        found += if path.is_dir() {
            found_in(&path, canary)
        } else {
            let bytes = std::fs::read(&path).unwrap();
            memchr::memmem::find_iter(&bytes, canary).count()
        };
    }
    found
}

#[tokio::test]
async fn no_row_credential_or_key_is_on_any_disk_in_the_clear() {
    const SECRETS: Table = Table { name: "_hash_secret", class: Class::Credentials, schema_version: 1 };
    let world = World::new();
    let data = world.directory.path().join("data");
    let options = Options::new(data.join("engine"), [7; 16], *world.keyring().journal_key().expose());
    let engine = Arc::new(SledEngine::open(&options).unwrap());
    let storage = world.open_on(engine.clone()).await;
    storage.create_organization("acme").await.unwrap();
    let credentials = Table { name: "credentials", class: Class::Credentials, schema_version: 1 };
    let canaries =
        ["canary-of-a-row", "canary-of-a-credential", "canary-of-a-large-value", "canary-of-a-cache"];
    for number in 0..50 {
        put(&storage, "acme", &format!("{number}"), LONG, canaries[0].repeat(number + 1).as_bytes()).await;
    }
    let change = Change::new("acme").put(credentials, "c", Life::Standing, canaries[1].into());
    storage.commit(change.put(ROWS, "large", LONG, canaries[2].repeat(10_000).into())).await.unwrap();
    storage.keyed_hasher("acme", "row key").await.unwrap();
    let cache = storage.cache("acme").unwrap();
    cache.put(b"page", canaries[3].as_bytes()).await.unwrap();
    storage.commit(Change::new("acme").delete(ROWS, "1")).await.unwrap();
    storage.erase_now("acme").await.unwrap();
    std::fs::write(data.join("a.backup"), backup(&storage).await).unwrap();
    let secret = storage.get("acme", SECRETS, b"1").await.unwrap().unwrap();
    let export =
        storage.with_keyring(|keyring| keyring.export(&vault::RecoveryKey::random().unwrap()).unwrap());
    std::fs::write(data.join("an.export"), export).unwrap();
    drop(cache);
    let secrets = [
        secret.value.expose().to_vec(),
        storage.with_keyring(|keyring| keyring.journal_key().expose().to_vec()),
    ];
    drop(storage);
    engine.close().await.unwrap();
    let mut all: Vec<Vec<u8>> = canaries.iter().map(|canary| canary.as_bytes().to_vec()).collect();
    all.extend(secrets);
    all.extend(keys_of(&world.key_file_path()));
    assert_eq!(all.len(), canaries.len() + 4);
    for canary in all {
        assert_eq!(found_in(&data, &canary), 0, "{}", String::from_utf8_lossy(&canary));
    }
    let (ids, keys) = (found_in(&data, b"row_errors"), keys_of(&world.key_file_path()));
    assert!(ids > 0, "the search must be able to find");
    assert_eq!(found_in(&world.directory.path().join("keys"), &keys[0]), 1);
}
