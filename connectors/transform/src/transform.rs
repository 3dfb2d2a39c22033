//! The transform: plans each stream, then applies its steps to each batch.

use std::collections::HashMap;

use cofferdam_sdk::{
    Error, Incoming, Layouts, Result, StreamSchema, TransformPlan, Transformed, Transformer,
};

use crate::{
    config::Config,
    faults::{Faults, closest},
    plan::{StreamPlan, plan, untouched},
    work::Work,
};

/// The transform.
#[derive(Debug)]
pub struct Transform;

impl cofferdam_sdk::Transform for Transform {
    type Config = Config;
    type Transformer = StepsTransformer;

    fn check(config: &Config) -> Result<()> {
        config.read().map(drop)
    }

    fn plan(config: &Config, inputs: &[StreamSchema]) -> Result<TransformPlan> {
        warn_of_unknown_streams(config, inputs);
        let plans = plan_all(config, inputs)?;
        let outputs = plans.into_iter().map(|plan| plan.output).collect();
        Ok(TransformPlan { outputs, input_layouts: Layouts::COLUMNS })
    }

    fn open(config: Config, inputs: Vec<StreamSchema>) -> Result<StepsTransformer> {
        let plans = plan_all(&config, &inputs)?;
        let streams = plans.into_iter().map(|plan| (plan.output.stream.clone(), plan)).collect();
        Ok(StepsTransformer { streams })
    }
}

fn plan_all(config: &Config, inputs: &[StreamSchema]) -> Result<Vec<StreamPlan>> {
    let steps = config.read()?;
    let (mut plans, mut faults) = (Vec::new(), Faults::default());
    for input in inputs {
        let planned = if config.selects(&input.stream) { plan(&steps, input) } else { Ok(untouched(input)) };
        match planned {
            Ok(plan) => plans.push(plan),
            Err(found) => faults.extend(found),
        }
    }
    faults.or(plans)
}

/// A stream that is not there may be in another read group, for which we are asked apart; so this is no fault.
fn warn_of_unknown_streams(config: &Config, inputs: &[StreamSchema]) {
    let names: Vec<&str> = inputs.iter().map(|input| input.stream.as_str()).collect();
    for named in config.streams.iter().flatten().filter(|named| !names.contains(&named.as_str())) {
        if let Some(close) = closest(named, names.iter().copied()) {
            log::warn!("there is no stream `{named}` here; if you meant `{close}`: it passes untouched");
        }
    }
}

/// Applies the steps to batches.
#[derive(Debug)]
pub struct StepsTransformer {
    streams: HashMap<String, StreamPlan>,
}

impl Transformer for StepsTransformer {
    fn apply(&mut self, incoming: Incoming<'_>) -> Result<Transformed> {
        let Some(plan) = self.streams.get(incoming.stream()) else {
            return Err(Error::bug(format!("the stream `{}` was not announced", incoming.stream())));
        };
        let mut work = Work::new(incoming.batch, plan.fields_in)?;
        for step in &plan.steps {
            if work.rows() == 0 {
                break;
            }
            step.apply(&mut work)?;
        }
        Ok(work.finish(&plan.output))
    }
}
