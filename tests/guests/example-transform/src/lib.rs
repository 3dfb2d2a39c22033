//! Makes a row of each element of an array. Rows without the field go to a stream of their own; a field that is
//! no array rejects its row; an empty array filters it.

use cofferdam_sdk::{
    Batch, DataType, Incoming, JsonLinesBuilder, Layout, Layouts, Output, Reject, Result, RowOperations,
    StreamSchema, Transform, TransformPlan, Transformed, Transformer, export,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Config {
    field: String,
}

struct Explode;

impl Transform for Explode {
    type Config = Config;
    type Transformer = ExplodeField;

    fn plan(config: &Config, inputs: &[StreamSchema]) -> Result<TransformPlan> {
        let outputs = inputs.iter().flat_map(|input| [exploded(input, &config.field), without(input)]);
        Ok(TransformPlan { outputs: outputs.collect(), input_layouts: Layouts::JSON_LINES })
    }

    fn open(config: Config, _: Vec<StreamSchema>) -> Result<ExplodeField> {
        Ok(ExplodeField { field: config.field })
    }
}

fn exploded(input: &StreamSchema, field: &str) -> StreamSchema {
    let mut output = StreamSchema { layout: Layout::JsonLines, ..input.clone() };
    for declared in output.schema.fields.iter_mut().filter(|declared| declared.name == field) {
        declared.data_type = DataType::Json;
    }
    output
}

fn without(input: &StreamSchema) -> StreamSchema {
    StreamSchema { stream: format!("{}_without", input.stream), layout: Layout::JsonLines, ..input.clone() }
}

struct ExplodeField {
    field: String,
}

/// Rows for one output stream.
#[derive(Default)]
struct Rows {
    lines: JsonLinesBuilder,
    origin: Vec<u32>,
    operations: Vec<cofferdam_sdk::Operation>,
}

impl Rows {
    fn into_output(self, schema: &StreamSchema) -> Output {
        let operations: RowOperations = self.operations.into_iter().collect();
        Output { batch: Batch::with_operations(schema, operations, self.lines.finish()), origin: self.origin }
    }
}

impl Transformer for ExplodeField {
    fn apply(&mut self, incoming: Incoming<'_>) -> Result<Transformed> {
        let (mut elements, mut others, mut rejected) = (Rows::default(), Rows::default(), Vec::new());
        for (index, row) in (0..).zip(incoming.objects()?) {
            let mut row = row?;
            let Some(operation) = incoming.batch.operations.get(index) else { continue };
            let (rows, values) = match row.remove(&self.field) {
                None => (&mut others, vec![None]),
                Some(Value::Array(values)) => (&mut elements, values.into_iter().map(Some).collect()),
                Some(_) => {
                    let message = format!("`{}` is no array", self.field);
                    rejected.push(Reject::new(index, "not_an_array", message));
                    continue;
                }
            };
            for value in values {
                if let Some(value) = value {
                    row.insert(self.field.clone(), value);
                }
                rows.lines.push(&row)?;
                rows.origin.push(index);
                rows.operations.push(operation);
            }
        }
        let outputs = [
            elements.into_output(&exploded(incoming.schema, &self.field)),
            others.into_output(&without(incoming.schema)),
        ];
        let outputs = outputs.into_iter().filter(|output| !output.origin.is_empty());
        Ok(Transformed { outputs: outputs.collect(), rejected })
    }
}

export!(transform = Explode, manifest = "connector.toml");
