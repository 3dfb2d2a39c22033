//! Installed connectors and connections.

use super::organizations::{House, region};
use super::world::{Dying, World, contains};
use crate::tables::{CONNECTION_BODIES, Key};
use crate::{
    CatalogField, CatalogStream, Connection, ConnectionConfig, Connections, Consent, Error, Grantable,
    Installations, MemberRole, Organizations,
};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::Range;

/// A source and destination with a host that comes from the configuration, and a credential for it.
pub(super) const SHOP: &str = r#"
manifest = 1
name = "shop"
publisher = "acme"
version = "1.2.0"
contract = "0.1.0"
roles = ["source", "destination"]
title = "Shop"

[[asks.hosts]]
url = "https://${config.subdomain}.shop.example"

[[asks.credentials]]
name = "api"
kind = "bearer"
audience = [{ url = "https://${config.subdomain}.shop.example" }]

[[asks.directories]]
name = "data"
access = "read"
optional = true

[[asks.directories]]
name = "out"
access = "write"
optional = true

[config]
type = "object"
required = ["subdomain"]
additionalProperties = false
properties.subdomain = { type = "string", minLength = 1 }
properties.page_size = { type = "integer", maximum = 500 }
"#;

pub(super) fn digest(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// What works over the organizations of a house.
pub(super) struct Workshop {
    pub(super) house: House,
    pub(super) organizations: Arc<Organizations>,
    pub(super) installations: Installations,
    pub(super) connections: Connections,
}

impl World {
    pub(super) async fn workshop(&self) -> Workshop {
        let house = self.house().await;
        let users = Arc::clone(&house.organizations.users);
        let organizations = Arc::new(Organizations::new(users, region("eu-1")));
        let installations = Installations::new(Arc::clone(&organizations));
        let connections = Connections::new(Arc::clone(&organizations), Default::default());
        let shop = Workshop { house, organizations, installations, connections };
        shop.install('a', SHOP).await.unwrap();
        shop
    }
}

pub(super) fn config(name: &str, subdomain: &str) -> ConnectionConfig {
    let config = json!({ "subdomain": subdomain });
    ConnectionConfig { name: name.to_owned(), installation: digest('a'), config }
}

impl Workshop {
    pub(super) async fn install(&self, digit: char, manifest: &str) -> Result<(), Error> {
        let House { admin, acme, .. } = &self.house;
        self.installations.install(admin, acme, &digest(digit), manifest).await.map(|_| ())
    }

    pub(super) async fn connect(&self, name: &str) -> Connection {
        let House { admin, acme, .. } = &self.house;
        self.connections.create(admin, acme, config(name, "eu")).await.unwrap()
    }

    async fn update(&self, at: (&str, u64), wanted: ConnectionConfig) -> Result<Connection, Error> {
        self.connections.update(&self.house.admin, &self.house.acme, at, wanted).await
    }

    pub(super) async fn consent(&self, at: (&str, u64), consent: Value) -> Result<Connection, Error> {
        let consent: Consent = serde_json::from_value(consent).unwrap();
        self.connections.consent(&self.house.admin, &self.house.acme, at, consent).await
    }

    async fn bodies(&self, id: &str) -> usize {
        let owner = self.organizations.owner(&self.house.acme);
        let range = Range { prefix: &Key::of(id), after: None, limit: 100 };
        self.organizations.keeper.page(&owner, CONNECTION_BODIES, range).await.unwrap().len()
    }

    pub(super) async fn acts(&self) -> Vec<String> {
        let log = self.organizations.log(&self.house.acme);
        let read = self.organizations.audit.read(&log, 0, 1_000).await.unwrap();
        read.into_iter().map(|entry| entry.act).collect()
    }
}

pub(super) fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "done")
}

/// A consent to one host.
fn host(url: &str) -> Value {
    let shop =
        manifest::Manifest::parse("connector.toml", &SHOP.replace("${config.subdomain}", url)).unwrap();
    json!({ "hosts": shop.asks.hosts })
}

