//! The project that an author begins with is a connector that works as it is.

use crate::world::World;

#[test]
fn the_template_reads_its_api() {
    let url = crate::api::serve_template(3);
    let port = url.rsplit(':').next().unwrap();
    let world = World::with(&format!(
        r#"
sync = 1
name = "template"
[source]
connector = "components/my-source.wasm"
config = {{ base_url = "{url}" }}
[[source.grants.hosts]]
url = "{url}"
methods = ["GET"]
[[source.grants.addresses]]
address = "127.0.0.1"
port = {port}
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out", format = "json_lines" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
"#
    ));
    world.folder("out");
    world.run(&["run", "sync.toml"]).succeeded();
    let rows = crate::rows::rows(&world.path("out")).remove("records").unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0], r#"{"id":1,"title":null,"updated_at":"2026-01-02T03:04:05Z"}"#);
}

#[test]
fn a_source_over_a_json_api_is_under_sixty_lines() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/rust/template/src/lib.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let mut imports = false;
    let own = source.lines().map(str::trim).filter(|line| {
        imports |= line.starts_with("use ");
        let is_own = !imports && !line.is_empty() && !line.starts_with("//");
        imports &= !line.ends_with(';');
        is_own
    });
    let lines = own.count();
    assert!((40..60).contains(&lines), "{lines} lines");
}
