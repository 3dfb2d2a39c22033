//! Credentials: kept whole or not at all, used for what they were entered for, shown to nobody, and gone when revoked.

use super::canary::{contains, entries};
use super::crash::Dying;
use super::world::World;
use crate::{
    CredentialBinding, CredentialFields, CredentialUpdate, EnteredCredential, Error, SealedRecords,
    UpdateCause,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use storage::sled::Options;
use storage::{Batch, Engine, MemoryEngine, SledEngine};
use vault::Plaintext;

const CANARY: &str = "CANARY-4711-of-a-token";

fn binding(ask: &str, audience: &str) -> CredentialBinding {
    CredentialBinding {
        connector: "acme/shop".into(),
        ask: ask.into(),
        kind: "oauth2".into(),
        audience: vec![audience.into()],
        digest: format!("of {audience}"),
    }
}

fn fields(secret: &[(&str, &str)]) -> CredentialFields {
    let secret = secret.iter().map(|(name, value)| {
        let value = Plaintext::new(value.as_bytes().to_vec());
        ((*name).to_owned(), value)
    });
    CredentialFields {
        public: BTreeMap::from([("client_id".into(), "shop-7".into())]),
        secret: secret.collect(),
    }
}

fn entered(name: &str, token: &str) -> EnteredCredential {
    EnteredCredential {
        name: name.into(),
        binding: binding("api", "https://a.test/"),
        settings: serde_json::json!({ "token_url": "https://id.test/token" }),
        fields: fields(&[("refresh_token", token)]),
        expires_ms: None,
        by: "ada".into(),
    }
}

fn refreshed(token: &str, access: &str) -> CredentialUpdate {
    CredentialUpdate {
        fields: fields(&[("refresh_token", token), ("access_token", access)]),
        expires_ms: Some(9),
        cause: UpdateCause::Refreshed,
    }
}

/// The secrets, as a test may see them.
async fn secrets(records: &SealedRecords, name: &str) -> BTreeMap<String, String> {
    let opened = records.open_credential(name).await.unwrap();
    assert!(opened.kept.secret.iter().eq(opened.secret.keys()), "the names belong to the values");
    let text = |value: &Plaintext| String::from_utf8(value.expose().to_vec()).unwrap();
    opened.secret.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("fine", |error| error.code())
}

fn sled(directory: &Path) -> Arc<SledEngine> {
    Arc::new(SledEngine::open(&Options::new(directory, [7; 16], [9; 32])).unwrap())
}

/// All that is promised, over any engine.
async fn conforms(world: &World) {
    let records = world.open().await;
    assert_eq!(code(records.open_credential("shop.api").await), "CD1062");
    let first = records.enter_credential(entered("shop.api", "r1")).await.unwrap();
    assert_eq!((first.refreshed_ms, first.expires_ms, &*first.entered_by), (None, None, "ada"));
    let second =
        records.update_credential("shop.api", first.generation, refreshed("r2", "a2")).await.unwrap();
    assert_eq!((second.refreshed_ms, second.expires_ms), (Some(first.entered_ms), Some(9)));
    assert_ne!(second.generation, first.generation);
    let late = records.update_credential("shop.api", first.generation, refreshed("r3", "a3")).await;
    assert_eq!(code(late), "CD1065", "one of two refreshes of the same token wins");
    records.enter_credential(entered("other", "o1")).await.unwrap();

    World::close(records).await;
    let records = world.open().await;
    let expected = [("access_token", "a2"), ("refresh_token", "r2")];
    let expected = BTreeMap::from(expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(secrets(&records, "shop.api").await, expected);
    let listed = records.credentials().await.unwrap();
    assert_eq!(listed.iter().map(|kept| &*kept.name).collect::<Vec<_>>(), ["other", "shop.api"]);
    assert_eq!(listed[1], second);

    let anew = records.enter_credential(entered("shop.api", "r9")).await.unwrap();
    let stale = records.update_credential("shop.api", second.generation, refreshed("r3", "a3")).await;
    assert_eq!(code(stale), "CD1065", "a run that began before knows only the former one");
    assert_eq!(secrets(&records, "shop.api").await["refresh_token"], "r9");
    assert_eq!(anew.refreshed_ms, None);

    assert_eq!(records.revoke_credential("shop.api").await.unwrap(), anew);
    assert_eq!(code(records.revoke_credential("shop.api").await), "CD1062");
    assert_eq!(code(records.open_credential("shop.api").await), "CD1062");
    let update = records.update_credential("shop.api", anew.generation, refreshed("r3", "a3")).await;
    assert_eq!(code(update), "CD1062", "a refresh does not bring back what was revoked");
    assert_eq!(secrets(&records, "other").await["refresh_token"], "o1");
    World::close(records).await;
}

#[tokio::test]
async fn credentials_are_kept_in_memory_as_promised() {
    conforms(&World::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_kept_on_disk_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    conforms(&World::over(sled(&folder.path().join("storage")))).await;
}

#[tokio::test]
async fn a_credential_serves_what_it_was_entered_for_and_nothing_else() {
    let records = World::new().open().await;
    records.enter_credential(entered("api", "r1")).await.unwrap();
    let wanted = binding("api", "https://a.test/");
    assert_eq!(records.usable_credential("api", &wanted).await.unwrap().name, "api");
    let moved = binding("api", "https://evil.test/");
    let error = records.usable_credential("api", &moved).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), "CD1067");
    assert!(text.contains("https://a.test/") && text.contains("https://evil.test/"), "{text}");
    for other in [
        binding("admin", "https://a.test/"),
        CredentialBinding { connector: "evil/shop".into(), ..wanted.clone() },
    ] {
        assert_eq!(code(records.usable_credential("api", &other).await), "CD1066");
        let taken = EnteredCredential { binding: other, ..entered("api", "stolen") };
        assert_eq!(code(records.enter_credential(taken).await), "CD1064", "no name is taken over");
    }
    records
        .enter_credential(EnteredCredential { binding: moved.clone(), ..entered("api", "r2") })
        .await
        .unwrap();
    records.usable_credential("api", &moved).await.unwrap();
    assert_eq!(code(records.usable_credential("api", &wanted).await), "CD1067");
}

#[tokio::test]
async fn a_name_or_a_size_that_nobody_means_is_refused() {
    let records = World::new().open().await;
    let long = "x".repeat(101);
    for name in ["", "Shop", "a b", "a/b", ".a", "a.", "a..b", "-a", "7", "a_b", "ä", long.as_str()] {
        assert_eq!(code(records.enter_credential(entered(name, "r")).await), "CD1063", "{name}");
    }
    for name in ["a", "shop-7.api-2.x", &long[..100]] {
        assert_eq!(code(records.enter_credential(entered(name, "r")).await), "fine", "{name}");
    }
    let large = "x".repeat(256 << 10);
    let error = records.enter_credential(entered("a", &large)).await.unwrap_err();
    assert_eq!(error.code(), "CD1063");
    assert!(error.to_string().len() < 200, "no value is quoted");
    let largest = "x".repeat((256 << 10) - 200);
    records.enter_credential(entered("a", &largest)).await.unwrap();
    assert_eq!(secrets(&records, "a").await["refresh_token"], largest);
}

#[tokio::test]
async fn of_many_refreshes_at_one_time_exactly_one_is_kept() {
    let records = World::new().open().await;
    let seen = records.enter_credential(entered("api", "r0")).await.unwrap().generation;
    let refreshes = (0..64).map(|number| {
        let records = Arc::clone(&records);
        tokio::spawn(async move {
            let token = format!("r{number}");
            let update = refreshed(&token, "a");
            records.update_credential("api", seen, update).await.map(|_| token).map_err(|error| error.code())
        })
    });
    let mut kept = Vec::new();
    for refresh in refreshes.collect::<Vec<_>>() {
        match refresh.await.unwrap() {
            Ok(token) => kept.push(token),
            Err(code) => assert_eq!(code, "CD1065"),
        }
    }
    assert_eq!(kept.len(), 1);
    assert_eq!(secrets(&records, "api").await["refresh_token"], kept[0]);
}

#[tokio::test]
async fn a_mark_of_redeeming_outlives_the_process_and_ends_with_the_answer() {
    let world = World::new();
    let records = world.open().await;
    let first = records.enter_credential(entered("api", "r1")).await.unwrap();
    records.mark_redeeming("api", first.generation).await.unwrap();
    World::close(records).await;
    let records = world.open().await;
    let kept = records.credential("api").await.unwrap();
    assert_eq!((kept.redeeming_ms, kept.refreshed_ms), (Some(first.entered_ms), None));
    assert_eq!(kept.generation, first.generation);
    assert_eq!(kept.settings["token_url"], "https://id.test/token");
    assert_eq!(secrets(&records, "api").await["refresh_token"], "r1");
    let kept = records.update_credential("api", kept.generation, refreshed("r2", "a2")).await.unwrap();
    assert_eq!((kept.redeeming_ms, kept.refreshed_ms), (None, Some(first.entered_ms)));
    assert_eq!(code(records.mark_redeeming("api", first.generation).await), "CD1065");
    records.mark_redeeming("api", kept.generation).await.unwrap();
    records.unmark_redeeming("api", kept.generation).await.unwrap();
    assert_eq!(records.credential("api").await.unwrap(), kept, "a mark changes nothing else");
}

/// What happens to a credential in its life; stops at the first error, as a process that dies does.
async fn life(records: &SealedRecords) -> Result<(), Error> {
    let first = records.enter_credential(entered("api", "r1")).await?;
    records.mark_redeeming("api", first.generation).await?;
    let second = records.update_credential("api", first.generation, refreshed("r2", "a2")).await?;
    let rotated = CredentialUpdate { cause: UpdateCause::Rotated("bob".into()), ..refreshed("r3", "a3") };
    records.update_credential("api", second.generation, rotated).await?;
    records.enter_credential(entered("api", "r4")).await?;
    records.revoke_credential("api").await.map(drop)
}

#[tokio::test]
async fn a_credential_is_whole_or_gone_wherever_a_process_dies() {
    for keeps_the_last in [false, true] {
        let mut seen = std::collections::BTreeSet::new();
        for commits in 0.. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let records = world.open().await;
            engine.die_after(commits);
            let died = life(&records).await.is_err();
            World::close(records).await;
            engine.revive();
            let records = world.open().await;
            let listed = records.credentials().await.unwrap();
            let token = match listed.first() {
                Some(kept) => {
                    let secret = secrets(&records, "api").await;
                    assert_eq!(
                        secret.get("access_token").map(|access| access.replace('a', "r")),
                        secret.get("access_token").map(|_| secret["refresh_token"].clone()),
                        "fields of one generation"
                    );
                    assert_eq!(kept.secret.len(), secret.len());
                    secret["refresh_token"].clone()
                }
                None => "gone".to_owned(),
            };
            let marked = listed.first().is_some_and(|kept| kept.redeeming_ms.is_some());
            seen.insert((token, marked));
            if !died {
                break;
            }
            life(&records).await.unwrap();
        }
        let expected =
            [("gone", false), ("r1", false), ("r1", true), ("r2", false), ("r3", false), ("r4", false)];
        let expected = expected.map(|(token, marked)| (token.to_owned(), marked));
        assert!(seen.iter().eq(expected.iter()), "{seen:?}");
    }
}

