//! The real programs and data that tests use as upstreams, fetched once and linked under `target/test-deps`.
//! Tests start them; this only puts them there.

mod interpreted;
mod python;

use std::{
    env, fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{self, Command},
};

use anyhow::{Context, Result, bail};

use crate::{apt::Apt, cache, paths, shell};

const PACKAGE: &str = include_str!("../test-deps/package.json");
/// Pins every package with its checksum.
const PACKAGE_LOCK: &str = include_str!("../test-deps/package-lock.json");
/// The packages that tests name; their absence must be noticed here rather than in a test.
const NODE_PACKAGES: [&str; 4] = ["componentize-qjs", "json-server", "oidc-provider", "vega-datasets"];
const WRK: &str = "usr/bin/wrk";

/// Fetches what is missing and links all of it.
pub(crate) fn ensure() -> Result<()> {
    let links = paths::target().join("test-deps");
    fs::create_dir_all(&links)?;
    let nginx = nginx().context("failed to fetch nginx")?;
    link(&nginx, &links.join("nginx"))?;
    let pebble = pebble().context("failed to fetch Pebble")?;
    link(&pebble, &links.join("pebble"))?;
    let node_modules = node_modules().context("failed to fetch the npm packages of the tests")?;
    link(&node_modules, &links.join("node_modules"))?;
    let python = python::packages().context("failed to fetch the Python packages of the tests")?;
    link(&python, &links.join("python"))?;
    let interpreted = interpreted::guests(&node_modules, &python)
        .context("failed to make the guests in JavaScript and Python")?;
    link(&interpreted, &links.join("interpreted"))?;
    for made in [nginx, pebble, node_modules, python, interpreted] {
        eprintln!("test-deps: {}", made.display());
    }
    Ok(())
}

/// Debian's nginx, unpacked but not installed; elsewhere the one on PATH.
fn nginx() -> Result<PathBuf> {
    if let Some(installed) = on_path("nginx") {
        return Ok(installed);
    }
    Apt::require_tools().context("install nginx, so that it is on PATH")?;
    let name = format!("nginx-{}", env::consts::ARCH);
    let entry = cache::entry(&paths::cache()?, &name, |directory| {
        let work = directory.join("work");
        let apt = Apt::of_this_machine(&work)?;
        apt.unpack(&["nginx".to_owned()], directory)?;
        shell::output(Command::new(directory.join("usr/sbin/nginx")).arg("-v"))
            .context("Debian's nginx does not start here: install it with `apt-get install nginx`")?;
        Ok(fs::remove_dir_all(work)?)
    })?;
    Ok(entry.join("usr/sbin/nginx"))
}

/// The ACME server for tests by those who run Let's Encrypt, as Debian has it; elsewhere the one on PATH.
fn pebble() -> Result<PathBuf> {
    if let Some(installed) = on_path("pebble") {
        return Ok(installed);
    }
    Apt::require_tools().context("install Pebble, so that it is on PATH")?;
    let name = format!("pebble-{}", env::consts::ARCH);
    let entry = cache::entry(&paths::cache()?, &name, |directory| {
        let work = directory.join("work");
        let apt = Apt::of_this_machine(&work)?;
        apt.unpack(&["pebble".to_owned()], directory)?;
        // It answers `-h` as programs in Go do: on standard error, with status 0.
        shell::output(Command::new(directory.join("usr/bin/pebble")).arg("-h"))
            .context("Debian's Pebble does not start here: install it with `apt-get install pebble`")?;
        Ok(fs::remove_dir_all(work)?)
    })?;
    Ok(entry.join("usr/bin/pebble"))
}

/// The directory of PostgreSQL's programs, for benchmarks: Debian's, as it is installed here, or unpacked but not installed.
pub(crate) fn postgres() -> Result<PathBuf> {
    if let Some(installed) = newest_postgres(Path::new("/"))? {
        return Ok(installed);
    }
    Apt::require_tools().context("install PostgreSQL as your system has it")?;
    let name = format!("postgres-{}", env::consts::ARCH);
    let entry = cache::entry(&paths::cache()?, &name, |directory| {
        let work = directory.join("work");
        let apt = Apt::of_this_machine(&work)?;
        let packages = apt.closure(&["postgresql"])?.into_iter().filter(|package| is_of_postgres(package));
        apt.unpack(&packages.collect::<Vec<_>>(), directory)?;
        newest_postgres(directory)?.context("Debian's packages hold no server")?;
        Ok(fs::remove_dir_all(work)?)
    })?;
    newest_postgres(&entry)?.with_context(|| format!("`{}` holds no server: remove it", entry.display()))
}

/// The load of benchmarks: Debian's `wrk`, unpacked but not installed; elsewhere the one on PATH.
pub(crate) fn wrk() -> Result<PathBuf> {
    if let Some(installed) = on_path("wrk") {
        return Ok(installed);
    }
    Apt::require_tools().context("install wrk, so that it is on PATH")?;
    let name = format!("wrk-{}", env::consts::ARCH);
    let entry = cache::entry(&paths::cache()?, &name, |directory| {
        let work = directory.join("work");
        let apt = Apt::of_this_machine(&work)?;
        let packages = apt.closure(&["wrk"])?.into_iter().filter(|package| is_of_wrk(package));
        apt.unpack(&packages.collect::<Vec<_>>(), directory)?;
        if !directory.join(WRK).is_file() {
            bail!("Debian's packages hold no `{WRK}`");
        }
        Ok(fs::remove_dir_all(work)?)
    })?;
    Ok(entry.join(WRK))
}

