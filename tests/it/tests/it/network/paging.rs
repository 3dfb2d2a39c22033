//! A source that pages through a JSON API: every row once, and after a pause from where it was.

use super::Plan;
use super::servers::Api;
use egress::Outcome;
use pipeline::model::{Rows, Step};
use serde_json::{Value, json};

fn plan(api: &Api) -> Plan {
    Plan::to(api.address, "example-source", json!({"streams": ["movies"], "page_size": 100}))
}

fn ids(steps: &[Step]) -> Vec<u64> {
    let mut ids = Vec::new();
    for step in steps {
        let Step::Page(page) = step else { panic!("no page: {step:?}") };
        for batch in &page.batches {
            let Rows::JsonLines(lines) = &batch.rows else { panic!("no lines") };
            let lines = lines.data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            ids.extend(
                lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()["id"].as_u64().unwrap()),
            );
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_a_json_api_comes_once() {
    let api = Api::of(250).await;
    let wired = plan(&api).start().await;
    let steps = wired.read(None).await.unwrap();
    assert_eq!(ids(&steps), (0..250).collect::<Vec<_>>());
    let path = |page| format!("/movies?_page={page}&_per_page=100");
    assert_eq!(api.asked(), [path(1), path(2), path(3)]);
    let entries = wired.ledger.all();
    assert_eq!(entries.len(), 3);
    for entry in &entries {
        assert_eq!((entry.method.as_str(), entry.path.as_str(), entry.status), ("GET", "/movies", Some(200)));
        assert_eq!((entry.address, &entry.outcome), (Some(api.address), &Outcome::Completed));
        assert!(entry.rule.as_ref().unwrap().contains(&api.address.to_string()), "{entry:?}");
    }
    let used = |limit: &str| {
        let budget = wired.proof.connection.budget();
        budget.into_iter().find(|usage| usage.limit == limit).unwrap().used
    };
    assert_eq!(used("requests"), 3);
    assert_eq!(used("bytes_in"), entries.iter().map(|entry| entry.bytes_in).sum::<u64>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_the_api_leads_on_from_its_page() {
    let api = Api::of(250).await;
    let wired = plan(&api).start().await;
    let steps = wired.read(None).await.unwrap();
    let Some(Step::Page(first)) = steps.first() else { panic!("no page") };
    assert_eq!(first.checkpoint.as_deref(), Some("2"));
    let steps = wired.read(Some("2")).await.unwrap();
    assert_eq!(ids(&steps), (100..250).collect::<Vec<_>>());
    let Some(Step::Page(last)) = steps.last() else { panic!("no page") };
    assert_eq!(last.checkpoint.as_deref(), Some("null"));
    assert_eq!(wired.read(Some("null")).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reaches_the_api() {
    use pipeline::connector::Source as _;
    let api = Api::of(1).await;
    plan(&api).start().await.proof.source().check().await.unwrap();
    assert_eq!(api.asked().len(), 1);
}
