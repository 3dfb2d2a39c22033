use serde_json::json;

use super::{ask, asks, document, entry};
use crate::credential::{ConfigText, EndpointUrl};
use crate::{CredentialKind, Host, Manifest, Scheme};

const PROPERTIES: &str = "[config.properties.base_url]\ntype = \"string\"\n[config.properties.tenant]\ntype = \"string\"\n\
                          [config.properties.region]\ntype = \"string\"\ndefault = \"eu\"\n";

fn manifest(hosts: &str, credentials: &str) -> Manifest {
    let text = document(&format!("{credentials}{PROPERTIES}"))
        .replace("asks.hosts = [", &format!("asks.hosts = [{hosts}"));
    Manifest::parse("connector.toml", &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn of(url: &str, kind: &str, settings: &str) -> String {
    entry("api", kind, settings).replace("https://api.example.com", url)
}

#[test]
fn different_places_alternatives_and_what_is_revealed_do_not_collide() {
    let two = |one: (&str, &str), two: (&str, &str)| {
        asks(&(entry("one", one.0, one.1) + &entry("two", two.0, two.1)))
    };
    two(("header", "header = \"x-api-key\""), ("header", "header = \"x-application-key\""));
    two(("bearer", "one_of = \"login\""), ("basic", "one_of = \"login\""));
    two(("bearer", ""), ("basic", "reveal = true"));
    two(("bearer", "reveal = true"), ("basic", ""));
    two(("mtls", ""), ("bearer", ""));
    let narrow = entry("one", "bearer", "").replace("\" }]", "\", path_prefix = \"/a\" }]")
        + &entry("two", "bearer", "").replace("\" }]", "\", path_prefix = \"/b\" }]");
    assert_eq!(asks(&narrow).credentials.len(), 2);
}

#[test]
fn an_audience_may_be_any_part_of_the_hosts() {
    let host = "{ url = \"${config.base_url}\" }, { url = \"https://m.test\", methods = [\"GET\"] }, \
                { url = \"https://m.test\", methods = [\"POST\"] }, ";
    for url in [
        "${config.base_url}",
        "https://a.example.org",
        "https://*.a.example.org",
        "https://${config.tenant}.example.org",
    ] {
        assert_eq!(manifest(host, &of(url, "bearer", "")).asks.credentials.len(), 1, "{url}");
    }
    let both = of("https://m.test", "bearer", "").replace("\" }]", "\", methods = [\"GET\", \"POST\"] }]");
    assert_eq!(manifest(host, &both).asks.credentials.len(), 1);
}

#[test]
fn values_of_the_configuration_complete_audience_and_settings() {
    let settings =
        "token_url = \"https://id.example.com/${config.tenant}/token\"\ngrant = \"client-credentials\"";
    let manifest =
        manifest("{ url = \"${config.base_url}\" }, ", &of("${config.base_url}", "oauth2", settings));
    let config = json!({"base_url": "https://a.test/api", "tenant": "acme"});
    let asks = manifest.resolve_asks(&config).unwrap();
    let ask = &asks.credentials[0];
    assert!(ask.is_resolved());
    assert_eq!(ask.audience[0].to_string(), "https://a.test/api");
    let CredentialKind::OAuth2(oauth2) = &ask.kind else { panic!() };
    assert_eq!(oauth2.token_url.url(), "https://id.example.com/acme/token");
    assert_eq!(oauth2.token_url.path(), "/acme/token");

    let missing = manifest.resolve_asks(&json!({"base_url": "https://a.test"})).unwrap_err();
    assert_eq!((missing.len(), missing[0].path.as_str()), (1, "/tenant"));
    let unused = manifest.resolve_asks(&json!({"tenant": "acme"})).unwrap();
    assert_eq!(
        (unused.hosts.len(), unused.credentials.len()),
        (2, 0),
        "what is not configured is not reached"
    );
    for tenant in ["", ".", "..", "a/b", "a?b", "%2e", "a b", "ü"] {
        let config = json!({"base_url": "https://a.test", "tenant": tenant});
        let faults = manifest.resolve_asks(&config).unwrap_err();
        assert_eq!(faults[0].path, "/tenant", "{tenant}");
    }
}

#[test]
fn a_credential_is_for_requests_that_are_like_its_audience_in_everything() {
    let narrow = "\", methods = [\"GET\"], path_prefix = \"/v1\" }]";
    let ask = asks(&entry("api", "bearer", "").replace("\" }]", narrow)).credentials.remove(0);
    let is_for = |scheme, host, port, method, path| {
        ask.is_for(scheme, &Host::parse(host).unwrap(), port, method, path)
    };
    let (https, host) = (Scheme::Https, "api.example.com");
    assert!(is_for(https, host, 443, "GET", "/v1/items"));
    assert!(!is_for(Scheme::Http, host, 443, "GET", "/v1/items"));
    assert!(!is_for(https, "a.example.org", 443, "GET", "/v1/items"), "the connector may go there");
    assert!(!is_for(https, host, 8443, "GET", "/v1/items"));
    assert!(!is_for(https, host, 443, "POST", "/v1/items"));
    assert!(!is_for(https, host, 443, "GET", "/v2/items"));
}

#[test]
fn an_ask_is_resolved_when_neither_its_audience_nor_a_setting_is_open() {
    let is_resolved = |credential: &str| {
        manifest("{ url = \"${config.base_url}\" }, ", credential).asks.credentials[0].is_resolved()
    };
    assert!(is_resolved(&entry("api", "bearer", "")));
    assert!(!is_resolved(&of("${config.base_url}", "bearer", "")));
    assert!(!is_resolved(&entry("api", "aws-sigv4", "service = \"s3\"\nregion = \"${config.region}\"")));
}

#[test]
fn what_may_be_left_out_is_left_out_where_its_settings_are_not_configured() {
    let settings = |more: &str| {
        format!(
            "token_url = \"https://id.example.com/${{config.tenant}}/token\"\ngrant = \"client-credentials\"\n{more}"
        )
    };
    let credentials = |more: &str| {
        let manifest = manifest("", &entry("api", "oauth2", &settings(more)));
        manifest.resolve_asks(&json!({})).map(|asks| asks.credentials.len())
    };
    assert_eq!(credentials("optional = true"), Ok(0));
    assert_eq!(credentials("one_of = \"login\""), Ok(0));
    assert_eq!(credentials("").unwrap_err()[0].path, "/tenant");
}

/// The names and URLs that the host may call, those of them that it calls in a run, and what it keeps.
fn called(kind: &CredentialKind) -> (Vec<(&str, String)>, Vec<String>, Vec<&str>) {
    let all = kind.endpoints().into_iter().map(|(name, url)| (name, url.url())).collect();
    let in_runs = kind.called_endpoints().into_iter().map(EndpointUrl::url).collect();
    (all, in_runs, kind.kept().iter().map(|kept| kept.name).collect())
}

#[test]
fn each_url_of_a_token_takes_the_values_of_the_configuration() {
    let resolved = |kind: &str, settings: &str| {
        let manifest = manifest("", &entry("api", kind, settings));
        assert!(!manifest.asks.credentials[0].is_resolved(), "{kind}");
        let mut asks = manifest.resolve_asks(&json!({"tenant": "acme"})).unwrap();
        assert!(asks.credentials[0].is_resolved(), "{kind}");
        asks.credentials.remove(0).kind
    };
    let names = ["token_url", "authorize_url", "device_url", "revoke_url", "issuer"];
    let settings: String =
        names.map(|name| format!("{name} = \"https://id.example.com/${{config.tenant}}/{name}\"\n")).concat();
    let url = |name: &str| format!("https://id.example.com/acme/{name}");
    let token = vec!["access_token", "expires_at"];
    let oauth2 = resolved("oauth2", &settings);
    assert_eq!(
        called(&oauth2),
        (names.map(|name| (name, url(name))).to_vec(), vec![url("token_url")], token.clone())
    );

    let settings = "algorithm = \"ES256\"\ntoken_url = \"https://id.example.com/${config.tenant}/token_url\"\n\
                    token_audience = \"${config.tenant}\"";
    let jwt = resolved("jwt-bearer", settings);
    assert_eq!(called(&jwt), (vec![("token_url", url("token_url"))], vec![url("token_url")], token));
    let audience = resolved("jwt-bearer", "algorithm = \"ES256\"\ntoken_audience = \"${config.tenant}\"");
    let CredentialKind::JwtBearer(audience) = audience else { panic!() };
    assert_eq!(audience.token_audience.unwrap().fixed(), Some("acme"));
    assert_eq!(called(&ask("bearer", "").kind), (vec![], vec![], vec![]));
}

#[test]
fn a_base_url_may_be_that_of_the_token_too() {
    let settings = "token_url = \"${config.base_url}/oauth/token?v=1\"\ngrant = \"client-credentials\"";
    let manifest =
        manifest("{ url = \"${config.base_url}\" }, ", &of("${config.base_url}", "oauth2", settings));
    let url = |base: &str| {
        let asks =
            manifest.resolve_asks(&json!({"base_url": base})).map_err(|faults| faults[0].message.clone())?;
        let CredentialKind::OAuth2(oauth2) = &asks.credentials[0].kind else { panic!() };
        Ok::<_, String>(oauth2.token_url.url())
    };
    assert_eq!(url("https://a.test/api/").unwrap(), "https://a.test/api/oauth/token?v=1");
    assert_eq!(url("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/oauth/token?v=1");
    assert!(url("http://a.test").unwrap_err().contains("sends secrets in the clear"));
}

#[test]
fn a_value_that_makes_two_audiences_meet_is_refused() {
    let two = of("${config.base_url}", "bearer", "") + &entry("other", "basic", "");
    let manifest = manifest("{ url = \"${config.base_url}\" }, ", &two);
    assert!(manifest.resolve_asks(&json!({"base_url": "https://elsewhere.test"})).is_ok());
    let faults = manifest.resolve_asks(&json!({"base_url": "https://api.example.com/v1"})).unwrap_err();
    assert_eq!(
        faults[0].message,
        "`other` and `api` would both be the header `authorization` of a request to `https://api.example.com/v1`"
    );
}

#[test]
fn each_two_of_many_audiences_are_held_against_each_other() {
    let three = entry("key", "header", "header = \"x-key\"")
        + &of("${config.base_url}", "bearer", "")
        + &entry("other", "basic", "");
    let manifest = manifest("{ url = \"${config.base_url}\" }, ", &three);
    let faults = manifest.resolve_asks(&json!({"base_url": "https://api.example.com"})).unwrap_err();
    assert!(faults[0].message.starts_with("`other` and `api` would both be"), "{faults:?}");
}

#[test]
fn a_certificate_is_for_the_whole_origin_of_a_base_url() {
    let manifest = manifest("{ url = \"${config.base_url}\" }, ", &of("${config.base_url}", "mtls", ""));
    let asks = manifest.resolve_asks(&json!({"base_url": "https://a.test/api"})).unwrap();
    assert_eq!(asks.credentials[0].audience[0].to_string(), "https://a.test");
}

#[test]
fn a_default_of_the_configuration_completes_a_region() {
    let aws = ask("aws-sigv4", "service = \"s3\"\nregion = \"${config.region}\"");
    assert_eq!(aws.pointers(), ["/region"]);
    let manifest =
        manifest("", &entry("api", "aws-sigv4", "service = \"s3\"\nregion = \"${config.region}\""));
    let region = |config: serde_json::Value| {
        let asks = manifest.resolve_asks(&config).map_err(|faults| faults[0].path.clone())?;
        let CredentialKind::AwsSigv4(aws) = &asks.credentials[0].kind else { panic!() };
        Ok::<_, String>(aws.region.fixed().unwrap().to_owned())
    };
    assert_eq!(region(json!({})), Ok("eu".to_owned()));
    assert_eq!(region(json!({"region": "us-east-1"})), Ok("us-east-1".to_owned()));
    for wrong in ["us/east", "", "us east", "ü", &"r".repeat(501)] {
        assert_eq!(region(json!({"region": wrong})), Err("/region".to_owned()), "{wrong}");
    }
    assert_eq!(region(json!({"region": "r".repeat(500)})), Ok("r".repeat(500)));
    for half in ["s3-${config.region}", "s3://${config.region}", "${config.region"] {
        assert!(ConfigText::parse(half).is_err(), "{half}");
    }
}

#[test]
fn a_binding_changes_with_what_a_value_is_sent_to() {
    let of = |kind: &str, settings: &str| ask(kind, settings).binding();
    let bearer = of("bearer", "");
    // What was entered before stays usable: these bytes do not change by accident.
    assert_eq!(bearer.as_str(), "10a7993b6051ca4f5e11a93ee49d8d63725ef88a75ca1cde14900c7f4843df68");
    assert_eq!(bearer.to_string(), bearer.as_str());
    assert_eq!(bearer, of("bearer", "optional = true\nreason = \"because\"\none_of = \"login\""));
    let key = of("header", "header = \"x-key\"");
    let others = [
        of("basic", ""),
        of("header", "header = \"x-other\""),
        of("header", "header = \"x-key\"\nprefix = \"Token \""),
    ];
    for other in others {
        assert!(other != key && other != bearer);
    }
    let rules = |rules: &str| {
        let entry =
            format!("[[asks.credentials]]\nname = \"api\"\nkind = \"bearer\"\naudience = [{rules}]\n");
        asks(&entry).credentials[0].binding()
    };
    let (one, two) = ("{ url = \"https://api.example.com\" }", "{ url = \"https://a.example.org\" }");
    assert_eq!(rules(&format!("{one}, {two}")), rules(&format!("{two}, {one}")));
    assert_eq!(rules(&format!("{one}, {one}")), bearer);
    assert!(rules(&format!("{one}, {two}")) != bearer && rules(&format!("{one}, {two}")) != rules(two));
}

#[test]
fn an_endpoint_is_resolved_when_nothing_of_it_is_open() {
    for (url, pointers) in [
        ("https://id.example.com", vec![]),
        ("https://id.example.com/a/token?v=1", vec![]),
        ("https://${config.tenant}.example.com/token", vec!["/tenant"]),
        ("https://id.example.com/${config.tenant}/token", vec!["/tenant"]),
        ("${config.base_url}/token", vec!["/base_url"]),
    ] {
        let endpoint = EndpointUrl::parse(url).unwrap();
        assert_eq!(
            (endpoint.is_resolved(), endpoint.pointers()),
            (pointers.is_empty(), owned(&pointers)),
            "{url}"
        );
    }
}

#[test]
fn an_endpoint_has_the_parts_of_its_url() {
    let endpoint = EndpointUrl::parse("https://id.example.com:8443/a/token?v=1&w").unwrap();
    let host = Host::parse("id.example.com").unwrap();
    assert_eq!(endpoint.origin(), Some((Scheme::Https, &host, 8443)));
    assert_eq!((endpoint.path().as_str(), endpoint.query()), ("/a/token", Some("v=1&w")));
    assert_eq!(EndpointUrl::parse("https://id.example.com").unwrap().query(), None);
    assert_eq!(EndpointUrl::parse("${config.base_url}/token").unwrap().origin(), None, "it is open");
    let long = |bytes: usize| {
        let url = "https://id.example.com/";
        EndpointUrl::parse(&format!("{url}{}", "a".repeat(bytes - url.len())))
    };
    assert!(long(1024).is_ok());
    assert!(long(1025).unwrap_err().to_string().contains("longer than 1024 bytes"));
}

#[test]
fn secrets_are_sent_in_the_clear_to_this_machine_alone() {
    let parsed = |host: &str| EndpointUrl::parse(&format!("http://{host}/token"));
    for host in ["localhost", "localhost:8080", "id.localhost", "127.0.0.1", "127.9.9.9:1", "[::1]"] {
        assert!(parsed(host).is_ok(), "{host}");
    }
    for host in [
        "example.com",
        "localhost.example.com",
        "notlocalhost.example.com",
        "mylocalhost",
        "10.0.0.1",
        "[fd00::1]",
    ] {
        assert!(parsed(host).unwrap_err().to_string().contains("in the clear"), "{host}");
    }
}

fn owned(pointers: &[&str]) -> Vec<String> {
    pointers.iter().map(ToString::to_string).collect()
}

/// Nothing that a manifest may say leads there: it would be a fault of ours, and not one that sends a secret elsewhere.
#[test]
fn an_audience_that_no_host_covers_any_more_is_a_fault_too() {
    let (asks, other) = (asks(&entry("api", "bearer", "")), asks(""));
    let faults = |hosts| crate::credential::audience::resolved_faults(&asks.credentials, hosts);
    assert_eq!(faults(&asks.hosts), [""; 0]);
    assert_eq!(
        faults(&other.hosts[1..]),
        ["the credential `api` is for `https://api.example.com`, which no host that is asked for covers"]
    );
}
