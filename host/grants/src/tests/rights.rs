use std::path::Path;

use manifest::{Access, AddressGrant, Asks, Grants, HostPattern, Role};

use super::{agreed, asks, get, grants, outcome, rights};
use crate::{Basis, Code, Policy, Rights};

pub(super) fn ask(url: &str) -> String {
    format!("[[asks.hosts]]\nurl = \"{url}\"\n")
}

pub(super) fn grant(url: &str) -> String {
    format!("[[source.grants.hosts]]\nurl = \"{url}\"\n")
}

fn hosts(urls: &[&str]) -> Option<Vec<HostPattern>> {
    Some(urls.iter().map(|url| HostPattern::parse(url).unwrap()).collect())
}

#[test]
fn nothing_asked_or_nothing_granted_is_nothing_allowed() {
    let request = get("https", "a.com", 443, "/");
    assert_eq!(outcome(&rights("", "").judge_request(&request)), "CD0201");
    assert_eq!(outcome(&rights("", &grant("https://a.com")).judge_request(&request)), "CD0201");
    assert_eq!(outcome(&rights(&ask("https://a.com"), "").judge_request(&request)), "CD0202");
    assert_eq!(
        outcome(&rights(&ask("https://a.com"), &grant("https://a.com")).judge_request(&request)),
        "allowed"
    );
}

#[test]
fn an_open_substitution_gives_no_right() {
    let rights = rights(&ask("https://${config.sub}.a.com"), &grant("https://*.a.com"));
    assert!(rights.rules().is_empty());
    assert_eq!(outcome(&rights.judge_request(&get("https", "b.a.com", 443, "/"))), "CD0201");
    let open = &rights.unmet()[0];
    assert!(
        open.message.contains("the configuration does not complete") && open.line_to_add.is_none(),
        "{open:?}"
    );
}

#[test]
fn policies_narrow_and_say_whose_they_are() {
    let asks = asks(&(ask("https://*.a.com") + &ask("https://b.com")));
    let grants = grants(&(grant("https://*.a.com") + &grant("https://b.com")));
    let organization = Policy { hosts: hosts(&["https://x.a.com", "https://b.com"]), addresses: None };
    let host = Policy { hosts: hosts(&["https://*.a.com"]), addresses: None };
    let basis = Basis {
        document: crate::Document::Sync,
        role: Role::Source,
        name: "source",
        connector: "a",
        asks: &asks,
        grants: &grants,
        organization: Some(&organization),
        host: Some(&host),
    };
    let rights = Rights::new(&basis);
    assert_eq!(rights.rules().iter().map(ToString::to_string).collect::<Vec<_>>(), ["https://x.a.com"]);
    for (name, expected) in
        [("x.a.com", "allowed"), ("y.a.com", "CD0203"), ("b.com", "CD0204"), ("c.com", "CD0201")]
    {
        let verdict = rights.judge_request(&get("https", name, 443, "/"));
        assert_eq!(outcome(&verdict), expected, "{name}: {verdict:?}");
    }
}

#[test]
fn a_policy_and_a_grant_leave_the_narrower_network_of_both() {
    let grant = |network: &str| AddressGrant { network: network.parse().unwrap(), port: 80 };
    for (granted, policy, left) in [
        ("10.0.0.0/8", "10.1.0.0/16", Some("10.1.0.0/16")),
        ("10.1.0.0/16", "10.0.0.0/8", Some("10.1.0.0/16")),
        ("10.1.0.0/16", "10.2.0.0/16", None),
        ("10.0.0.0/8", "10.1.2.3/32", Some("10.1.2.3/32")),
        ("10.1.2.3/32", "10.0.0.0/8", Some("10.1.2.3/32")),
        ("100.100.100.200/32", "100.64.0.0/10", None),
        ("100.64.0.0/10", "100.100.100.200/32", None),
        ("100.100.100.200/32", "100.100.100.200/32", Some("100.100.100.200/32")),
    ] {
        let asks = Asks::default();
        let grants = Grants { addresses: vec![grant(granted)], ..Grants::default() };
        let policy = Policy { hosts: None, addresses: Some(vec![grant(policy)]) };
        let rights = Rights::new(&Basis {
            document: crate::Document::Sync,
            role: Role::Source,
            name: "source",
            connector: "items",
            asks: &asks,
            grants: &grants,
            organization: None,
            host: Some(&policy),
        });
        assert_eq!(rights.addresses(), left.map(grant).as_slice(), "{granted} under {policy:?}");
    }
}