#[tokio::test]
async fn what_was_revoked_is_readable_by_nobody_even_from_a_copy_of_the_disk() {
    let engine = Arc::new(MemoryEngine::new());
    let world = World::over(engine.clone());
    let records = world.open().await;
    let first = records.enter_credential(entered("api", CANARY)).await.unwrap();
    let refreshed_once = entries(engine.as_ref()).await;
    records.update_credential("api", first.generation, refreshed(CANARY, "a2")).await.unwrap();
    let newest = entries(engine.as_ref()).await;
    records.revoke_credential("api").await.unwrap();
    assert!(records.storage.erase_due_since_ms("local").await.unwrap().is_some());
    records.storage.erase_now("local").await.unwrap().unwrap();
    World::close(records).await;
    for copy in [refreshed_once, newest] {
        let put_back = Arc::new(MemoryEngine::new());
        for entries in copy.chunks(100) {
            put_back.commit(Batch { put: entries.to_vec(), ..Batch::default() }).await.unwrap();
        }
        let world = world.with_engine(put_back);
        // Storage of such a copy may not even open.
        let Ok(records) = world.try_open(crate::Settings::default()).await else { continue };
        assert!(records.open_credential("api").await.is_err());
        assert!(records.credentials().await.is_err());
        World::close(records).await;
    }
}

