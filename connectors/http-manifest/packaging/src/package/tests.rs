//! Runs every folder of `cases`: a manifest, and the `connector.toml` or the faults that come of it. `BLESS=1` writes
//! them anew. What is derived must be what the host reads.

use std::{fs, path::Path};

use cofferdam_manifest::Manifest;
use serde_json::json;

use super::{Identity, derive};

fn play(folder: &Path) -> String {
    let manifest = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    let named = fs::read_to_string(folder.join("name.txt")).ok();
    let identity = Identity { name: named.as_deref().map(str::trim), publisher: "acme", version: None };
    let package = match derive(&manifest, &identity) {
        Ok(package) => package,
        Err(faults) => return format!("{faults}\n"),
    };
    let read = Manifest::parse("connector.toml", &package.connector_toml);
    let read = read.unwrap_or_else(|faults| panic!("{}\n{faults:?}", package.connector_toml));
    assert_eq!(read.name, package.name);
    let notes: String = package.notes.iter().map(|note| format!("# {note}\n")).collect();
    format!("{notes}{}", package.connector_toml)
}

#[test]
fn every_case_comes_out_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 6, "only {} cases", folders.len());
    for folder in folders {
        let found = play(&folder);
        let path = folder.join("expected.toml");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&path).unwrap(), "{}", folder.display());
    }
}

#[test]
fn hosts_are_resolved_by_the_configuration() {
    let manifest = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/hosts-of-the-configuration/manifest.yaml"),
    )
    .unwrap();
    let package =
        derive(&manifest, &Identity { name: Some("shop"), publisher: "acme", version: None }).unwrap();
    let read = Manifest::parse("connector.toml", &package.connector_toml).unwrap();
    let urls = |config: serde_json::Value| -> Vec<String> {
        assert_eq!(read.validate_config(&config), [], "{config}");
        read.resolve_asks(&config).unwrap().hosts.iter().map(|ask| ask.pattern.url()).collect()
    };
    let config = json!({"subdomain": "acme", "base_url": "https://self.example.org/api"});
    assert_eq!(
        urls(config),
        [
            "https://acme.example.com",
            "https://self.example.org",
            "https://eu.example.com",
            "https://*.shops.example.com"
        ]
    );
    // Without a value and a default nothing is asked for.
    assert_eq!(urls(json!({"subdomain": "acme", "region": "us"})).len(), 3);
}
