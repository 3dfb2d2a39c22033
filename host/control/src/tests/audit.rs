//! Logs as the rest of control uses them.

use super::world::{Dying, HOUR_MS, World, contains};
use crate::audit::{Log, PersonalFields, Remembered, verify_consistency, verify_inclusion};
use crate::{Act, Audit, Event, INSTALLATION};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use storage::Change;

const ADDRESS: &str = "ada@canary.example";

fn event(number: u64) -> Event {
    let event = Event::done(Act::RoleChanged, "usr_1", "usr_2").detail("number", number.to_string());
    event.personal("usr_2", &[("email", ADDRESS)])
}

pub(super) async fn filled(world: &World, entries: u64) -> Audit {
    let audit = world.audit().await;
    for number in 0..entries {
        audit.append(&Log::installation(), &event(number)).await.unwrap();
    }
    audit
}

#[tokio::test]
async fn entries_are_read_as_they_were_put_and_in_their_order() {
    let world = World::new();
    let audit = filled(&world, 5).await;
    let read = audit.read(&Log::installation(), 2, 2).await.unwrap();
    let told: Vec<_> = read.iter().map(|entry| (entry.number, entry.details["number"].as_str())).collect();
    assert_eq!(told, [(2, "2"), (3, "3")]);
    assert_eq!((read[0].act.as_str(), read[0].actor.as_str()), ("role_changed", "usr_1"));
    let PersonalFields::Of(personal) = &read[0].personal else { panic!("not readable") };
    assert_eq!((personal.person.as_str(), personal.fields["email"].as_str()), ("usr_2", ADDRESS));
    assert!(audit.read(&Log::installation(), 5, 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_log_goes_on_in_the_next_process_under_the_same_key() {
    let world = World::new();
    let audit = filled(&world, 3).await;
    let (key, note) = (audit.key().clone(), audit.checkpoint(&Log::installation()).await.unwrap());
    drop(audit);
    let audit = world.audit().await;
    assert_eq!(*audit.key(), key);
    assert_eq!(audit.append(&Log::installation(), &event(3)).await.unwrap().number, 3);
    assert_eq!(audit.hold_against(&Log::installation(), &note).await.unwrap(), Remembered::Fits);
}

#[tokio::test]
async fn every_entry_is_proved_to_be_in_the_log_and_every_checkpoint_to_be_its_beginning() {
    let world = World::new();
    let (audit, log) = (world.audit().await, Log::installation());
    let mut heads = vec![audit.head(&log).await.unwrap()];
    for number in 0..21 {
        heads.push(audit.append(&log, &event(number)).await.unwrap().head);
    }
    let lines = audit.lines(&log, 0, 100).await.unwrap();
    for size in 1..=21_u64 {
        let head = &heads[usize::try_from(size).unwrap()];
        for (number, line) in &lines[..usize::try_from(size).unwrap()] {
            let proof = audit.prove_inclusion(&log, *number, size).await.unwrap();
            let leaf = Sha256::new().chain_update([0]).chain_update(line).finalize().into();
            assert!(verify_inclusion(&leaf, *number, size, &proof.path, &head.root), "{number} of {size}");
        }
        for earlier in &heads[..=usize::try_from(size).unwrap()] {
            let proof = audit.prove_consistency(&log, earlier.size, size).await.unwrap();
            assert!(verify_consistency((earlier.size, &earlier.root), (size, &head.root), &proof.path));
        }
    }
    let beyond = audit.prove_inclusion(&log, 21, 21).await.unwrap_err();
    assert_eq!(beyond.code(), "CD1208");
    assert_eq!(audit.prove_consistency(&log, 0, 22).await.unwrap_err().code(), "CD1208");
}

#[tokio::test]
async fn logs_of_organizations_are_apart() {
    let world = World::new();
    let storage = world.storage().await;
    for organization in ["org_a", "org_b"] {
        storage.create_organization(organization).await.unwrap();
    }
    let audit = Audit::open(storage).await.unwrap();
    let (a, b) = (Log::of("org_a"), Log::of("org_b"));
    audit.append(&a, &event(1)).await.unwrap();
    assert_eq!(audit.append(&b, &event(2)).await.unwrap().number, 0);
    assert_eq!(
        (audit.head(&a).await.unwrap().size, audit.head(&Log::installation()).await.unwrap().size),
        (1, 0)
    );
    let note = audit.checkpoint(&a).await.unwrap();
    assert_eq!(audit.hold_against(&b, &note).await.unwrap_err().code(), "CD1207");
}

#[tokio::test]
async fn a_shredded_organization_leaves_hashes_that_fit_and_fields_that_nobody_reads() {
    let world = World::new();
    let storage = world.storage().await;
    storage.create_organization("org_a").await.unwrap();
    let (audit, log) = (Audit::open(Arc::clone(&storage)).await.unwrap(), Log::of("org_a"));
    for number in 0..3 {
        audit.append(&log, &event(number)).await.unwrap();
    }
    let note = audit.checkpoint(&log).await.unwrap();
    storage.delete_organization("org_a").await.unwrap();
    assert_eq!(audit.hold_against(&log, &note).await.unwrap(), Remembered::Fits);
    let read = audit.read(&log, 0, 10).await.unwrap();
    assert_eq!(read.len(), 3);
    assert!(read.iter().all(|entry| matches!(entry.personal, PersonalFields::Shredded { .. })));
    assert_eq!(read[2].actor, "usr_1");
}

#[tokio::test]
async fn a_person_that_is_forgotten_is_forgotten_alone_and_for_good() {
    let world = World::new();
    let audit = filled(&world, 2).await;
    let log = Log::installation();
    let other = Event::done(Act::LoggedIn, "usr_3", "usr_3").personal("usr_3", &[("email", "x@example")]);
    audit.append(&log, &other).await.unwrap();
    audit.forget_person(&log, "usr_2").await.unwrap();
    let readable = async || {
        let read = audit.read(&log, 0, 10).await.unwrap();
        read.iter().map(|entry| matches!(entry.personal, PersonalFields::Of(_))).collect::<Vec<_>>()
    };
    assert_eq!(readable().await, [false, false, true]);
    // A later entry draws a new key, which opens nothing from before.
    audit.append(&log, &event(9)).await.unwrap();
    assert_eq!(readable().await, [false, false, true, true]);
}

#[tokio::test]
async fn personal_fields_outlive_the_rotation_of_keys() {
    let world = World::new();
    let audit = filled(&world, 2).await;
    let storage = Arc::clone(&audit.keeper.storage);
    audit.forget_person(&Log::installation(), "usr_none").await.unwrap();
    storage.with_keyring_mut(|keyring| keyring.rotate_organization(INSTALLATION).map(|_| ())).await.unwrap();
    world.clock.pass(30 * HOUR_MS);
    storage.erase_now(INSTALLATION).await.unwrap();
    let read = audit.read(&Log::installation(), 0, 10).await.unwrap();
    assert!(read.iter().all(|entry| matches!(entry.personal, PersonalFields::Of(_))));
}

#[tokio::test]
async fn who_append_at_once_get_numbers_of_their_own_and_one_tree() {
    let world = World::new();
    let audit = Arc::new(world.audit().await);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100 {
        let audit = Arc::clone(&audit);
        tasks.spawn(async move { audit.append(&Log::installation(), &event(number)).await.unwrap().number });
    }
    let mut numbers = tasks.join_all().await;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    let checked = super::audit_files::verify(&audit, &[]).await;
    assert_eq!((checked.entries, checked.findings), (100, vec![]));
}

#[tokio::test]
async fn two_processes_append_to_one_log() {
    let world = World::over(Dying::new(false));
    let storage = world.storage().await;
    let one = Arc::new(Audit::open(Arc::clone(&storage)).await.unwrap());
    let other = Arc::new(Audit::open(storage).await.unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..60 {
        let audit = Arc::clone(if number % 2 == 0 { &one } else { &other });
        tasks.spawn(async move { audit.append(&Log::installation(), &event(number)).await.unwrap() });
    }
    tasks.join_all().await;
    let checked = super::audit_files::verify(&one, &[]).await;
    assert_eq!((checked.entries, checked.findings), (60, vec![]));
}

#[tokio::test]
async fn an_entry_and_its_change_are_true_together_or_not_at_all() {
    let world = World::new();
    let (audit, log) = (world.audit().await, Log::installation());
    let table = crate::tables::AUDIT_PERSONS;
    let change = || Change::new(INSTALLATION).expect(table, b"k", None);
    let put = || change().put(table, b"k", storage::Life::Standing, b"v".to_vec());
    audit.append_with(&log, &event(0), put()).await.unwrap();
    let error = audit.append_with(&log, &event(1), put()).await.unwrap_err();
    assert_eq!(error.code(), "CD1001");
    assert_eq!(audit.head(&log).await.unwrap().size, 1);
}

#[tokio::test]
async fn an_entry_that_is_data_is_refused() {
    let world = World::new();
    let (audit, log) = (world.audit().await, Log::installation());
    let error = audit.append(&log, &event(0).detail("rows", "x".repeat(20_000))).await.unwrap_err();
    assert_eq!(error.code(), "CD1203");
    assert_eq!(audit.head(&log).await.unwrap().size, 0);
}

#[tokio::test]
async fn neither_engine_nor_export_hold_who_somebody_is() {
    let world = World::new();
    let audit = filled(&world, 3).await;
    let export = super::audit_files::export(&audit).await;
    assert!(!contains(&world.bytes().await, "canary"));
    assert!(contains(&export, "usr_2") && !contains(&export, "canary"));
    // Under its key an entry holds the address only where it is sealed once more.
    for (_, line) in audit.lines(&Log::installation(), 0, 10).await.unwrap() {
        assert!(!contains(&line, "canary"));
    }
}
