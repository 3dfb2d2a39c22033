//! The contract's types as the port's, moved: the bytes of a batch stay where the engine put them.
//!
//! Only what the types themselves cannot say is refused here (reserved cases); counts and offsets are checked after.

use super::bindings::{destination, source, streams, transform, types};
use crate::meter::Counters;
use pipeline::failure::{FieldFault, GuestError};
use pipeline::model::{self, ColumnData, DataType, Operation, RowOperations, Rows};
use scrub::Place;

/// What a connector returned that the contract reserves for later.
pub(super) type Converted<T> = Result<T, String>;

pub(super) fn error(error: types::Error, meter: &Counters) -> GuestError {
    let clean = |text: String| meter.error_text(&text);
    match error {
        types::Error::Config(faults) => GuestError::Config(field_faults(faults, meter)),
        types::Error::Unauthorized(text) => GuestError::Unauthorized(clean(text)),
        types::Error::Denied(text) => GuestError::Denied(clean(text)),
        types::Error::RateLimited(hint) => GuestError::RateLimited {
            message: clean(hint.message),
            retry_after_ms: wait(hint.retry_after_ms, meter),
        },
        types::Error::Transient(hint) => GuestError::Transient {
            message: clean(hint.message),
            retry_after_ms: wait(hint.retry_after_ms, meter),
        },
        types::Error::Data(text) => GuestError::Data(clean(text)),
        types::Error::Bug(text) => GuestError::Bug(clean(text)),
    }
}

/// They are the text of one error: the first, and as many more as fit into what one may have.
fn field_faults(faults: Vec<types::FieldFault>, meter: &Counters) -> Vec<FieldFault> {
    let count = faults.len();
    let mut left = meter.limits.error_text_bytes;
    let mut kept = Vec::new();
    for fault in faults {
        let fault =
            FieldFault { path: meter.error_text(&fault.path), message: meter.error_text(&fault.message) };
        let bytes = (fault.path.len() + fault.message.len()) as u64;
        if bytes > left && !kept.is_empty() {
            let message = format!("… ({} faults more)", count - kept.len());
            kept.push(FieldFault { path: String::new(), message });
            break;
        }
        left = left.saturating_sub(bytes);
        kept.push(fault);
    }
    kept
}

/// How long the connector wants to wait; where it does not say, how long a server asked it to.
fn wait(asked_ms: Option<u64>, meter: &Counters) -> Option<u64> {
    asked_ms.or_else(|| meter.left_alone_ms())
}

/// Messages are cut and cleaned; a code that is none is found by the check that follows.
pub(super) fn reject(reject: types::Reject, meter: &Counters) -> model::Reject {
    model::Reject {
        row: reject.row,
        code: meter.secrets.text(Place::Message, &reject.code).into_owned(),
        message: meter.error_text(&reject.message),
        retryable: reject.retryable,
    }
}

fn data_type(data_type: types::DataTypeResult) -> Converted<DataType> {
    let zone = |zone| match zone {
        types::Zone::Utc => model::Zone::Utc,
        types::Zone::Local => model::Zone::Local,
    };
    Ok(match data_type {
        types::DataTypeResult::Boolean => DataType::Boolean,
        types::DataTypeResult::Int64 => DataType::Int64,
        types::DataTypeResult::Float64 => DataType::Float64,
        types::DataTypeResult::Decimal(at) => DataType::Decimal { precision: at.precision, scale: at.scale },
        types::DataTypeResult::Text => DataType::Text,
        types::DataTypeResult::Bytes => DataType::Bytes,
        types::DataTypeResult::Json => DataType::Json,
        types::DataTypeResult::Date => DataType::Date,
        types::DataTypeResult::Time(at) => DataType::Time(zone(at)),
        types::DataTypeResult::Timestamp(at) => DataType::Timestamp(zone(at)),
        types::DataTypeResult::List(_) => return Err(reserved("type", "list")),
        types::DataTypeResult::Struct(_) => return Err(reserved("type", "struct")),
    })
}

fn reserved(what: &str, name: &str) -> String {
    format!("the {what} `{name}` is reserved in contract 0.1; send such values as `json`")
}

fn operations(flags: types::Operations) -> model::Operations {
    model::Operations {
        insert: flags.contains(types::Operations::INSERT),
        update: flags.contains(types::Operations::UPDATE),
        upsert: flags.contains(types::Operations::UPSERT),
        delete: flags.contains(types::Operations::DELETE),
    }
}

fn layout(layout: types::Layout) -> model::Layout {
    match layout {
        types::Layout::Columns => model::Layout::Columns,
        types::Layout::JsonLines => model::Layout::JsonLines,
    }
}

