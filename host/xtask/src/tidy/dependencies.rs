//! Versions that are pinned for a reason, crates that must not come in, and where crates may come from.

use super::metadata::{Metadata, Package};

/// `(package, the start of every version that may be used, why)`
const PINNED: [(&str, &str, &str); 4] = [
    ("wasmtime", "48.0.", "the line with security fixes until 2028-08"),
    ("wasmtime-wasi", "48.0.", "it goes with wasmtime"),
    ("wasmtime-wasi-http", "48.0.", "it goes with wasmtime"),
    ("sled", "0.34.7", "the 1.0 alpha has no transactions and a slower durable path"),
];

/// `(package, why)`
const BANNED: [(&str, &str); 4] = [
    ("openssl", "TLS is rustls alone: one implementation to keep up to date"),
    ("native-tls", "TLS is rustls alone: one implementation to keep up to date"),
    ("serde_yaml", "no longer maintained"),
    ("async-std", "no longer maintained, and tokio is here"),
];

/// One line for each version or source that is not allowed.
pub(super) fn faults(metadata: &Metadata) -> Vec<String> {
    metadata.packages.iter().flat_map(package_faults).collect()
}

fn package_faults(package: &Package) -> Vec<String> {
    let Package { name, version, source, .. } = package;
    let mut faults = Vec::new();
    for (_, start, reason) in PINNED.iter().filter(|(pinned, _, _)| pinned == name) {
        if !version.starts_with(start) {
            faults.push(format!("dependencies: `{name}` is {version}, not {start}: {reason}"));
        }
    }
    for (_, reason) in BANNED.iter().filter(|(banned, _)| banned == name) {
        faults.push(format!("dependencies: `{name}` is banned: {reason}"));
    }
    if source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
        faults.push(format!(
            "dependencies: `{name}` comes from `{}`, not from a registry",
            source.as_deref().unwrap_or("")
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{super::metadata::made_up, faults};

    #[test]
    fn a_pinned_crate_of_another_line_is_a_fault() {
        let mut metadata = made_up(&[("it", &["wasmtime", "serde"])]);
        let index = metadata.packages.iter().position(|package| package.name == "wasmtime").unwrap();
        metadata.packages[index].version = "48.0.9".to_owned();
        assert_eq!(faults(&metadata), Vec::<String>::new());
        metadata.packages[index].version = "49.0.0".to_owned();
        assert_eq!(faults(&metadata).len(), 1);
    }

    #[test]
    fn a_banned_crate_is_a_fault_however_deep() {
        let faults = faults(&made_up(&[("it", &["client"]), ("client", &["openssl"])]));
        assert!(faults[0].contains("`openssl` is banned"), "{faults:?}");
    }

    #[test]
    fn a_crate_from_a_repository_is_a_fault() {
        let mut metadata = made_up(&[("it", &["serde"])]);
        metadata.packages[1].source = Some("git+file:///somewhere".to_owned());
        assert!(faults(&metadata)[0].contains("not from a registry"));
    }
}
