//! Components that must not be loaded: each is refused before a line of it runs, with an error that says what is wrong.

use crate::harness::{guest_bytes, neighbour_works, runtime};
use runtime::{Error, Runtime, Settings};
use std::time::Duration;

/// A component of this text, with the manifest and contract of a source beside it.
fn component(text: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {text}
            (@custom "cofferdam:contract" "0.1.0")
            (@custom "cofferdam:manifest" "manifest = 1\nname = \"test\"\npublisher = \"test\"\nversion = \"0.1.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"Test\"\n"))"#
    );
    wat::parse_str(text).expect("the text is a component")
}

/// An export by the name of a role, without its functions.
const EMPTY_SOURCE: &str = r#"(instance $role) (export "cofferdam:connector/source@0.1.0" (instance $role))"#;

async fn refused(bytes: Vec<u8>) -> Error {
    let Err(error) = runtime().load(bytes).await else { panic!("the component was loaded") };
    error
}

async fn check(bytes: Vec<u8>, code: &str, words: &str) {
    let error = refused(bytes).await;
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_webassembly_are_named_for_what_they_are() {
    check(Vec::new(), "CD0401", "it is empty").await;
    check(b"\x7fELF\x02\x01".to_vec(), "CD0401", "a native program").await;
    check(b"PK\x03\x04abc".to_vec(), "CD0401", "a zip archive").await;
    check(b"<html>404</html>".to_vec(), "CD0401", "HTML").await;
    check(b"(component)".to_vec(), "CD0401", "WebAssembly text").await;
    check(vec![0x42; 100], "CD0401", "first bytes").await;
    check(b"\0as".to_vec(), "CD0401", "first bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_module_is_no_component() {
    check(wat::parse_str("(module)").unwrap(), "CD0402", "wasm32-wasip2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_component_is_refused_wherever_it_is_cut() {
    let whole = guest_bytes("hostile");
    for tenths in 1..10 {
        let cut = whole[..whole.len() * tenths / 10].to_vec();
        let error = refused(cut).await;
        assert!(
            matches!(error, Error::Corrupt { .. } | Error::NoRole | Error::NoManifest),
            "{tenths}/10: {error}"
        );
    }
    for bytes in [8, 9, 20, whole.len() - 1] {
        refused(whole[..bytes].to_vec()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bits_are_refused_or_harmless_and_never_a_crash() {
    let whole = guest_bytes("example-webhook");
    let step = whole.len() / 40;
    for at in (0..whole.len()).step_by(step) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        // Many flips land in code or data and leave a valid component; what counts is that the host answers.
        let _ = runtime().load(bytes).await;
    }
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_after_the_end_are_refused() {
    let mut bytes = guest_bytes("hostile");
    bytes.extend_from_slice(b"more");
    check(bytes, "CD0403", "byte").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_a_role_is_refused() {
    check(component(""), "CD0405", "no role").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_contracts_are_refused_with_the_known_ones() {
    let text = r#"(instance $role) (export "cofferdam:connector/source@9.9.0" (instance $role))"#;
    check(component(text), "CD0406", "speaks contract `9.9.0`, and this host knows 0.1.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_functions_is_refused() {
    check(component(EMPTY_SOURCE), "CD0407", "source").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h30_h31_h32_h54_imports_that_the_contract_lacks_are_refused_by_name() {
    for name in [
        "wasi:observe/metrics@0.2.0",
        "wasi:otel/metrics@0.2.0",
        "wasi:keyvalue/atomics@0.2.0",
        "wasi:keyvalue/batch@0.2.0",
        "wasi:config/store@0.2.0",
        "wasi:config/runtime@0.2.0",
        "wasi:blobstore/container@0.2.0",
        "wasi:messaging/producer@0.2.0",
        "wasi:nn/graph@0.2.0",
        "wasi:threads/spawn@0.2.0",
        "cofferdam:connector/state@0.1.0",
        "cofferdam:connector/metrics@0.1.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:http/incoming-handler@0.2.0",
        "wasi:cli/run@0.2.0",
        "wasi:clocks/monotonic-clock@0.3.0",
        "cofferdam:connector/logging@0.2.0",
        "evil:package/things@1.0.0",
        "things",
    ] {
        let text = format!(r#"(import "{name}" (instance)) {EMPTY_SOURCE}"#);
        check(component(&text), "CD0408", name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_other_types_is_refused() {
    let text = format!(
        r#"(import "cofferdam:connector/run@0.1.0" (instance (export "stop-requested" (func (result string))))) {EMPTY_SOURCE}"#
    );
    check(component(&text), "CD0408", "stop-requested").await;
}

/// A type made of lists of lists, ten thousand deep, in a function that could be called.
#[tokio::test(flavor = "multi_thread")]
async fn h42_types_nested_ten_thousand_deep_are_refused() {
    let types: String = (1..10_000).map(|at| format!("(type $t{at} (list $t{}))", at - 1)).collect();
    let text = format!(
        r#"(type $t0 (list u8)) {types}
        (core module $m (memory (export "memory") 1) (func (export "f") (param i32 i32))
            (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m))
        (func $f (param "x" $t9999)
            (canon lift (core func $i "f") (memory $i "memory") (realloc (func $i "r"))))
        (export "f" (func $f)) {EMPTY_SOURCE}"#
    );
    check(component(&text), "CD0403", "type nesting is too deep").await;
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h54_features_of_webassembly_that_connectors_do_not_need_are_refused() {
    for (module, words) in [
        ("(memory 1 1 shared)", "threads must be enabled"),
        ("(memory 1 (pagesize 1))", "custom page sizes"),
        ("(type $f (func)) (type $c (cont $f))", "stack switching"),
    ] {
        let error = refused(component(&format!("(core module {module}) {EMPTY_SOURCE}"))).await;
        assert!(matches!(error, Error::Corrupt { .. } | Error::Compile { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_its_manifest_or_with_two_is_refused() {
    let none = wat::parse_str(format!("(component {EMPTY_SOURCE})")).unwrap();
    check(none, "CD0409", "no manifest").await;
    let twice = format!(r#"{EMPTY_SOURCE} (@custom "cofferdam:manifest" "manifest = 1")"#);
    check(component(&twice), "CD0409", "2 custom sections").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_says_other_roles_or_has_faults_is_refused() {
    let manifest = r#"manifest = 1\nname = \"Test\"\nrols = []\n"#;
    let text = format!(r#"(component {EMPTY_SOURCE} (@custom "cofferdam:manifest" "{manifest}"))"#);
    check(wat::parse_str(text).unwrap(), "CD0410", "did you mean `roles`").await;
    let text = r#"(instance $role) (export "cofferdam:connector/transform@0.1.0" (instance $role))"#;
    check(component(text), "CD0410", "roles source").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_section_of_another_contract_is_refused() {
    let text = format!(r#"(component {EMPTY_SOURCE} (@custom "cofferdam:contract" "0.0.9"))"#);
    check(wat::parse_str(text).unwrap(), "CD0406", "0.0.9").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h62_compile_bombs_are_refused_before_they_compile() {
    let huge = format!("(core module (func {}))", "(drop (i32.const 1))".repeat(1_000_000));
    check(component(&format!("{huge} {EMPTY_SOURCE}")), "CD0404", "bytes in one function").await;
    let types = format!("(core module {})", "(type (func))".repeat(100_001));
    check(component(&format!("{types} {EMPTY_SOURCE}")), "CD0404", "types").await;
    let functions = format!("(core module (type (func)) {})", "(func (type 0))".repeat(200_001));
    check(component(&format!("{functions} {EMPTY_SOURCE}")), "CD0404", "functions").await;
    let deep = format!("{}{}", "(component ".repeat(20), ")".repeat(20));
    check(component(&format!("{deep} {EMPTY_SOURCE}")), "CD0404", "levels of nesting").await;
    check([b"\0asm\x0d\0\x01\0".as_slice(), &vec![0; 65 << 20]].concat(), "CD0404", "bytes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h62_compiling_ends_at_its_timeout_and_the_host_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path().to_owned());
    settings.compile_timeout = Duration::from_millis(1);
    settings.live_instances = 4;
    let Err(error) = Runtime::new(settings).unwrap().load(guest_bytes("hostile")).await else {
        panic!("in time")
    };
    assert!(matches!(error, Error::CompileTimeout { .. }), "{error}");
    neighbour_works().await;
}

/// A small module that compiles in more than linear time: each block passes a thousand values on, so that the compiler has a
/// thousand new ones for each few bytes.
fn quadratic(blocks: usize) -> Vec<u8> {
    let types = "i32 ".repeat(1000);
    let values = "(i32.const 1)".repeat(1000);
    let (block, drops) = ("(block (type $wide))".repeat(blocks), "(drop)".repeat(1000));
    let text = format!(
        "(core module (type $wide (func (param {types}) (result {types}))) (func {values} {block} {drops}))"
    );
    component(&format!("{text} {EMPTY_SOURCE}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn h62_a_module_whose_compile_time_is_quadratic_ends_at_the_time_limit_and_others_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path().to_owned());
    settings.compile_timeout = Duration::from_millis(500);
    settings.live_instances = 4;
    let bytes = quadratic(4_000);
    assert!(bytes.len() < 150_000, "{} bytes", bytes.len());
    let bomb = Runtime::new(settings).unwrap();
    let loading = tokio::spawn(async move { bomb.load(bytes).await.map(drop) });
    neighbour_works().await;
    let error = loading.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::CompileTimeout { .. }), "{error}");
    assert_eq!(error.code(), "CD0411");
    neighbour_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn h61_compiled_code_is_taken_from_the_cache_and_a_changed_file_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let engine = || {
        let mut settings = Settings::new(directory.path().to_owned());
        settings.live_instances = 4;
        Runtime::new(settings).unwrap()
    };
    let bytes = guest_bytes("hostile");
    engine().load(bytes.clone()).await.unwrap();
    let compiled = || {
        let mut files = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| path.extension().is_some_and(|extension| extension == "compiled")).unwrap()
    };
    let written = std::fs::metadata(compiled()).unwrap().modified().unwrap();
    engine().load(bytes.clone()).await.unwrap();
    assert_eq!(std::fs::metadata(compiled()).unwrap().modified().unwrap(), written, "it was compiled again");
    let mut code = std::fs::read(compiled()).unwrap();
    let middle = code.len() / 2;
    code[middle] ^= 1;
    std::fs::write(compiled(), &code).unwrap();
    engine().load(bytes).await.unwrap();
    assert_ne!(std::fs::read(compiled()).unwrap(), code, "the changed file was taken as it was");
}

/// As a process does that compiles for another one.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_compiled_apart_is_loaded_under_the_key_of_both_and_under_no_other() {
    let bytes = guest_bytes("hostile");
    for pooled in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(directory.path().to_owned());
        (settings.live_instances, settings.pooled) = (4, pooled);
        let engine = Runtime::new(settings).unwrap();
        let code = engine.compiling().compile(&bytes).unwrap();
        let sealed = runtime::seal_code(code, &[7; 32]);
        engine.load_sealed(&bytes, &sealed, &[7; 32]).unwrap();
        let Err(error) = engine.load_sealed(&bytes, &sealed, &[8; 32]) else { panic!("another key") };
        assert!(error.to_string().contains("not compiled by this host"), "{error}");
    }
}

#[test]
fn what_is_compiled_apart_is_linked_there_and_judged_before() {
    let compiling = runtime().compiling();
    let check = |bytes: &[u8], code: &str| {
        let error = compiling.compile(bytes).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    check(&component(EMPTY_SOURCE), "CD0407");
    check(b"(component)", "CD0401");
    let instances = "(core instance (instantiate $m))".repeat(1_000);
    check(&component(&format!("(core module $m) {instances} {EMPTY_SOURCE}")), "CD0404");
}

#[tokio::test(flavor = "multi_thread")]
async fn h61_compiled_code_from_outside_is_never_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path().to_owned());
    settings.live_instances = 4;
    let runtime = Runtime::new(settings).unwrap();
    runtime.load(guest_bytes("hostile")).await.unwrap();
    let compiled = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let compiled = compiled.filter(|path| path.extension().is_some_and(|extension| extension == "compiled"));
    for path in compiled {
        let error = refused(std::fs::read(&path).unwrap()[32..].to_vec()).await;
        assert_eq!(error.code(), "CD0401", "{error}");
    }
}
