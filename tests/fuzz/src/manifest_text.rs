//! Both documents: what is read means the same when another library writes it anew, and survives the way to another process;
//! what is refused has a fault with a place in the text. What a manifest makes of a configuration is within its asks.
//!
//! Input: the document, and behind a line `---` the configuration as JSON.

use manifest::{Faults, Manifest, SyncFile};
use serde_json::{Value, json};

pub(crate) const WORDS: &[&str] = &[
    "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\nroles = [\"source\"]\ntitle = \"A\"\n",
    "sync = 1\nname = \"a\"\n",
    "[source]\nconnector = \"a.wasm\"\n",
    "[destination]\nconnector = \"b.wasm\"\n",
    "[[asks.hosts]]\nurl = \"https://*.example.com\"\n",
    "[[asks.hosts]]\nurl = \"${config.base_url}\"\n",
    "[[asks.credentials]]\nname = \"api\"\nkind = \"bearer\"\naudience = [{ url = \"https://api.example.com\" }]\n",
    "[[asks.directories]]\nname = \"in\"\naccess = \"read\"\n",
    "[limits]\nmemory = \"64 MiB\"\n",
    "[config.properties.base_url]\ntype = \"string\"\ndefault = \"https://a.example.com/v1\"\n",
    "[config.properties.token]\nsecret = true\n",
    "methods = [\"GET\"]\n",
    "path_prefix = \"/v1\"\n",
    "fields = { token = \"/token\" }\n",
    "kind = \"oauth2\"\n",
    "kind = \"hmac\"\n",
    "token_url = \"https://id.example.com/${config.tenant}/token\"\n",
    "one_of = \"login\"\n",
    "optional = true\n",
    "reveal = true\n",
    "[[source.grants.hosts]]\n",
    "[[streams]]\n",
    "[rejects]\n",
    "[run]\n",
    "\n---\n{\"base_url\": \"https://a.example.com\"}",
    "1979-05-27T07:32:00Z",
    "'''",
    "\"\"\"",
    "inf",
    "0x1F",
];

pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (document, config) = text.split_once("\n---\n").unwrap_or((&text, "{}"));
    let rewritten = document.parse::<toml::Table>().ok().and_then(|table| toml::to_string(&table).ok());
    match Manifest::parse("connector.toml", document) {
        Ok(manifest) => {
            let rewritten = rewritten.as_deref().expect("a manifest that another library cannot read");
            same(&Manifest::parse("connector.toml", rewritten), &manifest, rewritten);
            carried(&manifest);
            configured(&manifest, config);
        }
        Err(faults) => placed(&faults, document),
    }
    match SyncFile::parse("sync.toml", document) {
        Ok(sync) => {
            let rewritten = rewritten.as_deref().expect("a sync that another library cannot read");
            same(&SyncFile::parse("sync.toml", rewritten), &sync, rewritten);
        }
        Err(faults) => placed(&faults, document),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(again: &Result<T, Faults>, first: &T, rewritten: &str) {
    match again {
        Ok(again) => assert_eq!(again, first, "{rewritten}"),
        Err(faults) => panic!("what was taken is refused when it is written anew: {faults}\n{rewritten}"),
    }
}

fn carried(manifest: &Manifest) {
    let json = serde_json::to_string(manifest).unwrap();
    let again: Manifest = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(again, *manifest, "{json}");
}

fn placed(faults: &Faults, document: &str) {
    assert!(!faults.faults.is_empty() && !faults.to_string().is_empty());
    let lines = document.lines().count() + 1;
    for fault in &faults.faults {
        let longest = document.chars().count() + 1;
        assert!(
            (1..=lines).contains(&fault.line) && (1..=longest).contains(&fault.column),
            "{faults} in {document:?}"
        );
        assert!(!fault.message.is_empty() && !fault.message.contains('\n'), "{faults}");
    }
}

/// No value of a configuration brings a credential to a host that was not asked for, nor a secret to the connector.
fn configured(manifest: &Manifest, config: &str) {
    let config: Value = serde_json::from_str(config).unwrap_or_else(|_| json!({}));
    let Ok(asks) = manifest.resolve_asks(&config) else { return };
    assert!(asks.hosts.iter().all(|ask| ask.pattern.is_resolved()));
    for credential in &asks.credentials {
        assert!(credential.is_resolved(), "{credential:?}");
        for rule in &credential.audience {
            let origin = rule.whole_origin();
            let within = |ask: &manifest::HostAsk| ask.pattern.whole_origin().covers(&origin);
            assert!(asks.hosts.iter().any(within), "{rule} is within no ask for a host");
        }
    }
    // A faulty configuration reaches no connector.
    if !manifest.validate_config(&config).is_empty() {
        return;
    }
    let seen = manifest.guest_config(&config, &[]);
    for pointer in asks.credentials.iter().flat_map(|ask| ask.fields.values()) {
        assert!(seen.pointer(pointer).is_none(), "the connector sees `{pointer}`");
    }
}
