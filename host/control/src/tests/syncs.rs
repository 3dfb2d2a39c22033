//! Syncs: what they may be, and what becomes of them.

use super::connections::{SHOP, Workshop, code, config, digest};
use super::organizations::House;
use super::world::{HOUR_MS, World};
use crate::{
    CatalogField, CatalogStream, ConnectionConfig, Connections, Consent, MemberRole, PauseCause, Queue,
    QueueOptions, SchemaChanges, StoredSync, SyncSpec, SyncState, Syncs,
};
use manifest::SyncFile;
use serde_json::{Value, json};
use std::sync::Arc;

const CHANGES: &str = r#"
manifest = 1
name = "change"
publisher = "acme"
version = "1.0.0"
contract = "0.1.0"
roles = ["transform"]
title = "Change"
"#;

/// A workshop with syncs.
pub(super) struct Works {
    pub(super) shop: Workshop,
    pub(super) connections: Arc<Connections>,
    pub(super) syncs: Arc<Syncs>,
    pub(super) queue: Arc<Queue>,
    pub(super) source: String,
    pub(super) destination: String,
}

impl World {
    pub(super) async fn works(&self, options: QueueOptions) -> Works {
        let shop = self.workshop().await;
        let connections = Arc::new(Connections::new(Arc::clone(&shop.organizations), Default::default()));
        let syncs = Arc::new(Syncs::new(Arc::clone(&connections)));
        let queue = Arc::new(Queue::new(Arc::clone(&syncs), options));
        let (source, destination) = (shop.connect("From").await.id, shop.connect("To").await.id);
        Works { shop, connections, syncs, queue, source, destination }
    }
}

impl Works {
    pub(super) fn by(&self) -> (&str, &str) {
        (&self.shop.house.admin, &self.shop.house.acme)
    }

    /// A sync with these parts beside its ends.
    pub(super) fn spec(&self, more: &Value) -> SyncSpec {
        let mut spec = json!({ "name": "Orders", "source": self.source, "destination": self.destination });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        serde_json::from_value(spec).unwrap()
    }

    pub(super) async fn sync(&self, more: &Value) -> StoredSync {
        let (admin, acme) = self.by();
        self.syncs.create(admin, acme, self.spec(more)).await.unwrap()
    }

    pub(super) async fn read(&self, id: &str) -> StoredSync {
        let (admin, acme) = self.by();
        self.syncs.get(admin, acme, id).await.unwrap()
    }
}

fn stream(more: &Value) -> Value {
    let mut stream =
        json!({ "name": "orders", "mode": "append", "fields": null, "filter": [], "limit": null });
    for (key, value) in more.as_object().unwrap() {
        stream[key] = value.clone();
    }
    stream
}

