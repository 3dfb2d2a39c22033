//! What connectors ask for and do not get is counted wherever they are asked: in runs, and where they are only looked into.

use serde_json::json;

use super::story::Story;
use crate::api::serve;
use crate::build::MANIFEST;
use crate::watched::get;

/// All that was denied by now, whatever for.
fn denied(operations: &str) -> u64 {
    let figures = get(operations, "/metrics");
    let counted = figures.lines().filter_map(|line| line.strip_prefix("cofferdam_denials_total{code="));
    counted.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

#[test]
fn requests_that_nobody_granted_are_counted_in_runs_checks_and_previews() {
    let mut story = Story::begin_with(&["--operations", "127.0.0.1:0"]);
    let operations = story.operations();
    let digest = story.package("1.0.0", MANIFEST);
    let url = serve(1);
    let source = story.connection_of(&digest, &json!({ "base_url": format!("{url}/api") }));
    // The host was granted, and the address behind it is nothing that everybody may reach.
    story.grant(&source, &json!({ "hosts": [{ "url": url }] }));
    let sync = story.sync(&source, &story.destination(), &json!({}));
    assert_eq!(denied(&operations), 0);
    for path in [format!("/connections/{source}/check"), format!("/syncs/{sync}/preview")] {
        let before = denied(&operations);
        let (_, code) = story.refused(("POST", &path), &json!({}));
        assert!(denied(&operations) > before, "{path}: {code}");
    }
    let before = denied(&operations);
    story.run(&sync);
    assert_eq!(story.ended(&sync)["outcome"], "failed");
    assert!(denied(&operations) > before);
    story.terminate().succeeded();
}
