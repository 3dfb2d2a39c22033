//! The scripted source and the scripted transform.

use super::destination::ids;
use super::faults::lock;
use super::world::{ScriptPage, Transformed, World, source_rejects, transformed};
use crate::connector::{Budget, Reader, Source, Transform, Transformer, Usage};
use crate::failure::Failure;
use crate::fixtures::{column, columns_batch, lines_batch, texts};
use crate::model::{
    Batch, Catalog, ColumnData, Layout, Layouts, OpenRead, Output, Page, PageBudget, Pushdown, ReadGroup,
    Reject, RejectedRow, SourceReject, Step, StreamInfo, StreamSchema, TransformPlan,
};
use crate::validate::{self, Limits, PageContext};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct ScriptedSource(pub(super) Arc<World>);

#[async_trait]
impl Source for ScriptedSource {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let script = &self.0.script;
        let info = |group: &str, stream: &str| StreamInfo {
            schema: script.schema(stream, 0),
            group: Some(group.into()),
            cursor_fields: Vec::new(),
            incremental: script.incremental,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        let groups = script.groups.keys();
        let streams = groups
            .clone()
            .flat_map(|group| script.streams_of(group).into_iter().map(move |stream| info(group, stream)));
        let marks = |group: &&str| ReadGroup { name: (*group).into(), marks_transactions: script.marks };
        let catalog = Catalog { streams: streams.collect(), groups: groups.map(marks).collect() };
        self.0.faults.call("discover", || catalog).await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let group = *self.0.script.groups.get_key_value(read.group.as_str()).unwrap().0;
        let start: Option<usize> = read.checkpoint.map(|text| text.parse().unwrap());
        lock(&self.0.opened).push(start);
        self.0.assert_durable_before(group, start.unwrap_or(0)).await;
        let streams = read.schemas.into_iter().map(|schema| (schema.stream.clone(), schema)).collect();
        let world = Arc::clone(&self.0);
        let reader =
            ScriptedReader { world, group, place: start.unwrap_or(0), version: 0, waited: false, streams };
        self.0.faults.call("source.open", || Box::new(reader) as Box<dyn Reader>).await
    }

    fn budget(&self) -> Budget {
        self.0.faults.budget()
    }
}

struct ScriptedReader {
    world: Arc<World>,
    group: &'static str,
    place: usize,
    version: u32,
    waited: bool,
    streams: BTreeMap<String, StreamSchema>,
}

#[async_trait]
impl Reader for ScriptedReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        let world = Arc::clone(&self.world);
        let step = world.faults.call("reader.next", || self.step()).await?;
        if let Step::Page(page) = &step {
            let limits = Limits::default();
            let valid =
                validate::page(page, &PageContext { streams: &self.streams, budget, limits: &limits });
            world.must_be(valid);
        }
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        let place: usize = checkpoint.parse().unwrap();
        self.world.assert_durable_before(self.group, place).await;
        let world = Arc::clone(&self.world);
        world.faults.call("reader.committed", || lock(&world.told).push(place)).await
    }

    fn budget(&self) -> Budget {
        vec![Usage { limit: "pages".into(), used: self.place as u64, allowed: 1_000 }]
    }
}

impl ScriptedReader {
    fn step(&mut self) -> Step {
        let script = &self.world.script;
        let pages = &script.groups[self.group];
        let Some(page) = pages.get(self.place) else { return Step::End };
        if let (Some(ms), false) = (page.wait_ms, self.waited) {
            self.waited = true;
            return Step::Wait(ms);
        }
        let version =
            u32::try_from(pages[..=self.place].iter().filter(|page| page.schema_changes).count().min(1))
                .unwrap();
        if version > self.version {
            self.version = version;
            let schemas: Vec<_> = self.streams.keys().map(|stream| script.schema(stream, version)).collect();
            for schema in &schemas {
                self.streams.insert(schema.stream.clone(), schema.clone());
            }
            return Step::SchemaChanged(schemas);
        }
        self.waited = false;
        self.place += 1;
        Step::Page(self.page(page))
    }

