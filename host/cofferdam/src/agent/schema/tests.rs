//! What a sync does about changes of its source.

use control::{CatalogField, CatalogStream, SchemaChanges};
use pipeline::model::{
    Catalog, DataType, Field, Layout, Operations, Pushdown, Schema, StreamInfo, StreamSchema,
};
use pipeline::run::ChosenStream;

use super::Expected;

/// A stream with these fields, all of them texts, and this key.
fn stream(name: &str, fields: &[&str], key: &[&str]) -> StreamInfo {
    let field = |name: &&str| Field {
        name: (*name).to_owned(),
        data_type: DataType::Text,
        nullable: false,
        logical_type: None,
        description: None,
    };
    StreamInfo {
        schema: StreamSchema {
            stream: name.into(),
            version: 0,
            schema: Schema { fields: fields.iter().map(field).collect(), additional_fields: false },
            keys: key.iter().map(|field| (*field).to_owned()).collect(),
            operations: Operations::default(),
            layout: Layout::Columns,
        },
        group: None,
        cursor_fields: Vec::new(),
        incremental: true,
        pushdown: Pushdown::default(),
        estimated_rows: None,
        description: None,
    }
}

fn catalog(streams: Vec<StreamInfo>) -> Catalog {
    Catalog { streams, groups: Vec::new() }
}

fn known(name: &str, fields: &[&str], key: &[&str]) -> CatalogStream {
    let field = |name: &&str| CatalogField {
        name: (*name).to_owned(),
        data_type: DataType::Text.to_string(),
        nullable: false,
    };
    CatalogStream {
        name: name.into(),
        group: name.into(),
        fields: fields.iter().map(field).collect(),
        key: key.iter().map(|field| (*field).to_owned()).collect(),
        incremental: true,
    }
}

fn expected(policy: SchemaChanges, chosen: Option<&[&str]>) -> Expected {
    let chosen = chosen.map(|fields| {
        let fields = (!fields.is_empty()).then(|| fields.iter().map(|field| (*field).to_owned()).collect());
        vec![ChosenStream { stream: "s".into(), fields, ..ChosenStream::default() }]
    });
    Expected { policy, streams: vec![known("s", &["id", "a"], &["id"])], chosen }
}

#[test]
fn a_sync_pauses_for_what_its_policy_says_and_always_for_a_lost_key_or_cursor() {
    use SchemaChanges::{Ignore, Pause, Propagate};
    let whole = |fields: &[&str]| catalog(vec![stream("s", fields, &["id"])]);
    let keyless = catalog(vec![stream("s", &["id", "a"], &[])]);
    let cursorless = catalog(vec![StreamInfo { incremental: false, ..stream("s", &["id", "a"], &["id"]) }]);
    let another = catalog(vec![stream("s", &["id", "a"], &["id"]), stream("t", &["x"], &[])]);
    for (now, chosen, policies) in [
        (whole(&["id", "a"]), None, [false, false, false]),
        (whole(&["id", "a", "b"]), None, [true, false, false]),
        (whole(&["id"]), None, [true, false, false]),
        (another.clone(), None, [true, false, false]),
        // What is not moved may change.
        (another, Some(&[][..]), [false, false, false]),
        (whole(&["id", "a", "b"]), Some(&["id", "a"][..]), [false, false, false]),
        (whole(&["id", "b"]), Some(&["id"][..]), [false, false, false]),
        (keyless, None, [true, true, true]),
        (cursorless, Some(&[][..]), [true, true, true]),
    ] {
        for (policy, pauses) in [Pause, Ignore, Propagate].into_iter().zip(policies) {
            let changes = expected(policy, chosen).pauses_for(&now);
            assert_eq!(!changes.is_empty(), pauses, "{policy:?} {changes:?}");
        }
    }
}

#[test]
fn a_field_that_has_another_type_is_told() {
    let mut now = stream("s", &["id", "a"], &["id"]);
    now.schema.schema.fields[1].data_type = DataType::Int64;
    let changes = expected(SchemaChanges::Pause, None).pauses_for(&catalog(vec![now]));
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].starts_with("the field `a` of `s` is "), "{changes:?}");
}

#[test]
fn what_is_new_stays_where_it_is() {
    let now = catalog(vec![stream("s", &["id", "a", "b"], &["id"]), stream("t", &["x"], &[])]);
    let moved = expected(SchemaChanges::Ignore, None).without_new(&now);
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].fields, Some(vec!["id".to_owned(), "a".to_owned()]));
    let narrow = expected(SchemaChanges::Ignore, Some(&["a"])).without_new(&now);
    assert_eq!(narrow[0].fields, Some(vec!["a".to_owned()]));
    // Where nothing is new, the source decides what a row has.
    let same = catalog(vec![stream("s", &["id", "a"], &["id"])]);
    assert_eq!(expected(SchemaChanges::Ignore, None).without_new(&same)[0].fields, None);
    let fewer = catalog(vec![stream("s", &["id", "b"], &["id"])]);
    assert_eq!(
        expected(SchemaChanges::Ignore, None).without_new(&fewer)[0].fields,
        Some(vec!["id".to_owned()])
    );
}