/// All files below a folder, one after the other.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path))
        } else {
            bytes.extend(std::fs::read(path).unwrap())
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_a_data_directory_and_no_backup_has_a_secret_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("storage");
    let engine = sled(&directory);
    let world = World::over(engine.clone());
    let records = world.open().await;
    let mut generation = records.enter_credential(entered("api", CANARY)).await.unwrap().generation;
    for _ in 0..20 {
        let update = refreshed(CANARY, CANARY);
        generation = records.update_credential("api", generation, update).await.unwrap().generation;
    }
    let mut backup = Vec::new();
    records.storage.backup(&mut backup).await.unwrap();
    let opened = records.open_credential("api").await.unwrap();
    assert!(contains(opened.secret["access_token"].expose(), CANARY.as_bytes()), "it is there, sealed");
    let told = format!("{:?} {}", opened.kept, serde_json::to_string(&opened.kept).unwrap());
    World::close(records).await;
    drop(world);
    engine.close().await.unwrap();
    let disk = bytes_below(&directory);
    assert!(disk.len() > 10_000 && backup.len() > 500, "{} {}", disk.len(), backup.len());
    for (place, bytes) in [("disk", disk), ("backup", backup), ("what is told", told.into_bytes())] {
        assert!(!contains(&bytes, CANARY.as_bytes()), "{place}");
        assert_eq!(
            contains(&bytes, b"shop-7"),
            place == "what is told",
            "{place}: a public field is sealed too"
        );
    }
}
