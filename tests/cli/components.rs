//! Components that must not be run are refused with what is wrong with them.

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::world::{Ran, World};

fn check_with(make: impl FnOnce(&World) -> Vec<u8>) -> Ran {
    let world = World::with(&FAKER_TO_NULL.replace("components/faker.wasm", "odd.wasm"));
    let bytes = make(&world);
    world.file("odd.wasm", bytes);
    let inspected = world.run(&["inspect", "odd.wasm"]);
    let ran = world.run(&["run", "sync.toml"]);
    assert!(inspected.status.is_none_or(|status| status <= 1), "{}", inspected.report());
    ran
}

#[test]
fn a_missing_component_is_named() {
    let world = World::with(&FAKER_TO_NULL.replace("faker.wasm", "fakir.wasm"));
    snapshot!("component-missing", world.run(&["run", "sync.toml"]));
    snapshot!("component-missing-inspect", world.run(&["inspect", "nothing.wasm"]));
}

#[test]
fn a_directory_is_no_component() {
    let world = World::with(&FAKER_TO_NULL.replace("components/faker.wasm", "components"));
    snapshot!("component-directory", world.run(&["run", "sync.toml"]));
}

#[test]
fn text_is_no_component() {
    snapshot!("component-text", check_with(|_| b"#!/bin/sh\n".to_vec()));
}

#[test]
fn a_core_module_is_no_component() {
    snapshot!("component-core-module", check_with(|_| b"\0asm\x01\0\0\0".to_vec()));
}

#[test]
fn a_component_cut_in_the_middle_is_corrupt() {
    let ran = check_with(|world| {
        let mut bytes = world.component("faker.wasm");
        bytes.truncate(bytes.len() / 2);
        bytes
    });
    assert_eq!(ran.status, Some(1));
    assert!(ran.stderr.starts_with("error[CD0403]: the component is corrupt at byte "), "{}", ran.stderr);
    assert!(ran.stderr.contains("odd.wasm"), "{}", ran.stderr);
}

#[test]
fn a_component_in_the_wrong_place_is_told_its_role() {
    let world = World::with(&FAKER_TO_NULL.replace("faker.wasm", "null.wasm"));
    world.edit("streams = [{ name = \"people\", rows = 1_000 }, { name = \"orders\", rows = 200, columns = \"orders\" }]", "");
    snapshot!("component-wrong-role", world.run(&["run", "sync.toml"]));
}

#[test]
fn every_fault_of_a_manifest_is_shown_with_its_place() {
    let manifest = r#"manifest = 1
nmae = "odd"
publisher = "cofferdam"
version = "1.0"
contract = "0.1.0"
roles = ["sauce"]
title = "Odd"

[[asks.hosts]]
url = "https://*.com"
"#;
    let ran = check_with(|world| {
        let mut bytes = world.component("faker.wasm");
        append_section(&mut bytes, "cofferdam:manifest", manifest.as_bytes());
        bytes
    });
    snapshot!("component-manifest-faults", ran);
}

/// A custom section at the end of a component stands for the one inside.
pub(crate) fn append_section(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::new();
    leb128(&mut content, name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    bytes.push(0);
    leb128(bytes, content.len());
    bytes.extend_from_slice(&content);
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        bytes.push(number as u8 & 0x7f | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
