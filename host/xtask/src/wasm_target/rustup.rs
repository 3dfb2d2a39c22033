//! The target as a component of the toolchain in use.

use std::{env, fs, path::Path, process::Command, time::Duration};

use anyhow::{Result, bail};

use super::TRIPLE;
use crate::shell;

/// The download is about 20 MB; an unreachable server must not hold up the build for long.
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(60);

/// Whether the compiler in use has a standard library for the target, whoever put it there.
pub(super) fn has_target() -> Result<bool> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = shell::output(Command::new(rustc).args(["--print", "sysroot"]))?;
    Ok(has_standard_library(&Path::new(sysroot.trim()).join("lib/rustlib").join(TRIPLE).join("lib")))
}

/// Asks rustup to download the target.
pub(super) fn add_target() -> Result<()> {
    if !shell::answers("rustup", "--version") {
        bail!("`rustup` is not on PATH");
    }
    shell::run_within(Command::new("rustup").args(["target", "add", TRIPLE]), DOWNLOAD_LIMIT)?;
    if !has_target()? {
        bail!("`rustup target add {TRIPLE}` succeeded, but the `rustc` on PATH is not of that toolchain");
    }
    Ok(())
}

fn has_standard_library(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().any(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::has_standard_library;

    #[test]
    fn a_target_without_a_standard_library_does_not_count() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!has_standard_library(&directory.path().join("absent")));
        fs::write(directory.path().join("libcore-1.rlib"), "").unwrap();
        assert!(!has_standard_library(directory.path()));
        fs::write(directory.path().join("libstd-1.rlib"), "").unwrap();
        assert!(has_standard_library(directory.path()));
    }
}
