//! The house has floors: a crate names only crates of lower floors, and some crates must not know some others.
//! See `ARCHITECTURE.md`.

use super::metadata::{Metadata, Package};

/// Our crates with a floor. Rights are made of what documents ask and grant, so `grants` stands on `manifest`.
const FLOORS: [(&str, u8); 18] = [
    ("cofferdam-manifest", 0),
    ("cofferdam-cassette", 0),
    ("cofferdam-grants", 1),
    ("cofferdam-vault", 0),
    ("cofferdam-scrub", 0),
    ("cofferdam-measures", 0),
    ("cofferdam-storage", 2),
    ("cofferdam-egress", 2),
    ("cofferdam-pipeline", 2),
    ("cofferdam-runtime", 3),
    ("cofferdam-records", 3),
    ("cofferdam-control", 3),
    ("cofferdam-marketplace", 3),
    ("cofferdam-acme", 3),
    ("cofferdam-api", 4),
    ("cofferdam-worker", 4),
    ("cofferdam", 5),
    // A tool for developers; nobody names it.
    ("bench", 5),
];

/// Packages beside the house: the tests may name every floor, the others none.
const TESTS: [&str; 3] = ["fuzz", "it", "power"];
const BESIDE: [&str; 2] = ["xtask", "cofferdam-sdk"];

/// `(package, what must not be anywhere below it, why)`
const MUST_NOT_KNOW: [(&str, &[&str], &str); 15] = [
    ("cofferdam-manifest", &["tokio", "hyper", "wasmtime"], "it reads text, without network and wasm"),
    ("cofferdam-grants", &["tokio", "hyper", "wasmtime"], "it decides, without clock, DNS and HTTP"),
    (
        "cofferdam-vault",
        &["tokio", "hyper", "wasmtime", "sled"],
        "it seals, and does not know where things are kept",
    ),
    ("cofferdam-scrub", &["tokio", "hyper", "wasmtime"], "it looks at bytes, wherever they come from"),
    ("cofferdam-cassette", &["tokio", "hyper", "wasmtime"], "it is files, whoever records and replays"),
    ("cofferdam-measures", &["tokio", "hyper", "wasmtime"], "it counts, and does not know who asks"),
    ("cofferdam-storage", &["hyper", "wasmtime"], "it keeps values, and does not know what they mean"),
    ("cofferdam-records", &["hyper", "wasmtime"], "it knows what is kept of runs, for whatever runs them"),
    ("cofferdam-control", &["hyper", "wasmtime"], "it decides, and neither executes nor answers requests"),
    ("cofferdam-acme", &["wasmtime"], "it asks for certificates, and runs nothing"),
    ("cofferdam-api", &["wasmtime"], "it answers requests, and executes nothing"),
    ("cofferdam-egress", &["wasmtime", "sled"], "it is the only way out, for whatever runtime and storage"),
    (
        "cofferdam-pipeline",
        &["wasmtime", "sled", "hyper"],
        "it is the life of a run, for whatever runtime and storage",
    ),
    ("cofferdam-sdk", &["wasmtime", "tokio"], "it is compiled into guests"),
    ("xtask", &["wasmtime", "tokio"], "it must be compiled in no time on a new machine"),
];

/// `(dependency, the only packages that may name it)`
const ONLY_NAMED_BY: [(&str, &[&str]); 4] = [
    ("wasmtime", &["cofferdam-runtime", "cofferdam", "it", "bench"]),
    ("wasmtime-wasi", &["cofferdam-runtime", "it", "bench"]),
    ("wasmtime-wasi-http", &["cofferdam-runtime", "it"]),
    // `power` shows what sled loses when it is used bare.
    ("sled", &["cofferdam-storage", "power"]),
];

/// One line for each arrow that points up or sideways, and for each forbidden acquaintance.
pub(super) fn faults(metadata: &Metadata) -> Vec<String> {
    metadata.members().flat_map(|package| package_faults(metadata, package)).collect()
}

