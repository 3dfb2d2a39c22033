//! A low-code manifest becomes a component of its own.

use crate::snapshot;
use crate::world::World;

pub(crate) const MANIFEST: &str = r#"
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
        request_parameters: {_per_page: "2"}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: PageIncrement, page_size: 2, start_from_page: 1, inject_on_first_request: true}
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: _page}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}}}
spec:
  type: Spec
  connection_specification:
    title: Movie API
    type: object
    required: [base_url]
    properties:
      base_url: {type: string, title: Where the API is}
"#;

const INTERPRETER: [&str; 2] = ["--interpreter", "components/http-manifest.wasm"];

fn build(world: &World, more: &[&str]) -> crate::world::Ran {
    world.run(&[&["build", "manifest.yaml"], &INTERPRETER[..], more].concat())
}

/// A world with this manifest built as `api.wasm`, and an empty folder `out`.
pub(crate) fn packaged(manifest: &str) -> World {
    packaged_as(manifest, "1.2.0")
}

/// The same as this version.
pub(crate) fn packaged_as(manifest: &str, version: &str) -> World {
    let world = World::new();
    world.folder("out");
    world.file("manifest.yaml", manifest);
    let built = ["build", "manifest.yaml", "--interpreter", "components/http-manifest.wasm", "--name", "api"];
    world.run(&[&built[..], &["--as-version", version]].concat()).succeeded();
    world
}

#[test]
fn a_manifest_becomes_a_component_that_asks_for_its_hosts_and_runs() {
    let world = World::new();
    world.file("manifest.yaml", MANIFEST);
    snapshot!("build", build(&world, &[]));
    let inspected = world.run(&["inspect", "movie-api.wasm"]).succeeded().stdout;
    assert!(inspected.starts_with("movie-api 1.2.0: Movie API\n"), "{inspected}");
    assert!(inspected.contains("a low-code program is packaged inside"), "{inspected}");
    assert!(inspected.contains("GET ${config.base_url}"), "{inspected}");

    let url = crate::api::serve(3);
    let grants = crate::api::grants(&url);
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "packaged"
[source]
connector = "movie-api.wasm"
config = {{ base_url = "{url}" }}
{grants}[destination]
connector = "components/null.wasm"
"#
        ),
    );
    let ran = world.run(&["preview", "sync.toml", "movies"]).succeeded();
    let ids: Vec<&str> =
        ran.stdout.lines().skip(2).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6"], "{}", ran.report());
}

#[test]
fn the_name_the_version_and_the_place_can_be_given() {
    let world = World::new();
    world.file("manifest.yaml", MANIFEST);
    let given = ["--name", "films", "--publisher", "acme", "--as-version", "2.0.0", "--out", "films-2.wasm"];
    build(&world, &given).succeeded();
    let inspected = world.run(&["inspect", "films-2.wasm", "--json"]).succeeded().stdout;
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    let said =
        ["name", "publisher", "version"].map(|key| inspected["manifest"][key].as_str().unwrap().to_owned());
    assert_eq!(said, ["films", "acme", "2.0.0"]);
}

#[test]
fn what_cannot_be_packaged_is_told() {
    let world = World::new();
    world.file(
        "manifest.yaml",
        MANIFEST.replace("PageIncrement", "PageIncrememt").replace("field_path: [data]", "field_pth: [data]"),
    );
    snapshot!("build-faults", build(&world, &[]));
    world.file("manifest.yaml", MANIFEST);
    snapshot!("build-wrong-name", build(&world, &["--name", "Not A Name"]));
    let wrong = world.run(&["build", "manifest.yaml", "--interpreter", "components/faker.wasm"]);
    snapshot!("build-wrong-interpreter", wrong);
    let nowhere = build(&world, &["--out", "nowhere/x.wasm"]);
    snapshot!("build-nowhere", nowhere);
    build(&world, &[]).succeeded();
    let again = world.run(&["build", "manifest.yaml", "--interpreter", "movie-api.wasm"]);
    assert!(again.stderr.contains("`movie-api` is packaged already"), "{}", again.report());
}
