//! Who asks for an organization's records gets the same ones as everybody else, until it is forgotten.

use super::world::World;
use crate::{RecordsByOrganization, Settings};
use std::sync::Arc;

#[tokio::test]
async fn an_organization_has_one_set_of_records_in_a_process() {
    let world = World::new();
    let storage = Arc::clone(&world.open().await.storage);
    let all = RecordsByOrganization::new(storage, Settings::default());
    let local = all.of("local");
    assert!(Arc::ptr_eq(&local, &all.of("local")));
    assert!(!Arc::ptr_eq(&local, &all.of("eu-1/org_2")));
    all.forget("local");
    assert!(!Arc::ptr_eq(&local, &all.of("local")));
}
