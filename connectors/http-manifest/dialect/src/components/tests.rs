//! References and parameters on their way into components. What each component does is shown by the connector's cases.

use serde_json::json;

use crate::{Manifest, Segment, Strategy, template::Scope};

fn manifest(streams: &str, definitions: &str) -> Manifest {
    let text = format!(
        "version: 1.0.0\ntype: DeclarativeSource\ncheck: {{stream_names: []}}\nstreams:\n{streams}definitions:\n{definitions}"
    );
    Manifest::parse(&text).unwrap_or_else(|faults| panic!("{faults}"))
}

const RETRIEVER: &str = "  retriever: &retriever
    requester: {url_base: 'https://a.test', $ref: '#/definitions/more'}
    record_selector: {extractor: {field_path: [\"{{ parameters['key'] }}\", '*']}}
";

#[test]
fn references_lead_through_lists_and_keys_with_slashes() {
    let manifest = manifest(
        "- '#/definitions/paths//v1/users/0'\n- {$ref: '#/definitions/paths//v1/users/0', name: other}\n",
        &format!(
            "{RETRIEVER}  more: {{path: x}}\n  paths: {{/v1/users: [{{name: first, retriever: *retriever}}]}}\n"
        ),
    );
    let names: Vec<&str> = manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["first", "other"]);
    let path =
        |index: usize| manifest.streams[index].retriever.requester.path.as_ref().unwrap().source().to_owned();
    assert_eq!((path(0), path(1)), ("x".to_owned(), "x".to_owned()));
}

#[test]
fn parameters_fill_fields_and_reach_templates_and_give_way_to_what_is_written() {
    let manifest = manifest(
        "- $parameters: {name: users, key: data, path: /users, page_size: 7}\n  retriever: {$ref: '#/definitions/retriever', \
         paginator: {pagination_strategy: {type: PageIncrement, $parameters: {page_size: 9}}}}\n\
         - $parameters: {name: users, key: data, path: /users}\n  name: teams\n  retriever: '#/definitions/retriever'\n",
        &format!("{RETRIEVER}  more: {{}}\n"),
    );
    let users = &manifest.streams[0];
    assert_eq!(users.name, "users");
    assert_eq!(users.retriever.requester.path.as_ref().unwrap().source(), "/users");
    let Some(Strategy::Page { page_size: Some(size), .. }) =
        users.retriever.paginator.as_ref().map(|p| &p.strategy)
    else {
        panic!("{:?}", users.retriever.paginator)
    };
    assert_eq!(size.source(), "9");
    let [Segment::Key(key), Segment::Each] = &users.retriever.selector.path[..] else { panic!() };
    assert_eq!(key.text(&Scope::new(&json!({}), 0)).unwrap().as_deref(), Some("data"));
    assert_eq!(manifest.streams[1].name, "teams");
}

#[test]
fn a_definition_that_several_streams_share_is_reported_once() {
    let text = "version: 1.0.0\ncheck: {stream_names: []}\nstreams:\n- {name: a, retriever: '#/definitions/r'}\n\
                - {name: b, retriever: '#/definitions/r'}\ndefinitions:\n  r: {requester: {url: x, pth: y}, \
                record_selector: {extractor: {field_path: []}}}\n";
    let faults = Manifest::parse(text).unwrap_err();
    assert_eq!(faults.0.len(), 1, "{faults}");
    assert_eq!(faults.0[0].path, "/streams/0/retriever/requester/pth");
}