fn layouts(flags: types::Layouts) -> model::Layouts {
    model::Layouts {
        columns: flags.contains(types::Layouts::COLUMNS),
        json_lines: flags.contains(types::Layouts::JSON_LINES),
    }
}

pub(super) fn schema(schema: types::StreamSchemaResult) -> Converted<model::StreamSchema> {
    let types::StreamSchemaResult { stream, version, schema, keys, operations: set, layout: at } = schema;
    let fields = schema.fields.into_iter().map(|field| {
        Ok(model::Field {
            data_type: data_type(field.data_type)
                .map_err(|error| format!("stream `{stream}`, field `{}`: {error}", field.name))?,
            name: field.name,
            nullable: field.nullable,
            logical_type: field.logical_type,
            description: field.description,
        })
    });
    let fields = fields.collect::<Converted<Vec<_>>>()?;
    let schema = model::Schema { fields, additional_fields: schema.additional_fields };
    Ok(model::StreamSchema { stream, version, schema, keys, operations: operations(set), layout: layout(at) })
}

pub(super) fn catalog(catalog: streams::Catalog) -> Converted<model::Catalog> {
    let streams = catalog.streams.into_iter().map(|info| {
        Ok(model::StreamInfo {
            schema: schema(info.schema)?,
            group: info.group,
            cursor_fields: info.cursor_fields,
            incremental: info.incremental,
            pushdown: model::Pushdown {
                fields: info.pushdown.contains(streams::Pushdown::FIELDS),
                filter: info.pushdown.contains(streams::Pushdown::FILTER),
                limit: info.pushdown.contains(streams::Pushdown::LIMIT),
            },
            estimated_rows: info.estimated_rows,
            description: info.description,
        })
    });
    let groups = catalog.groups.into_iter();
    let group = |group: streams::ReadGroup| model::ReadGroup {
        name: group.name,
        marks_transactions: group.marks_transactions,
    };
    Ok(model::Catalog { streams: streams.collect::<Converted<_>>()?, groups: groups.map(group).collect() })
}

pub(super) fn batch(batch: types::BatchResult) -> Converted<model::Batch> {
    let rows = match batch.rows {
        types::RowsResult::Columns(columns) => {
            if !columns.children.is_empty() {
                return Err(reserved("columns'", "children"));
            }
            let list = columns.columns.into_iter().map(column).collect::<Converted<_>>()?;
            Rows::Columns(model::Columns { row_count: columns.row_count, columns: list })
        }
        types::RowsResult::JsonLines(lines) => {
            Rows::JsonLines(model::JsonLines { row_count: lines.row_count, data: lines.data })
        }
    };
    let operations = match batch.operations {
        types::RowOperationsResult::All(types::Operation::Insert) => RowOperations::All(Operation::Insert),
        types::RowOperationsResult::All(types::Operation::Update) => RowOperations::All(Operation::Update),
        types::RowOperationsResult::All(types::Operation::Upsert) => RowOperations::All(Operation::Upsert),
        types::RowOperationsResult::All(types::Operation::Delete) => RowOperations::All(Operation::Delete),
        types::RowOperationsResult::Each(bytes) => RowOperations::Each(bytes),
    };
    Ok(model::Batch { stream: batch.stream, schema_version: batch.schema_version, operations, rows })
}

fn column(column: types::ColumnResult) -> Converted<model::Column> {
    let var = |var: types::VarDataResult| model::VarData { offsets: var.offsets, data: var.data };
    let data = match column.data {
        types::ColumnDataResult::Boolean(bits) => ColumnData::Boolean(bits),
        types::ColumnDataResult::Int64(values) => ColumnData::Int64(values),
        types::ColumnDataResult::Float64(values) => ColumnData::Float64(values),
        types::ColumnDataResult::Decimal(words) => ColumnData::Decimal(words),
        types::ColumnDataResult::Text(data) => ColumnData::Text(var(data)),
        types::ColumnDataResult::Bytes(data) => ColumnData::Bytes(var(data)),
        types::ColumnDataResult::Json(data) => ColumnData::Json(var(data)),
        types::ColumnDataResult::Date(days) => ColumnData::Date(days),
        types::ColumnDataResult::Time(values) => ColumnData::Time(values),
        types::ColumnDataResult::Timestamp(values) => ColumnData::Timestamp(values),
        types::ColumnDataResult::List(_) => return Err(reserved("column", "list")),
        types::ColumnDataResult::Struct(_) => return Err(reserved("column", "struct")),
    };
    Ok(model::Column { validity: column.validity, presence: column.presence, data })
}

