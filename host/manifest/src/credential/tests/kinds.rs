use crate::CredentialKind;
use crate::credential::{
    ClientAuthentication, Digest, Encoding, JwtAlgorithm, KeyEncoding, OAuth2Grant, Place, SignedPart,
    TimestampForm,
};

use super::{ask, asks, entry, faults};

const HMAC: &str = "sign = \"${timestamp}${method}${target}${body}\"\nhash = \"sha256\"\nencoding = \"base64\"\n\
                    header = \"X-Signature\"\ntimestamp_header = \"X-Timestamp\"";

fn places(kind: &str, settings: &str) -> Vec<String> {
    ask(kind, settings).kind.places().iter().map(Place::to_string).collect()
}

fn fields(kind: &str, settings: &str) -> String {
    let ask = ask(kind, settings);
    let shown = |field: &crate::credential::Field| {
        let public = if field.secret { "" } else { " (public)" };
        let optional = if field.optional { "?" } else { "" };
        format!("{}{optional}{public}", field.name)
    };
    ask.entered_fields().iter().map(shown).collect::<Vec<_>>().join(", ")
}

#[test]
fn an_entry_is_read_with_everything_it_says() {
    let body = "[[asks.credentials]]\nname = \"api\"\nkind = \"header\"\nheader = \"X-Api-Key\"\nprefix = \"Token \"\n\
                audience = [{ url = \"https://api.example.com\", methods = [\"GET\"], path_prefix = \"/v1\" }]\n\
                one_of = \"login\"\noptional = true\nreveal = true\nreason = \"reads your movies\"\n\
                fields = { value = \"/key\" }\n[config.properties.key]\ntype = \"string\"\nsecret = true\n";
    let read = asks(body).credentials.remove(0);
    assert_eq!(read.name, "api");
    let CredentialKind::Header(header) = &read.kind else { panic!("{:?}", read.kind) };
    assert_eq!((header.header.as_str(), header.prefix.as_str()), ("x-api-key", "Token "));
    assert_eq!(read.audience[0].to_string(), "GET https://api.example.com/v1");
    assert_eq!(read.one_of.as_deref(), Some("login"));
    assert_eq!((read.optional, read.reveal), (true, true));
    assert_eq!(read.reason.as_deref(), Some("reads your movies"));
    assert_eq!(read.fields["value"], "/key");
}

#[test]
fn each_kind_says_what_is_entered() {
    assert_eq!(fields("bearer", ""), "token");
    assert_eq!(fields("header", "header = \"x-key\""), "value");
    assert_eq!(fields("query", "parameter = \"key\""), "value");
    assert_eq!(fields("basic", ""), "username (public), password");
    assert_eq!(fields("hmac", HMAC), "key, key_id? (public)");
    assert_eq!(fields("hmac", &format!("{HMAC}\nkey_id_header = \"x-key\"")), "key, key_id (public)");
    let aws = "access_key_id (public), secret_access_key, session_token?";
    assert_eq!(fields("aws-sigv4", "service = \"s3\"\nregion = \"eu-central-1\""), aws);
    let oauth2 = |grant: &str| format!("grant = \"{grant}\"\ntoken_url = \"https://id.example.com/token\"");
    assert_eq!(fields("oauth2", &oauth2("client-credentials")), "client_id (public), client_secret");
    let refresh = "client_id (public), client_secret?, refresh_token";
    assert_eq!(fields("oauth2", &oauth2("refresh-token")), refresh);
    let code = oauth2("authorization-code") + "\nauthorize_url = \"https://id.example.com/authorize\"";
    assert_eq!(fields("oauth2", &code), "client_id (public), client_secret?, refresh_token?");
    let jwt = "private_key, issuer (public), key_id? (public), subject? (public)";
    assert_eq!(fields("jwt-bearer", "algorithm = \"ES256\""), jwt);
    assert_eq!(fields("mtls", ""), "certificate (public), private_key");
}

#[test]
fn each_kind_says_where_it_is_put() {
    assert_eq!(places("bearer", ""), ["the header `authorization`"]);
    assert_eq!(places("basic", ""), ["the header `authorization`"]);
    assert_eq!(places("header", "header = \"X-Key\""), ["the header `x-key`"]);
    assert_eq!(places("query", "parameter = \"api key\""), ["the query parameter `api key`"]);
    let signed = ["the signature of the request", "the header `x-signature`", "the header `x-timestamp`"];
    assert_eq!(places("hmac", HMAC), signed);
    assert_eq!(
        places("aws-sigv4", "service = \"s3\"\nregion = \"a\""),
        [
            "the signature of the request",
            "the header `authorization`",
            "the header `x-amz-date`",
            "the header `x-amz-content-sha256`",
            "the header `x-amz-security-token`"
        ]
    );
    let jwt = "algorithm = \"RS256\"\nheader = \"x-token\"\nprefix = \"\"";
    assert_eq!(places("jwt-bearer", jwt), ["the header `x-token`"]);
    assert_eq!(places("mtls", ""), ["the client certificate"]);
}

