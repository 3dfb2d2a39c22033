//! The port of egress over sealed storage.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use egress::credential::{Credentials, Generation, Material, Secret, StoreError, field};
use manifest::{CredentialAsk, CredentialKind};
use records::{CredentialBinding, CredentialFields, EnteredCredential, SealedRecords};
use storage::{MemoryEngine, Storage, SystemClock};
use tempfile::TempDir;
use vault::{DeploymentId, KeyFile, Keyring, Location, OsFiles, Plaintext};

use super::{Granted, Kept};
use crate::deployment::ORGANIZATION;

const NAME: &str = "shop.api";

async fn records(folder: &TempDir) -> Arc<SealedRecords> {
    let deployment = DeploymentId::from_bytes([7; 16]);
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let key = KeyFile::create(Arc::new(OsFiles), folder.path().join("key"), &deployment);
    key.unwrap();
    let key = KeyFile::new(Arc::new(OsFiles), folder.path().join("key"));
    let (files, slot) = (Arc::new(OsFiles), Some(key.shred_slot()));
    let location = Location { files, path: data.join("keyring"), slot, kek: Arc::new(key) };
    let mut keyring = Keyring::create(location, deployment).unwrap();
    keyring.create_organization(ORGANIZATION).unwrap();
    let engine = Arc::new(MemoryEngine::new());
    let storage = Storage::open(engine, keyring, Arc::new(SystemClock)).await.unwrap();
    Arc::new(SealedRecords::new(Arc::new(storage), ORGANIZATION, records::Settings::default()))
}

fn oauth2() -> CredentialKind {
    serde_json::from_value(serde_json::json!({
        "kind": "oauth2",
        "grant": "refresh-token",
        "token_url": "https://id.test/token",
        "scopes": [],
        "scope_separator": " ",
        "client_authentication": "basic",
        "token_parameters": {},
        "authorize_parameters": {},
        "header": "authorization",
        "prefix": "Bearer ",
    }))
    .unwrap()
}

fn binding(digest: &str) -> CredentialBinding {
    CredentialBinding {
        connector: "acme/shop".into(),
        ask: "api".into(),
        kind: "oauth2".into(),
        audience: vec![digest.into()],
        digest: digest.into(),
    }
}

async fn enter(records: &SealedRecords, digest: &str, token: &str) {
    let fields = CredentialFields {
        public: BTreeMap::from([("client_id".into(), "shop".into())]),
        secret: BTreeMap::from([(field::REFRESH_TOKEN.into(), Plaintext::new(token.as_bytes().to_vec()))]),
    };
    let entered = EnteredCredential {
        name: NAME.into(),
        binding: binding(digest),
        settings: serde_json::Value::Null,
        fields,
        expires_ms: None,
        by: "ada".into(),
    };
    records.enter_credential(entered).await.unwrap();
}

fn kept(records: &Arc<SealedRecords>) -> Kept {
    let ask = CredentialAsk {
        name: "api".into(),
        kind: oauth2(),
        audience: Vec::new(),
        one_of: None,
        optional: false,
        reveal: false,
        reason: None,
        fields: BTreeMap::new(),
    };
    let granted = Granted { ask, binding: binding("https://a.test") };
    Kept::new(Arc::clone(records), HashMap::from([(NAME.to_owned(), granted)]), Arc::default())
}

fn refreshed(seen: &Material) -> Material {
    let secret = |text: &str| Secret::new(text.to_owned());
    let fresh = seen.clone().with(field::ACCESS_TOKEN, secret("a2")).with(field::REFRESH_TOKEN, secret("r2"));
    fresh.with(field::EXPIRES_AT, secret("1800000000")).with("odd", secret("whatever this is"))
}

#[tokio::test]
async fn what_was_renewed_is_kept_and_what_is_not_known_to_be_public_is_secret() {
    let folder = tempfile::tempdir().unwrap();
    let records = records(&folder).await;
    enter(&records, "https://a.test", "r1").await;
    let kept = kept(&records);
    let first = kept.material(NAME).await.unwrap();
    assert_eq!((first.get("client_id"), first.get(field::REFRESH_TOKEN)), (Some("shop"), Some("r1")));
    kept.mark(NAME, first.generation()).await.unwrap();
    assert!(kept.material(NAME).await.unwrap().is_redeeming());
    let generation = kept.persist(NAME, first.generation(), refreshed(&first)).await.unwrap();
    let second = kept.material(NAME).await.unwrap();
    assert_eq!((second.generation(), second.is_redeeming()), (generation, false));
    assert_eq!((second.get(field::ACCESS_TOKEN), second.get(field::REFRESH_TOKEN)), (Some("a2"), Some("r2")));
    let told = records.credential(NAME).await.unwrap();
    assert_eq!(told.public.keys().collect::<Vec<_>>(), ["client_id", field::EXPIRES_AT]);
    assert!(told.secret.iter().eq([field::ACCESS_TOKEN, "odd", field::REFRESH_TOKEN]), "{:?}", told.secret);
    assert_eq!(told.expires_ms, Some(1_800_000_000_000));
    kept.redeemed(NAME, true);
    let text = kept.measures.text(measures::Standing::default());
    assert!(text.contains("cofferdam_credential_refreshes_total{which=\"renewed\"} 1"), "{text}");
    let late = kept.persist(NAME, first.generation(), refreshed(&first)).await;
    assert!(matches!(late, Err(StoreError::Superseded)));
}

#[tokio::test]
async fn what_is_changed_in_the_middle_of_a_run_counts_from_the_next_request() {
    let folder = tempfile::tempdir().unwrap();
    let records = records(&folder).await;
    let kept = kept(&records);
    assert!(matches!(kept.material(NAME).await, Err(StoreError::Missing)));
    enter(&records, "https://a.test", "r1").await;
    let first = kept.material(NAME).await.unwrap().generation();
    enter(&records, "https://a.test", "r9").await;
    assert_eq!(kept.material(NAME).await.unwrap().get(field::REFRESH_TOKEN), Some("r9"));
    assert!(matches!(kept.mark(NAME, first).await, Err(StoreError::Superseded)));
    enter(&records, "https://evil.test", "r9").await;
    assert!(
        matches!(kept.material(NAME).await, Err(StoreError::Rebound { .. })),
        "entered for another audience"
    );
    records.revoke_credential(NAME).await.unwrap();
    assert!(matches!(kept.material(NAME).await, Err(StoreError::Missing)));
    assert!(
        matches!(kept.material("other").await, Err(StoreError::Missing)),
        "not granted to this connection"
    );
    assert!(matches!(kept.persist(NAME, Generation(1), Material::default()).await, Err(StoreError::Missing)));
}
