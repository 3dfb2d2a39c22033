//! Which spans a run has, and what they do not hold.

use std::sync::Arc;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use pipeline::connector::{Budget, Reader, Source};
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::model::{Catalog, OpenRead, PageBudget, Step};
use tracing_subscriber::layer::SubscriberExt;

use super::Traced;

/// A source that says what no span may hold.
struct Fails;

fn failure() -> Failure {
    let cause = Cause::Guest(GuestError::Data("canary-row".into()));
    let words = vec!["canary-words".to_owned()];
    Failure {
        cause,
        connector: "shop".into(),
        call: "reader.next".into(),
        log_tail: words,
        denials: Vec::new(),
    }
}

#[async_trait]
impl Source for Fails {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        Err(failure())
    }

    async fn open(&self, _: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        Err(failure())
    }
}

#[async_trait]
impl Reader for Fails {
    async fn next(&mut self, _: PageBudget) -> Result<Step, Failure> {
        Err(failure())
    }

    async fn committed(&mut self, _: String) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> Budget {
        Vec::new()
    }
}

#[tokio::test]
async fn each_call_is_a_child_of_its_run_and_tells_a_code_at_most() {
    let told = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(told.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = tracing_subscriber::registry().with(layer);
    let _here = tracing::subscriber::set_default(subscriber);
    let run = tracing::error_span!(target: "cofferdam::spans", "run", run = "run_1");
    let inner: Arc<dyn Source> = Arc::new(Fails);
    let source = Traced { inner, run: run.clone() };
    source.check().await.unwrap();
    source.discover().await.unwrap_err();
    let mut reader = source.of(Box::new(Fails) as Box<dyn Reader>);
    let budget = PageBudget { max_rows: 1, max_bytes: 1, deadline_ms: 1 };
    reader.next(budget).await.unwrap_err();
    reader.committed("canary-checkpoint".to_owned()).await.unwrap();
    drop((source, reader, run));
    let spans = told.get_finished_spans().unwrap();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["check source", "discover", "page", "committed", "run"]);
    let (run, calls) = spans.split_last().unwrap();
    for call in calls {
        assert_eq!(call.parent_span_id, run.span_context.span_id(), "{}", call.name);
        let codes: Vec<_> = call.attributes.iter().filter(|known| known.key.as_str() == "code").collect();
        let is_failed = ["discover", "page"].contains(&call.name.as_ref());
        assert_eq!(
            codes.iter().map(|known| known.value.as_str()).collect::<Vec<_>>(),
            if is_failed { vec!["CD0606"] } else { vec![] }
        );
    }
    assert!(!format!("{spans:?}").contains("canary"), "{spans:?}");
}
