use serde_json::json;

use super::{Manifest, Role};
use crate::{Access, Code};

const FILES: &str = r#"
manifest = 1
name = "files"
publisher = "cofferdam"
version = "0.1.0"
contract = "0.1.0"
roles = ["source", "destination"]
title = "Files"
description = """Reads and writes
CSV and Parquet."""
license = "Apache-2.0"
homepage = "https://example.com/files"

[[asks.hosts]]
url = "https://*.example.com:8443"
methods = ["GET"]
path_prefix = "/v1/"
reason = "lists the files"

[[asks.hosts]]
url = "${config.base_url}"

[[asks.directories]]
name = "data"
access = "write"
optional = true

[limits]
memory_bytes = "256 MiB"
cpu_ms = "30 s"
requests = 1000

[config]
type = "object"
required = ["base_url"]
[config.properties.base_url]
type = "string"
[config.properties.since]
type = "string"
default = 2020-01-01T00:00:00Z
"#;

/// Header and body of a manifest that has everything it needs.
fn manifest(body: &str) -> String {
    let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n";
    format!("{head}roles = [\"source\"]\ntitle = \"A\"\n{body}")
}

/// Each fault as `line:column code path: message (hint)`.
fn faults(text: &str) -> Vec<String> {
    let faults = Manifest::parse("connector.toml", text).expect_err(text);
    assert!(!faults.to_string().is_empty());
    let shown = |fault: &crate::Fault| {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}:{} {} {}: {}{hint}", fault.line, fault.column, fault.code, fault.path, fault.message)
    };
    faults.faults.iter().map(shown).collect()
}

fn check(body: &str, expected: &[&str]) {
    assert_eq!(faults(&manifest(body)), expected, "{body}");
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = Manifest::parse("connector.toml", FILES).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.publisher.as_str()), ("files", "cofferdam"));
    assert_eq!(manifest.roles, [Role::Source, Role::Destination]);
    assert_eq!(manifest.version.to_string(), "0.1.0");
    assert_eq!(manifest.asks.hosts[0].pattern.to_string(), "GET https://*.example.com:8443/v1/");
    assert_eq!(manifest.asks.hosts[0].reason.as_deref(), Some("lists the files"));
    assert_eq!(manifest.asks.directories[0].access, Access::Write);
    assert!(manifest.asks.directories[0].optional);
    assert_eq!(manifest.limits.memory_bytes, Some(256 * 1024 * 1024));
    assert_eq!(manifest.limits.set().count(), 3);
    let schema = manifest.config_schema.as_ref().unwrap();
    assert_eq!(schema.pointer("/properties/since/default").unwrap(), "2020-01-01T00:00:00Z");

    let carried = serde_json::to_string(&manifest).unwrap();
    assert_eq!(
        serde_json::from_str::<Manifest>(&carried).unwrap(),
        manifest,
        "crosses a process boundary unchanged"
    );
}

#[test]
fn the_smallest_manifest_asks_for_nothing() {
    let manifest = Manifest::parse("connector.toml", &manifest("")).unwrap();
    assert_eq!(manifest.asks, crate::Asks::default());
    assert_eq!(manifest.limits, crate::Limits::default());
    assert_eq!(manifest.validate_config(&json!({"a": 1})).len(), 1);
}