#[tokio::test]
async fn a_sync_is_made_stopped_and_holds_its_connections() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let made = works.sync(&json!({})).await;
    assert_eq!((&made.state, made.revision, made.due_ms), (&SyncState::Stopped, 1, None));
    assert_eq!(made.spec.schema_changes, SchemaChanges::Pause);
    let source = (works.source.as_str(), 1);
    assert_eq!(code(works.connections.delete(admin, acme, source).await), "CD1255");

    let other = works.shop.connect("Other").await.id;
    let spec = SyncSpec { source: other.clone(), ..made.spec.clone() };
    let changed = works.syncs.update(admin, acme, (&made.id, 1), spec.clone()).await.unwrap();
    assert_eq!((changed.revision, &changed.spec), (2, &spec));
    assert_eq!(code(works.syncs.update(admin, acme, (&made.id, 1), spec).await), "CD1254");
    assert_eq!(code(works.connections.delete(admin, acme, source).await), "done");
    assert_eq!(code(works.connections.delete(admin, acme, (&other, 1)).await), "CD1255");

    let run = works.queue.run_now(admin, acme, &made.id).await.unwrap();
    assert_eq!(code(works.syncs.delete(admin, acme, (&made.id, 2)).await), "CD1261");
    works.queue.cancel(admin, acme, &run.run).await.unwrap();
    works.syncs.delete(admin, acme, (&made.id, 2)).await.unwrap();
    assert_eq!(code(works.syncs.get(admin, acme, &made.id).await), "CD1253");
    assert_eq!(code(works.connections.delete(admin, acme, (&other, 1)).await), "done");
    assert!(works.syncs.list(admin, acme, None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn every_fault_of_a_sync_is_told_at_its_place_and_nothing_is_kept() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let wrong = works.spec(&json!({
        "source": "con_none",
        "transforms": [works.destination, works.destination],
        "streams": [stream(&json!({ "fields": [] })), stream(&json!({}))],
        "rejects": { "policy": "skip", "row_data": "off", "max_count": null, "max_rate": 2.0 },
        "run": { "parallel_groups": 0, "attempts": 1, "commit_bytes": 1, "commit_every_ms": 1 },
        "schedule": { "when": { "cron": { "pattern": "0 0 30 2 *", "zone": "Europe/Berlin" } } },
    }));
    let told = works.syncs.create(admin, acme, wrong).await.unwrap_err().to_string();
    for part in [
        "/source: there is no such connection",
        "/transforms/0: the connector of this connection is no transform",
        "/transforms: names a connection twice",
        "/streams/0/fields: names no field",
        "/streams/1/name: the stream `orders` is named twice",
        "/rejects/max_rate: must be a number from 0 to 1",
        "/run/parallel_groups: must be from 1 to 64",
        "/schedule: it is never due",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(works.syncs.list(admin, acme, None, 10).await.unwrap().items.is_empty());
    let user = works.shop.house.join("ada@acme.example", MemberRole::User).await;
    assert_eq!(code(works.syncs.validate(&user, acme, &works.spec(&json!({}))).await), "done");
    let operator = &works.shop.house.operator;
    assert_eq!(code(works.syncs.validate(operator, acme, &works.spec(&json!({}))).await), "CD1242");
    let (_, eve) = works.shop.house.other().await;
    assert_eq!(code(works.syncs.validate(&eve, acme, &works.spec(&json!({}))).await), "CD1240");
}

#[tokio::test]
async fn streams_and_fields_are_held_against_what_the_source_has() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let field = |name: &str| CatalogField { name: name.into(), data_type: "utf8".into(), nullable: true };
    let orders = CatalogStream {
        name: "orders".into(),
        group: "orders".into(),
        fields: vec![field("number"), field("total")],
        key: Vec::new(),
        incremental: true,
    };
    works.connections.keep_catalog(acme, (&works.source, 1), vec![orders]).await.unwrap();
    let check = async |streams: Value| {
        let spec = works.spec(&json!({ "streams": streams }));
        works.syncs.validate(admin, acme, &spec).await.map_err(|error| error.to_string())
    };
    assert!(check(json!([stream(&json!({ "fields": ["total"] }))])).await.is_ok());
    let condition = json!({ "field": "totl", "comparison": "is-null", "value": null });
    let wrong = [
        (stream(&json!({ "name": "order" })), "/streams/0/name: ", "did you mean `orders`?"),
        (stream(&json!({ "fields": ["totals"] })), "/streams/0/fields/0: ", "did you mean `total`?"),
        (stream(&json!({ "filter": [condition] })), "/streams/0/filter/0/field: ", "`total`?"),
        (stream(&json!({ "mode": "upsert" })), "/streams/0/mode: ", "the stream has no key"),
    ];
    for (wrong, place, hint) in wrong {
        let told = check(json!([wrong])).await.unwrap_err();
        assert!(told.contains(place) && told.contains(hint), "{told}");
    }
}

#[tokio::test]
async fn a_run_gets_what_a_document_would_say_and_only_the_rights_that_hold() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    works.shop.install('c', CHANGES).await.unwrap();
    let change = ConnectionConfig { name: "Change".into(), installation: digest('c'), config: json!({}) };
    let change = works.connections.create(admin, acme, change).await.unwrap().id;
    let hosts = manifest::Manifest::parse("connector.toml", &SHOP.replace("${config.subdomain}", "eu"));
    let consent = Consent { hosts: hosts.unwrap().asks.hosts, ..Consent::default() };
    works.connections.consent(admin, acme, (&works.source, 1), consent).await.unwrap();
    works.connections.note_entered(admin, acme, (&works.source, 2), "api").await.unwrap();
    let made = works.sync(&json!({ "transforms": [change], "streams": [stream(&json!({}))] })).await;

    let (file, changes) = works.syncs.run_file(acme, &made.id).await.unwrap();
    assert_eq!((file.name.as_str(), changes), (made.id.as_str(), SchemaChanges::Pause));
    assert_eq!((file.source.name.as_str(), file.transforms[0].name.as_str()), ("source", "transform-1"));
    assert_eq!(file.source.connector.to_str(), Some(digest('a').as_str()));
    assert_eq!(file.source.grants.hosts[0].pattern.to_string(), "https://eu.shop.example");
    assert_eq!(file.source.grants.credentials.keys().collect::<Vec<_>>(), ["api"]);
    assert_eq!(file.destination.grants, manifest::Grants::default());
    assert_eq!(file.streams.as_ref().unwrap()[0].name, "orders");
    let back: SyncFile = serde_json::from_value(serde_json::to_value(&file).unwrap()).unwrap();
    assert_eq!(back, file);

    // Another host: the credential is not used, and the grant is still the former host's.
    works.connections.update(admin, acme, (&works.source, 3), config("From", "us")).await.unwrap();
    let (file, _) = works.syncs.run_file(acme, &made.id).await.unwrap();
    assert!(file.source.grants.credentials.is_empty());
    assert_eq!(file.source.grants.hosts[0].pattern.to_string(), "https://eu.shop.example");
}

