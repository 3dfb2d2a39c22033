//! An API over TLS. Whom the machine trusts is what the machine says, and `SSL_CERT_FILE` says it instead: there is no switch
//! that trusts everybody.

use std::fs;

use serde_json::Value;

use crate::nginx::{Authority, Nginx};
use crate::rows::rows;
use crate::world::{Ran, World, ran, target};

/// Pages by number, and an answer in one piece with its records inside.
const MANIFEST: &str = r##"
version: 1.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [movies]}
definitions:
  requester: {type: HttpRequester, url_base: "{{ config['base_url'] }}"}
  any: {type: InlineSchemaLoader, schema: {type: object, additionalProperties: true, properties: {}}}
streams:
  - type: DeclarativeStream
    name: movies
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester", path: /movies}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: PageIncrement, page_size: 500, start_from_page: 1, inject_on_first_request: true}
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: _page}
    schema_loader: {$ref: "#/definitions/any"}
  - type: DeclarativeStream
    name: earthquakes
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester", path: /earthquakes.json}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [features]}}
    schema_loader: {$ref: "#/definitions/any"}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [base_url]
    properties: {base_url: {type: string}}
"##;

/// What helps where an authority is not trusted.
const HINT: &str = "hint: if the server's authority is one of your own, name the file of its certificate (PEM) as `tls.ca` in the grants";

/// As many as the manifest says.
const PAGE: usize = 500;

fn records(name: &str) -> Value {
    let path = target().join("test-deps/node_modules/vega-datasets/data").join(name);
    let bytes = fs::read(path).expect("the data sets are there: run `cargo xtask test-deps`");
    serde_json::from_slice(&bytes).unwrap()
}

/// A server whose certificate is for `named`, and a sync that asks `localhost` for its records.
fn secure(authority: &Authority, named: &str) -> (World, Nginx) {
    let world = crate::build::packaged(MANIFEST);
    for (index, page) in records("movies.json").as_array().unwrap().chunks(PAGE).enumerate() {
        world.file(&format!("served/movies-{}.json", index + 1), serde_json::to_vec(page).unwrap());
    }
    world.file("served/earthquakes.json", records("earthquakes.json").to_string());
    let nginx = Nginx::start(&world, authority, named);
    let port = nginx.address.port();
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "secure"
[source]
connector = "api.wasm"
config = {{ base_url = "https://localhost:{port}" }}
[[source.grants.hosts]]
url = "https://localhost:{port}"
[[source.grants.addresses]]
address = "127.0.0.1"
port = {port}
[[source.grants.addresses]]
address = "::1"
port = {port}
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
[run]
attempts = 1
"#
        ),
    );
    (world, nginx)
}

/// Runs where this authority is the one that is trusted.
fn run_trusting(world: &World, authority: &Authority) -> Ran {
    world.file("authority.pem", authority.pem());
    let mut command = world.command(&["run", "sync.toml"]);
    ran(command.env("SSL_CERT_FILE", world.path("authority.pem")).output().unwrap())
}

#[test]
fn an_api_over_tls_is_read_where_its_authority_is_trusted() {
    let authority = Authority::new("ours");
    let (world, nginx) = secure(&authority, "localhost");
    let ran = run_trusting(&world, &authority).succeeded();
    assert!(ran.stdout.contains(&format!("https://localhost:{}", nginx.address.port())), "{}", ran.stdout);
    let mut arrived = rows(&world.path("out"));
    for (stream, records) in
        [("movies", records("movies.json")), ("earthquakes", records("earthquakes.json")["features"].take())]
    {
        let values = |lines: &[String]| -> Vec<Value> {
            lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        let mut found = values(&arrived.remove(stream).unwrap_or_default());
        let mut expected: Vec<Value> = records.as_array().unwrap().clone();
        assert_eq!(found.len(), expected.len(), "rows of `{stream}`");
        found.sort_by_cached_key(ToString::to_string);
        expected.sort_by_cached_key(ToString::to_string);
        assert!(found == expected, "`{stream}` arrived changed");
    }
    assert!(arrived.is_empty(), "{:?}", arrived.keys());
}

#[test]
fn an_authority_is_trusted_by_the_connection_that_names_it() {
    let authority = Authority::new("ours");
    let (world, _nginx) = secure(&authority, "localhost");
    world.edit("[destination]\n", "[source.grants.tls]\nca = \"authority.pem\"\n[destination]\n");
    let missing = world.run(&["run", "sync.toml"]);
    assert!(missing.stderr.contains("failed to read the authority `"), "{}", missing.report());
    world.file("authority.pem", "no certificate");
    let wrong = world.run(&["run", "sync.toml"]);
    assert!(
        wrong.stderr.contains("error[CD0314]: failed to read the authority of the connection"),
        "{}",
        wrong.report()
    );
    assert!(wrong.stderr.contains("`tls.ca` of `source` names the file"), "{}", wrong.report());
    world.file("authority.pem", Authority::new("theirs").pem());
    assert_eq!(world.run(&["run", "sync.toml"]).status, Some(1));
    world.file("authority.pem", authority.pem());
    world.run(&["run", "sync.toml"]).succeeded();
}

#[test]
fn a_server_whose_authority_is_not_trusted_is_told_with_what_to_do() {
    let (world, nginx) = secure(&Authority::new("ours"), "localhost");
    let refused = run_trusting(&world, &Authority::new("theirs"));
    refused_and_nothing_sent(&world, &nginx, &refused);
    assert!(
        refused.stderr.contains("invalid peer certificate: UnknownIssuer (CD0306)"),
        "{}",
        refused.report()
    );
    assert!(refused.stderr.contains(HINT), "{}", refused.report());
    // Another authority that goes by the same name is another one.
    let refused = run_trusting(&world, &Authority::new("ours"));
    refused_and_nothing_sent(&world, &nginx, &refused);
    assert!(refused.stderr.contains(HINT), "{}", refused.report());
    // Nor does the machine know it, when nothing else is said.
    let refused = world.run(&["run", "sync.toml"]);
    refused_and_nothing_sent(&world, &nginx, &refused);
}

#[test]
fn a_certificate_for_another_name_is_refused_though_its_authority_is_trusted() {
    let authority = Authority::new("ours");
    let (world, nginx) = secure(&authority, "elsewhere.test");
    let refused = run_trusting(&world, &authority);
    refused_and_nothing_sent(&world, &nginx, &refused);
    let reason = r#"certificate not valid for name "localhost"; certificate is only valid for DnsName("elsewhere.test")"#;
    assert!(refused.stderr.contains(reason), "{}", refused.report());
    assert!(!refused.stderr.contains(HINT), "to trust an authority does not help: {}", refused.report());
}

#[track_caller]
fn refused_and_nothing_sent(world: &World, nginx: &Nginx, refused: &Ran) {
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    assert!(refused.report().contains("CD0306"), "{}", refused.report());
    let port = nginx.address.port();
    assert!(refused.stdout.contains(&format!("https://localhost:{port}")), "{}", refused.report());
    assert_eq!(world.read("nginx/access.log"), "", "a request was sent");
    assert!(rows(&world.path("out")).is_empty());
}
