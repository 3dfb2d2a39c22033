//! The source: answers `next` by its script.

use std::collections::VecDeque;

use cofferdam_sdk::{
    Budget, Catalog, Checkpoint, OpenRead, Page, Reader, Result, Selection, Source, Step, StreamSchema,
    bindings::shared::cofferdam::connector::run::subscribe_stop, run,
};
use wasip2::{clocks::monotonic_clock::subscribe_duration, io::poll::poll};

use crate::{
    Config, Proof,
    script::{Act, PageAct},
    streams,
};

const HOUR_NS: u64 = 60 * 60 * 1_000_000_000;

impl Source for Proof {
    type Config = Config;
    type Reader = ProofReader;

    fn check(config: &Config) -> Result<()> {
        config.pass("source.check")
    }

    fn discover(config: &Config) -> Result<Catalog> {
        config.pass("source.discover")?;
        Ok(streams::catalog())
    }

    fn open(mut config: Config, read: OpenRead) -> Result<ProofReader> {
        let checkpoint = read.checkpoint.as_ref().map(Checkpoint::as_json);
        log::info!("open `{}` at {checkpoint:?}", read.group);
        read.selections.iter().for_each(tell);
        config.pass("source.open")?;
        let selection = read.selection("values");
        let fields = selection.and_then(|selection| selection.fields.clone());
        let limit = selection.and_then(|selection| selection.limit).unwrap_or(u64::MAX);
        let rows_max = usize::try_from(limit).unwrap_or(usize::MAX);
        let steps = std::mem::take(&mut config.steps).into();
        Ok(ProofReader { values: projected(1, fields.as_deref()), config, steps, fields, rows_max })
    }
}

fn tell(selection: &Selection) {
    let Selection { stream, fields, limit, .. } = selection;
    log::info!("select `{stream}` fields {fields:?} limit {limit:?}");
    for condition in &selection.filter {
        log::info!("where {} {:?} {}", condition.field, condition.comparison, condition.value);
    }
}

/// The schema of `values` with the selected fields, in the order of the selection.
fn projected(version: u32, fields: Option<&[String]>) -> StreamSchema {
    let mut schema = streams::values(version);
    if let Some(names) = fields {
        let all = std::mem::take(&mut schema.schema.fields);
        let wanted = names.iter().filter_map(|name| all.iter().find(|field| field.name == *name));
        schema.schema.fields = wanted.cloned().collect();
    }
    schema
}

pub(crate) struct ProofReader {
    config: Config,
    steps: VecDeque<Act>,
    fields: Option<Vec<String>>,
    rows_max: usize,
    values: StreamSchema,
}

impl Reader for ProofReader {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        let seconds = (budget.time_left().as_millis() + 500) / 1000;
        log::info!("next rows {} bytes {} seconds {seconds}", budget.rows_max, budget.bytes_max);
        self.config.pass("reader.next")?;
        Ok(match self.steps.pop_front() {
            Some(Act::Page(act)) => Step::Page(self.page(&act)?),
            Some(Act::Wait(milliseconds)) => Step::Wait(milliseconds),
            Some(Act::SchemaChanged(version)) => {
                self.values = projected(version, self.fields.as_deref());
                Step::SchemaChanged(vec![streams::values(version)])
            }
            Some(Act::PollForStop) => poll_for_stop(),
            Some(Act::LookForStop) => look_for_stop(budget),
            Some(Act::End) | None => Step::End,
        })
    }

    fn committed(&mut self, checkpoint: Checkpoint) -> Result<()> {
        log::info!("committed {}", checkpoint.as_json());
        self.config.pass("reader.committed")
    }
}

impl ProofReader {
    fn page(&self, act: &PageAct) -> Result<Page> {
        act.page(&self.values, self.rows_max)
    }
}

fn poll_for_stop() -> Step {
    log::info!("waiting, stop requested: {}", run::stop_requested());
    let (hour, stop) = (subscribe_duration(HOUR_NS), subscribe_stop());
    let ready = poll(&[&hour, &stop]);
    log::info!("woken by {ready:?}, stop requested: {}", run::stop_requested());
    stopped()
}

fn look_for_stop(budget: &Budget) -> Step {
    log::info!("looking, time to come back: {}", budget.is_over());
    while !run::stop_requested() {}
    log::info!("seen, time to come back: {}", budget.is_over());
    stopped()
}

fn stopped() -> Step {
    let checkpoint = Some("\"stopped\"".to_owned());
    Step::Page(Page { batches: Vec::new(), rejects: Vec::new(), checkpoint, transaction_end: false })
}
