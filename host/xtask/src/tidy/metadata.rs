//! What `cargo metadata` says about a workspace, as far as the rules need it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{shell, wasm_target::cargo};

/// A workspace with everything that it is built from.
#[derive(Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    /// None for a package of this repository.
    pub(super) source: Option<String>,
    /// As written in `Cargo.toml`.
    pub(super) dependencies: Vec<Declared>,
}

#[derive(Deserialize)]
pub(super) struct Declared {
    pub(super) name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// None is a normal dependency; `dev` and `build` are the others.
    kind: Option<String>,
}

impl Metadata {
    pub(super) fn read(workspace: &Path) -> Result<Self> {
        let json = shell::output(cargo(workspace).args(["metadata", "--format-version", "1", "--locked"]))
            .with_context(|| format!("is `Cargo.lock` of `{}` up to date?", workspace.display()))?;
        Self::parse(&json)
    }

    pub(super) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("cargo metadata has a form that we do not know")
    }

    /// The packages of the workspace itself.
    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The names of all packages that end up in what is built from `package` (tests aside), itself excluded.
    pub(super) fn reachable(&self, package: &Package) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let names: BTreeMap<&str, &str> =
            self.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
        let mut seen = BTreeSet::new();
        let mut waiting = vec![package.id.as_str()];
        while let Some(node) = waiting.pop().and_then(|id| nodes.get(id)) {
            let edges = node.deps.iter().filter(|edge| !edge.is_for_tests_only());
            waiting.extend(edges.map(|edge| edge.pkg.as_str()).filter(|id| seen.insert(*id)));
        }
        seen.iter().filter_map(|id| names.get(id).copied()).collect()
    }
}

impl Edge {
    fn is_for_tests_only(&self) -> bool {
        self.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("dev"))
    }
}

/// Makes metadata for the tests of the rules: `(package, its dependencies)`, all of them in the workspace, except
/// those that appear as dependencies only.
#[cfg(test)]
pub(super) fn made_up(packages: &[(&str, &[&str])]) -> Metadata {
    use serde_json::json;

    let members: BTreeSet<&str> = packages.iter().map(|(name, _)| *name).collect();
    let mut all: BTreeMap<&str, &[&str]> = packages.iter().copied().collect();
    for dependency in packages.iter().flat_map(|(_, dependencies)| *dependencies) {
        all.entry(dependency).or_insert(&[]);
    }
    let package = |(name, dependencies): (&&str, &&[&str])| {
        let declared: Vec<_> = dependencies.iter().map(|name| json!({"name": name})).collect();
        let source = (!members.contains(name)).then_some("registry+test");
        json!({"id": name, "name": name, "version": "1.2.3", "license": "MIT", "source": source, "dependencies": declared})
    };
    let node = |(name, dependencies): (&&str, &&[&str])| {
        let edges: Vec<_> =
            dependencies.iter().map(|name| json!({"pkg": name, "dep_kinds": [{"kind": null}]})).collect();
        json!({"id": name, "deps": edges})
    };
    let text = json!({
        "packages": all.iter().map(package).collect::<Vec<_>>(),
        "workspace_members": members,
        "resolve": {"nodes": all.iter().map(node).collect::<Vec<_>>()},
    });
    Metadata::parse(&text.to_string()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::{Metadata, made_up};

    #[test]
    fn everything_below_a_package_is_reachable_but_not_what_is_above() {
        let metadata = made_up(&[("a", &["b"]), ("b", &["c", "outside"]), ("c", &["b"]), ("d", &["a"])]);
        let a = metadata.members().find(|package| package.name == "a").unwrap();
        assert_eq!(Vec::from_iter(metadata.reachable(a)), ["b", "c", "outside"]);
        assert_eq!(metadata.members().count(), 4);
    }

    #[test]
    fn what_only_tests_use_is_not_reachable() {
        let json = r#"{"packages": [], "workspace_members": [], "resolve": {"nodes": []}}"#;
        assert!(Metadata::parse(json).unwrap().members().next().is_none());
        let mut metadata = made_up(&[("a", &["b"])]);
        metadata.resolve.nodes[0].deps[0].dep_kinds[0].kind = Some("dev".to_owned());
        let a = metadata.members().next().unwrap();
        assert!(metadata.reachable(a).is_empty());
    }
}
