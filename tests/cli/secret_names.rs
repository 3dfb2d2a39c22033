//! A user's name that is a secret, as a key in the place of a name is: entered unseen, kept sealed, placed, and watched for.

use crate::api;
use crate::credentials::{CANARY, nothing_shows, secret};
use crate::world::World;

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
        authenticator: {type: BasicHttpAuthenticator, username: "{{ config['key'] }}", password: ""}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, asked: {type: string}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [base_url, key]
    properties:
      base_url: {type: string}
      key: {type: string, airbyte_secret: true}
"#;

fn world(url: &str) -> World {
    let world = crate::build::packaged(MANIFEST);
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
login = "api.login"
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

#[test]
fn a_key_in_the_place_of_a_user_name_is_a_secret_and_needs_no_password() {
    // What `printf CANARY-of-a-secret-4711: | base64` says.
    let world = world(&api::serve_to(&["authorization: Basic Q0FOQVJZLW9mLWEtc2VjcmV0LTQ3MTE6\n"]));
    let in_words = world.run(&["connect", "sync.toml", "--field", &format!("username={CANARY}")]);
    assert!(in_words.stderr.contains("error[CD0844]"), "{}", in_words.report());
    world.run(&["connect", "sync.toml", "--secret", "username=@secret"]).succeeded();
    let listed = world.run(&["credentials", "list", "--json"]).succeeded();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let kept = &listed["credentials"][0];
    assert_eq!(
        (&kept["secret"], &kept["public"]),
        (&serde_json::json!(["username"]), &serde_json::json!({}))
    );
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    nothing_shows(&world, &[&ran]);
}

#[test]
fn a_user_name_that_is_a_secret_is_blanked_where_it_comes_back() {
    let world = world(&api::serve_echo());
    secret(&world, "password", "another-secret-0815");
    let both = ["--secret", "username=@secret", "--secret", "password=@password"];
    world.run(&[&["connect", "sync.toml"], &both[..]].concat()).succeeded();
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    let arrived = format!("{:?}", crate::rows::rows(&world.path("out")));
    // What `printf CANARY-of-a-secret-4711:another-secret-0815 | base64` says.
    let pair = "Q0FOQVJZLW9mLWEtc2VjcmV0LTQ3MTE6YW5vdGhlci1zZWNyZXQtMDgxNQ==";
    for secret in [CANARY, pair] {
        assert!(!arrived.contains(secret), "{arrived}");
    }
    assert!(arrived.contains("authorization: Basic ***"), "{arrived}");
    nothing_shows(&world, &[&ran]);
}
