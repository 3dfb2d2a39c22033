//! Which stored credentials the host may use, and the lines that would allow what is missing.

use manifest::{Asks, HostPattern};

use super::rights::{ask, grant};
use super::{asks, grants, rights};
use crate::{Basis, Code, Policy, Rights, Unmet};

fn credential(name: &str, more: &str) -> String {
    let audience = "audience = [{ url = \"https://a.com\", path_prefix = \"/v1\" }]";
    format!("[[asks.credentials]]\nname = \"{name}\"\nkind = \"bearer\"\n{audience}\n{more}\n")
}

fn of(credentials: &[String], lines: &str) -> Rights {
    let asked = ask("https://a.com") + &credentials.concat();
    let granted = format!("{}[source.grants.credentials]\n{lines}", grant("https://a.com"));
    rights(&asked, &granted)
}

/// Name, stored name and whether it is revealed.
fn given(rights: &Rights) -> Vec<(&str, &str, bool)> {
    rights
        .credentials()
        .iter()
        .map(|one| (one.ask.name.as_str(), one.stored.as_str(), one.revealed))
        .collect()
}

fn the_one(rights: &Rights) -> (Code, &str, bool, &str, Option<&str>) {
    assert_eq!(rights.credentials(), [], "nothing is given");
    assert_eq!(rights.unmet().len(), 1, "{:#?}", rights.unmet());
    let Unmet { code, subject, required, message, line_to_add } = &rights.unmet()[0];
    (*code, subject, *required, message, line_to_add.as_deref())
}

#[test]
fn what_is_asked_and_granted_is_given_in_the_order_of_the_manifest() {
    let two =
        [credential("second", "one_of = \"x\""), credential("first", "optional = true\none_of = \"y\"")];
    let other = two[1].replace("bearer", "header").replace("/v1\" }]", "/v1\" }]\nheader = \"x-key\"");
    let rights = of(&[two[0].clone(), other], "first = \"shop.first\"\nsecond = \"shop.second\"\n");
    assert_eq!(given(&rights), [("second", "shop.second", false), ("first", "shop.first", false)]);
    assert_eq!(rights.unmet(), []);
    assert_eq!(rights.credentials()[0].ask.audience[0].to_string(), "https://a.com/v1");
    let carried = serde_json::to_string(&rights).unwrap();
    assert_eq!(serde_json::from_str::<Rights>(&carried).unwrap(), rights);
}

#[test]
fn a_credential_that_nobody_granted_is_denied_with_the_lines_that_grant_it() {
    let rights = of(&[credential("api", "")], "");
    assert_eq!(
        the_one(&rights),
        (
            Code::CredentialNotGranted,
            "api",
            true,
            "`source` asks for the credential `api` in requests to `https://a.com/v1`, and nobody granted it",
            Some("# sync.toml\n[source.grants.credentials.api]\nuse = \"a.api\"\n"),
        )
    );
    let optional = of(&[credential("api", "optional = true")], "");
    assert!(!the_one(&optional).2, "a connector that can do without starts");
}

#[test]
fn of_alternatives_exactly_one_is_granted() {
    let alternative = |name: &str, more: &str| credential(name, &format!("one_of = \"login\"\n{more}"));
    let two = [alternative("key", ""), alternative("password", "")];
    assert_eq!(
        the_one(&of(&two, "")),
        (
            Code::CredentialNotGranted,
            "key",
            true,
            "`source` asks for one of the credentials `key`, `password`, and nobody granted one",
            Some("# sync.toml\n[source.grants.credentials.key]\nuse = \"a.key\"\n"),
        )
    );
    assert_eq!(given(&of(&two, "password = \"a.password\"\n")), [("password", "a.password", false)]);
    assert_eq!(
        the_one(&of(&two, "key = \"a.key\"\npassword = \"a.password\"\n")),
        (
            Code::CredentialAlternatives,
            "key",
            true,
            "`key` and `password` are alternatives of `source`, and all of them are granted: remove all but one of the lines",
            None,
        )
    );
    for (key, password) in [("optional = true", ""), ("", "optional = true")] {
        let two = [alternative("key", key), alternative("password", password)];
        assert!(!the_one(&of(&two, "")).2, "one that can be done without is enough");
    }
}

