//! The transform: gives each batch back as it came, in either layout.

use cofferdam_sdk::{
    Incoming, Layouts, Output, Result, StreamSchema, Transform, TransformPlan, Transformed, Transformer,
};

use crate::{Config, Proof};

impl Transform for Proof {
    type Config = Config;
    type Transformer = Echo;

    fn check(config: &Config) -> Result<()> {
        config.pass("transform.check")
    }

    fn plan(config: &Config, inputs: &[StreamSchema]) -> Result<TransformPlan> {
        config.pass("transform.plan")?;
        Ok(TransformPlan { outputs: inputs.to_vec(), input_layouts: Layouts::COLUMNS | Layouts::JSON_LINES })
    }

    fn open(config: Config, inputs: Vec<StreamSchema>) -> Result<Echo> {
        config.pass("transform.open")?;
        let names: Vec<_> = inputs.iter().map(|input| (&input.stream, input.version)).collect();
        log::info!("open for {names:?}");
        Ok(Echo { config })
    }
}

pub(crate) struct Echo {
    config: Config,
}

impl Transformer for Echo {
    fn apply(&mut self, incoming: Incoming<'_>) -> Result<Transformed> {
        self.config.pass("transformer.apply")?;
        let origin = (0..incoming.row_count()).collect();
        Ok(Transformed { outputs: vec![Output { batch: incoming.batch, origin }], rejected: Vec::new() })
    }
}
