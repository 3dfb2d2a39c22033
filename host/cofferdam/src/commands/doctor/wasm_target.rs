//! The target of the Rust compiler for which connectors are built. Only who writes connectors needs it.

use std::path::Path;
use std::process::Command;

use super::finding::{Finding, Topic::WasmTarget};
use super::program;

const TRIPLE: &str = "wasm32-wasip2";

/// What the compiler of this machine says.
enum Reading {
    NoCompiler,
    /// By its version, whether it has the target's standard library.
    Compiler {
        version: String,
        has_target: bool,
    },
}

pub(super) fn findings() -> Vec<Finding> {
    vec![judge(&read())]
}

fn read() -> Reading {
    let Some(version) = program::answer(rustc().arg("--version")) else { return Reading::NoCompiler };
    let library = program::answer(rustc().args(["--print", "target-libdir", "--target", TRIPLE]));
    let has_target = library.is_some_and(|library| Path::new(&library).is_dir());
    Reading::Compiler { version, has_target }
}

/// rustup would fetch a compiler that a file of the current folder names; nothing is to be changed here.
fn rustc() -> Command {
    let mut command = Command::new("rustc");
    command.env("RUSTUP_AUTO_INSTALL", "0");
    command
}

fn judge(reading: &Reading) -> Finding {
    match reading {
        Reading::NoCompiler => {
            Finding::ok(WasmTarget, "there is no `rustc` here; only who writes connectors needs one")
        }
        Reading::Compiler { version, has_target: true } => {
            Finding::ok(WasmTarget, format!("{version} has `{TRIPLE}`"))
        }
        Reading::Compiler { version, has_target: false } => Finding::warning(
            WasmTarget,
            format!("{version} does not have `{TRIPLE}`"),
            "connectors in Rust are compiled for it; running those that are built needs nothing of it",
            format!(
                "`rustup target add {TRIPLE}`; without rustup, host/docs/building-without-rustup.md has a way"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{Reading, judge};

    #[test]
    fn only_a_compiler_without_the_target_is_warned_of() {
        let compiler = |has_target| Reading::Compiler { version: "rustc 1.95.0".into(), has_target };
        assert_eq!(judge(&Reading::NoCompiler).state(), State::Ok);
        assert_eq!(judge(&compiler(true)).state(), State::Ok);
        let finding = judge(&compiler(false));
        assert_eq!(finding.state(), State::Warning);
        assert!(finding.text().contains("rustup target add wasm32-wasip2"), "{}", finding.text());
    }
}