#[test]
fn every_fault_is_reported_with_its_place_and_what_would_be_right() {
    let text = r#"manifest = 1
nmae = "files"
publisher = "Coffer Dam"
version = "1"
contract = 0.1
roles = ["sorce", "source", "source"]
[[asks.hosts]]
url = "https://*.com"
methods = ["get"]
path_prefix = "v1"
[[asks.hosts]]
urk = "https://a.com"
[[asks.directories]]
name = "data"
access = "execute"
[[asks.directories]]
name = "data"
access = "read"
[limits]
memory_bytes = "256 mib"
memory_mib = 5
cpu_ms = -1
"#;
    assert_eq!(
        faults(text),
        [
            "1:1 CD0103 : `name` is missing",
            "1:1 CD0103 : `title` is missing",
            "2:1 CD0102 : unknown key `nmae` (did you mean `name`?)",
            "3:13 CD0105 publisher: `Coffer Dam` is not a name (a name starts with a letter and has at most 63 of `a` to `z`, \
             `0` to `9` and `-`, such as `coffer-dam`)",
            "4:11 CD0105 version: `1` is not a version (a version has three numbers, such as `1.0.0`)",
            "5:12 CD0104 contract: expected a string, found float",
            "6:10 CD0105 roles[0]: `sorce` is not `source`, `destination`, `transform` or `webhook` (did you mean `source`?)",
            "6:29 CD0113 roles[2]: the role `source` stands twice",
            "8:7 CD0108 asks.hosts[0].url: `*.com` is too wide: `*` stands first, before at least two labels (write \
             `*.example.com`, or each host by itself)",
            "9:12 CD0108 asks.hosts[0].methods[0]: `get` is not a method that a connector may use (write `GET`)",
            "10:15 CD0108 asks.hosts[0].path_prefix: the path prefix `v1` does not start with `/`",
            "11:1 CD0103 asks.hosts[1]: `url` is missing",
            "12:1 CD0102 asks.hosts[1]: unknown key `urk` (did you mean `url`?)",
            "15:10 CD0105 asks.directories[0].access: `execute` is not `read` or `write`",
            "20:16 CD0107 limits.memory_bytes: `256 mib` is not an amount (did you mean `256 MiB`?)",
            "21:1 CD0102 limits: unknown key `memory_mib` (known here: `memory_bytes`, `table_elements`, `instances`, `cpu_ms`, \
             `call_ms`, `host_call_ms`, `run_ms`, `requests`, `requests_per_second`, `concurrent_requests`, `request_ms`, \
             `request_bytes`, `response_bytes`, `bytes_out`, `bytes_in`, `log_lines`, `log_bytes`, `page_rows`, `page_bytes`, `checkpoint_bytes`, `error_text_bytes` or `handles`)",
            "22:10 CD0105 limits.cpu_ms: `-1` is not a number from 0 to 18446744073709551615",
        ]
    );
}

#[test]
fn a_broken_line_is_reported_without_the_faults_that_it_would_make() {
    let text = "manifest = 1\nname = files\npublisher = \"x\nversion = \"1.0.0\"\nversion = \"1.0.1\"\n";
    let faults = faults(text);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("2:8 CD0101 : "), "{}", faults[0]);
    assert!(faults[1].starts_with("3:15 CD0101 : "), "{}", faults[1]);
    assert_eq!(faults[2], "5:1 CD0101 : duplicate key");
}

#[test]
fn a_newer_format_is_one_fault() {
    let faults = faults("manifest = 2\nname = 7\nsomething_new = true\n");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].starts_with("1:12 CD0106 manifest: "), "{}", faults[0]);
}

#[test]
fn texts_for_people_cannot_deceive_them() {
    check(
        "description = \"a\\u001b[2J\"\n",
        &["8:15 CD0105 description: holds the invisible character `\\u{1b}`"],
    );
    check("license = \"a\\u202eb\"\n", &["8:11 CD0105 license: holds the invisible character `\\u{202e}`"]);
    check("license = \"a\\nb\"\n", &["8:11 CD0105 license: must stand on one line"]);
    check("license = \" \"\n", &["8:11 CD0105 license: must not be empty"]);
    check(
        "homepage = \"javascript:alert(1)\"\n",
        &["8:12 CD0105 homepage: `javascript:alert(1)` is not a web address"],
    );
}

#[test]
fn a_schema_is_judged_at_its_place() {
    check(
        "[config.properties.a]\ntype = \"strin\"\n[config.properties.b]\n\"$ref\" = \"https://example.com\"\n",
        &[
            "11:10 CD0109 config.properties.b.\"$ref\": `https://example.com` is not a reference such as `#/$defs/name`",
        ],
    );
    let faults = faults(&manifest("[config.properties.a]\ntype = \"strin\"\n"));
    assert!(faults[0].starts_with("9:8 CD0109 config.properties.a.type: "), "{}", faults[0]);
    check("config = 1\n", &["8:10 CD0104 config: expected a table, found integer"]);
    check("[config]\nmaximum = nan\n", &["9:11 CD0105 config.maximum: JSON has no such number"]);
}

#[test]
fn a_substitution_needs_a_property_of_the_configuration() {
    check(
        "[[asks.hosts]]\nurl = \"https://${config.subdomian}.example.com\"\n[config.properties.subdomain]\ntype = \"string\"\n",
        &["9:7 CD0111 asks.hosts[0].url: the configuration has no `subdomian` (did you mean `subdomain`?)"],
    );
}

