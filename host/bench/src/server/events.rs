//! Messages at an event endpoint, each with an id of its own, unsigned. Each is durable when it is answered.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::api::text;
use super::figures::figure;
use super::organization::{Operator, Organization};
use super::program::Program;
use super::row;
use super::wrk::{Load, Wrk};
use crate::report::{Goal, Report};

const SENDERS: usize = 64;
const ACCEPTED: &str = r#"cofferdam_events_total{which="accepted"}"#;
/// Names are of the thread, because each has a state of its own.
const SCRIPT: &str = r#"
local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end
local sent = 0
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["x-event"] = "paid"
wrk.body = '{"order": 4711, "amount": "12.50", "currency": "EUR", "customer": "cus_4a7b2c91d0"}'
function request()
    sent = sent + 1
    wrk.headers["webhook-id"] = number .. "-" .. sent
    return wrk.format()
end
"#;

pub(super) fn run(
    tokio: &Runtime,
    program: &Program,
    operator: &Operator,
    wrk: &Wrk,
    report: &mut Report,
) -> Result<()> {
    let (of, source, destination) = tokio.block_on(async {
        let of = operator.organization("acme").await?;
        let source = operator.connection(&of, "example-webhook", json!({ "events": ["paid"] })).await?;
        let destination = operator.connection(&of, "null", json!({})).await?;
        anyhow::Ok((of, source, destination))
    })?;
    for (what, is_started, goal) in [
        ("while runs move them", true, Goal::AtLeast(4.0)),
        ("while their sync is stopped", false, Goal::None),
    ] {
        let url = tokio.block_on(endpoint(&of, (&source, &destination), is_started))?;
        let before = tokio.block_on(figure(program, ACCEPTED))?;
        let seen = wrk.load(&Load { url: &url, connections: SENDERS, script: SCRIPT })?;
        let after = tokio.block_on(figure(program, ACCEPTED))?;
        // Those that were under way at the end were accepted, and `wrk` did not see it.
        let ours = after - before;
        let most = seen.requests + SENDERS as u64;
        ensure!((seen.requests..=most).contains(&ours), "{ours} accepted, {} answered", seen.requests);
        let what = format!("events accepted durably, {SENDERS} senders, {what}");
        report.add(row(&what, "k events/s", seen.thousands_per_second(), goal));
        report.note(format!("{what}: p99 {:.1} ms, {}; ids, no signature.", seen.p99_ms(), seen.told()));
    }
    Ok(())
}

/// A sync whose rows are messages, and where they are left. A server that was not told its origin names the path alone.
async fn endpoint(
    of: &Organization,
    (source, destination): (&str, &str),
    is_started: bool,
) -> Result<String> {
    let name = if is_started { "started" } else { "stopped" };
    let wanted = json!({ "name": name, "source": source, "destination": destination });
    let sync = of.api.post(&format!("{}/syncs", of.at), &wanted).await?;
    let at = format!("{}/syncs/{}", of.at, text(&sync, "id")?);
    let url = of.api.url(&text(&of.api.post(&format!("{at}/endpoint"), &Value::Null).await?, "url")?);
    if is_started {
        of.api.post(&format!("{at}/start"), &Value::Null).await?;
    }
    Ok(url)
}
