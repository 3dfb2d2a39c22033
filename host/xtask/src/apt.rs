//! Debian packages without installing them: apt with a state of its own, and `dpkg-deb` to unpack.
//! Works for every user, and changes nothing outside the given directory.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::shell;

const CONFIGURATION: &str = "apt.conf";

/// An apt with its own lists and its own cache.
pub(crate) struct Apt {
    directory: PathBuf,
}

impl Apt {
    /// Fails with advice on machines without Debian's package tools.
    pub(crate) fn require_tools() -> Result<()> {
        for tool in ["apt-get", "apt-cache", "dpkg-deb"] {
            if !shell::answers(tool, "--version") {
                bail!("`{tool}` is not on PATH: Debian's packages need a Debian (or a container of it)");
            }
        }
        Ok(())
    }

    /// The sources that this machine is set up with, but fresh lists.
    pub(crate) fn of_this_machine(directory: &Path) -> Result<Self> {
        let apt = Self::new(directory, "")?;
        // A third-party source that does not answer is no reason to stop: a missing package will say so.
        if let Err(error) = shell::run(apt.command("apt-get").args(["-q", "update"])) {
            eprintln!("warning: {error}; going on with the sources that did answer");
        }
        Ok(apt)
    }

    /// One suite of one mirror.
    pub(crate) fn of_suite(directory: &Path, mirror: &str, suite: &str) -> Result<Self> {
        let sources = directory.join("sources.list");
        fs::create_dir_all(directory)?;
        fs::write(&sources, format!("deb {}{mirror} {suite} main\n", signed_by()))?;
        let only = format!(
            "Dir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"-\";\n\
             Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n",
            sources.display()
        );
        let apt = Self::new(directory, &only)?;
        shell::run(apt.command("apt-get").args(["-q", "update"]))?;
        Ok(apt)
    }

    /// Writes the configuration to a file, so that the command lines that people see stay short.
    /// The unprivileged user of apt cannot write to somebody's cache directory, hence the sandbox.
    fn new(directory: &Path, more: &str) -> Result<Self> {
        let (state, cache) = (directory.join("state"), directory.join("cache"));
        fs::create_dir_all(state.join("lists/partial"))?;
        fs::create_dir_all(cache.join("archives/partial"))?;
        let configuration = format!(
            "Dir::State \"{}\";\nDir::Cache \"{}\";\nAcquire::Languages \"none\";\n\
             APT::Sandbox::User \"root\";\n{more}",
            state.display(),
            cache.display()
        );
        fs::write(directory.join(CONFIGURATION), configuration)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// The address of the Debian archive that this machine uses (not its security archive).
    pub(crate) fn mirror(&self) -> Result<String> {
        let mut command = self.command("apt-get");
        command.args(["indextargets", "--format", "$(ORIGIN)|$(REPO_URI)", "Created-By: Packages"]);
        let targets = shell::output(&mut command)?;
        choose_mirror(&targets)
            .context("no source of this machine is a Debian archive: see `/etc/apt/sources.list`")
    }

    /// The names of all packages that these packages need, themselves included.
    pub(crate) fn closure(&self, packages: &[&str]) -> Result<Vec<String>> {
        let mut command = self.command("apt-cache");
        command.args(["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts"]);
        command.args(["--no-breaks", "--no-replaces", "--no-enhances", "--"]).args(packages);
        Ok(package_names(&shell::output(&mut command)?))
    }

    /// Downloads the newest version of each package, unpacks all of them into `into`, and returns the files' names.
    pub(crate) fn unpack(&self, packages: &[String], into: &Path) -> Result<Vec<String>> {
        // Their names together may be longer than a name can be.
        let mut hasher = DefaultHasher::new();
        packages.hash(&mut hasher);
        let archives = self.directory.join("archives").join(format!("{:016x}", hasher.finish()));
        fs::create_dir_all(&archives)?;
        shell::run(self.command("apt-get").args(["-q", "download"]).args(packages).current_dir(&archives))?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&archives)? {
            let path = entry?.path();
            shell::output(Command::new("dpkg-deb").arg("-x").arg(&path).arg(into))?;
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
        names.sort();
        Ok(names)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", self.directory.join(CONFIGURATION)).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// Newer keyrings end in `.pgp`; without either, apt falls back to the keys that it trusts anyway.
fn signed_by() -> String {
    let keyrings = ["gpg", "pgp"].map(|end| format!("/usr/share/keyrings/debian-archive-keyring.{end}"));
    let found = keyrings.iter().find(|path| Path::new(path).exists());
    found.map_or_else(String::new, |path| format!("[signed-by={path}] "))
}

fn choose_mirror(targets: &str) -> Option<String> {
    let archives = targets.lines().filter_map(|line| line.strip_prefix("Debian|"));
    archives.map(str::trim).find(|address| !address.contains("security")).map(str::to_owned)
}

/// `apt-cache depends --recurse` prints each package once without indentation; virtual ones in angle brackets.
fn package_names(depends: &str) -> Vec<String> {
    let names = depends.lines().filter(|line| !line.starts_with([' ', '<']));
    names.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::{choose_mirror, package_names};

    #[test]
    fn the_mirror_is_the_main_archive_of_debian() {
        let targets = "Other|http://mirror.test/other/\nDebian|http://mirror.test/debian-security/\n\
                       Debian|http://mirror.test/debian/\n";
        assert_eq!(choose_mirror(targets).as_deref(), Some("http://mirror.test/debian/"));
        assert_eq!(choose_mirror("Ubuntu|http://mirror.test/ubuntu/\n"), None);
    }

    #[test]
    fn a_closure_holds_real_packages_only() {
        let depends =
            "rustc-web\n  Depends: libc6\n  Depends: <libc-dev>\n    libc6-dev\nlibc6\n<libc-dev>\n";
        assert_eq!(package_names(depends), ["rustc-web", "libc6"]);
    }
}
