//! The port's types as the contract's, borrowed: no value of a batch is copied before the engine copies it into the guest.

use super::bindings::{destination, source, types};
use pipeline::model::{self, ColumnData, Comparison, DataType, Operation, RowOperations, Rows};

pub(super) fn batch(batch: &model::Batch) -> Batch<'_> {
    let columns = match &batch.rows {
        Rows::Columns(columns) => columns.columns.iter().map(column).collect(),
        Rows::JsonLines(_) => Vec::new(),
    };
    Batch { batch, columns }
}

/// A batch with the list of borrowed columns that its parameter points to.
pub(super) struct Batch<'a> {
    batch: &'a model::Batch,
    columns: Vec<types::ColumnParam<'a>>,
}

impl Batch<'_> {
    pub(super) fn param(&self) -> types::BatchParam<'_> {
        let rows = match &self.batch.rows {
            Rows::Columns(columns) => types::RowsParam::Columns(types::ColumnsParam {
                row_count: columns.row_count,
                columns: &self.columns,
                children: &[],
            }),
            Rows::JsonLines(lines) => types::RowsParam::JsonLines(types::JsonLinesParam {
                row_count: lines.row_count,
                data: &lines.data,
            }),
        };
        let operations = match &self.batch.operations {
            RowOperations::All(operation) => types::RowOperationsParam::All(self::operation(*operation)),
            RowOperations::Each(bytes) => types::RowOperationsParam::Each(bytes),
        };
        types::BatchParam {
            stream: &self.batch.stream,
            schema_version: self.batch.schema_version,
            operations,
            rows,
        }
    }
}

fn operation(operation: Operation) -> types::Operation {
    match operation {
        Operation::Insert => types::Operation::Insert,
        Operation::Update => types::Operation::Update,
        Operation::Upsert => types::Operation::Upsert,
        Operation::Delete => types::Operation::Delete,
    }
}

fn column(column: &model::Column) -> types::ColumnParam<'_> {
    let data = match &column.data {
        ColumnData::Boolean(bits) => types::ColumnDataParam::Boolean(bits),
        ColumnData::Int64(values) => types::ColumnDataParam::Int64(values),
        ColumnData::Float64(values) => types::ColumnDataParam::Float64(values),
        ColumnData::Decimal(words) => types::ColumnDataParam::Decimal(words),
        ColumnData::Text(var) => types::ColumnDataParam::Text(var_data(var)),
        ColumnData::Bytes(var) => types::ColumnDataParam::Bytes(var_data(var)),
        ColumnData::Json(var) => types::ColumnDataParam::Json(var_data(var)),
        ColumnData::Date(days) => types::ColumnDataParam::Date(days),
        ColumnData::Time(values) => types::ColumnDataParam::Time(values),
        ColumnData::Timestamp(values) => types::ColumnDataParam::Timestamp(values),
    };
    types::ColumnParam { validity: column.validity.as_deref(), presence: column.presence.as_deref(), data }
}

fn var_data(var: &model::VarData) -> types::VarDataParam<'_> {
    types::VarDataParam { offsets: &var.offsets, data: &var.data }
}

/// Stream schemas with the lists that their parameters point to.
pub(super) struct Schemas<'a> {
    schemas: &'a [model::StreamSchema],
    fields: Vec<Vec<types::FieldParam<'a>>>,
    keys: Vec<Vec<&'a str>>,
}

pub(super) fn schemas(schemas: &[model::StreamSchema]) -> Schemas<'_> {
    let fields = schemas.iter().map(|schema| schema.schema.fields.iter().map(field).collect()).collect();
    let keys = schemas.iter().map(|schema| schema.keys.iter().map(String::as_str).collect()).collect();
    Schemas { schemas, fields, keys }
}

