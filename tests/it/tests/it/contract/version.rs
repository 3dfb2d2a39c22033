//! The contract's version and all that a component says of itself are read from its bytes: no line of it is run.

use crate::harness::{guest_bytes, runtime};
use crate::hostile_wat::build::{Guest, component};
use manifest::Role;
use runtime::{CONTRACTS, Inspection};

#[test]
fn every_guest_tells_its_contract_and_roles_without_an_engine() {
    let roles = |name: &str| {
        let inspection = Inspection::of(&guest_bytes(name)).unwrap();
        assert_eq!((inspection.contract.as_str(), inspection.manifest.name.as_str()), ("0.1.0", name));
        assert!(CONTRACTS.contains(&inspection.contract.as_str()));
        inspection.roles
    };
    assert_eq!(roles("proof"), [Role::Source, Role::Destination, Role::Transform, Role::Webhook]);
    assert_eq!(roles("example-source"), [Role::Source]);
    assert_eq!(roles("example-destination"), [Role::Source, Role::Destination]);
    assert_eq!(roles("example-transform"), [Role::Transform]);
    assert_eq!(roles("example-webhook"), [Role::Webhook]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_never_start_is_judged_all_the_same() {
    let bytes = component(&Guest { module: "(func $start (loop br 0)) (start $start)", ..Guest::default() });
    let inspection = Inspection::of(&bytes).unwrap();
    assert_eq!((inspection.contract.as_str(), &inspection.roles[..]), ("0.1.0", &[Role::Source][..]));
    // Nor does loading run it.
    runtime().load(bytes).await.unwrap();
}