#[test]
fn what_follows_from_two_rules_stands_once_in_the_rights() {
    let twice = [["https://*.a.com", "https://x.a.com"], ["https://x.a.com", "https://*.a.com"]];
    let [asked, granted] = twice;
    let rights = rights(&asked.map(ask).concat(), &granted.map(grant).concat());
    assert_eq!(
        rights.rules().iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://x.a.com", "https://*.a.com"]
    );
    let network = |network: &str, port| AddressGrant { network: network.parse().unwrap(), port };
    let (wide, narrow) = (network("10.0.0.0/8", 80), network("10.1.0.0/16", 80));
    let left = |policy: Vec<AddressGrant>| {
        let grants = Grants { addresses: vec![wide, narrow], ..Grants::default() };
        let policy = Policy { hosts: None, addresses: Some(policy) };
        let (asks, host) = (Asks::default(), Some(&policy));
        let (role, name, connector) = (Role::Source, "source", "a");
        Rights::new(&Basis {
            document: crate::Document::Sync,
            role,
            name,
            connector,
            asks: &asks,
            grants: &grants,
            organization: None,
            host,
        })
        .addresses()
        .to_vec()
    };
    assert_eq!(left(vec![narrow, wide]), [narrow, wide]);
    assert_eq!(left(vec![network("10.0.0.0/8", 443), network("10.1.2.3/32", 443)]), [], "of another port");
}

#[test]
fn a_policy_narrows_granted_addresses() {
    let grants = grants(
        "[[source.grants.addresses]]\naddress = \"10.0.0.1\"\nport = 80\n\
         [[source.grants.addresses]]\naddress = \"10.0.0.2\"\nport = 80\n",
    );
    let kept = AddressGrant::exact("10.0.0.1".parse().unwrap(), 80);
    let host = Policy { hosts: None, addresses: Some(vec![kept]) };
    let asks = asks("");
    let basis = Basis {
        document: crate::Document::Sync,
        role: Role::Source,
        name: "source",
        connector: "a",
        asks: &asks,
        grants: &grants,
        organization: None,
        host: Some(&host),
    };
    let rights = Rights::new(&basis);
    assert_eq!(rights.addresses(), [kept]);
    assert!(rights.judge_address("10.0.0.1".parse().unwrap(), 80).is_allowed());
    assert!(!rights.judge_address("10.0.0.2".parse().unwrap(), 80).is_allowed());
}

