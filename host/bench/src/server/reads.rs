//! Reads of the API by a token, as fast as two processors go.

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::runtime::Runtime;

use super::api::text;
use super::organization::Operator;
use super::row;
use super::wrk::{Load, Wrk, bearer};
use crate::report::{Goal, Report};

const CONNECTIONS: usize = 32;
/// What an organization that is at work has.
const SYNCS: usize = 20;

pub(super) fn run(tokio: &Runtime, operator: &Operator, wrk: &Wrk, report: &mut Report) -> Result<()> {
    let (of, sync) = tokio.block_on(async {
        let of = operator.organization("acme").await?;
        let (source, destination) = operator.ten_rows(&of).await?;
        let wanted = |number: usize| json!({ "name": format!("sync {number}"), "source": source, "destination": destination });
        let posts = (0..SYNCS).map(|number| (format!("{}/syncs", of.at), wanted(number))).collect();
        let made = of.api.post_all(posts).await?;
        let sync = text(made.first().context("no sync was made")?, "id")?;
        anyhow::Ok((of, sync))
    })?;
    let script = bearer(of.api.token());
    let what = [
        ("one sync", format!("{}/syncs/{sync}", of.at)),
        ("a list of two connections", format!("{}/connections", of.at)),
        ("a list of 20 syncs", format!("{}/syncs", of.at)),
    ];
    for (number, (what, path)) in what.into_iter().enumerate() {
        let url = of.api.url(&path);
        let seen = wrk.load(&Load { url: &url, connections: CONNECTIONS, script: &script })?;
        let what = format!("reads of {what} by an API token, {CONNECTIONS} connections");
        // The cheapest of them is what is promised of.
        let goals =
            if number == 0 { (Goal::AtLeast(10.0), Goal::AtMost(10.0)) } else { (Goal::None, Goal::None) };
        report.add(row(&what, "k requests/s", seen.thousands_per_second(), goals.0));
        report.add(row(&format!("{what}, p99"), "ms", seen.p99_ms(), goals.1));
        report.note(format!("{what}: {}.", seen.told()));
    }
    Ok(())
}
