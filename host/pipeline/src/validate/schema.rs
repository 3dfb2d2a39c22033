//! Schemas and catalogs.

use super::{Limits, Violation, name, quoted};
use crate::model::{Catalog, DataType, Operations, StreamInfo, StreamSchema};
use std::collections::{BTreeMap, HashSet};

/// A schema is well formed: names, types, keys, operations.
pub fn stream_schema(schema: &StreamSchema, limits: &Limits) -> Result<(), Violation> {
    name("stream", &schema.stream, limits)?;
    check(schema, limits).map_err(|violation| violation.at(format!("stream {}", quoted(&schema.stream))))
}

fn check(schema: &StreamSchema, limits: &Limits) -> Result<(), Violation> {
    let fields = &schema.schema.fields;
    if fields.len() > limits.fields_max {
        return Err(Violation::new(format!("{} fields, allowed are {}", fields.len(), limits.fields_max)));
    }
    let mut names = HashSet::with_capacity(fields.len());
    for field in fields {
        name("field", &field.name, limits)?;
        if !names.insert(field.name.as_str()) {
            return Err(Violation::new(format!("the field {} is declared twice", quoted(&field.name))));
        }
        data_type(field.data_type)
            .map_err(|violation| violation.at(format!("field {}", quoted(&field.name))))?;
    }
    declared_once(&schema.keys, &names, "key")?;
    if schema.operations == Operations::default() {
        return Err(Violation::new("no operation is declared"));
    }
    Ok(())
}

fn data_type(data_type: DataType) -> Result<(), Violation> {
    match data_type {
        DataType::Decimal { precision, .. } if !(1..=38).contains(&precision) => {
            Err(Violation::new(format!("a decimal of precision {precision}, legal are 1 to 38")))
        }
        DataType::Decimal { precision, scale } if scale > precision => Err(Violation::new(format!(
            "a decimal of scale {scale}, legal are 0 to its precision {precision}"
        ))),
        _ => Ok(()),
    }
}

fn declared_once(given: &[String], fields: &HashSet<&str>, kind: &str) -> Result<(), Violation> {
    let mut seen = HashSet::with_capacity(given.len());
    for one in given {
        if !fields.contains(one.as_str()) {
            return Err(Violation::new(format!("the {kind} field {} is not declared", quoted(one))));
        }
        if !seen.insert(one) {
            return Err(Violation::new(format!("the {kind} field {} is named twice", quoted(one))));
        }
    }
    Ok(())
}

/// A catalog is well formed: each stream and each group once, each group named is used by a stream.
pub fn catalog(catalog: &Catalog, limits: &Limits) -> Result<(), Violation> {
    if catalog.streams.len() > limits.streams_max {
        return Err(Violation::new(format!(
            "{} streams, allowed are {}",
            catalog.streams.len(),
            limits.streams_max
        )));
    }
    let mut streams = HashSet::with_capacity(catalog.streams.len());
    for info in &catalog.streams {
        stream_info(info, limits)?;
        if !streams.insert(info.schema.stream.as_str()) {
            return Err(Violation::new(format!(
                "the stream {} is listed twice",
                quoted(&info.schema.stream)
            )));
        }
    }
    let used: HashSet<&str> = catalog.streams.iter().map(StreamInfo::group_name).collect();
    let mut groups = HashSet::with_capacity(catalog.groups.len());
    for group in &catalog.groups {
        name("read group", &group.name, limits)?;
        if !groups.insert(group.name.as_str()) {
            return Err(Violation::new(format!("the read group {} is listed twice", quoted(&group.name))));
        }
        if !used.contains(group.name.as_str()) {
            return Err(Violation::new(format!("no stream is in the read group {}", quoted(&group.name))));
        }
    }
    Ok(())
}

fn stream_info(info: &StreamInfo, limits: &Limits) -> Result<(), Violation> {
    stream_schema(&info.schema, limits)?;
    if let Some(group) = &info.group {
        name("read group", group, limits)?;
    }
    if info.schema.schema.additional_fields {
        return Ok(());
    }
    let fields = info.schema.schema.fields.iter().map(|field| field.name.as_str()).collect();
    declared_once(&info.cursor_fields, &fields, "cursor")
        .map_err(|violation| violation.at(format!("stream {}", quoted(&info.schema.stream))))
}

/// A change of schemas names streams of the reader, each once, with a higher version.
pub fn schema_changed(
    changed: &[StreamSchema],
    current: &BTreeMap<String, StreamSchema>,
    limits: &Limits,
) -> Result<(), Violation> {
    let mut seen = HashSet::with_capacity(changed.len());
    for schema in changed {
        stream_schema(schema, limits)?;
        let stream = quoted(&schema.stream);
        let Some(before) = current.get(&schema.stream) else {
            return Err(Violation::new(format!("the schema of {stream} changes, but it was not asked for")));
        };
        if schema.version <= before.version {
            let (version, old) = (schema.version, before.version);
            return Err(Violation::new(format!(
                "the schema of {stream} changes to version {version} after {old}"
            )));
        }
        if !seen.insert(&schema.stream) {
            return Err(Violation::new(format!("the schema of {stream} changes twice at once")));
        }
    }
    Ok(())
}