#[test]
fn a_directory_needs_an_ask_and_a_grant_and_gets_the_lesser_access() {
    let asked = "[[asks.directories]]\nname = \"data\"\naccess = \"read\"\n\
                 [[asks.directories]]\nname = \"out\"\naccess = \"write\"\n\
                 [[asks.directories]]\nname = \"cache\"\naccess = \"write\"\noptional = true\n";
    let granted = "[source.grants.directories]\ndata = { path = \"/srv/data\", access = \"write\" }\n\
                   out = { path = \"/srv/out\", access = \"read\" }\nother = { path = \"/etc\" }\n";
    let rights = rights(asked, granted);
    assert_eq!(rights.directory("data"), Some((Access::Read, Path::new("/srv/data"))));
    assert_eq!(rights.directory("out"), Some((Access::Read, Path::new("/srv/out"))));
    assert_eq!(rights.directory("cache"), None);
    assert_eq!(rights.directory("other"), None);
    assert_eq!(rights.directories().map(|(name, _)| name).collect::<Vec<_>>(), ["data", "out"]);

    let unmet: Vec<(Code, &str, bool)> =
        rights.unmet().iter().map(|unmet| (unmet.code, unmet.subject.as_str(), unmet.required)).collect();
    let expected = [
        (Code::DirectoryNotGranted, "out", true),
        (Code::DirectoryNotGranted, "cache", false),
        (Code::GrantNotAsked, "other", false),
    ];
    assert_eq!(unmet, expected);
    let line = "# sync.toml\n[source.grants.directories.out]\npath = \"./out\"\naccess = \"write\"\n";
    assert_eq!(rights.unmet()[0].line_to_add.as_deref(), Some(line));
    let line = "# connector.toml\n[[asks.directories]]\nname = \"other\"\naccess = \"read\"\n";
    assert_eq!(rights.unmet()[2].line_to_add.as_deref(), Some(line));
}

#[test]
fn asks_without_grants_and_grants_without_asks_are_reported() {
    let rights = rights(
        &(ask("https://a.com") + &ask("https://*.b.com")),
        &(grant("https://x.b.com") + &grant("http://a.com")),
    );
    let unmet: Vec<(Code, &str)> =
        rights.unmet().iter().map(|unmet| (unmet.code, unmet.subject.as_str())).collect();
    assert_eq!(unmet, [(Code::HostNotGranted, "https://a.com"), (Code::GrantNotAsked, "http://a.com")]);
    let line = "# sync.toml\n[[source.grants.hosts]]\nurl = \"https://a.com\"\n";
    assert_eq!(rights.unmet()[0].line_to_add.as_deref(), Some(line));
    let line = "# connector.toml\n[[asks.hosts]]\nurl = \"http://a.com\"\n";
    assert_eq!(rights.unmet()[1].line_to_add.as_deref(), Some(line));
}

#[test]
fn a_hostile_directory_name_is_shown_without_its_control_characters() {
    let rights = rights("", "[source.grants.directories.\"\\u001b[2J\"]\npath = \"/a\"\n");
    assert!(!rights.unmet()[0].message.contains('\u{1b}'));
    assert_eq!(rights.unmet()[0].line_to_add, None);
}

#[test]
fn only_what_a_manifest_could_ask_for_is_proposed_to_be_asked() {
    let long = "a".repeat(63);
    for (name, could) in [
        ("data", true),
        ("a-1", true),
        (&long, true),
        (&format!("{long}a"), false),
        ("1a", false),
        ("-a", false),
        ("a_b", false),
        ("aB", false),
        ("a.b", false),
    ] {
        let rights = rights("", &format!("[source.grants.directories.\"{name}\"]\npath = \"/a\"\n"));
        let line = rights.unmet()[0].line_to_add.as_deref();
        assert_eq!(line.is_some(), could, "{name}: {line:?}");
        if let Some(line) = line {
            asks(line.strip_prefix("# connector.toml\n").unwrap());
        }
    }
}

#[test]
fn rights_cross_a_process_boundary_unchanged() {
    let rights = agreed(&["GET https://*.a.com /v1/", "http://10.0.0.1:80"], &[("10.0.0.1", 80)]);
    let carried = serde_json::to_string(&rights).unwrap();
    assert_eq!(serde_json::from_str::<Rights>(&carried).unwrap(), rights);
    let verdict = rights.judge_address("10.0.0.2".parse().unwrap(), 80);
    let carried = serde_json::to_value(&verdict).unwrap();
    assert_eq!(carried.pointer("/denied/code").unwrap(), "CD0207");
    assert_eq!(serde_json::from_value::<crate::Verdict>(carried).unwrap(), verdict);
}

#[test]
fn every_code_has_a_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    for code in Code::ALL {
        let page = std::fs::read_to_string(folder.join(format!("{code}.md"))).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}
