//! What happens, counted where it happens.

use crate::labels::{Method, OfCode, OfRequest, OfRoute, Outcome, Refused, Which};
use crate::names::Names;
use crate::standing::{Shown, Standing};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::time::Duration;

/// The API has about a hundred routes.
const ROUTES_MAX: usize = 256;
/// There are about four hundred codes of errors, of which an API answers a half.
const CODES_MAX: usize = 512;
/// From a read that storage has in memory (half a millisecond) to somebody who is made to wait for a minute.
const REQUEST_SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 60.0];
/// A schedule is promised within 0.1 seconds; who was away for an hour comes an hour late.
const LATE_SECONDS: [f64; 8] = [0.01, 0.05, 0.1, 0.5, 1.0, 10.0, 60.0, 3_600.0];
/// From ten rows to a day.
const RUN_SECONDS: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 86_400.0];

const NO_CODE: &str = "none";
const OBTAINED: Which = Which::new("obtained");
const FAILED: Which = Which::new("failed");

type Timed<L> = Family<L, Histogram, fn() -> Histogram>;

/// What a server counts of itself. To be shared: every method takes `&self`.
#[derive(Debug)]
pub struct Measures {
    registry: Registry,
    shown: Shown,
    routes: Names,
    codes: Names,
    requests: Family<OfRequest, Counter>,
    request_seconds: Timed<OfRoute>,
    refusals: Family<OfCode, Counter>,
    connections: Gauge,
    connections_refused: Family<Which, Counter>,
    runs: Family<Which, Counter>,
    run_seconds: Histogram,
    rows: Family<Which, Counter>,
    run_errors: Family<OfCode, Counter>,
    late_seconds: Histogram,
    events: Family<Which, Counter>,
    certificates: Family<Which, Counter>,
    denials: Family<OfCode, Counter>,
    refreshes: Family<Which, Counter>,
}

/// Rows of a run, or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rows {
    /// That the source gave.
    pub read: u64,
    /// That the destination took, committed.
    pub accepted: u64,
    /// That somebody rejected.
    pub rejected: u64,
    /// That a transform left out.
    pub filtered: u64,
}

/// A connection that is open. Dropping it counts its end.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Default for Measures {
    fn default() -> Self {
        Self::new()
    }
}