/// The program, and the libraries that a Debian need not have.
fn is_of_wrk(package: &str) -> bool {
    ["wrk", "libluajit", "libssl"].iter().any(|start| package.starts_with(start))
}

/// The server, and the libraries that a Debian need not have: not those of the C library and of what compiles queries.
fn is_of_postgres(package: &str) -> bool {
    let is_server = package.strip_prefix("postgresql-").is_some_and(|rest| rest.parse::<u32>().is_ok());
    let is_foreign = ["libc", "libllvm", "libpam", "libz3"].iter().any(|start| package.starts_with(start))
        || package.contains("perl");
    is_server || (package.starts_with("lib") && !is_foreign)
}

/// Where Debian keeps the programs of the newest version below this root, if there is one.
fn newest_postgres(root: &Path) -> Result<Option<PathBuf>> {
    let Ok(versions) = fs::read_dir(root.join("usr/lib/postgresql")) else { return Ok(None) };
    let versions = versions.map(|version| Ok(version?.path().join("bin"))).collect::<Result<Vec<_>>>()?;
    let is_whole =
        |bin: &PathBuf| ["initdb", "pgbench", "postgres"].iter().all(|name| bin.join(name).exists());
    Ok(versions.into_iter().filter(is_whole).max())
}

fn node_modules() -> Result<PathBuf> {
    for tool in ["node", "npm"] {
        if !shell::answers(tool, "--version") {
            bail!("`{tool}` is not on PATH: the tests run a real JSON server, install Node.js with npm");
        }
    }
    let mut hasher = DefaultHasher::new();
    (PACKAGE, PACKAGE_LOCK).hash(&mut hasher);
    let entry = cache::entry(&paths::cache()?, &format!("node-{:016x}", hasher.finish()), |directory| {
        fs::write(directory.join("package.json"), PACKAGE)?;
        fs::write(directory.join("package-lock.json"), PACKAGE_LOCK)?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        shell::run(npm.current_dir(directory))?;
        let missing = NODE_PACKAGES.iter().find(|name| !directory.join("node_modules").join(name).exists());
        missing.map_or(Ok(()), |name| bail!("npm succeeded, but `{name}` is not there"))
    })?;
    Ok(entry.join("node_modules"))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let directories = env::var_os("PATH")?;
    // Debian keeps servers in `sbin`, which is not on every user's PATH.
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    env::split_paths(&directories)
        .chain(servers)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// Replaces a link in one step: another process may be following it.
fn link(target: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|present| present == target) {
        return Ok(());
    }
    let temporary = link.with_extension(format!("tmp-{}", process::id()));
    symlink(target, &temporary).with_context(|| format!("failed to create `{}`", temporary.display()))?;
    fs::rename(&temporary, link).with_context(|| format!("failed to create `{}`", link.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        NODE_PACKAGES, PACKAGE, PACKAGE_LOCK, is_of_postgres, is_of_wrk, link, newest_postgres, on_path,
    };

    #[test]
    fn a_link_is_replaced_when_its_target_moves() {
        let directory = tempfile::tempdir().unwrap();
        let (one, two, name) =
            (directory.path().join("one"), directory.path().join("two"), directory.path().join("link"));
        for target in [&one, &one, &two] {
            link(target, &name).unwrap();
            assert_eq!(fs::read_link(&name).unwrap(), *target);
        }
    }

    #[test]
    fn every_package_is_pinned_exactly() {
        let package: serde_json::Value = serde_json::from_str(PACKAGE).unwrap();
        let lock: serde_json::Value = serde_json::from_str(PACKAGE_LOCK).unwrap();
        for name in NODE_PACKAGES {
            let locked = &lock["packages"][format!("node_modules/{name}")];
            assert_eq!(package["dependencies"][name], locked["version"]);
            assert!(locked["integrity"].is_string(), "{name} has no checksum");
        }
    }

    #[test]
    fn of_postgres_only_a_whole_server_is_taken_and_the_newest() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(newest_postgres(root.path()).unwrap(), None);
        let whole = ["initdb", "pgbench", "postgres"].as_slice();
        for (version, programs) in [("14", whole), ("15", whole), ("16", &["psql"])] {
            let bin = root.path().join("usr/lib/postgresql").join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            programs.iter().for_each(|program| fs::write(bin.join(program), "").unwrap());
        }
        let expected = root.path().join("usr/lib/postgresql/15/bin");
        assert_eq!(newest_postgres(root.path()).unwrap(), Some(expected));
    }

    #[test]
    fn the_libraries_of_the_machine_are_left_to_it() {
        let packages = [
            "postgresql-15",
            "libpq5",
            "libicu72",
            "postgresql-common",
            "libc6",
            "libllvm14",
            "perl-base",
            "tzdata",
        ];
        let taken: Vec<&str> = packages.into_iter().filter(|package| is_of_postgres(package)).collect();
        assert_eq!(taken, ["postgresql-15", "libpq5", "libicu72"]);
    }

    #[test]
    fn of_wrk_its_script_language_and_its_tls_are_taken() {
        let packages = ["wrk", "libc6", "libgcc-s1", "libluajit-5.1-2", "libssl3", "debconf"];
        let taken: Vec<&str> = packages.into_iter().filter(|package| is_of_wrk(package)).collect();
        assert_eq!(taken, ["wrk", "libluajit-5.1-2", "libssl3"]);
    }

    #[test]
    fn programs_are_found_as_a_shell_would() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program").is_none());
    }
}