fn package_faults(metadata: &Metadata, package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    if TESTS.contains(&name) {
        return forbidden_names(package);
    }
    let own = floor(name);
    if own.is_none() && !BESIDE.contains(&name) {
        return vec![format!(
            "floors: `{name}` has no floor: add it to the table in `host/xtask/src/tidy/floors.rs`"
        )];
    }
    let mut faults = arrows(package, own);
    faults.extend(forbidden_names(package));
    faults.extend(forbidden_knowledge(metadata, package));
    faults
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// Tests of a crate obey too: an arrow that only its tests need still ties the crates together.
fn arrows(package: &Package, own: Option<u8>) -> Vec<String> {
    let mut faults = Vec::new();
    for dependency in &package.dependencies {
        let Some(below) = floor(&dependency.name) else {
            continue;
        };
        if own.is_none_or(|own| below >= own) {
            let own = own.map_or_else(|| "beside the house".to_owned(), |own| format!("floor {own}"));
            let arrow = format!("`{}` ({own}) names `{}` (floor {below})", package.name, dependency.name);
            faults.push(format!("floors: {arrow}: arrows point down only"));
        }
    }
    faults
}

fn forbidden_names(package: &Package) -> Vec<String> {
    let is_named = |dependency: &str| package.dependencies.iter().any(|declared| declared.name == dependency);
    let broken = ONLY_NAMED_BY
        .iter()
        .filter(|(dependency, owners)| is_named(dependency) && !owners.contains(&package.name.as_str()));
    let fault = |(dependency, owners): &(&str, &[&str])| {
        format!("floors: `{}` names `{dependency}`, which only `{}` may", package.name, owners.join("`, `"))
    };
    broken.map(fault).collect()
}

fn forbidden_knowledge(metadata: &Metadata, package: &Package) -> Vec<String> {
    let mut faults = Vec::new();
    for (_, forbidden, reason) in MUST_NOT_KNOW.iter().filter(|(name, _, _)| *name == package.name) {
        let reachable = metadata.reachable(package);
        for name in forbidden.iter().filter(|name| reachable.contains(**name)) {
            faults.push(format!("floors: `{}` must not know `{name}`: {reason}", package.name));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{super::metadata::made_up, faults};

    fn only_fault(packages: &[(&str, &[&str])]) -> String {
        let faults = faults(&made_up(packages));
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().unwrap()
    }

    #[test]
    fn arrows_that_point_down_are_fine() {
        let house: [(&str, &[&str]); 4] = [
            ("cofferdam-manifest", &["serde"]),
            ("cofferdam-egress", &["cofferdam-manifest", "tokio"]),
            ("cofferdam-runtime", &["cofferdam-egress", "wasmtime"]),
            ("it", &["cofferdam-manifest", "cofferdam-runtime", "wasmtime"]),
        ];
        assert_eq!(faults(&made_up(&house)), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_points_up_is_a_fault() {
        let fault = only_fault(&[("cofferdam-manifest", &["cofferdam-runtime"]), ("cofferdam-runtime", &[])]);
        assert!(
            fault.contains("`cofferdam-manifest` (floor 0) names `cofferdam-runtime` (floor 3)"),
            "{fault}"
        );
    }

    #[test]
    fn an_arrow_that_points_sideways_is_a_fault() {
        let fault = only_fault(&[("cofferdam-egress", &["cofferdam-pipeline"]), ("cofferdam-pipeline", &[])]);
        assert!(fault.contains("arrows point down only"), "{fault}");
    }

    #[test]
    fn what_stands_beside_the_house_names_no_floor() {
        let fault = only_fault(&[("xtask", &["cofferdam-manifest"]), ("cofferdam-manifest", &[])]);
        assert!(fault.contains("beside the house"), "{fault}");
    }

    #[test]
    fn a_forbidden_acquaintance_through_another_crate_is_a_fault() {
        // `helper` is no crate of ours, so it is listed with a name that the floors do not know.
        let metadata = made_up(&[("cofferdam-manifest", &["helper"]), ("helper", &["tokio"])]);
        let faults = faults(&metadata);
        assert!(faults.iter().any(|fault| fault.contains("must not know `tokio`")), "{faults:?}");
    }

    #[test]
    fn only_the_owner_names_an_engine() {
        let fault = only_fault(&[("cofferdam-control", &["sled"])]);
        assert!(fault.contains("`cofferdam-control` names `sled`"), "{fault}");
    }

    #[test]
    fn a_crate_without_a_floor_is_a_fault() {
        let fault = only_fault(&[("cofferdam-attic", &[])]);
        assert!(fault.contains("has no floor"), "{fault}");
    }
}