#[tokio::test]
async fn a_connector_is_installed_by_an_admin_once_and_removed_when_nothing_uses_it() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { admin, acme, operator, .. } = &shop.house;
    let user = shop.house.join("ada@acme.example", MemberRole::User).await;
    let installations = &shop.installations;
    assert_eq!(code(installations.install(&user, acme, &digest('b'), SHOP).await), "CD1242");
    assert_eq!(code(installations.install(admin, acme, "sha256:aa", SHOP).await), "CD1257");
    assert_eq!(code(installations.install(admin, acme, &digest('b'), "manifest = 1").await), "CD1256");
    assert_eq!(code(shop.install('a', SHOP).await), "done");
    let listed = installations.list(operator, acme, None, 10).await.unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].manifest.title, "Shop");

    let connection = shop.connect("Shop").await;
    assert_eq!(code(installations.remove(admin, acme, &digest('a')).await), "CD1255");
    let at = (connection.id.as_str(), connection.revision);
    shop.connections.delete(admin, acme, at).await.unwrap();
    installations.remove(admin, acme, &digest('a')).await.unwrap();
    assert_eq!(code(installations.get(admin, acme, &digest('a')).await), "CD1253");
    assert_eq!(code(shop.connections.create(admin, acme, config("Shop", "eu")).await), "CD1253");
}

