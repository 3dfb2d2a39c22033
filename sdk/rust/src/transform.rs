//! Changes rows on their way.

use std::{cell::RefCell, collections::HashMap, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    Batch, Incoming, Result, StreamSchema, TransformPlan, Transformed,
    bindings::transform::exports::cofferdam::connector::transform as exports, destination::schema_of,
    logging, parse_config,
};

/// A connector that changes rows on their way: 0 to many rows for each, also into other streams. It keeps nothing
/// from batch to batch, for the host may open it anew at any of them.
///
/// ```
/// use cofferdam_sdk::{
///     Batch, Incoming, JsonLinesBuilder, Layout, Layouts, Operation, Output, Result, Schema, StreamSchema, Transform,
///     TransformPlan, Transformed, Transformer,
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     without: String,
/// }
///
/// /// Leaves out rows that have a field.
/// struct Without;
///
/// impl Transform for Without {
///     type Config = Config;
///     type Transformer = WithoutField;
///
///     fn plan(_: &Config, inputs: &[StreamSchema]) -> Result<TransformPlan> {
///         Ok(TransformPlan { outputs: inputs.to_vec(), input_layouts: Layouts::JSON_LINES })
///     }
///
///     fn open(config: Config, _: Vec<StreamSchema>) -> Result<WithoutField> {
///         Ok(WithoutField(config.without))
///     }
/// }
///
/// struct WithoutField(String);
///
/// impl Transformer for WithoutField {
///     fn apply(&mut self, incoming: Incoming<'_>) -> Result<Transformed> {
///         let mut kept = JsonLinesBuilder::new();
///         let mut origin = Vec::new();
///         for (index, row) in (0..).zip(incoming.objects()?) {
///             let row = row?;
///             if !row.contains_key(&self.0) {
///                 kept.push(&row)?;
///                 origin.push(index);
///             }
///         }
///         let batch = Batch::new(incoming.schema, Operation::Insert, kept.finish());
///         Ok(Transformed { outputs: vec![Output { batch, origin }], rejected: Vec::new() })
///     }
/// }
///
/// cofferdam_sdk::export!(transform = Without, manifest = "template/connector.toml");
///
/// let schema = StreamSchema::new("notes", Schema::open(), Layout::JsonLines);
/// let mut rows = JsonLinesBuilder::new();
/// rows.push_json(r#"{"note": "a", "draft": true}"#)?;
/// rows.push_json(r#"{"note": "b"}"#)?;
/// let incoming = Incoming { schema: &schema, batch: Batch::new(&schema, Operation::Insert, rows.finish()) };
/// let mut transformer = Without::open(Config { without: "draft".to_owned() }, vec![schema.clone()])?;
/// assert_eq!(transformer.apply(incoming)?.outputs[0].origin, [1]);
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
pub trait Transform: 'static {
    /// The configuration. What does not fit it becomes a fault shown at its field.
    type Config: DeserializeOwned;
    /// Changes batches.
    type Transformer: Transformer;

    /// Whether this configuration works. That it has the right shape is known by then.
    fn check(config: &Self::Config) -> Result<()> {
        let _ = config;
        Ok(())
    }

    /// What comes out of what comes in. Asked before rows flow, and again at each change of a schema.
    fn plan(config: &Self::Config, inputs: &[StreamSchema]) -> Result<TransformPlan>;

    /// Open a transformer for the streams that `plan` was asked about.
    fn open(config: Self::Config, inputs: Vec<StreamSchema>) -> Result<Self::Transformer>;
}

/// Changes batches.
pub trait Transformer: 'static {
    /// What becomes of one batch. An input row that is neither an origin nor rejected was filtered.
    fn apply(&mut self, incoming: Incoming<'_>) -> Result<Transformed>;
}

/// Carries a [`Transform`] over the contract.
#[doc(hidden)]
pub struct Exported<T>(PhantomData<T>);

#[doc(hidden)]
pub struct ExportedTransformer<T> {
    transformer: RefCell<T>,
    inputs: HashMap<String, StreamSchema>,
}

impl<T: Transform> exports::Guest for Exported<T> {
    type Transformer = ExportedTransformer<T::Transformer>;

    fn check(config: String) -> Result<()> {
        logging::install();
        T::check(&parse_config(&config)?)
    }

    fn plan(config: String, inputs: Vec<StreamSchema>) -> Result<TransformPlan> {
        logging::install();
        T::plan(&parse_config(&config)?, &inputs)
    }

    fn open(config: String, inputs: Vec<StreamSchema>) -> Result<exports::Transformer> {
        logging::install();
        let by_name = inputs.iter().map(|schema| (schema.stream.clone(), schema.clone())).collect();
        let transformer = RefCell::new(T::open(parse_config(&config)?, inputs)?);
        Ok(exports::Transformer::new(ExportedTransformer { transformer, inputs: by_name }))
    }
}

impl<T: Transformer> exports::GuestTransformer for ExportedTransformer<T> {
    fn apply(&self, batch: Batch) -> Result<Transformed> {
        let schema = schema_of(self.inputs.get(&batch.stream), &batch)?;
        self.transformer.borrow_mut().apply(Incoming { schema, batch })
    }
}
