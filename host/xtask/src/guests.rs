//! Builds the guest workspaces and collects their components in `target/components`. Cargo decides what is fresh.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{
    paths,
    shell::{self, Stream},
    wasm_target::{TRIPLE, Toolchain},
};

/// The connectors that we publish.
pub(crate) const CONNECTORS: &str = "connectors";

/// Each is a cargo workspace of its own, because it is compiled for another target.
const WORKSPACES: [&str; 3] = [CONNECTORS, "tests/guests", "sdk/rust/template"];

/// The guest workspaces that exist.
pub(crate) fn workspaces() -> Vec<PathBuf> {
    let all = WORKSPACES.iter().map(|workspace| paths::root().join(workspace));
    all.filter(|workspace| workspace.join("Cargo.toml").exists()).collect()
}

/// One target directory for all: they share most of their dependencies.
pub(crate) fn target() -> PathBuf {
    paths::target().join("guests")
}

/// Builds every guest and returns the paths of the components.
pub(crate) fn build(toolchain: &Toolchain) -> Result<Vec<PathBuf>> {
    let components = paths::target().join("components");
    fs::create_dir_all(&components)?;
    let mut names = BTreeSet::new();
    for workspace in workspaces() {
        for artifact in build_workspace(toolchain, &workspace, &["--workspace"])? {
            let name = artifact.component_name();
            if !names.insert(name.clone()) {
                bail!("two guests are called `{name}`: rename one of them");
            }
            copy_if_changed(&artifact.file, &components.join(&name))?;
        }
    }
    remove_others(&components, &names)?;
    eprintln!("guests: {} components in {}", names.len(), components.display());
    Ok(names.iter().map(|name| components.join(name)).collect())
}

/// Builds only these connectors, and leaves all other components alone.
pub(crate) fn build_connectors(toolchain: &Toolchain, packages: &[&str]) -> Result<()> {
    let components = paths::target().join("components");
    fs::create_dir_all(&components)?;
    let packages: Vec<&str> = packages.iter().flat_map(|package| ["--package", package]).collect();
    for artifact in build_workspace(toolchain, &paths::root().join(CONNECTORS), &packages)? {
        copy_if_changed(&artifact.file, &components.join(artifact.component_name()))?;
    }
    Ok(())
}

/// A component that cargo says it built or found fresh.
#[derive(Debug, PartialEq)]
struct Artifact {
    package: String,
    target: String,
    is_library: bool,
    file: PathBuf,
}

impl Artifact {
    fn component_name(&self) -> String {
        format!("{}.wasm", if self.is_library { &self.package } else { &self.target })
    }
}

fn build_workspace(toolchain: &Toolchain, workspace: &Path, packages: &[&str]) -> Result<Vec<Artifact>> {
    let mut command = toolchain.cargo_command(workspace);
    command.arg("build").args(packages).args(["--release", "--target", TRIPLE]);
    command.arg("--message-format=json-render-diagnostics").env("CARGO_TARGET_DIR", target());
    let mut artifacts = Vec::new();
    shell::run_and_read(&mut command, Stream::Data, |line| artifacts.push(artifact(line)))?;
    artifacts.into_iter().filter_map(Result::transpose).collect()
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Reads one line of cargo's messages; most of them are about something else.
fn artifact(line: &str) -> Result<Option<Artifact>> {
    if !line.starts_with('{') {
        return Ok(None);
    }
    let message: Message = serde_json::from_str(line).context("cargo sent a message that we cannot read")?;
    let is_library = message.target.kind.iter().any(|kind| kind == "cdylib");
    let is_binary = message.target.kind.iter().any(|kind| kind == "bin");
    if message.reason != "compiler-artifact" || !(is_library || is_binary) {
        return Ok(None);
    }
    let file = message.filenames.into_iter().find(|path| path.extension().is_some_and(|end| end == "wasm"));
    let package = package_name(&message.package_id).to_owned();
    Ok(file.map(|file| Artifact { package, target: message.target.name, is_library, file }))
}

/// `path+file:///a/b#name@0.1.0`, or `path+file:///a/name#0.1.0` when the folder has the package's name.
fn package_name(id: &str) -> &str {
    let (path, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    let folder = path.rsplit('/').next().unwrap_or(path);
    fragment.split_once('@').map_or(folder, |(name, _)| name)
}

/// An unchanged component keeps its time stamp; a changed one is replaced whole, as tests may be reading it.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("failed to read `{}`", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let temporary = to.with_extension("tmp");
    fs::write(&temporary, &bytes)?;
    fs::rename(&temporary, to).with_context(|| format!("failed to write `{}`", to.display()))
}

/// A component of a guest that is gone would keep its tests green.
fn remove_others(components: &Path, names: &BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(components)? {
        let entry = entry?;
        if !names.contains(entry.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::{artifact, copy_if_changed, package_name, remove_others};

    fn message(kind: &str, id: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{id}","target":{{"name":"http_manifest","kind":["{kind}"]}},
               "filenames":["/t/libhttp_manifest.rlib","/t/http_manifest.wasm"]}}"#
        )
    }

    #[test]
    fn a_library_is_called_by_its_package_and_a_binary_by_itself() {
        let id = "path+file:///c/http#http-manifest@0.1.0";
        let library = artifact(&message("cdylib", id)).unwrap().unwrap();
        assert_eq!(library.component_name(), "http-manifest.wasm");
        assert_eq!(library.file, Path::new("/t/http_manifest.wasm"));
        let binary = artifact(&message("bin", id)).unwrap().unwrap();
        assert_eq!(binary.component_name(), "http_manifest.wasm");
    }

    #[test]
    fn other_messages_are_no_components() {
        assert_eq!(artifact(&message("lib", "path+file:///c/x#0.1.0")).unwrap(), None);
        assert_eq!(artifact(r#"{"reason":"build-finished","success":true}"#).unwrap(), None);
        assert_eq!(artifact("warning: text").unwrap(), None);
    }

    #[test]
    fn both_forms_of_a_package_id_hold_the_name() {
        assert_eq!(package_name("path+file:///house/connectors/faker#0.1.0"), "faker");
        assert_eq!(
            package_name("path+file:///house/connectors/null#null-destination@0.1.0"),
            "null-destination"
        );
    }

    #[test]
    fn an_unchanged_component_keeps_its_time_and_a_forgotten_one_goes() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to.wasm"));
        fs::write(&from, "one").unwrap();
        copy_if_changed(&from, &to).unwrap();
        let written = fs::metadata(&to).unwrap().modified().unwrap();
        copy_if_changed(&from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), written);
        fs::write(&from, "two").unwrap();
        copy_if_changed(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");

        remove_others(directory.path(), &BTreeSet::from(["to.wasm".to_owned()])).unwrap();
        assert!(to.exists() && !from.exists());
    }
}