#[tokio::test]
async fn every_fault_of_a_configuration_is_told_at_its_place_and_nothing_is_kept() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { admin, acme, .. } = &shop.house;
    let wrong = json!({ "subdomian": "eu", "page_size": 900 });
    let wanted = ConnectionConfig { config: wrong, ..config("Shop", "eu") };
    let error = shop.connections.create(admin, acme, wanted).await.unwrap_err();
    let told = error.to_string();
    for part in ["`subdomain` is missing", "did you mean `subdomain`?", "/page_size: "] {
        assert!(told.contains(part), "{told}");
    }
    // No label of a name: it would stand for another host.
    for subdomain in ["evil.example/", "a.b", "*"] {
        let answer = shop.connections.create(admin, acme, config("Shop", subdomain)).await;
        assert_eq!(code(answer), "CD1258", "{subdomain}");
    }
    assert_eq!(code(shop.connections.create(admin, acme, config("\n", "eu")).await), "CD1245");
    assert!(shop.connections.list(admin, acme, None, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_change_names_the_revision_that_it_was_made_of() {
    let world = World::new();
    let shop = world.workshop().await;
    let made = shop.connect("Shop").await;
    let changed = shop.update((&made.id, 1), config("Shop", "us")).await.unwrap();
    assert_eq!((changed.revision, changed.config["subdomain"].as_str()), (2, Some("us")));
    assert_eq!(code(shop.update((&made.id, 1), config("Shop", "asia")).await), "CD1254");
    let House { admin, acme, .. } = &shop.house;
    assert_eq!(code(shop.connections.delete(admin, acme, (&made.id, 1)).await), "CD1254");
    assert_eq!(shop.connections.get(admin, acme, &made.id).await.unwrap(), changed);
    assert_eq!(shop.bodies(&made.id).await, 1);
    shop.connections.delete(admin, acme, (&made.id, 2)).await.unwrap();
    assert_eq!(shop.bodies(&made.id).await, 0);
    let acts = shop.acts().await;
    assert_eq!(acts[acts.len() - 3..], ["connection_created", "connection_changed", "connection_deleted"]);
}

#[tokio::test]
async fn of_two_changes_of_one_revision_one_is_made() {
    let world = World::over(Dying::new(false));
    let shop = world.workshop().await;
    for round in 1..20 {
        let made = shop.connect("Shop").await;
        let (one, other) = tokio::join!(
            shop.update((&made.id, 1), config("one", "us")),
            shop.update((&made.id, 1), config("other", "asia"))
        );
        assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{round}");
        let refused = if one.is_ok() { other } else { one };
        assert_eq!(code(refused), "CD1254", "{round}");
        assert_eq!(shop.bodies(&made.id).await, 1, "{round}");
    }
}

#[tokio::test]
async fn a_host_that_is_changed_is_not_granted_and_wants_its_credential_again() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { admin, acme, .. } = &shop.house;
    let made = shop.connect("Shop").await;
    assert!(made.consent.is_none() && !made.consent_is_current && !made.credentials[0].is_current);
    let consented = shop.consent((&made.id, 1), host("eu")).await.unwrap();
    assert!(consented.consent_is_current);

    let enter = shop.connections.credential_to_enter(admin, acme, &made.id, "api").await.unwrap();
    assert!(manifest::is_stored_name(&enter.stored), "{}", enter.stored);
    assert_eq!(enter.ask.audience[0].to_string(), "https://eu.shop.example");
    // Changed before the credential was kept: what it was entered for is not what is asked now.
    shop.update((&made.id, 2), config("Shop", "us")).await.unwrap();
    let note = shop.connections.note_entered(admin, acme, (&made.id, enter.revision), "api").await;
    assert_eq!(code(note), "CD1254");
    shop.update((&made.id, 3), config("Shop", "eu")).await.unwrap();
    let noted = shop.connections.note_entered(admin, acme, (&made.id, 4), "api").await.unwrap();
    assert!(noted.consent_is_current && noted.credentials[0].is_current);
    assert_eq!(noted.credentials[0].entered.as_ref().unwrap().by, *admin);

    let moved = shop.update((&made.id, 5), config("Shop", "us")).await.unwrap();
    assert!(!moved.consent_is_current && !moved.credentials[0].is_current);
    assert_eq!(moved.consent.unwrap().hosts[0].pattern.to_string(), "https://eu.shop.example");
    let revoked = shop.connections.note_revoked(admin, acme, &made.id, "api").await.unwrap();
    assert!(revoked.credentials[0].entered.is_none());
    assert_eq!(code(shop.connections.note_revoked(admin, acme, &made.id, "api").await), "CD1253");
    assert_eq!(code(shop.connections.credential_to_enter(admin, acme, &made.id, "other").await), "CD1253");
}

#[tokio::test]
async fn an_admin_grants_hosts_by_name_and_no_address_that_the_operator_does_not_allow() {
    let world = World::new();
    let mut shop = world.workshop().await;
    let made = shop.connect("Shop").await;
    let address = json!({ "addresses": [{ "network": "10.1.0.0/16", "port": 5432 }] });
    let rows = [
        (host("${config.subdomain}"), "/hosts/0: "),
        (address.clone(), "/addresses/0: "),
        (json!({ "reveal": ["api"] }), "/reveal/api: "),
    ];
    for (consent, place) in rows {
        let error = shop.consent((&made.id, 1), consent).await.unwrap_err();
        assert!(error.code() == "CD1259" && error.to_string().contains(place), "{error}");
    }
    let addresses = serde_json::from_value(json!([{ "network": "10.0.0.0/8", "port": 5432 }])).unwrap();
    let allowed = Grantable { addresses, ..Grantable::default() };
    shop.connections = Connections::new(Arc::clone(&shop.organizations), allowed);
    assert!(shop.consent((&made.id, 1), address).await.is_ok());
    let other = json!({ "addresses": [{ "network": "10.1.0.0/16", "port": 22 }] });
    assert_eq!(code(shop.consent((&made.id, 2), other).await), "CD1259");
    assert!(shop.consent((&made.id, 2), json!({})).await.unwrap().consent.is_none());

    let user = shop.house.join("ada@acme.example", MemberRole::User).await;
    let denied = shop.connections.consent(&user, &shop.house.acme, (&made.id, 3), Consent::default()).await;
    assert_eq!(code(denied), "CD1242");
    let acts = shop.acts().await;
    let of = |act: &str| acts.iter().filter(|found| *found == act).count();
    assert_eq!((of("consent_granted"), of("consent_revoked")), (1, 1));
}

#[tokio::test]
async fn an_operator_sees_names_and_types_and_an_outsider_nothing() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { operator, acme, .. } = &shop.house;
    let made = shop.connect("Shop").await;
    let field = CatalogField { name: "total".into(), data_type: "decimal".into(), nullable: false };
    let orders = CatalogStream {
        name: "orders".into(),
        group: "orders".into(),
        fields: vec![field],
        key: vec!["id".into()],
        incremental: true,
    };
    assert_eq!(shop.connections.catalog(operator, acme, &made.id).await.unwrap(), None);
    let stale = shop.connections.keep_catalog(acme, (&made.id, 9), vec![orders.clone()]).await;
    assert_eq!(code(stale), "CD1254");
    let kept = shop.connections.keep_catalog(acme, (&made.id, 1), vec![orders]).await.unwrap();
    assert_eq!(shop.connections.catalog(operator, acme, &made.id).await.unwrap(), Some(kept));
    assert_eq!(shop.connections.list(operator, acme, None, 10).await.unwrap().items[0].name, "Shop");
    assert_eq!(code(shop.connections.get(operator, acme, &made.id).await), "CD1242");

    let (other, eve) = shop.house.other().await;
    for answer in [
        code(shop.connections.get(&eve, acme, &made.id).await),
        code(shop.connections.list(&eve, acme, None, 10).await),
        code(shop.connections.catalog(&eve, acme, &made.id).await),
        code(shop.connections.create(&eve, acme, config("Shop", "eu")).await),
    ] {
        assert_eq!(answer, "CD1240");
    }
    assert_eq!(code(shop.connections.get(&eve, &other.id, &made.id).await), "CD1253");
    let bytes = world.bytes().await;
    assert!(!contains(&bytes, "subdomain") && !contains(&bytes, "decimal"));
}

