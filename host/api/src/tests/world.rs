//! An installation with people in it, and somebody who asks.

use super::asked::{Asking, Reply};
use super::connectors::{GivenConnectors, GivenProviders};
use crate::house::House;
use crate::router::router;
use crate::{Given, Limits, Options, Parts, Rates, Transport};
use axum::Router;
use control::{
    Audit, Connections, EndpointOptions, Endpoints, Grantable, OfferedDirectory, Organizations,
    PasswordPolicy, Queue, QueueOptions, Region, Syncs, Users, UsersOptions,
};
use manifest::Access;
use records::RecordsByOrganization;
use serde_json::json;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Clock, Engine, MemoryEngine, Storage};
use tempfile::TempDir;
use vault::{Argon2Parameters, DeploymentId, KeyFile, Keyring, Location, OsFiles};

pub(crate) const HOUR_MS: u64 = 60 * 60 * 1_000;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
pub(crate) const PASSWORD: &str = "canary bird in a mine";
const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct FakeClock(AtomicU64);

impl FakeClock {
    pub(crate) fn pass(&self, span_ms: u64) {
        self.0.fetch_add(span_ms, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    /// Holds the keyring.
    _folder: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    /// What connectors answer.
    pub(crate) connectors: Arc<GivenConnectors>,
    /// What those that give tokens answer, and were told.
    pub(crate) providers: Arc<GivenProviders>,
    pub(crate) parts: Parts,
    pub(crate) house: House,
    pub(crate) router: Router,
}

/// The people of a story, each with the token of a session.
pub(crate) struct Cast {
    pub(crate) operator: String,
    pub(crate) admin: String,
    pub(crate) user: String,
    /// An admin of another organization.
    pub(crate) eve: String,
    pub(crate) acme: String,
    /// The id of the user.
    pub(crate) user_id: String,
}

pub(crate) fn options() -> Options {
    let many = NonZeroU32::new(1_000_000).unwrap();
    Options {
        address: "127.0.0.1:0".parse().unwrap(),
        transport: Transport::Plain,
        proxies: Vec::new(),
        origin: None,
        rates: Rates {
            caller_per_second: many,
            caller_burst: many,
            stranger_per_second: many,
            stranger_burst: many,
        },
        limits: Limits::default(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::over(Arc::new(MemoryEngine::new()), options).await
    }

    pub(crate) async fn over(engine: Arc<dyn Engine>, options: Options) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let file = KeyFile::create(Arc::new(OsFiles), folder.path().join("key"), &DEPLOYMENT).unwrap();
        let location = Location {
            files: Arc::new(OsFiles),
            path: folder.path().join("data/keyring"),
            slot: Some(file.shred_slot()),
            kek: Arc::new(file),
        };
        let keyring = Keyring::create(location, DEPLOYMENT).unwrap();
        let clock = Arc::new(FakeClock(AtomicU64::new(20_000 * DAY_MS)));
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let storage = Storage::open(engine, keyring, Arc::clone(&time)).await;
        let storage = Arc::new(storage.unwrap());
        let audit = Arc::new(Audit::open(Arc::clone(&storage)).await.unwrap());
        let people = UsersOptions {
            cost: Argon2Parameters::new(19 * 1024, 2).unwrap(),
            hashing_at_once: 2,
            policy: PasswordPolicy::default(),
            clock: time,
        };
        let users = Arc::new(Users::open(Arc::clone(&audit), people).await.unwrap());
        let region = Region::parse("eu-1").unwrap();
        let organizations = Arc::new(Organizations::new(Arc::clone(&users), region));
        let connections = Arc::new(Connections::new(Arc::clone(&organizations), grantable()));
        let queue = Queue::new(Arc::new(Syncs::new(connections)), QueueOptions::default());
        let records = Arc::new(RecordsByOrganization::new(storage, records::Settings::default()));
        let connectors = Arc::new(GivenConnectors::default());
        let queue = Arc::new(queue);
        let providers = Arc::new(GivenProviders::default());
        let given = Given {
            endpoints: Arc::new(Endpoints::new(Arc::clone(&queue), EndpointOptions::default())),
            queue,
            records,
            connectors: Arc::clone(&connectors) as _,
            providers: Arc::clone(&providers) as _,
            measures: Arc::default(),
        };
        let parts = Parts::new(audit, users, organizations, given).unwrap();
        let house = House::new(parts.clone(), options);
        let router = router(house.clone());
        Self { _folder: folder, clock, connectors, providers, parts, house, router }
    }

    pub(crate) fn get(&self, path: &str) -> Asking<'_> {
        Asking::new(self, "GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: serde_json::Value) -> Asking<'_> {
        Asking::new(self, "POST", path).json(&body)
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Asking<'_> {
        Asking::new(self, method, path)
    }

    /// Comes in, and keeps the token.
    pub(crate) async fn log_in(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD, "keep": "token"});
        self.post("/v1/login", body).await.text("/token")
    }

    pub(crate) async fn make_operator(&self) -> String {
        let token = self.parts.users.setup_token().await.unwrap().unwrap();
        let body = json!({"token": token.expose(), "email": "op@host.example", "password": PASSWORD});
        assert_eq!(self.post("/v1/setup", body).await.status(), 201);
        self.log_in("op@host.example").await
    }

    /// An organization and the token of its admin's session.
    pub(crate) async fn make_organization(
        &self,
        operator: &str,
        name: &str,
        email: &str,
    ) -> (String, String) {
        let body = json!({"name": name, "admin_email": email});
        let made = self.post("/v1/organizations", body).by(operator).await;
        self.join(&made.text("/invitation/token")).await;
        (made.text("/organization/id"), self.log_in(email).await)
    }

    pub(crate) async fn join(&self, invitation: &str) -> Reply {
        let reply = self.post("/v1/join", json!({"token": invitation, "password": PASSWORD})).await;
        assert_eq!(reply.status(), 201);
        reply
    }

    pub(crate) async fn cast(&self) -> Cast {
        let operator = self.make_operator().await;
        let (acme, admin) = self.make_organization(&operator, "Acme", "ada@acme.example").await;
        let (_, eve) = self.make_organization(&operator, "Other", "eve@other.example").await;
        let path = format!("/v1/organizations/{acme}/invitations");
        let body = json!({"email": "bob@acme.example", "role": "user"});
        let invited = self.post(&path, body).by(&admin).await;
        let user_id = self.join(&invited.text("/token")).await.text("/user");
        let user = self.log_in("bob@acme.example").await;
        Cast { operator, admin, user, eve, acme, user_id }
    }

    /// A token of the API with these scopes, and its id.
    pub(crate) async fn token(&self, by: &str, organization: &str, scopes: &[&str]) -> (String, String) {
        let body = json!({"name": "ci", "scopes": scopes, "days": 7});
        let made = self.post(&format!("/v1/organizations/{organization}/tokens"), body).by(by).await;
        (made.text("/token"), made.text("/shown/id"))
    }
}

/// A directory at a place that no answer may tell.
fn grantable() -> Grantable {
    let imports = OfferedDirectory {
        name: "imports".into(),
        root: "/srv/canary-4712".into(),
        access: Access::Read,
        organizations: None,
        shared: false,
    };
    Grantable { directories: vec![imports], ..Grantable::default() }
}
