//! A thousand syncs that are all due in the same minute, of ten rows each: when the last of them has ended, and what that takes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::api::{number, part, text};
use super::figures::{figure, reached};
use super::memory::Watch;
use super::organization::{Operator, Organization, ROWS};
use super::program::Program;
use super::row;
use crate::report::{Goal, Report};

const SYNCS: usize = 1_000;
/// As many as have a turn at the same time with one run each of four: the default lets eight run at once on two processors.
const ORGANIZATIONS: usize = 4;
const MINUTE_MS: u64 = 60_000;
/// In which a thousand syncs are made and started.
const SET_UP_MS: u64 = 30_000;
/// Longer than this is no miss of a goal but a fault.
const PATIENCE: Duration = Duration::from_secs(180);
const DONE: &str = r#"cofferdam_runs_total{which="done"}"#;
const AT_ONCE: &str = r#"cofferdam_schedule_delay_seconds_bucket{le="0.1"}"#;
const ACCEPTED: &str = r#"cofferdam_rows_total{which="accepted"}"#;

pub(super) fn run(
    tokio: &Runtime,
    program: &Program,
    operator: &Operator,
    report: &mut Report,
) -> Result<()> {
    let (ended_ms, peak, at_once) = tokio.block_on(async {
        let mut organizations = Vec::new();
        for number in 0..ORGANIZATIONS {
            let of = operator.organization(&format!("acme-{number}")).await?;
            let (source, destination) = operator.ten_rows(&of).await?;
            organizations.push((of, source, destination));
        }
        let due_ms = (now_ms()? + SET_UP_MS).next_multiple_of(MINUTE_MS);
        for (of, source, destination) in &organizations {
            started(of, (source, destination), &due_at(due_ms)).await?;
        }
        ensure!(now_ms()? < due_ms, "a thousand syncs were not made in time");
        let until_due = Duration::from_millis(due_ms.saturating_sub(now_ms()?));
        tokio::time::sleep(until_due).await;
        let watch = Watch::start(program.process());
        reached(program, DONE, SYNCS as u64, PATIENCE).await?;
        let peak = watch.stop()?;
        let accepted = figure(program, ACCEPTED).await?;
        ensure!(accepted == SYNCS as u64 * ROWS, "{accepted} rows were accepted");
        let mut ended = Vec::new();
        for (of, ..) in &organizations {
            ended.extend(last_ended(of).await?);
        }
        ensure!(ended.len() == SYNCS, "{} of {SYNCS} syncs are there", ended.len());
        let last_ms = ended.into_iter().max().context("no sync")?;
        anyhow::Ok((last_ms.saturating_sub(due_ms), peak, figure(program, AT_ONCE).await?))
    })?;
    let what = format!("{SYNCS} scheduled syncs of {ROWS} rows, all due at once, until the last has ended");
    report.add(row(&what, "s", ended_ms as f64 / 1e3, Goal::AtMost(25.0)));
    let what = format!("{SYNCS} scheduled syncs of {ROWS} rows, highest peak of the server with its workers");
    report.add(row(&what, "MB", peak.mib * 1.048_576, Goal::AtMost(500.0)));
    report.note(format!(
        "{SYNCS} scheduled syncs: of {ORGANIZATIONS} organizations, by a cron schedule in UTC, with connectors that were \
         compiled before; {at_once} runs began within 0.1 s; the memory is the sum of the proportional set sizes (PSS) of {} \
         processes, the server {:.0} MB of it.",
        peak.processes,
        peak.server_mib * 1.048_576
    ));
    Ok(())
}

/// This organization's part of the syncs, each started.
async fn started(of: &Organization, (source, destination): (&str, &str), schedule: &Value) -> Result<()> {
    let at = format!("{}/syncs", of.at);
    let wanted = |number: usize| json!({ "name": format!("sync {number}"), "source": source, "destination": destination, "schedule": schedule });
    let posts = (0..SYNCS / ORGANIZATIONS).map(|number| (at.clone(), wanted(number))).collect();
    let made = of.api.post_all(posts).await?;
    let start = |sync: &Value| anyhow::Ok((format!("{at}/{}/start", text(sync, "id")?), Value::Null));
    of.api.post_all(made.iter().map(start).collect::<Result<_>>()?).await?;
    Ok(())
}

/// When the last run of each sync has ended, well.
async fn last_ended(of: &Organization) -> Result<Vec<u64>> {
    let (mut ended, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = of.api.get(&format!("{}/syncs?limit=200{cursor}", of.at)).await?;
        for sync in part(&page, "items")?.as_array().into_iter().flatten() {
            let last = part(sync, "last")?;
            ensure!(text(last, "outcome")? == "done", "a sync has not run well: {sync}");
            ended.push(number(last, "ended_ms")?);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(ended),
        }
    }
}

/// Once a day, at this minute.
fn due_at(due_ms: u64) -> Value {
    let minutes = due_ms / MINUTE_MS;
    let pattern = format!("{} {} * * *", minutes % 60, minutes / 60 % 24);
    json!({ "when": { "cron": { "pattern": pattern, "zone": "UTC" } } })
}

pub(super) fn now_ms() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
