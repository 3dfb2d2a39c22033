//! A secret that came back: its row is rejected and not kept, a checkpoint and a schema end the run.

use super::sweep::jumping;
use super::world::{Script, ScriptPage, World, page};
use crate::connector::{Budget, Reader, Source, Transform, Transformer};
use crate::failure::Failure;
use crate::model::{
    Batch, Catalog, ColumnData, Layout, OpenRead, PageBudget, RejectedRow, Rows, Step, StreamSchema,
    TransformPlan, Transformed,
};
use crate::records::{KeptBatch, RejectedBy, RowCopy, RowError, RunRecords};
use crate::report::{Outcome, RunReport};
use crate::run::{RejectPolicy, RunSpec};
use crate::secrets::ROW_CODE;
use async_trait::async_trait;
use std::sync::Arc;

const SECRET: &str = "tok_4eC39HqLyjWDarjtT1";

/// Plants the secret into what the scripted connector gives.
#[derive(Clone, Copy, PartialEq)]
enum Plant {
    Row,
    RawReject,
    Checkpoint,
    Catalog,
    Schema,
}

struct Planting<C: ?Sized>(Arc<C>, Plant);

struct PlantingReader(Box<dyn Reader>, Plant);

#[async_trait]
impl Source for Planting<dyn Source> {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let mut catalog = self.0.discover().await?;
        if self.1 == Plant::Catalog {
            catalog.streams[0].description = Some(format!("of {SECRET}"));
        }
        Ok(catalog)
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        Ok(Box::new(PlantingReader(self.0.open(read).await?, self.1)))
    }
}