#[tokio::test]
async fn a_list_comes_in_parts_and_has_each_connection_once() {
    let world = World::new();
    let shop = world.workshop().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(shop.connect(&format!("Shop {number}")).await.id);
    }
    made.sort_unstable();
    let (mut listed, mut after) = (Vec::new(), None::<String>);
    loop {
        let House { admin, acme, .. } = &shop.house;
        let page = shop.connections.list(admin, acme, after.as_deref(), 3).await.unwrap();
        assert!(page.items.len() <= 3);
        listed.extend(page.items.into_iter().map(|connection| connection.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, made);
}

#[tokio::test]
async fn a_connection_is_whole_or_gone_wherever_a_process_dies_while_it_is_changed_and_deleted() {
    for keeps_the_last in [false, true] {
        for commits in 0.. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let shop = world.workshop().await;
            let made = shop.connect("Shop").await;
            let (admin, acme) = (shop.house.admin.clone(), shop.house.acme.clone());
            engine.die_after(commits);
            let died = match shop.update((&made.id, 1), config("Other", "us")).await {
                Ok(_) => shop.connections.delete(&admin, &acme, (&made.id, 2)).await.is_err(),
                Err(_) => true,
            };
            engine.revive();
            shop.organizations.erase_what_is_gone().await.unwrap();
            let installation = shop.installations.get(&admin, &acme, &digest('a')).await.unwrap();
            match shop.connections.get(&admin, &acme, &made.id).await {
                Ok(found) => {
                    let expected = if found.revision == 1 { ("Shop", "eu") } else { ("Other", "us") };
                    assert_eq!((found.name.as_str(), found.config["subdomain"].as_str().unwrap()), expected);
                    assert_eq!(installation.connections, 1, "{commits}");
                }
                Err(error) => {
                    assert_eq!((error.code(), installation.connections), ("CD1253", 0), "{commits}");
                    assert_eq!(shop.bodies(&made.id).await, 0, "{commits}");
                }
            }
            if !died {
                assert!(commits >= 5, "so many commits are to be swept over: {commits}");
                break;
            }
        }
    }
}