#[tokio::test]
async fn a_list_tells_what_is_known_of_each_without_what_it_does() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let every = json!({ "when": { "every": { "interval_ms": HOUR_MS, "from_ms": 0 } } });
    let made = works.sync(&json!({ "schedule": every, "streams": [stream(&json!({}))] })).await;
    let started = works.syncs.start(admin, acme, &made.id).await.unwrap();
    let other = works.sync(&json!({ "name": "Other" })).await;
    let page = works.syncs.list(admin, acme, None, 1).await.unwrap();
    let rest = works.syncs.list(admin, acme, page.next.as_deref(), 1).await.unwrap();
    let mut all = [page.items, rest.items].concat();
    all.sort_by_key(|sync| sync.name == "Other");
    assert_eq!(rest.next, None);
    let [one, two] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&one.id, &one.name, &one.state), (&made.id, &made.spec.name, &SyncState::Running));
    assert_eq!((&one.source, &one.destination), (&works.source, &works.destination));
    assert_eq!((one.has_schedule, one.due_ms, one.revision), (true, started.due_ms, 1));
    assert_eq!((&two.id, two.has_schedule, &two.state), (&other.id, false, &SyncState::Stopped));
}

#[tokio::test]
async fn states_are_changed_by_members_and_by_what_a_run_finds_and_each_change_is_logged() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let House { operator, .. } = &works.shop.house;
    let every = json!({ "when": { "every": { "interval_ms": HOUR_MS, "from_ms": 0 } } });
    let made = works.sync(&json!({ "schedule": every })).await;
    assert_eq!(code(works.syncs.start(operator, acme, &made.id).await), "CD1242");
    let started = works.syncs.start(admin, acme, &made.id).await.unwrap();
    assert!(started.state == SyncState::Running && started.due_ms.is_some());
    // Once more is nothing new.
    works.syncs.start(admin, acme, &made.id).await.unwrap();
    let paused = works.syncs.pause_for(acme, &made.id, PauseCause::SchemaChanged).await.unwrap();
    assert_eq!((paused.state, paused.due_ms), (SyncState::Paused(PauseCause::SchemaChanged), None));
    let stopped = works.syncs.stop(admin, acme, &made.id).await.unwrap();
    assert_eq!((stopped.state, stopped.revision), (SyncState::Stopped, 1));
    // Somebody let it run once: that it finds something does not start it.
    let found = works.syncs.pause_for(acme, &made.id, PauseCause::SchemaChanged).await.unwrap();
    assert_eq!(found.state, SyncState::Stopped);
    let acts = works.shop.acts().await;
    let acts: Vec<&str> = acts.iter().map(String::as_str).filter(|act| act.starts_with("sync_")).collect();
    assert_eq!(acts, ["sync_created", "sync_started", "sync_paused", "sync_stopped"]);
}

/// Each of them changes how often its two connections are used.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_make_syncs_of_the_same_connections_at_once_all_make_them() {
    let world = World::new();
    let works = Arc::new(world.works(QueueOptions::default()).await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let works = Arc::clone(&works);
        tasks.spawn(async move { works.sync(&json!({ "name": format!("Orders {number}") })).await.id });
    }
    let mut made = tasks.join_all().await;
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 32);
}
