//! A compiler for guests from Debian's packages, where rustup cannot fetch the target: Debian's `rustc-web` (newer
//! than the distribution's `rustc`), a standard library built once from `rust-web-src`, and the C library of
//! `wasi-libc`. Everything is unpacked into one directory of the cache; nothing is installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::{TRIPLE, cargo};
use crate::{apt::Apt, cache, paths, shell};

/// Raise it when the steps below change: the cache is looked up by it.
const RECIPE: u32 = 1;

/// What is fetched by name; the compiler's libraries follow from these.
const PACKAGES: [&str; 4] = ["rustc-web", "rust-web-src", "rust-web-llvm", "rust-web-clippy"];

/// Of all that `PACKAGES` need, what the compiler loads; the rest is on every machine that has a C compiler.
const LIBRARIES: [&str; 9] =
    ["libstd-rust-web-", "libllvm", "libedit", "libbsd", "libmd", "libffi", "libxml2", "libicu", "libz3-"];

/// The oldest compiler that builds our guests (their `rust-version`).
const MINOR_VERSION_MIN: u32 = 95;

/// Links the C library and starts a program: from the folder of the target in `wasi-libc`.
const C_LIBRARY: [&str; 3] = ["libc.a", "crt1-command.o", "crt1-reactor.o"];

/// `$0` keeps the directory relocatable: it is renamed when it is finished. Clippy wants the name `rustc`.
const RUSTC: &str = r#"#!/bin/sh
usr="${0%/*}/../usr"
LD_LIBRARY_PATH="$(echo "$usr"/lib/*-linux-gnu*)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
PATH="$(echo "$usr"/lib/llvm-*/bin):$PATH"
export LD_LIBRARY_PATH PATH
exec "$usr/bin/rustc" "$@"
"#;

/// The first argument of `cargo-clippy` is the name of the subcommand, as cargo would pass it.
const CARGO_CLIPPY: &str = r#"#!/bin/sh
usr="${0%/*}/../usr"
LD_LIBRARY_PATH="$(echo "$usr"/lib/*-linux-gnu*)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$usr/bin/cargo-clippy" "$@"
"#;

/// What guests use most; linking it proves that compiler, standard library, C library and linker fit together.
const PROBE: &str = "fn main() { let now = std::time::SystemTime::now(); \
    println!(\"{:?}\", std::collections::HashMap::from([(1, now)])); }\n";

/// The compiler to hand to cargo as `RUSTC`.
pub(super) fn rustc(directory: &Path) -> PathBuf {
    directory.join("bin/rustc")
}

/// The `cargo-clippy` that belongs to `rustc`.
pub(super) fn cargo_clippy(directory: &Path) -> PathBuf {
    directory.join("bin/cargo-clippy")
}

/// The directory, when it was made before.
pub(super) fn present() -> Result<Option<PathBuf>> {
    Ok(Some(paths::cache()?.join(name())).filter(|directory| directory.exists()))
}

/// Makes the directory; instant when it was made before.
pub(super) fn ensure() -> Result<PathBuf> {
    cache::entry(&paths::cache()?, &name(), build)
}

fn name() -> String {
    format!("wasm-target-{RECIPE}-{}", env::consts::ARCH)
}

fn build(directory: &Path) -> Result<()> {
    require_c_compiler()?;
    Apt::require_tools()?;
    let work = directory.join("work");
    let apt = Apt::of_this_machine(&work.join("apt"))?;
    let mut fetched = step("unpack the compiler", || unpack_compiler(&apt, directory))?;
    fetched.extend(step("unpack wasi-libc", || unpack_c_library(&apt, &work, directory))?);
    fs::write(directory.join("inputs.txt"), fetched.join("\n") + "\n")?;
    step("build the standard library", || build_standard_library(&work, directory))?;
    step("compile a first guest", || compile_probe(&work, directory))?;
    for leftover in [work, directory.join("usr/src"), directory.join("usr/share")] {
        fs::remove_dir_all(&leftover)
            .with_context(|| format!("failed to remove `{}`", leftover.display()))?;
    }
    Ok(())
}

fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("wasm-target: {name}");
    work().with_context(|| {
        format!(
            "wasm-target failed at the step `{name}` (what to do: `host/docs/building-without-rustup.md`)"
        )
    })
}

fn require_c_compiler() -> Result<()> {
    if !shell::answers("cc", "--version") {
        bail!("`cc` is not on PATH, and build scripts need it: install `gcc` and `libc6-dev`");
    }
    Ok(())
}

fn unpack_compiler(apt: &Apt, directory: &Path) -> Result<Vec<String>> {
    let closure = apt.closure(&PACKAGES)?;
    let names = apt.unpack(&choose_packages(&closure)?, directory)?;
    for (name, text) in [("rustc", RUSTC), ("cargo-clippy", CARGO_CLIPPY)] {
        write_program(&directory.join("bin").join(name), text)?;
    }
    let version = shell::output(Command::new(rustc(directory)).arg("--version"))?;
    require_version(&version)?;
    Ok(names)
}

