//! Directories of the machine: offered by an operator, granted by an admin, and found by whoever runs a connector.

use super::connections::code;
use super::organizations::House;
use super::world::World;
use crate::{Connections, Grantable, OfferedDirectory};
use manifest::Access;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// A directory that an operator offers.
fn offered(name: &str, access: Access, shared: bool) -> OfferedDirectory {
    let root = Path::new("/srv").join(name);
    OfferedDirectory { name: name.into(), root, access, organizations: None, shared }
}

#[tokio::test]
async fn an_admin_grants_directories_by_the_names_that_the_operator_offers_this_organization() {
    let world = World::new();
    let mut shop = world.workshop().await;
    let made = shop.connect("Shop").await;
    let theirs = OfferedDirectory {
        organizations: Some(["org_globex".to_owned()].into()),
        ..offered("theirs", Access::Write, false)
    };
    let imports = offered("imports", Access::Read, false);
    let directories = vec![imports.clone(), offered("exports", Access::Write, true), theirs];
    let allowed = Grantable { directories, ..Grantable::default() };
    shop.connections = Connections::new(Arc::clone(&shop.organizations), allowed);
    let one = |ask: &str, directory: &str, below: Value, access: &str| {
        let granted = json!({ "directory": directory, "below": below, "access": access });
        json!({ "directories": { ask: granted } })
    };
    let null = Value::Null;
    for (consent, expected) in [
        (one("other", "imports", null.clone(), "read"), "/directories/other: the connector does not ask"),
        (one("data", "imports", null.clone(), "write"), "/directories/data/access: the connector asks only"),
        (one("out", "imports", null.clone(), "write"), "/directories/out/access: the operator"),
        (
            one("data", "theirs", null.clone(), "read"),
            "[[directories]]; name = \"theirs\"; path = \"/…\"; access = \"read\"",
        ),
        (
            one("data", "nothing", null.clone(), "read"),
            "/directories/data/directory: the operator of this server offers",
        ),
        (one("data", "/srv/imports", null.clone(), "read"), "/directories/data/directory: is no name"),
        (one("data", "imports", json!(""), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("/etc"), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("a/../.."), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("a//b"), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("./a"), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("a\u{0}b"), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("a".repeat(256)), "read"), "/directories/data/below: "),
        (one("data", "imports", json!("a/".repeat(600) + "a"), "read"), "/directories/data/below: "),
    ] {
        let error = shop.consent((&made.id, 1), consent).await.unwrap_err();
        assert!(error.code() == "CD1259" && error.to_string().contains(expected), "{expected}: {error}");
        assert!(!error.to_string().contains("/srv/imports"), "where it lies is not told: {error}");
    }
    let both = json!({ "directories": {
        "data": { "directory": "imports", "below": "daily/orders", "access": "read" },
        "out": { "directory": "exports", "access": "write" },
    }});
    shop.consent((&made.id, 1), both).await.unwrap();
    let House { admin, acme, operator, .. } = &shop.house;
    let (said, _) = shop.connections.run_connection(acme, &made.id, "source").await.unwrap();
    let of = |ask: &str| {
        let grant = &said.grants.directories[ask];
        (grant.path.display().to_string(), grant.access, grant.offer.as_ref().unwrap().name.clone())
    };
    assert_eq!(of("data"), (format!("/srv/imports/{acme}/daily/orders"), Access::Read, "imports".into()));
    assert_eq!(of("out"), ("/srv/exports".into(), Access::Write, "exports".into()));

    let names = |all: Vec<OfferedDirectory>| all.into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!(names(shop.connections.offered(admin, acme).await.unwrap()), ["imports", "exports"]);
    assert_eq!(code(shop.connections.offered(operator, acme).await), "CD1242");
    // The next start of the server offers one less, and the other only to be read.
    let left = OfferedDirectory { access: Access::Read, ..offered("exports", Access::Read, true) };
    for (directories, expected) in [(vec![left.clone()], "CD1277"), (vec![], "CD1277")] {
        let allowed = Grantable { directories, ..Grantable::default() };
        let connections = Connections::new(Arc::clone(&shop.organizations), allowed);
        let refused = connections.run_connection(acme, &made.id, "source").await;
        assert_eq!(refused.err().map(|error| error.code()), Some(expected));
    }
    let allowed = Grantable { directories: vec![left, imports], ..Grantable::default() };
    let connections = Connections::new(Arc::clone(&shop.organizations), allowed);
    let (said, _) = connections.run_connection(acme, &made.id, "source").await.unwrap();
    assert_eq!(said.grants.directories["out"].access, Access::Read);
}
