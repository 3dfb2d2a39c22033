//! A process that compiles, and was taken over or is another program: whatever it says costs one component, and what it says
//! of that one is kept under that one's digest alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runtime::{Inspection, Runtime, Settings};

use super::Compiler;
use super::said::FromCompiler;
use crate::error::NotCompiled;
use crate::frame::encoded;
use crate::parent::Program;

const MANIFEST: &str = "manifest = 1\nname = \"a\"\npublisher = \"a\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
                        roles = [\"source\"]\ntitle = \"A\"\n";

/// An inspection is all that is looked at of it on this side.
fn inspection(digest: &str) -> Inspection {
    Inspection {
        digest: digest.into(),
        bytes: 1,
        contract: "0.1.0".into(),
        roles: vec![manifest::Role::Source],
        imports: Vec::new(),
        manifest: manifest::Manifest::parse("connector.toml", MANIFEST).unwrap(),
        manifest_text: MANIFEST.into(),
        core_instances: 0,
        program: None,
    }
}

/// Its processes do what this script says, with the socket as standard input.
pub(crate) fn compiler(script: &str, cache: Option<&Path>) -> Compiler {
    let settings = Settings {
        cache_directory: cache.map(Path::to_owned),
        pooled: false,
        live_instances: 1,
        guest_threads: 1,
        compile_timeout: Duration::from_secs(2),
        ceilings: runtime::Limits::ceilings(),
    };
    let program = Program { file: PathBuf::from("/bin/sh"), arguments: vec!["-c".into(), script.into()] };
    Compiler::new(Runtime::new(settings).unwrap(), program, Compiler::MEMORY_BYTES)
}

/// A script that says these frames.
fn says(frames: &[FromCompiler<'_>]) -> String {
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| encoded(frame).unwrap()).collect();
    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("printf '{octal}' >&0; cat >/dev/null")
}

fn refused(code: &str, message: &str) -> String {
    says(&[FromCompiler::Refused { code: code.into(), message: message.into() }])
}

#[tokio::test]
async fn whatever_comes_of_the_process_costs_its_component_alone() {
    // Where it ends before it has read all that it is sent, what it said may be lost with it.
    for (script, expected) in [
        ("exit 3", "it closed its socket; it ended with status 3"),
        ("kill -SEGV $$", "it ended by signal 11"),
        ("echo 'no memory' >&2; exit 1", "its last words: no memory"),
        ("printf '\\033[2Jforged' >&2; exit 1", "its last words: \\u{1b}[2Jforged"),
        ("printf '\\377\\377\\377\\377' >&0; cat >/dev/null", "at most 41943040 are allowed"),
        ("yes >&0", "at most 41943040 are allowed"),
        ("printf '\\005\\000\\000\\000ab' >&0", "it closed its socket"),
        ("printf '\\003\\000\\000\\000\\310\\001\\002' >&0; cat >/dev/null", "is no message"),
        // What it hears comes back.
        ("exec cat <&0 >&0", "it broke the protocol"),
        (&says(&[FromCompiler::Done]), "it was done, and gave no code"),
        (&refused("\u{1b}[2J", "forged"), "for no reason that there is"),
    ] {
        let error = compiler(script, None).code(&inspection("d"), b"component").await.unwrap_err();
        assert!(matches!(error, NotCompiled::Lost { .. }), "{script}: {error}");
        assert_eq!(error.code(), "CD1406");
        assert!(error.to_string().contains(expected), "{script}: {error}");
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_ended_in_time() {
    let error = compiler("exec sleep 600", None).code(&inspection("d"), b"component").await.unwrap_err();
    assert_eq!(error.code(), "CD0411", "{error}");
    assert!(error.to_string().contains("took longer than 2s"), "{error}");
}

#[tokio::test]
async fn what_it_has_against_a_component_is_told_without_what_a_terminal_would_obey() {
    let script = refused("CD0407", "a\u{1b}[2Jb");
    let error = compiler(&script, None).code(&inspection("d"), b"component").await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("CD0407", "a\\u{1b}[2Jb"));
}

#[tokio::test]
async fn what_it_gives_is_kept_for_the_component_that_it_was_given_and_for_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let good = says(&[FromCompiler::Part(b"co"), FromCompiler::Part(b"de"), FromCompiler::Done]);
    let code = compiler(&good, Some(folder.path())).code(&inspection("a"), b"a").await.unwrap();
    assert_eq!(code, b"code");
    let later = compiler("exit 1", Some(folder.path()));
    assert_eq!(later.code(&inspection("a"), b"a").await.unwrap(), b"code", "nobody is asked twice");
    later.code(&inspection("b"), b"b").await.unwrap_err();
}

#[tokio::test]
async fn where_no_process_can_be_had_it_is_not_the_components_fault() {
    let mut program = compiler("", None);
    let inner = std::sync::Arc::get_mut(&mut program.inner).unwrap();
    inner.program.file = "/nowhere/cofferdam".into();
    let error = program.code(&inspection("d"), b"component").await.unwrap_err();
    assert!(matches!(error, NotCompiled::Process(_)), "{error}");
    assert_eq!(error.code(), "CD1403");
}
