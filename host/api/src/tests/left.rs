//! A process dies in every commit while something is deleted: it is there with all that is kept of it, or the next start leaves
//! nothing of it.

use super::asked::Reply;
use super::shop::{SHOP, Shop};
use super::world::{Cast, World, options};
use crate::left::forget;
use crate::refusal::Refusal;
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Batch, Engine, EngineError, Entry, MemoryEngine, Scan, Sequence, Snapshot};

/// An engine that stops after so many commits. The one in which it stops is lost or kept.
struct Dying {
    inner: MemoryEngine,
    left: AtomicU64,
    keeps_the_last: bool,
}

impl Dying {
    fn new(keeps_the_last: bool) -> Arc<Self> {
        Arc::new(Self { inner: MemoryEngine::new(), left: AtomicU64::new(u64::MAX), keeps_the_last })
    }
}

#[async_trait]
impl Engine for Dying {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        let spend = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_ok() {
            return self.inner.commit(batch).await;
        }
        if self.keeps_the_last {
            self.inner.commit(batch).await?;
        }
        Err(EngineError::Stopped { reason: "the process is dead".into() })
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

impl World {
    /// What a start does before anybody is served; answers how much was left to forget. What the process before held has ended.
    async fn start_again(&self) -> usize {
        self.clock.pass(2 * 60_000);
        let left = self.parts.organizations.mend().await.unwrap();
        for (organization, left) in &left {
            let parts = (&*self.parts.organizations, &*self.parts.records);
            forget::<Refusal>(parts.0, parts.1, (organization, left)).await.unwrap();
        }
        left.len()
    }

    async fn delete_dying(&self, engine: &Dying, (cast, at, commits): (&Cast, &str, u64)) -> Reply {
        engine.left.store(commits, Ordering::SeqCst);
        let deleted = self.ask("DELETE", at).by(&cast.admin).await;
        engine.left.store(u64::MAX, Ordering::SeqCst);
        deleted
    }
}

#[tokio::test]
async fn a_sync_is_whole_or_gone_with_its_history_wherever_a_process_dies_while_it_is_deleted() {
    for keeps_the_last in [false, true] {
        let engine = Dying::new(keeps_the_last);
        let world = World::over(engine.clone(), options()).await;
        let cast = world.cast().await;
        let works = world.works(&cast).await;
        let mut forgotten = 0;
        for commits in 0.. {
            let sync = world.sync(&cast.admin, &works, json!({})).await;
            let kept = world.kept(&cast.acme, &sync);
            kept.run(&[("x", "refused")]).await;
            let deleted = world.delete_dying(&engine, (&cast, &kept.path, commits)).await;
            forgotten += world.start_again().await;
            let is_there = world.get(&kept.path).by(&cast.admin).await.status() == 200;
            let has_history = kept.records.run(&kept.sync, None).await.is_ok();
            assert_eq!(is_there, has_history, "{commits}: what is left of it is not what is there of it");
            assert_eq!(world.start_again().await, 0, "{commits}");
            if deleted.status() == 204 {
                assert!(commits >= 15 && !is_there, "so many commits are to be swept over: {commits}");
                break;
            }
        }
        assert!(forgotten >= 12, "{forgotten}");
    }
}

#[tokio::test]
async fn a_connection_that_is_gone_leaves_no_credential_wherever_a_process_dies_while_it_is_deleted() {
    for keeps_the_last in [false, true] {
        let engine = Dying::new(keeps_the_last);
        let world = World::over(engine.clone(), options()).await;
        let cast = world.cast().await;
        let digest = world.install(&cast.admin, &cast.acme, SHOP).await;
        let at = |rest: &str| format!("/v1/organizations/{}/connections{rest}", cast.acme);
        let records = world.parts.records.of(&world.parts.organizations.owner(&cast.acme));
        for commits in 0.. {
            let wish = json!({"name": "Shop", "digest": digest, "config": {"subdomain": "eu"}});
            let id = world.post(&at(""), wish).by(&cast.admin).await.text("/id");
            let path = at(&format!("/{id}"));
            let tag = world.get(&path).by(&cast.admin).await.header("etag").unwrap().to_owned();
            let entered = world.ask("PUT", &format!("{path}/credentials/api")).by(&cast.admin);
            let entered =
                entered.header("if-match", &tag).json(&json!({"fields": {"token": "canary"}})).await;
            assert_eq!(entered.status(), 200, "{:?}", entered.bytes());
            let deleted = world.delete_dying(&engine, (&cast, &path, commits)).await;
            world.start_again().await;
            let is_there = world.get(&path).by(&cast.admin).await.status() == 200;
            assert!(is_there || records.credentials().await.unwrap().is_empty(), "{commits}");
            assert_eq!(world.start_again().await, 0, "{commits}");
            if deleted.status() == 204 {
                assert!(commits >= 4 && !is_there, "so many commits are to be swept over: {commits}");
                break;
            }
            if is_there {
                assert_eq!(world.ask("DELETE", &path).by(&cast.admin).await.status(), 204);
            }
        }
    }
}

/// Somebody enters a credential while somebody else deletes the connection, and a crash comes before it was seen.
#[tokio::test]
async fn a_credential_that_came_while_its_connection_went_is_gone_with_the_next_start() {
    let world = World::new().await;
    let cast = world.cast().await;
    let shop = Shop::open(&world, &cast.admin, &cast.acme).await;
    let at = format!("/v1/organizations/{}/connections/{}", cast.acme, shop.connection);
    let tag = world.get(&at).by(&cast.admin).await.header("etag").unwrap().to_owned();
    let entered = world.ask("PUT", &format!("{at}/credentials/api")).by(&cast.admin);
    let entered = entered.header("if-match", &tag).json(&json!({"fields": {"token": "canary"}})).await;
    assert_eq!(entered.status(), 200);
    let by = world.get("/v1/me").by(&cast.admin).await.text("/user");
    let connections = &world.parts.connections;
    let revision = connections.get(&by, &cast.acme, &shop.connection).await.unwrap().revision;
    connections.delete(&by, &cast.acme, (&shop.connection, revision)).await.unwrap();
    let records = world.parts.records.of(&world.parts.organizations.owner(&cast.acme));
    assert_eq!(records.credentials().await.unwrap().len(), 1);
    assert_eq!(world.start_again().await, 1);
    assert_eq!(records.credentials().await.unwrap(), []);
}