pub(super) fn page(page: streams::Page, meter: &Counters) -> Converted<model::Page> {
    let rejects = page.rejects.into_iter().map(|reject| model::SourceReject {
        stream: reject.stream,
        row: match reject.row {
            streams::RejectedRow::Raw(bytes) => model::RejectedRow::Raw(bytes),
            streams::RejectedRow::At((batch, row)) => model::RejectedRow::At { batch, row },
        },
        code: meter.secrets.text(Place::Message, &reject.code).into_owned(),
        message: meter.error_text(&reject.message),
        retryable: reject.retryable,
    });
    Ok(model::Page {
        batches: page.batches.into_iter().map(batch).collect::<Converted<_>>()?,
        rejects: rejects.collect(),
        checkpoint: page.checkpoint,
        transaction_end: page.transaction_end,
    })
}

pub(super) fn step(step: source::Step, meter: &Counters) -> Converted<model::Step> {
    Ok(match step {
        source::Step::Page(found) => model::Step::Page(page(found, meter)?),
        source::Step::Wait(ms) => model::Step::Wait(ms),
        source::Step::SchemaChanged(list) => {
            model::Step::SchemaChanged(list.into_iter().map(schema).collect::<Converted<_>>()?)
        }
        source::Step::End => model::Step::End,
    })
}

pub(super) fn capabilities(found: destination::Capabilities) -> model::Capabilities {
    model::Capabilities {
        exactly_once: found.exactly_once,
        transactions: found.transactions,
        fences: found.fences,
        late_rejects: found.late_rejects,
        layouts: layouts(found.layouts),
        modes: model::Modes {
            append: found.modes.contains(destination::Modes::APPEND),
            upsert: found.modes.contains(destination::Modes::UPSERT),
            mirror: found.modes.contains(destination::Modes::MIRROR),
            replace: found.modes.contains(destination::Modes::REPLACE),
        },
        operations: operations(found.operations),
    }
}

pub(super) fn verdict(verdict: destination::StreamVerdict, meter: &Counters) -> model::StreamVerdict {
    let fields = verdict.fields.into_iter().map(|field| model::FieldVerdict {
        field: field.field,
        fate: match field.fate {
            destination::FieldFate::Stored => model::FieldFate::Stored,
            destination::FieldFate::Converted(to) => model::FieldFate::Converted(meter.told(&to)),
            destination::FieldFate::Narrowed(to) => model::FieldFate::Narrowed(meter.told(&to)),
            destination::FieldFate::Dropped(why) => model::FieldFate::Dropped(meter.told(&why)),
            destination::FieldFate::Refused(why) => model::FieldFate::Refused(meter.told(&why)),
        },
    });
    model::StreamVerdict { stream: verdict.stream, layout: layout(verdict.layout), fields: fields.collect() }
}

pub(super) fn transform_plan(plan: transform::TransformPlan) -> Converted<model::TransformPlan> {
    let outputs = plan.outputs.into_iter().map(schema).collect::<Converted<_>>()?;
    Ok(model::TransformPlan { outputs, input_layouts: layouts(plan.input_layouts) })
}

pub(super) fn transformed(
    found: transform::Transformed,
    reject: impl Fn(types::Reject) -> model::Reject,
) -> Converted<model::Transformed> {
    let outputs = found
        .outputs
        .into_iter()
        .map(|output| Ok(model::Output { batch: batch(output.batch)?, origin: output.origin }));
    let rejected = found.rejected.into_iter().map(reject).collect();
    Ok(model::Transformed { outputs: outputs.collect::<Converted<_>>()?, rejected })
}

#[cfg(test)]
mod tests {
    use super::{error, types};
    use crate::limits::Limits;
    use crate::meter::Counters;
    use pipeline::failure::GuestError;
    use std::time::Duration;

    /// What the pipeline is told to wait when a connector says this.
    fn told(retry_after_ms: Option<u64>, meter: &Counters) -> [Option<u64>; 2] {
        let hint = || types::RetryHint { message: "slow".into(), retry_after_ms };
        [types::Error::RateLimited(hint()), types::Error::Transient(hint())].map(|said| {
            match error(said, meter) {
                GuestError::RateLimited { retry_after_ms, .. }
                | GuestError::Transient { retry_after_ms, .. } => retry_after_ms,
                other => panic!("{other:?}"),
            }
        })
    }

    #[test]
    fn a_server_that_asks_to_be_left_alone_is_heard_where_the_connector_does_not_pass_it_on() {
        let meter = Counters::new(Limits::defaults(), scrub::Watch::new());
        assert_eq!(told(None, &meter), [None, None]);
        meter.left_alone(Duration::from_secs(60));
        meter.left_alone(Duration::from_secs(1));
        for wait in told(None, &meter) {
            assert!(wait.is_some_and(|ms| (30_000..=60_000).contains(&ms)), "{wait:?}");
        }
        assert_eq!(told(Some(5), &meter), [Some(5), Some(5)], "the connector knows better");
    }
}
