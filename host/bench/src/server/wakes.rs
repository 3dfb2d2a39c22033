//! Ten thousand schedules, of which ten a second are due: how long after its time each sync's run is under way.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};

use super::api::{number, text};
use super::organization::{Operator, Organization};
use super::row;
use super::schedules::now_ms;
use crate::clock::{median, percentile};
use crate::report::{Goal, Report};

const SCHEDULES: usize = 10_000;
const EACH_MS: u64 = 100;
const INTERVAL_MS: u64 = EACH_MS * SCHEDULES as u64;
const LISTEN: Duration = Duration::from_secs(60);

pub(super) fn run(tokio: &Runtime, operator: &Operator, report: &mut Report) -> Result<()> {
    let late_ms = tokio.block_on(async {
        let of = operator.organization("acme").await?;
        let (source, destination) = operator.ten_rows(&of).await?;
        let due = started(&of, (&source, &destination)).await?;
        let live = of.api.open(&format!("{}/live", of.at)).await?;
        begun(live, &due).await
    })?;
    let expected = LISTEN.as_secs() * 1_000 / EACH_MS;
    let seen = late_ms.len() as u64;
    // A run at either end of the time may be missing.
    ensure!(seen + 20 >= expected, "{seen} runs of {expected} began");
    let late = || late_ms.iter().map(|ms| *ms as f64);
    let what = format!("from due to under way with {SCHEDULES} schedules, p99");
    report.add(row(&what, "ms", percentile(late(), 99), Goal::AtMost(100.0)));
    report.note(format!(
        "{SCHEDULES} schedules, ten of them due a second, one organization: of {seen} runs, as live events tell their \
         beginning, p50 {:.0} ms, the latest {:.0} ms; to the millisecond.",
        median(late()),
        percentile(late(), 100)
    ));
    Ok(())
}

/// Syncs by their ids, with a time at which each is due.
async fn started(of: &Organization, (source, destination): (&str, &str)) -> Result<HashMap<String, u64>> {
    let at = format!("{}/syncs", of.at);
    let base_ms = now_ms()? / INTERVAL_MS * INTERVAL_MS;
    let wanted = |from_ms: u64| {
        let schedule = json!({ "when": { "every": { "interval_ms": INTERVAL_MS, "from_ms": from_ms } } });
        let name = format!("due at {from_ms}");
        json!({ "name": name, "source": source, "destination": destination, "schedule": schedule })
    };
    let from = (0..SCHEDULES as u64).map(|number| base_ms - INTERVAL_MS + number * EACH_MS);
    let made = of.api.post_all(from.map(|from_ms| (at.clone(), wanted(from_ms))).collect()).await?;
    let mut due = HashMap::new();
    for sync in &made {
        let every = sync.pointer("/does/schedule/when/every").context("a sync has no interval")?;
        due.insert(text(sync, "id")?, number(every, "from_ms")?);
    }
    let starts = due.keys().map(|sync| (format!("{at}/{sync}/start"), Value::Null)).collect();
    of.api.post_all(starts).await?;
    Ok(due)
}

/// By how many milliseconds each run that begins within the time is late.
async fn begun(mut live: Incoming, due: &HashMap<String, u64>) -> Result<Vec<u64>> {
    let (end, mut late_ms, mut rest) = (Instant::now() + LISTEN, Vec::new(), String::new());
    while let Ok(frame) = timeout_at(end, live.frame()).await {
        let frame = frame.context("the server has ended the live events")??;
        rest.push_str(str::from_utf8(&frame.into_data().unwrap_or_default())?);
        while let Some((line, behind)) = rest.split_once('\n') {
            let event = line.strip_prefix("data: ").map(serde_json::from_str::<Value>).transpose()?;
            let event = event.unwrap_or_default();
            let kind = event.get("kind").and_then(Value::as_str);
            ensure!(kind != Some("missed"), "some live events were missed");
            if kind == Some("run_began") {
                let from_ms = due.get(&text(&event, "sync")?).context("another sync has begun")?;
                late_ms.push((number(&event, "at_ms")? - from_ms) % INTERVAL_MS);
            }
            rest = behind.to_owned();
        }
    }
    Ok(late_ms)
}