/// The linker is of the same LLVM as the compiler, and its package is named after the version.
fn choose_packages(closure: &[String]) -> Result<Vec<String>> {
    let wanted = |name: &&String| {
        PACKAGES.contains(&name.as_str()) || LIBRARIES.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut names: Vec<String> = closure.iter().filter(wanted).cloned().collect();
    let llvm = names.iter().find_map(|name| name.strip_prefix("libllvm")).map(str::to_owned);
    names.push(format!(
        "lld-{}",
        llvm.context("`rustc-web` needs no `libllvm`: this is not the package we know")?
    ));
    Ok(names)
}

fn require_version(version: &str) -> Result<()> {
    let minor = version.split(['.', ' ']).nth(2).and_then(|minor| minor.parse::<u32>().ok());
    match minor {
        Some(minor) if minor >= MINOR_VERSION_MIN => Ok(()),
        _ => bail!(
            "`rustc-web` is `{}`, and guests need 1.{MINOR_VERSION_MIN}: add the security suite of your Debian to \
             the sources of apt",
            version.trim()
        ),
    }
}

/// Debian's development suite has the C library for 0.2 with sockets; the stable one goes through the adapter of
/// 0.1, and links as long as a guest uses neither `std::net` nor threads.
fn unpack_c_library(apt: &Apt, work: &Path, directory: &Path) -> Result<Vec<String>> {
    let package = ["wasi-libc".to_owned()];
    let root = work.join("wasi-libc");
    let newest = apt.mirror().and_then(|mirror| {
        let unstable = Apt::of_suite(&work.join("unstable"), &mirror, "sid")?;
        unstable.unpack(&package, &root)
    });
    let (names, folder) = match newest {
        Ok(names) => (names, TRIPLE),
        Err(error) => {
            eprintln!("warning: {error:#}; using this machine's wasi-libc: guests have no std::net");
            (apt.unpack(&package, &root)?, "wasm32-wasi")
        }
    };
    let into = target_libraries(directory).join("self-contained");
    fs::create_dir_all(&into)?;
    for file in C_LIBRARY {
        let from = root.join("usr/lib").join(folder).join(file);
        fs::copy(&from, into.join(file))
            .with_context(|| format!("`wasi-libc` has no `{}`", from.display()))?;
    }
    Ok(names)
}

fn target_libraries(directory: &Path) -> PathBuf {
    directory.join("usr/lib/rustlib").join(TRIPLE).join("lib")
}

/// The bitcode lets guests use `lto`. The sources go away afterwards, so paths in panics are those of a release.
fn build_standard_library(work: &Path, directory: &Path) -> Result<()> {
    let seed = work.join("seed");
    fs::create_dir_all(seed.join("src"))?;
    let manifest = "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(seed.join("Cargo.toml"), manifest)?;
    fs::write(seed.join("src/lib.rs"), "")?;
    let sources = directory.join("usr/lib/rustlib/src/rust");
    let mut command = cargo(&seed);
    command.args(["build", "--release", "--target", TRIPLE, "-Zbuild-std=std,panic_abort"]);
    command
        .env("RUSTC", rustc(directory))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", seed.join("target"));
    let rename = format!("--remap-path-prefix={}=/rustc", sources.display());
    command.env("CARGO_ENCODED_RUSTFLAGS", format!("-Cembed-bitcode=yes\u{1f}{rename}"));
    command.env_remove("RUSTC_WRAPPER").env_remove("RUSTFLAGS");
    shell::run(&mut command)?;

    let built = seed.join("target").join(TRIPLE).join("release/deps");
    for entry in fs::read_dir(&built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libseed-") {
            fs::copy(&path, target_libraries(directory).join(name.as_ref()))?;
        }
    }
    // The link to the sources would dangle, and cargo takes it for an installed component.
    fs::remove_dir_all(directory.join("usr/lib/rustlib/src"))?;
    Ok(())
}

fn compile_probe(work: &Path, directory: &Path) -> Result<()> {
    let source = work.join("probe.rs");
    fs::write(&source, PROBE)?;
    let mut command = Command::new(rustc(directory));
    command.args(["--edition=2024", "-O", "-Clto", "--target", TRIPLE, "-o"]);
    shell::run(command.arg(work.join("probe.wasm")).arg(&source))
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::create_dir_all(path.parent().context("a program has a directory")?)?;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{choose_packages, require_version};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_linker_is_of_the_compilers_llvm() {
        let closure = names(&["rustc-web", "gcc", "libllvm22", "libc6", "libstd-rust-web-1.96", "libz3-4"]);
        let expected = names(&["rustc-web", "libllvm22", "libstd-rust-web-1.96", "libz3-4", "lld-22"]);
        assert_eq!(choose_packages(&closure).unwrap(), expected);
        assert!(choose_packages(&names(&["rustc-web", "gcc"])).is_err());
    }

    #[test]
    fn an_old_compiler_is_refused_with_what_to_do() {
        require_version("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)\n").unwrap();
        let error = require_version("rustc 1.85.0 (4d91de4e4 2025-02-17)\n").unwrap_err();
        assert!(error.to_string().contains("security suite"), "{error}");
        assert!(require_version("what?").is_err());
    }
}
