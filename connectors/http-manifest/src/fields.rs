//! Fields of a stream out of a JSON Schema. Such schemas describe more than they promise, so every field but those of
//! the key may be null, and rows may carry fields that are not declared.

use cofferdam_sdk::{DataType, Field, Schema, Zone};
use serde_json::Value;

/// The schema of a stream with these keys.
pub(crate) fn schema(described: Option<&Value>, keys: &[String]) -> Schema {
    let properties = described.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let declared = properties.into_iter().flatten().map(|(name, property)| field(name, property, keys));
    let mut fields: Vec<Field> = declared.collect();
    for key in keys {
        if !fields.iter().any(|field| field.name == *key) {
            fields.push(Field::new(key, DataType::Json));
        }
    }
    Schema::new(fields).with_additional_fields()
}

fn field(name: &str, property: &Value, keys: &[String]) -> Field {
    let field = Field {
        nullable: !keys.iter().any(|key| key == name),
        logical_type: logical_type(property),
        ..Field::new(name, data_type(property))
    };
    match property.get("description").and_then(Value::as_str) {
        Some(description) => field.description(description),
        None => field,
    }
}

fn data_type(property: &Value) -> DataType {
    let format = property.get("format").and_then(Value::as_str);
    let precise = property.get("airbyte_type").and_then(Value::as_str);
    match (single_type(property), format, precise) {
        (Some("boolean"), ..) => DataType::Boolean,
        (Some("integer"), _, Some("big_integer")) => DataType::decimal(38, 0),
        (Some("integer"), ..) | (Some("number"), _, Some("integer")) => DataType::Int64,
        (Some("number"), _, Some("big_number")) => DataType::Json,
        (Some("number"), ..) => DataType::Float64,
        (Some("string"), Some("date"), _) => DataType::Date,
        (Some("string"), Some("date-time"), Some("timestamp_without_timezone")) => {
            DataType::Timestamp(Zone::Local)
        }
        (Some("string"), Some("date-time"), _) => DataType::Timestamp(Zone::Utc),
        (Some("string"), Some("time"), Some("time_with_timezone")) => DataType::Time(Zone::Utc),
        (Some("string"), Some("time"), _) => DataType::Time(Zone::Local),
        (Some("string"), ..) => DataType::Text,
        // Objects, lists, several types, no type: any JSON value.
        _ => DataType::Json,
    }
}

/// The one type beside null that a value has.
fn single_type(property: &Value) -> Option<&str> {
    match property.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            others.next().filter(|_| others.next().is_none())
        }
        _ => None,
    }
}

/// What a text means beyond being one.
fn logical_type(property: &Value) -> Option<String> {
    let format = property.get("format").and_then(Value::as_str)?;
    let known = matches!(format, "uuid" | "email" | "uri" | "hostname" | "ipv4" | "ipv6");
    (known && data_type(property) == DataType::Text).then(|| format.to_owned())
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::{DataType, Zone};
    use serde_json::{Value, json};

    use super::schema;

    fn check(property: Value, expected: &DataType) {
        let described = json!({"properties": {"x": property}});
        let schema = schema(Some(&described), &[]);
        assert_eq!(schema.fields[0].data_type, *expected, "{described}");
        assert!(schema.fields[0].nullable && schema.additional_fields);
    }

    #[test]
    fn types_and_formats_become_data_types() {
        check(json!({"type": "boolean"}), &DataType::Boolean);
        check(json!({"type": ["null", "integer"]}), &DataType::Int64);
        check(json!({"type": "integer", "airbyte_type": "big_integer"}), &DataType::decimal(38, 0));
        check(json!({"type": ["number"]}), &DataType::Float64);
        check(json!({"type": "number", "airbyte_type": "integer"}), &DataType::Int64);
        check(json!({"type": "number", "airbyte_type": "big_number"}), &DataType::Json);
        check(json!({"type": "string"}), &DataType::Text);
        check(json!({"type": "string", "format": "date"}), &DataType::Date);
        check(json!({"type": ["string", "null"], "format": "date-time"}), &DataType::Timestamp(Zone::Utc));
        check(
            json!({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"}),
            &DataType::Timestamp(Zone::Local),
        );
        check(json!({"type": "string", "format": "time"}), &DataType::Time(Zone::Local));
        check(
            json!({"type": "string", "format": "time", "airbyte_type": "time_with_timezone"}),
            &DataType::Time(Zone::Utc),
        );
        for any in [
            json!({"type": "object"}),
            json!({"type": "array"}),
            json!({"type": ["string", "integer"]}),
            json!({}),
        ] {
            check(any, &DataType::Json);
        }
    }

    #[test]
    fn keys_are_declared_and_never_null() {
        let described =
            json!({"properties": {"id": {"type": "integer"}, "mail": {"type": "string", "format": "email"}}});
        let schema = schema(Some(&described), &["id".to_owned(), "day".to_owned()]);
        let fields: Vec<_> = schema
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.nullable, field.logical_type.as_deref()))
            .collect();
        assert_eq!(fields, [("id", false, None), ("mail", true, Some("email")), ("day", false, None)]);
        assert_eq!(super::schema(None, &[]).fields, []);
    }
}
