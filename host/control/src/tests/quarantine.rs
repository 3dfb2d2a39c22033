//! Connectors that took workers with them.

use super::connections::{SHOP, code, digest};
use super::organizations::House;
use super::world::World;
use crate::MemberRole;

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn the_third_loss_of_a_day_quarantines_a_connector_until_an_admin_releases_it() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { admin, acme, operator, .. } = &shop.house;
    let user = shop.house.join("ada@acme.example", MemberRole::User).await;
    let (installations, ours) = (&shop.installations, digest('a'));
    let losses = async || installations.losses(acme, &ours).await.unwrap();
    for (hours, how, expected) in [(0, "one", 1), (1, "two", 2), (25, "three", 1), (1, "four", 2)] {
        world.clock.pass(hours * HOUR_MS);
        installations.note_loss(acme, &ours, how).await.unwrap();
        assert_eq!(losses().await, expected, "{how}: a loss counts for a day");
    }
    assert!(!shop.acts().await.contains(&"connector_quarantined".to_owned()));
    installations.note_loss(acme, &ours, "five").await.unwrap();
    assert_eq!(losses().await, 3);
    world.clock.pass(1_000 * HOUR_MS);
    installations.note_loss(acme, &ours, "six").await.unwrap();
    let shown = installations.get(admin, acme, &ours).await.unwrap();
    let told: Vec<&str> = shown.losses.iter().map(|loss| loss.how.as_str()).collect();
    assert_eq!(told, ["three", "four", "five"], "it does not end by itself, and keeps what led to it");

    for who in [&user, operator] {
        assert_eq!(code(installations.release(who, acme, &ours).await), "CD1242");
    }
    assert_eq!(losses().await, 3);
    installations.release(admin, acme, &ours).await.unwrap();
    installations.release(admin, acme, &ours).await.unwrap();
    assert_eq!(losses().await, 0);
    let acts = shop.acts().await;
    let told: Vec<&str> =
        acts.iter().map(String::as_str).filter(|act| act.starts_with("connector_")).collect();
    assert_eq!(told, ["connector_installed", "connector_quarantined", "connector_released"]);
}

#[tokio::test]
async fn another_version_and_a_connector_that_is_installed_again_begin_anew() {
    let world = World::new();
    let shop = world.workshop().await;
    let House { admin, acme, .. } = &shop.house;
    let installations = &shop.installations;
    shop.install('b', &SHOP.replace("1.2.0", "1.2.1")).await.unwrap();
    for _ in 0..3 {
        installations.note_loss(acme, &digest('a'), "how").await.unwrap();
    }
    assert_eq!(installations.losses(acme, &digest('b')).await.unwrap(), 0);
    // Installed once more it is what it was.
    shop.install('a', SHOP).await.unwrap();
    assert_eq!(installations.losses(acme, &digest('a')).await.unwrap(), 3);
    installations.remove(admin, acme, &digest('a')).await.unwrap();
    assert_eq!(code(installations.note_loss(acme, &digest('a'), "how").await), "CD1253");
    shop.install('a', SHOP).await.unwrap();
    assert_eq!(installations.losses(acme, &digest('a')).await.unwrap(), 0);
}

#[tokio::test]
async fn losses_that_are_told_at_one_time_are_all_counted() {
    let world = World::new();
    let shop = world.workshop().await;
    let (acme, ours) = (&shop.house.acme, digest('a'));
    let note = |how| shop.installations.note_loss(acme, &ours, how);
    let (one, two, three) = tokio::join!(note("1"), note("2"), note("3"));
    for told in [one, two, three] {
        told.unwrap();
    }
    assert_eq!(shop.installations.losses(acme, &ours).await.unwrap(), 3);
}
