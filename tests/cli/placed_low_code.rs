//! A packaged manifest whose authenticators became credentials: the interpreter sends the request, the host its secret.

use crate::api;
use crate::credentials::{CANARY, nothing_shows, secret};
use crate::world::{Ran, World};

const MANIFEST: &str = r#"
version: 1.2.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [movies]}
streams:
  - type: DeclarativeStream
    name: movies
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['base_url'] }}"
        path: /movies
        request_parameters: {_page: "1"}
        authenticator: AUTHENTICATOR
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, asked: {type: string}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [base_url, secret]
    properties:
      base_url: {type: string}
      user: {type: string, default: ada}
      secret: {type: string, airbyte_secret: true}
"#;

fn world(authenticator: &str, ask: &str, url: &str) -> World {
    let world = crate::build::packaged(&MANIFEST.replace("AUTHENTICATOR", authenticator));
    let grants = api::grants(url);
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "movies"
[source]
connector = "api.wasm"
config = {{ base_url = "{url}" }}
{grants}
[source.grants.credentials]
{ask} = "api.{ask}"
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
[run]
attempts = 1
"#
        ),
    );
    secret(&world, "secret", CANARY);
    world
}

/// The authenticator, the ask that it becomes, what an admin enters, and what the system wants to see.
type Kind = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const KINDS: [Kind; 4] = [
    (
        r#"{type: BearerAuthenticator, api_token: "{{ config['secret'] }}"}"#,
        "token",
        &["--secret", "token=@secret"],
        &["authorization: Bearer CANARY-of-a-secret-4711\n"],
    ),
    (
        r#"{type: ApiKeyAuthenticator, api_token: "{{ config['secret'] }}", inject_into: {type: RequestOption, inject_into: header, field_name: X-Api-Key}}"#,
        "api-key",
        &["--secret", "value=@secret"],
        &["x-api-key: CANARY-of-a-secret-4711\n"],
    ),
    (
        r#"{type: ApiKeyAuthenticator, api_token: "{{ config['secret'] }}", inject_into: {type: RequestOption, inject_into: request_parameter, field_name: key}}"#,
        "api-key",
        &["--secret", "value=@secret"],
        &["key=CANARY-of-a-secret-4711"],
    ),
    (
        r#"{type: BasicHttpAuthenticator, username: "{{ config['user'] }}", password: "{{ config['secret'] }}"}"#,
        "login",
        &["--field", "username=ada", "--secret", "password=@secret"],
        // What `printf ada:CANARY-of-a-secret-4711 | base64` says.
        &["authorization: Basic YWRhOkNBTkFSWS1vZi1hLXNlY3JldC00NzEx"],
    ),
];

#[test]
fn each_authenticator_is_a_credential_that_the_host_places() {
    for (authenticator, ask, fields, wanted) in KINDS {
        let world = world(authenticator, ask, &api::serve_to(wanted));
        let missing = world.run(&["run", "sync.toml"]);
        assert!(missing.stderr.contains("cofferdam connect"), "{authenticator}: {}", missing.report());
        let entered = world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
        let ran: Ran = world.run(&["run", "sync.toml"]).succeeded();
        let rows = crate::rows::rows(&world.path("out"));
        assert_eq!(rows.get("movies").map(Vec::len), Some(2), "{authenticator}: {}", ran.report());
        nothing_shows(&world, &[&missing, &entered, &ran]);
    }
}

#[test]
fn what_a_system_sends_back_of_a_secret_is_blanked_and_told() {
    let [(authenticator, ask, fields, _), ..] = KINDS;
    let world = world(authenticator, ask, &api::serve_echo());
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    let rows = crate::rows::rows(&world.path("out")).remove("movies").unwrap();
    let blank = format!("authorization: Bearer {}", "*".repeat(CANARY.len()));
    assert!(rows[0].contains(&blank), "{rows:?}");
    assert!(!rows[0].contains(CANARY), "{rows:?}");
    let told = ran.stdout.lines().chain(ran.stderr.lines()).find(|line| line.contains("came back"));
    assert!(told.is_some_and(|line| line.contains("api.token")), "{}", ran.report());
    nothing_shows(&world, &[&ran]);
}
