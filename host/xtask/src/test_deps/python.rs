//! The packages of Python that tests use, as upstreams and to make guests, each with the checksums of all its builds.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
    process::Command,
};

use anyhow::{Result, bail};

use crate::{cache, paths, shell};

/// Written by `pip-compile --generate-hashes` of the packages that [`NAMED`] imports, and of nothing else.
pub(super) const REQUIREMENTS: &str = include_str!("../../test-deps/requirements.txt");
/// What tests import, and what that imports only once it is asked for objects.
const NAMED: [&str; 7] =
    ["componentize_py", "moto", "flask", "flask_cors", "py_partiql_parser", "schemathesis", "yaml"];

/// A folder for `PYTHONPATH`. An environment would hold absolute paths, and could not be moved to where it is kept.
pub(super) fn packages() -> Result<PathBuf> {
    if !shell::answers("python3", "--version") {
        bail!("`python3` is not on PATH: the tests run a real object store, install Python 3 with pip");
    }
    if shell::output(Command::new("python3").args(["-m", "pip", "--version"])).is_err() {
        bail!("this Python has no `pip`: install it, for Debian `apt-get install python3-pip`");
    }
    // Builds of libraries in C are for one version of Python.
    let version = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = shell::output(Command::new("python3").args(["-c", version]))?;
    let mut hasher = DefaultHasher::new();
    (REQUIREMENTS, version.trim()).hash(&mut hasher);
    cache::entry(&paths::cache()?, &format!("python-{:016x}", hasher.finish()), |directory| {
        let list = directory.join("requirements.txt");
        std::fs::write(&list, REQUIREMENTS)?;
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-warn-script-location",
        ]);
        pip.args([
            "--root-user-action",
            "ignore",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-compile",
        ]);
        shell::run(pip.arg("--target").arg(directory).arg("--requirement").arg(list))?;
        let import = format!("import {}", NAMED.join(", "));
        let import = Command::new("python3").env("PYTHONPATH", directory).args(["-c", &import]).status()?;
        if import.success() { Ok(()) } else { bail!("pip succeeded, but its packages cannot be imported") }
    })
}

#[cfg(test)]
mod tests {
    use super::REQUIREMENTS;

    #[test]
    fn every_package_is_pinned_with_checksums() {
        let whole = REQUIREMENTS.replace("\\\n", " ");
        let packages: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(packages.len() > 20, "{}", packages.len());
        for package in packages {
            assert!(package.contains("==") && package.contains(" --hash=sha256:"), "{package}");
        }
    }
}