#[test]
fn a_value_is_held_only_where_that_is_asked_and_granted() {
    let revealed = [credential("api", "reveal = true")];
    let line = "# sync.toml\n[source.grants.credentials.api]\nuse = \"shop.key\"\nreveal = true\n";
    assert_eq!(
        the_one(&of(&revealed, "api = \"shop.key\"\n")),
        (
            Code::RevealNotGranted,
            "api",
            true,
            "`source` wants to hold the credential `api` itself, and only its use is granted",
            Some(line),
        )
    );
    assert_eq!(
        the_one(&of(&revealed, "")).3,
        "`source` asks to hold the credential `api` itself, for `https://a.com/v1`, and nobody granted it"
    );
    let both = of(&revealed, "api = { use = \"shop.key\", reveal = true }\n");
    assert_eq!((given(&both), both.unmet()), (vec![("api", "shop.key", true)], [].as_slice()));

    let not_asked = of(&[credential("api", "")], "api = { use = \"shop.key\", reveal = true }\n");
    assert_eq!(given(&not_asked), [("api", "shop.key", false)]);
    assert_eq!((not_asked.unmet()[0].code, not_asked.unmet()[0].required), (Code::GrantNotAsked, false));
}

#[test]
fn a_grant_without_an_ask_gives_nothing() {
    let rights = of(&[], "\"\\u001b[2J\" = \"shop.key\"\n");
    let (code, _, required, message, line) = the_one(&rights);
    assert_eq!((code, required, line), (Code::GrantNotAsked, false, None));
    assert!(
        message.contains("does not ask for it: it gives nothing") && !message.contains('\u{1b}'),
        "{message}"
    );
}

#[test]
fn a_policy_reaches_the_urls_that_the_host_calls_for_a_credential() {
    let oauth2 = |url: &str| {
        let ask_for = credential("api", &format!("token_url = \"{url}\"\ngrant = \"refresh-token\""));
        asks(&(ask("https://a.com") + &ask_for.replace("bearer", "oauth2")))
    };
    let (asks, open) = (oauth2("https://id.b.com/token"), oauth2("https://${config.id}.b.com/token"));
    let grants = grants("[source.grants.credentials]\napi = \"a.api\"\n");
    let with = |asks: &Asks, hosts: Option<Vec<HostPattern>>| {
        let policy = Policy { hosts, addresses: None };
        let basis = Basis {
            document: crate::Document::Sync,
            role: manifest::Role::Source,
            name: "source",
            connector: "a",
            asks,
            grants: &grants,
            organization: Some(&policy),
            host: None,
        };
        Rights::new(&basis)
    };
    let rules = |hosts: &[&str]| hosts.iter().map(|url| HostPattern::parse(url).unwrap()).collect();
    let under = |hosts: Option<&[&str]>| with(&asks, hosts.map(rules));
    assert_eq!(given(&under(None)), [("api", "a.api", false)]);
    assert_eq!(given(&under(Some(&["https://a.com", "https://*.b.com"]))), [("api", "a.api", false)]);
    let denied = under(Some(&["https://a.com"]));
    assert_eq!(denied.credentials(), []);
    let found = denied.unmet().iter().find(|unmet| unmet.code == Code::OrganizationPolicy).unwrap();
    assert_eq!(
        (found.required, found.message.as_str()),
        (
            true,
            "the credential `api` needs `https://id.b.com/token`, which the organization's policy does not allow"
        )
    );
    let wide = || HostPattern::parse("https://*.b.com").unwrap();
    for (what, rule, allowed) in [
        ("the path that is called", wide().with_path_prefix("/token").unwrap(), true),
        ("another path", wide().with_path_prefix("/other/").unwrap(), false),
        ("the method that is used", wide().with_methods(["POST"]).unwrap(), true),
        ("another method", wide().with_methods(["GET"]).unwrap(), false),
    ] {
        assert_eq!(with(&asks, Some(vec![rule])).credentials().len(), usize::from(allowed), "{what}");
    }
    assert_eq!(with(&open, Some(vec![wide()])).credentials(), [], "nobody knows yet which URL that is");
}
