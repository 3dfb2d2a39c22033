//! What becomes of each field, told before the first row.

use cofferdam_sdk::{DataType, Error, FieldFate, Layout, Mode, Result, StreamPlan, StreamVerdict};

use crate::config::Format;

/// What becomes of a stream's fields; an error if files cannot do what is planned.
pub(crate) fn verdict(plan: &StreamPlan, format: Format) -> Result<StreamVerdict> {
    if matches!(plan.mode, Mode::Upsert | Mode::Mirror) {
        let mode = if plan.mode == Mode::Upsert { "upsert" } else { "mirror" };
        return Err(Error::data(format!(
            "stream `{}`: files cannot change rows that are written already, so the mode `{mode}` is not possible; \
             `append` and `replace` are",
            plan.schema.stream
        )));
    }
    let layout = match format {
        Format::JsonLines => plan.schema.layout,
        Format::Csv | Format::Parquet => Layout::Columns,
    };
    let fate = match format {
        Format::JsonLines => json_fate,
        Format::Csv => csv_fate,
        Format::Parquet => parquet_fate,
    };
    Ok(StreamVerdict::by_type(plan, layout, fate))
}

fn json_fate(data_type: &DataType) -> FieldFate {
    match data_type {
        DataType::Decimal(_) => converted("digits in a string"),
        DataType::Bytes => converted("base64 in a string"),
        DataType::Date | DataType::Time(_) | DataType::Timestamp(_) => converted("ISO 8601 in a string"),
        _ => FieldFate::Stored,
    }
}

fn csv_fate(data_type: &DataType) -> FieldFate {
    match data_type {
        DataType::Bytes => converted("base64; absent values become null"),
        DataType::Json => converted("JSON text; absent values become null"),
        DataType::Date | DataType::Time(_) | DataType::Timestamp(_) => {
            converted("ISO 8601 text; absent values become null")
        }
        _ => converted("text; absent values become null"),
    }
}

fn parquet_fate(data_type: &DataType) -> FieldFate {
    match data_type {
        DataType::Json => converted("a JSON string; absent values become null"),
        _ => converted("the same type; absent values become null"),
    }
}

fn converted(what: &str) -> FieldFate {
    FieldFate::Converted(what.to_owned())
}
