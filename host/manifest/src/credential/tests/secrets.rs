use std::collections::BTreeMap;

use serde_json::json;

use super::{asks, check, document, entry};
use crate::Manifest;
use crate::credential::Connected;

const TOKEN: &str = "[config.properties.token]\ntype = \"string\"\nsecret = true\n";

fn with_token(settings: &str, properties: &str) -> String {
    entry("api", "bearer", settings) + properties
}

#[test]
fn a_secret_is_the_source_of_exactly_one_field() {
    check(
        &with_token("", TOKEN),
        &[
            "14:1 CD0116 config.properties.token: the secret `/token` is the source of no credential (name it in the credential \
           that it belongs to, such as `fields = { token = \"/token\" }`; the host enters it for the connector)",
        ],
    );
    check(
        &with_token("fields = { token = \"/tokn\" }", TOKEN),
        &[
            "13:20 CD0116 asks.credentials[0].fields.token: the configuration has no secret at `/tokn` (did you mean `/token`?)",
            "14:1 CD0116 config.properties.token: the secret `/token` is the source of no credential (name it in the \
             credential that it belongs to, such as `fields = { token = \"/token\" }`; the host enters it for the connector)",
        ],
    );
    let named = "fields = { token = \"/token\" }";
    let other = entry("other", "header", "header = \"x-key\"\nfields = { value = \"/token\" }");
    check(
        &(entry("api", "bearer", named) + &other + TOKEN),
        &["19:20 CD0116 asks.credentials[1].fields.value: the secret `/token` is the source of \
           `asks.credentials[0].fields.token` already"],
    );
    check(
        &with_token(named, "[config.properties.token]\ntype = \"string\"\n"),
        &[
            "13:20 CD0116 asks.credentials[0].fields.token: the configuration has no secret at `/token` (declare the property \
           under `[config.properties]` with `secret = true`)",
        ],
    );
}

#[test]
fn a_secret_has_one_place_and_no_default() {
    check(
        &with_token(
            "fields = { token = \"/token\" }",
            "[config.properties.token]\nwriteOnly = true\ndefault = \"x\"\n[config.properties.keys]\nitems = { airbyte_secret = true }\n",
        ),
        &[
            "14:1 CD0116 config.properties.token: a secret has no default: whoever reads the manifest would know it",
            "18:9 CD0116 config.properties.keys.items: a secret stands in a place of its own: not in a list, and not under any name",
        ],
    );
}

#[test]
fn no_url_is_made_of_a_secret() {
    let body = with_token("fields = { token = \"/token\" }", TOKEN);
    let text = document(&body)
        .replace("asks.hosts = [", "asks.hosts = [{ url = \"https://${config.token}.example.com\" }, ");
    let faults = Manifest::parse("connector.toml", &text).unwrap_err();
    assert_eq!(faults.faults.len(), 1, "{faults}");
    assert_eq!(faults.faults[0].path, "asks.hosts[0].url");
    assert_eq!(faults.faults[0].message, "`/token` is a secret, which no URL and no setting is made of");
}

#[test]
fn the_member_of_the_host_is_no_property() {
    check(
        &with_token("", "[config.properties.credentials]\ntype = \"object\"\n"),
        &[
            "14:1 CD0109 config.properties.credentials: the host says in `credentials` which credentials there are: call the \
           property otherwise",
        ],
    );
    let open = Manifest::parse("connector.toml", &document(&with_token("", "[config]\ntype = \"object\"\n")))
        .unwrap();
    let faults = open.validate_config(&json!({"credentials": {"api": {}}}));
    assert_eq!((faults.len(), faults[0].path.as_str()), (1, "/credentials"));
    let closed = document(&with_token("", "[config]\nadditionalProperties = { type = \"string\" }\n"));
    let closed = Manifest::parse("connector.toml", &closed).unwrap();
    let faults = closed.validate_config(&json!({"credentials": 1, "other": 2}));
    let told: Vec<_> =
        faults.iter().map(|fault| (fault.path.as_str(), fault.message.contains("the host says"))).collect();
    assert_eq!(told, [("/other", false), ("/credentials", true)], "each is told once");
    let without = Manifest::parse("connector.toml", &document("")).unwrap();
    assert_eq!(
        without.validate_config(&json!({"credentials": 1}))[0].message,
        "the connector takes no configuration"
    );
}

#[test]
fn a_connector_gets_no_secret_and_the_public_parts_of_its_credentials() {
    let body = entry("api", "basic", "fields = { password = \"/login/password\" }")
        + "[config.properties.login.properties.password]\nsecret = true\n";
    let manifest = Manifest::parse("connector.toml", &document(&body)).unwrap();
    let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let connected = |revealed| Connected {
        name: "api",
        kind: &manifest.asks.credentials[0].kind,
        public: map("username", "me"),
        revealed,
    };
    let config = json!({"login": {"password": "s3cret", "realm": "x"}, "credentials": "forged"});
    let told = json!({"login": {"realm": "x"}, "credentials": {"api": {"kind": "basic", "public": {"username": "me"}}}});
    assert_eq!(manifest.guest_config(&config, &[connected(BTreeMap::new())]), told);
    assert_eq!(manifest.told_credentials(&told), told["credentials"]);
    assert_eq!(manifest.guest_config_told(&config, manifest.told_credentials(&told)), told);
    assert_eq!(manifest.told_credentials(&json!({})), json!(null));
    assert_eq!(manifest.guest_config(&json!(null), &[]), json!({"credentials": {}}));
    let revealed = manifest.guest_config(&json!({}), &[connected(map("password", "s3cret"))]);
    assert_eq!(revealed.pointer("/credentials/api/revealed/password").unwrap(), "s3cret");

    let without = Manifest::parse("connector.toml", &document("")).unwrap();
    assert_eq!(without.told_credentials(&told), json!(null), "it asks for none");
    assert_eq!(
        without.guest_config(&json!({"a": 1}), &[]),
        json!({"a": 1}),
        "nothing is added where nothing is asked"
    );
}

#[test]
fn a_users_name_is_entered_unseen_where_the_configuration_has_it_as_a_secret() {
    let entered = |settings: &str, properties: &str| {
        let fields = asks(&(entry("api", "basic", settings) + properties)).credentials[0].entered_fields();
        fields.iter().map(|field| (field.name, field.secret)).collect::<Vec<_>>()
    };
    let key = "[config.properties.key]\ntype = \"string\"\nsecret = true\n";
    assert_eq!(entered("fields = { username = \"/key\" }", key), [("username", true), ("password", true)]);
    assert_eq!(entered("", ""), [("username", false), ("password", true)]);
}