    fn page(&self, page: &ScriptPage) -> Page {
        let script = &self.world.script;
        let wanted: Vec<_> =
            page.batches.iter().filter(|(stream, _)| self.streams.contains_key(*stream)).collect();
        let batches: Vec<Batch> = wanted
            .iter()
            .map(|(stream, ids)| Batch {
                schema_version: self.version,
                ..batch(stream, ids, self.version, script.layout)
            })
            .collect();
        let mut rejects = Vec::new();
        let reject = |stream: &str, row| SourceReject {
            stream: stream.into(),
            row,
            code: "bad_line".into(),
            message: "cannot be read".into(),
            retryable: false,
        };
        for (number, (stream, ids)) in (0..).zip(wanted) {
            for (row, id) in (0..).zip(ids) {
                if script.source_rejects && source_rejects(*id) {
                    rejects.push(reject(stream, RejectedRow::At { batch: number, row }));
                }
            }
        }
        let first = script.streams_of(self.group).first().copied().unwrap_or("?");
        rejects
            .extend(page.raw.iter().map(|id| reject(first, RejectedRow::Raw(id.to_string().into_bytes()))));
        let checkpoint = page.checkpoint.then(|| self.place.to_string());
        Page { batches, rejects, checkpoint, transaction_end: page.mark }
    }
}

/// Rows with these ids.
pub(super) fn batch(stream: &str, ids: &[i64], version: u32, layout: Layout) -> Batch {
    let names: Vec<String> = ids.iter().map(|id| format!("row {id}")).collect();
    match layout {
        Layout::Columns => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut columns =
                vec![column(ColumnData::Int64(ids.to_vec())), column(ColumnData::Text(texts(&names)))];
            if version > 0 {
                columns.push(column(ColumnData::Boolean(vec![0; ids.len().div_ceil(8)])));
            }
            columns_batch(stream, u32::try_from(ids.len()).unwrap(), columns)
        }
        Layout::JsonLines => {
            let lines: Vec<String> = ids
                .iter()
                .zip(&names)
                .map(|(id, name)| format!("{{\"id\":{id},\"name\":\"{name}\"}}"))
                .collect();
            lines_batch(stream, &lines.iter().map(String::as_str).collect::<Vec<_>>())
        }
    }
}

/// Filters, rejects and doubles rows by their ids; takes columns only.
pub(super) struct ScriptedTransform(pub(super) Arc<World>);

#[async_trait]
impl Transform for ScriptedTransform {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure> {
        let outputs =
            inputs.into_iter().map(|schema| StreamSchema { layout: Layout::Columns, ..schema }).collect();
        let plan = TransformPlan { outputs, input_layouts: Layouts { columns: true, json_lines: false } };
        self.0.faults.call("transform.plan", || plan).await
    }

    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure> {
        self.0.must(inputs == outputs, || "the plan was asked for something else".into());
        let outputs = outputs.into_iter().map(|schema| (schema.stream.clone(), schema)).collect();
        let transformer = ScriptedTransformer { world: Arc::clone(&self.0), outputs };
        self.0.faults.call("transform.open", || Box::new(transformer) as Box<dyn Transformer>).await
    }

    fn budget(&self) -> Budget {
        self.0.faults.budget()
    }
}

struct ScriptedTransformer {
    world: Arc<World>,
    outputs: BTreeMap<String, StreamSchema>,
}

#[async_trait]
impl Transformer for ScriptedTransformer {
    async fn apply(&mut self, given: Arc<Batch>) -> Result<crate::model::Transformed, Failure> {
        let mut outcome = crate::model::Transformed::default();
        let (mut made, mut origin) = (Vec::new(), Vec::new());
        for (row, id) in (0..).zip(ids(&given)) {
            match transformed(id) {
                Transformed::Filtered => {}
                Transformed::Rejected => {
                    outcome.rejected.push(Reject {
                        row,
                        code: "no".into(),
                        message: String::new(),
                        retryable: false,
                    });
                    // What else is made of a rejected row must be dropped by the host.
                    made.push(id);
                    origin.push(row);
                }
                Transformed::Made(ids) => {
                    origin.extend(ids.iter().map(|_| row));
                    made.extend(ids);
                }
            }
        }
        let version = given.schema_version;
        let batch =
            Batch { schema_version: version, ..batch(&given.stream, &made, version, Layout::Columns) };
        outcome.outputs.push(Output { batch, origin });
        self.world.must_be(validate::transformed(
            &outcome,
            given.row_count(),
            &self.outputs,
            &Limits::default(),
        ));
        self.world.faults.call("transformer.apply", || outcome).await
    }

    fn budget(&self) -> Budget {
        Vec::new()
    }
}