#[async_trait]
impl Reader for PlantingReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        let mut step = self.0.next(budget).await?;
        match (&mut step, self.1) {
            (Step::Page(page), Plant::Row) => page.batches.iter_mut().for_each(plant),
            (Step::Page(page), Plant::RawReject) => page.rejects.iter_mut().for_each(|reject| {
                reject.row = RejectedRow::Raw(format!("1,{SECRET},2").into_bytes());
            }),
            (Step::Page(page), Plant::Checkpoint) => page.checkpoint = Some(format!("\"?key={SECRET}\"")),
            (Step::SchemaChanged(schemas), Plant::Schema) => {
                schemas[0].schema.fields[1].description = Some(SECRET.into());
            }
            _ => {}
        }
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        self.0.committed(checkpoint).await
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// Puts it in place of the name of the second row.
fn plant(batch: &mut Batch) {
    match &mut batch.rows {
        Rows::Columns(columns) => {
            let ColumnData::Text(names) = &mut columns.columns[1].data else { panic!("no names") };
            let values: Vec<String> = (0..columns.row_count as usize)
                .map(|row| String::from_utf8(names.value(row).unwrap().to_vec()).unwrap())
                .collect();
            let value =
                |(row, value): (usize, &String)| if row == 1 { SECRET.to_owned() } else { value.clone() };
            let values: Vec<String> = values.iter().enumerate().map(value).collect();
            *names = crate::fixtures::texts(&values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Rows::JsonLines(lines) => {
            let text = String::from_utf8(lines.data.clone()).unwrap();
            lines.data = text.replacen("row 1\"", &format!("{SECRET}\""), 1).into_bytes();
        }
    }
}

fn spec(world: &Arc<World>, plant: Plant) -> RunSpec {
    let mut spec = world.spec();
    spec.source = Arc::new(Planting(Arc::clone(&spec.source), plant));
    spec.secrets.source.add("api", SECRET.as_bytes());
    spec
}

fn script(layout: Layout) -> Script {
    Script { layout, checked: false, ..Script::of(vec![page("a", 0..4)]) }
}

async fn errors(world: &World) -> Vec<RowError> {
    let chunks = world.records.row_errors("sync", 1, 0, usize::MAX).await.unwrap();
    chunks.into_iter().flat_map(|chunk| chunk.errors).collect()
}

/// Nothing that is kept or told holds the secret; the report says where it was.
fn assert_told(report: &RunReport, place: &str, kept: &impl serde::Serialize) {
    let told = serde_json::to_string(report).unwrap() + &serde_json::to_string(kept).unwrap();
    assert!(!told.contains(SECRET), "{told}");
    let found: Vec<_> =
        report.secrets.iter().map(|one| (&*one.connector, &*one.credential, &*one.place)).collect();
    assert_eq!(found, [("source", "api", place)]);
    assert_eq!((&*report.secrets[0].encoding, report.secrets[0].count), ("plain", 1));
}

/// Its neighbours are kept until the commit is settled, as the destination may reject them late.
#[test]
fn a_row_with_a_secret_is_not_kept_with_those_that_may_be_rejected_late() {
    for layout in [Layout::Columns, Layout::JsonLines] {
        jumping(async {
            let pages = vec![page("a", 0..10), page("a", 10..20)];
            let script = Script { layout, checked: false, late_rejects: true, ..Script::of(pages) };
            let world = World::new(script);
            world.run_spec(spec(&world, Plant::Row), None).await.unwrap();
            let kept = std::mem::take(&mut *super::faults::lock(&world.kept));
            let rows = |kept: &KeptBatch| (kept.number, kept.rows.clone(), kept.batch.row_count());
            let without = (0, Some((0..10).filter(|row| *row != 1).collect::<Vec<u32>>()), 9);
            // It is planted in the second row of each batch of columns, and in the line of the second row of all.
            let second = if layout == Layout::Columns { without.clone() } else { (0, None, 10) };
            assert_eq!(kept.iter().map(rows).collect::<Vec<_>>(), [without, second]);
            let secret = format!("{:?}", SECRET.as_bytes());
            let secret = secret.trim_matches(['[', ']']);
            assert!(kept.iter().all(|kept| !format!("{:?}", kept.batch).contains(secret)));
            let lost = errors(&world).await.into_iter().filter(|error| error.row == RowCopy::GivenUp);
            assert_eq!(lost.count(), 0);
        });
    }
}

#[test]
fn a_row_with_a_secret_is_rejected_and_its_copy_is_not_kept() {
    for layout in [Layout::Columns, Layout::JsonLines] {
        jumping(async {
            let world = World::new(script(layout));
            let report = world.run_spec(spec(&world, Plant::Row), None).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            assert_eq!(world.rows(), [0, 2, 3]);
            let kept = errors(&world).await;
            assert_eq!(kept.len(), 1);
            assert_eq!((kept[0].index, &*kept[0].code, kept[0].by), (1, ROW_CODE, RejectedBy::Host));
            assert_eq!((&kept[0].row, kept[0].retryable), (&RowCopy::Withheld, false));
            assert_told(&report, "record", &kept);
        });
    }
}

#[test]
fn a_run_that_fails_at_its_first_reject_does_not_show_a_row_with_a_secret() {
    jumping(async {
        let world = World::new(script(Layout::Columns));
        let mut spec = spec(&world, Plant::Row);
        spec.rejects.policy = RejectPolicy::Fail;
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.error.as_ref().unwrap().code, "CD0720");
        assert_told(&report, "record", &errors(&world).await);
    });
}

/// The first reason counts, but no reason lets the copy be kept.
#[test]
fn a_row_with_a_secret_that_the_source_rejects_itself_is_not_kept_either() {
    jumping(async {
        // The second row is number 3, which the source rejects.
        let script = Script { source_rejects: true, ..Script::of(vec![page("a", 2..40)]) };
        let world = World::new(Script { checked: false, ..script });
        let report = world.run_spec(spec(&world, Plant::Row), None).await.unwrap();
        let kept = errors(&world).await;
        assert!(kept.len() > 1, "the source rejects others as well");
        assert_eq!((kept[0].index, &kept[0].row), (1, &RowCopy::Withheld));
        assert_told(&report, "record", &kept);
    });
}

#[test]
fn bytes_that_never_became_a_row_are_kept_blanked() {
    jumping(async {
        let page = ScriptPage { raw: vec![100], ..page("a", 0..4) };
        let world = World::new(Script { checked: false, ..Script::of(vec![page]) });
        let report = world.run_spec(spec(&world, Plant::RawReject), None).await.unwrap();
        let kept = errors(&world).await;
        assert_eq!(kept[0].row, RowCopy::Raw(format!("1,{},2", "*".repeat(SECRET.len())).into_bytes()));
        assert_told(&report, "record", &kept);
    });
}

#[test]
fn a_checkpoint_with_a_secret_ends_the_run_and_is_not_kept() {
    jumping(async {
        let world = World::new(script(Layout::Columns));
        let report = world.run_spec(spec(&world, Plant::Checkpoint), None).await.unwrap();
        let error = report.error.as_ref().unwrap();
        assert_eq!(error.code, "CD0725");
        assert_eq!(
            error.message,
            "the source gave a checkpoint with the secret of the credential `api` in it"
        );
        assert!(world.rows().is_empty());
        assert_told(&report, "checkpoint", &report.groups[0].position);
    });
}

#[test]
fn a_schema_with_a_secret_ends_the_run() {
    let changing = ScriptPage { schema_changes: true, ..page("a", 4..8) };
    for (plant, script) in [
        (Plant::Catalog, script(Layout::Columns)),
        (Plant::Schema, Script { checked: false, ..Script::of(vec![page("a", 0..4), changing]) }),
    ] {
        jumping(async {
            let world = World::new(script.clone());
            let report = world.run_spec(spec(&world, plant), None).await.unwrap();
            assert_eq!(report.error.as_ref().unwrap().code, "CD0725", "{report:#?}");
            assert_told(&report, "message", &errors(&world).await);
        });
    }
}

struct PlantingTransformer(Box<dyn Transformer>);

#[async_trait]
impl Transform for Planting<dyn Transform> {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure> {
        self.0.plan(inputs).await
    }

    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure> {
        Ok(Box::new(PlantingTransformer(self.0.open(inputs, outputs).await?)))
    }
}

#[async_trait]
impl Transformer for PlantingTransformer {
    async fn apply(&mut self, batch: Arc<Batch>) -> Result<Transformed, Failure> {
        let mut transformed = self.0.apply(batch).await?;
        transformed.outputs.iter_mut().for_each(|output| plant(&mut output.batch));
        Ok(transformed)
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// The source row is the one that was rejected, and is kept: the secret is the transform's and not in it.
#[test]
fn a_row_into_which_a_transform_put_its_secret_is_rejected() {
    jumping(async {
        let script = Script { transform: true, checked: false, ..Script::of(vec![page("a", 0..40)]) };
        let (clean, world) = (World::new(script.clone()), World::new(script));
        let clean_report = clean.run(None).await.unwrap();
        let mut spec = world.spec();
        let inner = Arc::clone(&spec.transforms[0]);
        spec.transforms[0] = Arc::new(Planting(inner, Plant::Row));
        let watch = scrub::Watch::new();
        watch.add("geo", SECRET.as_bytes());
        spec.secrets.transforms = vec![watch];
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        assert_eq!(report.total().rejected, clean_report.total().rejected + 1);
        let kept = errors(&world).await;
        let secret: Vec<&RowError> = kept.iter().filter(|error| error.code == ROW_CODE).collect();
        assert_eq!(secret.len(), 1);
        assert!(matches!(secret[0].row, RowCopy::Row(_)));
        assert!(!serde_json::to_string(&kept).unwrap().contains(SECRET));
        assert_eq!(report.secrets[0].connector, "transform 0");
        assert!(world.rows().len() < clean.rows().len());
    });
}