#[test]
fn hostile_documents_are_answered() {
    let smallest = manifest("");
    let padded = |bytes: usize| format!("{smallest}{}", "#".repeat(bytes - smallest.len()));
    assert!(Manifest::parse("connector.toml", &padded(512 * 1024)).is_ok());
    assert_eq!(faults(&padded(512 * 1024 + 1)), ["1:1 CD0112 : the document is larger than 512 KiB"]);
    let deep = manifest(&format!("config = {}", "[".repeat(10_000)));
    assert!(!faults(&deep).is_empty());
    let many: String = (0..20_000).map(|index| format!("key{index} = 1\n")).collect();
    let faults = Manifest::parse("connector.toml", &manifest(&many)).unwrap_err();
    assert_eq!((faults.faults.len(), faults.left_out), (200, 19_800));
    let wide = format!("manifest = 1\n[config]\nx = {{{}}}", "a.b=1,".repeat(20_000));
    assert!(Manifest::parse("connector.toml", &wide).is_err());
    for text in ["", "\0", "\u{feff}", "=", "[", "]]]]", "manifest", "manifest = ", "\u{1b}[31m"] {
        assert!(Manifest::parse("connector.toml", text).is_err(), "{text:?}");
    }
}

#[test]
fn names_and_texts_are_as_long_as_they_may_be_and_no_longer() {
    let named = |name: &str| manifest("").replace("name = \"a\"", &format!("name = \"{name}\""));
    let titled = |title: &str| manifest("").replace("title = \"A\"", &format!("title = \"{title}\""));
    assert_eq!(Manifest::parse("connector.toml", &named(&"n".repeat(63))).unwrap().name.len(), 63);
    assert_eq!(Manifest::parse("connector.toml", &titled(&"ü".repeat(100))).unwrap().title, "ü".repeat(100));
    assert_eq!(faults(&titled(&"ü".repeat(101))), ["7:9 CD0105 title: is longer than 100 characters"]);
    let usage = "a name starts with a letter and has at most 63 of `a` to `z`, `0` to `9` and `-`";
    for (name, nearer) in [
        ("n".repeat(64), ""),
        ("9a".to_owned(), ""),
        ("My Name".to_owned(), ", such as `my-name`"),
        ("a/b".to_owned(), ""),
    ] {
        assert_eq!(
            faults(&named(&name)),
            [format!("2:8 CD0105 name: `{name}` is not a name ({usage}{nearer})")]
        );
    }
}

#[test]
fn more_rules_than_anybody_reads_are_refused() {
    let rules = |count| "[[asks.hosts]]\nurl = \"https://a.com\"\n".repeat(count);
    assert_eq!(Manifest::parse("connector.toml", &manifest(&rules(256))).unwrap().asks.hosts.len(), 256);
    check(&rules(257), &["520:1 CD0105 asks.hosts[256]: more than 256 rules"]);
}

#[test]
fn asks_are_completed_by_the_configuration_and_its_defaults() {
    let text = manifest(
        "[[asks.hosts]]\nurl = \"${config.base_url}\"\n[[asks.hosts]]\nurl = \"https://${config.region}.example.com\"\n\
         [[asks.directories]]\nname = \"data\"\naccess = \"read\"\n\
         [config.properties.base_url]\ntype = \"string\"\n[config.properties.region]\ntype = \"string\"\ndefault = \"eu\"\n",
    );
    let manifest = Manifest::parse("connector.toml", &text).unwrap();
    let directories = manifest.resolve_asks(&json!({})).unwrap().directories;
    assert_eq!(directories, manifest.asks.directories);
    assert_eq!((directories.len(), directories[0].access.as_str()), (1, "read"));
    let hosts = |config: &serde_json::Value| {
        let asks = manifest.resolve_asks(config)?;
        Ok::<_, Vec<crate::ConfigFault>>(asks.hosts.iter().map(|ask| ask.pattern.url()).collect::<Vec<_>>())
    };
    assert_eq!(hosts(&json!({})).unwrap(), ["https://eu.example.com"]);
    let config = json!({"base_url": "https://a.com", "region": "us"});
    assert_eq!(hosts(&config).unwrap(), ["https://a.com", "https://us.example.com"]);
    let faults = hosts(&json!({"base_url": "a.com", "region": "*"})).unwrap_err();
    assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), ["/base_url", "/region"]);
}

#[test]
fn faults_have_a_code_that_has_a_page() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    for code in [
        Code::Syntax,
        Code::UnknownKey,
        Code::MissingKey,
        Code::WrongType,
        Code::WrongValue,
        Code::UnknownFormat,
        Code::WrongAmount,
        Code::WrongHost,
        Code::WrongSchema,
        Code::WrongConfig,
        Code::WrongSubstitution,
        Code::TooLarge,
        Code::Duplicate,
        Code::WrongAudience,
        Code::AmbiguousCredentials,
        Code::WrongSecret,
    ] {
        let page = std::fs::read_to_string(folder.join(format!("{code}.md"))).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
    }
}
