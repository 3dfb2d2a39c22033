use vault::DeploymentId;

use super::super::finding::State;
use super::kept::{Kept, Made};
use super::{Finding, Provider, Reading, Seen, Settings, judge};

fn settings(provider: Provider) -> Settings {
    let deployment = DeploymentId::from_bytes([7; 16]);
    Settings { deployment, provider, shred_key: None, export: None, backup: None }
}

fn reading(settings: Option<Settings>) -> Reading {
    let is_there = settings.is_some();
    let seen = Seen { settings: Ok(settings), has_keyring: is_there, has_storage: is_there };
    let made = || Some(Made { path: "safe".into(), made_ms: 0, is_there: true });
    let kept = Kept { now_ms: 0, export: made(), backup: made() };
    Reading { path: "data".into(), seen, files: Vec::new(), kept, user: 1000, has_place: true }
}

#[track_caller]
fn check(reading: &Reading, expected: &[(State, &str)]) {
    let findings: Vec<Finding> = judge(reading);
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
    for (finding, (state, said)) in findings.iter().zip(expected) {
        assert_eq!(finding.state(), *state, "{finding:?}");
        assert!(finding.text().contains(said), "{}", finding.text());
    }
}

#[test]
fn an_empty_machine_needs_a_place_for_a_key_and_nothing_else() {
    check(&reading(None), &[(State::Ok, "no data directory `data` yet")]);
    check(&Reading { has_place: false, ..reading(None) }, &[(State::Warning, "no place for its key")]);
}

#[test]
fn a_directory_that_lost_what_opens_it_is_a_fault() {
    let mut lost = reading(None);
    lost.seen.has_keyring = true;
    check(&lost, &[(State::Fault, "does not say where its keys come from")]);
    let mut lost = reading(Some(settings(Provider::KeyFile { path: "key".into() })));
    lost.seen.has_keyring = false;
    check(&lost, &[(State::Fault, "cofferdam keys import FILE")]);
}

#[test]
fn deletion_erases_where_there_is_a_slot() {
    let key_file = settings(Provider::KeyFile { path: "key".into() });
    check(&reading(Some(key_file)), &[(State::Ok, "sealed under the key file `key`")]);
    let passphrase = settings(Provider::Passphrase { path: None });
    let without = [
        (State::Ok, "sealed under a passphrase"),
        (State::Warning, "FILE --passphrase-file - --shred-key PATH"),
    ];
    check(&reading(Some(passphrase.clone())), &without);
    let slotted = Settings { shred_key: Some("shred".into()), ..passphrase };
    check(&reading(Some(slotted)), &[(State::Ok, "with the shred key in `shred`")]);
}

#[test]
fn a_credential_is_seen_in_its_unit_only() {
    let credential =
        Settings { shred_key: Some("shred".into()), ..settings(Provider::Credential { name: "kek".into() }) };
    let outside = [(State::Ok, "the credential `kek`"), (State::Warning, "not handed to this process")];
    check(&reading(Some(credential)), &outside);
}
