//! The bytes of components.

use super::connections::{SHOP, Workshop, code};
use super::organizations::House;
use super::world::{Dying, World};
use crate::components::digest_of;
use crate::tables::{COMPONENT_BYTES, Key};
use crate::{COMPONENT_BYTES_MAX, Components, INSTALLATION, Installations, Organizations};
use std::sync::Arc;
use storage::{Change, Life};

/// More than one chunk of storage.
fn component() -> (String, Vec<u8>) {
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
    (digest_of(&bytes), bytes)
}

impl Workshop {
    fn components(&self) -> Components {
        Components::new(Arc::clone(&self.organizations))
    }

    /// As it lies in storage, without the record beside it.
    async fn has_bytes(&self, digest: &str) -> bool {
        let keeper = &self.organizations.keeper;
        keeper.get(INSTALLATION, COMPONENT_BYTES, &Key::of(digest)).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn a_component_is_kept_once_and_goes_with_its_last_installation() {
    let world = World::new();
    let shop = world.workshop().await;
    let (House { admin, acme, .. }, components) = (&shop.house, shop.components());
    let (other, eve) = shop.house.other().await;
    let (digest, bytes) = component();
    assert_eq!(code(components.get(&digest).await), "CD1253");
    components.put(&digest, &bytes).await.unwrap();
    components.put(&digest, &bytes).await.unwrap();
    assert_eq!(components.get(&digest).await.unwrap(), bytes);
    for (by, organization) in [(admin, acme), (&eve, &other.id)] {
        shop.installations.install(by, organization, &digest, SHOP).await.unwrap();
    }
    components.remove_unused(&digest).await.unwrap();
    shop.installations.remove(admin, acme, &digest).await.unwrap();
    assert_eq!(components.get(&digest).await.unwrap(), bytes);
    shop.organizations.mend().await.unwrap();
    shop.installations.remove(&eve, &other.id, &digest).await.unwrap();
    assert!(!components.has(&digest).await.unwrap() && !shop.has_bytes(&digest).await);
}

#[tokio::test]
async fn what_is_too_large_or_has_another_digest_is_not_kept() {
    let world = World::new();
    let shop = world.workshop().await;
    let components = shop.components();
    let (digest, bytes) = component();
    let large = vec![0; COMPONENT_BYTES_MAX + 1];
    assert_eq!(code(components.put(&digest_of(&large), &large).await), "CD1267");
    assert_eq!(code(components.put(&digest, &bytes[1..]).await), "CD1257");
    assert!(!components.has(&digest).await.unwrap());
    components.put(&digest, &bytes).await.unwrap();
    let other =
        Change::new(INSTALLATION).put(COMPONENT_BYTES, Key::of(&digest), Life::Standing, b"another".to_vec());
    shop.organizations.keeper.storage.commit(other).await.unwrap();
    assert_eq!(code(components.get(&digest).await), "CD1201");
}

#[tokio::test]
async fn the_largest_component_is_kept() {
    let world = World::new();
    let shop = world.workshop().await;
    let largest = vec![7; COMPONENT_BYTES_MAX];
    let digest = digest_of(&largest);
    shop.components().put(&digest, &largest).await.unwrap();
    assert!(shop.components().get(&digest).await.unwrap() == largest);
}

#[tokio::test]
async fn a_component_of_a_deleted_organization_goes_with_it() {
    let world = World::new();
    let shop = world.workshop().await;
    let (House { admin, acme, .. }, components) = (&shop.house, shop.components());
    let (digest, bytes) = component();
    components.put(&digest, &bytes).await.unwrap();
    shop.installations.install(admin, acme, &digest, SHOP).await.unwrap();
    shop.organizations.request_deletion(admin, acme, "Acme").await.unwrap();
    world.clock.pass(73 * super::world::HOUR_MS);
    shop.organizations.confirm_deletion(admin, acme, "Acme").await.unwrap();
    assert!(!components.has(&digest).await.unwrap() && !shop.has_bytes(&digest).await);
}

#[tokio::test]
async fn what_is_installed_while_it_is_to_be_removed_stays() {
    let world = World::new();
    let shop = world.workshop().await;
    let (House { admin, acme, .. }, components) = (&shop.house, shop.components());
    let (digest, bytes) = component();
    components.put(&digest, &bytes).await.unwrap();
    let seen = shop.organizations.unused_component(&digest).await.unwrap().unwrap();
    shop.installations.install(admin, acme, &digest, SHOP).await.unwrap();
    shop.organizations.remove_component(&digest, &seen).await.unwrap();
    assert_eq!(components.get(&digest).await.unwrap(), bytes);
}

#[tokio::test]
async fn of_a_removal_and_an_installing_at_once_the_component_stays_with_who_has_it() {
    let world = World::over(Dying::new(false));
    let shop = world.workshop().await;
    let (House { admin, acme, .. }, components) = (&shop.house, shop.components());
    let (other, eve) = shop.house.other().await;
    let (digest, bytes) = component();
    for round in 0..20 {
        components.put(&digest, &bytes).await.unwrap();
        shop.installations.install(admin, acme, &digest, SHOP).await.unwrap();
        let upload = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            components.put(&digest, &bytes).await.unwrap();
            shop.installations.install(&eve, &other.id, &digest, SHOP).await.unwrap();
            // As whoever installs does: it may have been removed between the two.
            components.put(&digest, &bytes).await.unwrap();
        };
        let (removed, ()) = tokio::join!(shop.installations.remove(admin, acme, &digest), upload);
        removed.unwrap();
        assert_eq!(components.get(&digest).await.unwrap(), bytes, "{round}");
        shop.installations.remove(&eve, &other.id, &digest).await.unwrap();
        assert!(!components.has(&digest).await.unwrap(), "{round}");
    }
}

#[tokio::test]
async fn wherever_a_process_dies_an_installation_has_its_component_and_nothing_else_stays() {
    let (digest, bytes) = component();
    for keeps_the_last in [false, true] {
        for commits in 0.. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let shop = world.workshop().await;
            let (admin, acme) = (shop.house.admin.clone(), shop.house.acme.clone());
            engine.die_after(commits);
            let has_died = async {
                shop.components().put(&digest, &bytes).await?;
                shop.installations.install(&admin, &acme, &digest, SHOP).await?;
                shop.installations.remove(&admin, &acme, &digest).await
            }
            .await
            .is_err();
            engine.revive();
            drop(shop);
            // Another process, which begins with what the last one has left.
            let users = Arc::new(world.users().await);
            let organizations = Arc::new(Organizations::new(users, super::organizations::region("eu-1")));
            organizations.mend().await.unwrap();
            let components = Components::new(Arc::clone(&organizations));
            let installations = Installations::new(organizations);
            match installations.get(&admin, &acme, &digest).await {
                Ok(_) => assert_eq!(components.get(&digest).await.unwrap(), bytes, "{commits}"),
                Err(error) => {
                    assert_eq!(error.code(), "CD1253");
                    assert!(!components.has(&digest).await.unwrap(), "{commits}");
                    assert_eq!(code(components.get(&digest).await), "CD1253", "{commits}");
                }
            }
            if !has_died {
                assert!(commits >= 6, "so many commits are to be swept over: {commits}");
                break;
            }
        }
    }
}