impl Measures {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        let mut measures = Self {
            registry: Registry::with_prefix("cofferdam"),
            shown: Shown::default(),
            routes: Names::new(ROUTES_MAX),
            codes: Names::new(CODES_MAX),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            refusals: Family::default(),
            connections: Gauge::default(),
            connections_refused: Family::default(),
            runs: Family::default(),
            run_seconds: Histogram::new(RUN_SECONDS),
            rows: Family::default(),
            run_errors: Family::default(),
            late_seconds: Histogram::new(LATE_SECONDS),
            events: Family::default(),
            certificates: Family::default(),
            denials: Family::default(),
            refreshes: Family::default(),
        };
        // Whoever alarms on failures is to find a zero before the first one.
        [OBTAINED, FAILED].into_iter().for_each(|which| drop(measures.certificates.get_or_create(&which)));
        measures.register_requests();
        measures.register_runs();
        measures.registry.register_collector(Box::new(measures.shown.clone()));
        measures
    }

    fn register_requests(&mut self) {
        let of = &mut self.registry;
        of.register(
            "requests",
            "Requests that were answered, by route, method and class of status",
            self.requests.clone(),
        );
        of.register_with_unit(
            "request_duration",
            "From a request's head to the head of its answer",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        of.register(
            "refusals",
            "Requests that were answered by an error, by its code",
            self.refusals.clone(),
        );
        of.register("connections", "Connections that are open", self.connections.clone());
        of.register(
            "connections_refused",
            "Connections that got no further: address_full, handshake",
            self.connections_refused.clone(),
        );
        of.register("events", "Events by what became of them: accepted, refused", self.events.clone());
        of.register(
            "certificate_attempts",
            "Attempts at a certificate by ACME, by what came of them: obtained, failed",
            self.certificates.clone(),
        );
    }

    fn register_runs(&mut self) {
        let of = &mut self.registry;
        of.register("runs", "Runs that this process executed, by how they ended", self.runs.clone());
        of.register_with_unit(
            "run_duration",
            "From the beginning of an execution to its end",
            Unit::Seconds,
            self.run_seconds.clone(),
        );
        of.register("rows", "Rows of runs: read, accepted, rejected, filtered", self.rows.clone());
        of.register(
            "denials",
            "Requests of connectors, and of the server for them, that no rule allows, by the code of the reason",
            self.denials.clone(),
        );
        of.register(
            "credential_refreshes",
            "Tokens that were asked for anew, by what came of it: renewed, failed",
            self.refreshes.clone(),
        );
        of.register("run_errors", "Runs that failed, by the code of the error", self.run_errors.clone());
        of.register_with_unit(
            "schedule_delay",
            "From when a run was due to when it began",
            Unit::Seconds,
            self.late_seconds.clone(),
        );
    }

    /// A request was answered. `route`: the template of the router, and nothing that somebody wrote.
    pub fn request(&self, route: &str, method: Method, status: u16, took: Duration) {
        let route = self.routes.of(route);
        self.request_seconds.get_or_create(&OfRoute { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&OfRequest::new(route, method, status)).inc();
    }

    /// A request was answered by an error.
    pub fn refusal(&self, code: &str) {
        self.refusals.get_or_create(&self.code(code)).inc();
    }

    /// Somebody connects.
    #[must_use]
    pub fn connection(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }

    /// A connection got no further.
    pub fn connection_refused(&self, why: Refused) {
        self.connections_refused.get_or_create(&why.into()).inc();
    }

    /// An execution of a run ended.
    pub fn run(&self, outcome: Outcome, took: Duration) {
        self.runs.get_or_create(&outcome.into()).inc();
        self.run_seconds.observe(took.as_secs_f64());
    }

    /// A run failed with this error of ours.
    pub fn run_error(&self, code: &str) {
        self.run_errors.get_or_create(&self.code(code)).inc();
    }

    /// Of a guest's error it is the host's code for it. Whatever is no code is counted together.
    fn code(&self, code: &str) -> OfCode {
        let is_code = code.len() == 6 && code.starts_with("CD");
        OfCode { code: if is_code { self.codes.of(code) } else { NO_CODE.into() } }
    }

    /// So many requests of a connector, or of the server to those that give tokens, were denied for this reason of ours.
    pub fn denials(&self, code: &str, count: u64) {
        self.denials.get_or_create(&self.code(code)).inc_by(count);
    }

    /// A token was asked for anew.
    pub fn refresh(&self, is_renewed: bool) {
        let which = if is_renewed { "renewed" } else { "failed" };
        self.refreshes.get_or_create(&Which::new(which)).inc();
    }

    /// Rows came to their end.
    pub fn rows(&self, rows: Rows) {
        let Rows { read, accepted, rejected, filtered } = rows;
        let each = [("read", read), ("accepted", accepted), ("rejected", rejected), ("filtered", filtered)];
        for (which, count) in each {
            self.rows.get_or_create(&Which::new(which)).inc_by(count);
        }
    }

    /// A run that was due began so much later.
    pub fn schedule_delay(&self, late: Duration) {
        self.late_seconds.observe(late.as_secs_f64());
    }

    /// An event was made durable. One that had come before is not counted again.
    pub fn event_accepted(&self) {
        self.events.get_or_create(&Which::new("accepted")).inc();
    }

    /// An event was not taken.
    pub fn event_refused(&self) {
        self.events.get_or_create(&Which::new("refused")).inc();
    }

    /// A certificate was obtained by ACME.
    pub fn certificate_obtained(&self) {
        self.certificates.get_or_create(&OBTAINED).inc();
    }

    /// A certificate was asked for by ACME, and none came.
    pub fn certificate_failed(&self) {
        self.certificates.get_or_create(&FAILED).inc();
    }

    /// Everything as OpenMetrics' text, with what stands now.
    #[must_use]
    pub fn text(&self, standing: Standing) -> String {
        self.shown.set(standing);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests;