#[test]
fn nothing_that_ends_a_line_stands_before_a_value() {
    let header = |prefix: &str| entry("api", "header", &format!("header = \"x-key\"\nprefix = \"{prefix}\""));
    for prefix in ["", "Token ", "k=", &"p".repeat(200)] {
        assert_eq!(asks(&header(prefix)).credentials.len(), 1, "{prefix}");
    }
    for prefix in [" x", "x\\n", "x\\r\\nhost: a", "x\\u0000", "ü", &"p".repeat(201)] {
        let faults = faults(&header(prefix));
        assert!(faults[0].ends_with("cannot stand before a value in a header"), "{faults:?}");
    }
}

#[test]
fn a_signature_is_read_with_its_defaults() {
    let CredentialKind::Hmac(hmac) = ask("hmac", HMAC).kind else { panic!() };
    let parts = [SignedPart::Timestamp, SignedPart::Method, SignedPart::Target, SignedPart::Body];
    assert_eq!(hmac.sign.parts(), parts);
    assert!(hmac.sign.needs_body());
    assert_eq!((hmac.hash, hmac.encoding), (Digest::Sha256, Encoding::Base64));
    assert_eq!((hmac.key_encoding, hmac.timestamp), (KeyEncoding::Text, TimestampForm::Seconds));
    assert_eq!(hmac.headers().collect::<Vec<_>>(), ["x-signature", "x-timestamp"]);
}

#[test]
fn a_token_of_a_server_is_read_with_its_defaults() {
    let settings = "token_url = \"https://id.example.com/token\"\nauthorize_url = \"https://id.example.com/authorize\"\n\
                    scopes = [\"read\", \"offline_access\"]\nauthorize_parameters = { access_type = \"offline\" }";
    let CredentialKind::OAuth2(oauth2) = ask("oauth2", settings).kind else { panic!() };
    assert_eq!(oauth2.grant, OAuth2Grant::AuthorizationCode);
    assert_eq!(oauth2.client_authentication, ClientAuthentication::Basic);
    assert_eq!(oauth2.scopes, ["read", "offline_access"]);
    assert_eq!((oauth2.header.as_str(), oauth2.prefix.as_str()), ("authorization", "Bearer "));
    assert_eq!((oauth2.scope_separator.as_str(), oauth2.token_parameters.len()), (" ", 0));
    assert_eq!(oauth2.authorize_parameters["access_type"], "offline");

    let CredentialKind::JwtBearer(jwt) = ask("jwt-bearer", "algorithm = \"RS256\"").kind else { panic!() };
    assert_eq!((jwt.algorithm, jwt.lifetime_ms), (JwtAlgorithm::Rs256, 300_000));
    assert_eq!((jwt.token_url, jwt.token_audience), (None, None));
}

#[test]
fn every_kind_crosses_a_process_boundary_unchanged() {
    let code = "token_url = \"https://id.example.com/${config.tenant}/token\"\nauthorize_url = \"https://id.example.com/a\"\n\
                issuer = \"https://id.example.com\"\nscopes = [\"a\"]";
    let kinds = [
        ("bearer", ""),
        ("header", "header = \"x-key\""),
        ("query", "parameter = \"key\""),
        ("basic", ""),
        ("hmac", HMAC),
        ("aws-sigv4", "service = \"s3\"\nregion = \"${config.region}\""),
        ("oauth2", code),
        (
            "jwt-bearer",
            "algorithm = \"ES256\"\ntoken_audience = \"https://id.example.com\"\nclaims = { a = \"b\" }",
        ),
        ("mtls", ""),
    ];
    assert_eq!(kinds.map(|(kind, _)| kind), CredentialKind::WORDS);
    for (kind, settings) in kinds {
        let read = asks(&entry("api", kind, settings)).credentials.remove(0);
        let carried = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<crate::CredentialAsk>(&carried).unwrap(), read, "{carried}");
        assert_eq!(read.kind.as_str(), kind);
    }
}