impl Schemas<'_> {
    pub(super) fn params(&self) -> Vec<types::StreamSchemaParam<'_>> {
        let parts = self.schemas.iter().zip(&self.fields).zip(&self.keys);
        parts
            .map(|((schema, fields), keys)| types::StreamSchemaParam {
                stream: &schema.stream,
                version: schema.version,
                schema: types::SchemaParam {
                    fields,
                    children: &[],
                    additional_fields: schema.schema.additional_fields,
                },
                keys,
                operations: operations(schema.operations),
                layout: match schema.layout {
                    model::Layout::Columns => types::Layout::Columns,
                    model::Layout::JsonLines => types::Layout::JsonLines,
                },
            })
            .collect()
    }
}

fn operations(set: model::Operations) -> types::Operations {
    let mut flags = types::Operations::empty();
    for (has, flag) in [
        (set.insert, types::Operations::INSERT),
        (set.update, types::Operations::UPDATE),
        (set.upsert, types::Operations::UPSERT),
        (set.delete, types::Operations::DELETE),
    ] {
        if has {
            flags |= flag;
        }
    }
    flags
}

fn field(field: &model::Field) -> types::FieldParam<'_> {
    types::FieldParam {
        name: &field.name,
        data_type: data_type(field.data_type),
        nullable: field.nullable,
        logical_type: field.logical_type.as_deref(),
        description: field.description.as_deref(),
    }
}

fn data_type(data_type: DataType) -> types::DataTypeParam<'static> {
    let zone = |zone| match zone {
        model::Zone::Utc => types::Zone::Utc,
        model::Zone::Local => types::Zone::Local,
    };
    match data_type {
        DataType::Boolean => types::DataTypeParam::Boolean,
        DataType::Int64 => types::DataTypeParam::Int64,
        DataType::Float64 => types::DataTypeParam::Float64,
        DataType::Decimal { precision, scale } => {
            types::DataTypeParam::Decimal(types::DecimalType { precision, scale })
        }
        DataType::Text => types::DataTypeParam::Text,
        DataType::Bytes => types::DataTypeParam::Bytes,
        DataType::Json => types::DataTypeParam::Json,
        DataType::Date => types::DataTypeParam::Date,
        DataType::Time(at) => types::DataTypeParam::Time(zone(at)),
        DataType::Timestamp(at) => types::DataTypeParam::Timestamp(zone(at)),
    }
}

pub(super) fn mode(mode: model::Mode) -> destination::Mode {
    match mode {
        model::Mode::Append => destination::Mode::Append,
        model::Mode::Upsert => destination::Mode::Upsert,
        model::Mode::Mirror => destination::Mode::Mirror,
        model::Mode::Replace => destination::Mode::Replace,
    }
}

/// Selections with the lists that their parameters point to.
pub(super) struct Selections<'a> {
    selections: &'a [model::Selection],
    fields: Vec<Option<Vec<&'a str>>>,
    filters: Vec<Vec<source::Condition<'a>>>,
}

pub(super) fn selections(selections: &[model::Selection]) -> Selections<'_> {
    let fields = selections
        .iter()
        .map(|selection| selection.fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect()))
        .collect();
    let filters =
        selections.iter().map(|selection| selection.filter.iter().map(condition).collect()).collect();
    Selections { selections, fields, filters }
}

impl Selections<'_> {
    pub(super) fn params(&self) -> Vec<source::Selection<'_>> {
        let parts = self.selections.iter().zip(&self.fields).zip(&self.filters);
        parts
            .map(|((selection, fields), filter)| source::Selection {
                stream: &selection.stream,
                fields: fields.as_deref(),
                filter,
                limit: selection.limit,
            })
            .collect()
    }
}

fn condition(condition: &model::Condition) -> source::Condition<'_> {
    let comparison = match condition.comparison {
        Comparison::Equal => source::Comparison::Equal,
        Comparison::NotEqual => source::Comparison::NotEqual,
        Comparison::Less => source::Comparison::Less,
        Comparison::LessOrEqual => source::Comparison::LessOrEqual,
        Comparison::Greater => source::Comparison::Greater,
        Comparison::GreaterOrEqual => source::Comparison::GreaterOrEqual,
        Comparison::IsNull => source::Comparison::IsNull,
        Comparison::IsNotNull => source::Comparison::IsNotNull,
    };
    source::Condition { field: &condition.field, comparison, value: &condition.value }
}
