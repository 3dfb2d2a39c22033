//! `cofferdam doctor`: looks at the machine on which cofferdam is to run, and says what would go wrong and how to mend it.
//! Changes nothing, opens no key, and keeps nothing of what it tries.
//!
//! A file for each topic: it reads what there is, and a function without side effects judges it.

mod acme;
mod certificate;
mod cgroup;
mod clock;
mod collector;
mod directories;
mod disk;
mod file_system;
mod finding;
mod images;
mod keys;
mod limits;
mod memory;
mod names;
mod ports;
mod program;
mod small;
mod time_zones;
mod walls;
mod wasm_target;

use std::path::Path;

use serde_json::json;

use crate::arguments::Doctor;
use crate::data::Seen;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::units::{self, counted};

use finding::{Finding, State};

pub(super) async fn run(command: Doctor, output: &Output) -> Result<(), Problems> {
    let names = names::findings(command.name_servers.clone()).await;
    let acme = match &command.acme_directory {
        Some(directory) => {
            let (trusted, servers) = (command.acme_authorities, command.name_servers);
            acme::findings(directory, trusted, servers, &command.listen).await?
        }
        None => Vec::new(),
    };
    let path = places::data_here(command.data.as_deref());
    let offered = directories::findings(command.config, command.data.clone());
    let cache = places::cache(command.cache.cache);
    let (addresses, certificate, collector) = (command.listen, command.tls_certificate, command.otlp);
    let findings = tokio::task::spawn_blocking(move || {
        let mut findings = of_the_machine(&path, cache.ok().as_deref());
        findings.extend(ports::findings(&addresses));
        findings.extend(certificate.map(|path| certificate::finding(&path, units::now_ms())));
        findings.extend(collector.map(|address| collector::finding(&address)));
        findings
    });
    let mut findings =
        findings.await.map_err(|error| Problem::bug(format!("looking at the machine: {error}")))?;
    findings.extend(names);
    findings.extend(offered);
    findings.extend(acme);
    findings.sort_by_key(Finding::topic);
    show(&findings, output)?;
    match of_state(&findings, State::Fault) {
        0 => Ok(()),
        faults => Err(Problems::from(Own::Unfit { faults }).told_in_document()),
    }
}

fn of_the_machine(path: &Path, cache: Option<&Path>) -> Vec<Finding> {
    let seen = Seen::of(path);
    let now_ms = units::now_ms();
    let mut findings = clock::findings(path, now_ms);
    findings.extend(disk::findings(path, cache));
    findings.extend(keys::findings(path, seen, now_ms));
    findings.extend(limits::findings());
    findings.extend(memory::findings());
    findings.extend(images::findings());
    findings.extend(walls::findings());
    findings.extend(wasm_target::findings());
    findings.extend(time_zones::findings());
    findings
}

fn show(findings: &[Finding], output: &Output) -> Result<(), Problems> {
    if output.json {
        return output.document(&json!({
            "findings": findings,
            "warnings": of_state(findings, State::Warning),
            "faults": of_state(findings, State::Fault),
        }));
    }
    output.text(&text(findings))
}

fn text(findings: &[Finding]) -> String {
    let mut text: String = findings.iter().map(Finding::text).collect();
    let warnings = counted(of_state(findings, State::Warning) as u64, "warning", "warnings");
    let faults = counted(of_state(findings, State::Fault) as u64, "fault", "faults");
    text.push_str(&format!("\n{warnings}, {faults}\n"));
    text
}

fn of_state(findings: &[Finding], state: State) -> usize {
    findings.iter().filter(|finding| finding.state() == state).count()
}

#[cfg(test)]
mod tests;
