//! Writes one request into the ledger when it ends, however it ends.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, StatusCode, Uri};
use scrub::Place;

use crate::exchange::Exchange;
use crate::rebuild::Head;
use crate::template::template;
use crate::{Entry, Error, Outcome, SlowDown};

/// Longest text that a malformed request can put into the ledger.
const TEXT_CHARS_MAX: usize = 256;

/// The entry of a request under way. Dropping it ends the request.
pub(crate) struct Record {
    entry: Entry,
    exchange: Arc<Exchange>,
    /// Body bytes of earlier attempts.
    bytes_out_before: u64,
    silent: bool,
}

impl Record {
    /// Begins with what the guest wrote; [`Record::rebuilt`] replaces it with what is sent.
    pub(crate) fn open(exchange: Arc<Exchange>, method: &Method, uri: &Uri) -> Self {
        let entry = Entry {
            method: shorten(method.as_str()),
            scheme: shorten(uri.scheme_str().unwrap_or_default()),
            host: shorten(uri.host().unwrap_or_default()),
            port: uri.port_u16().unwrap_or_default(),
            path: shorten(&template(uri.path())),
            ..Entry::default()
        };
        Self { entry, exchange, bytes_out_before: 0, silent: false }
    }

    pub(crate) fn rebuilt(&mut self, head: &Head) {
        let origin = &head.target.origin;
        if *self.entry.host != *origin.host {
            self.entry.host = origin.host.as_ref().to_owned();
        }
        self.entry.port = origin.port;
    }

    pub(crate) fn allowed(&mut self, rule: String) {
        self.entry.rule = Some(rule);
    }

    /// What was placed on it.
    pub(crate) fn carries(&mut self, stored: String) {
        self.entry.credential = Some(stored);
    }

    /// It is sent once more.
    pub(crate) fn again(&mut self, exchange: Arc<Exchange>) {
        self.bytes_out_before += self.exchange.bytes_out();
        self.exchange = exchange;
    }

    pub(crate) fn connected(&mut self, address: SocketAddr) {
        self.entry.address = Some(address);
    }

    pub(crate) fn answered(&mut self, status: StatusCode, opaque: bool, slow_down: Option<SlowDown>) {
        self.entry.status = Some(status.as_u16());
        self.entry.opaque = opaque;
        self.entry.slow_down = slow_down;
    }

    pub(crate) fn received(&mut self, wire: u64, decoded: u64) {
        self.entry.bytes_in_wire = wire;
        self.entry.bytes_in = decoded;
    }

    pub(crate) fn complete(&mut self) {
        self.entry.outcome = Outcome::Completed;
    }

    pub(crate) fn fail(&mut self, error: &Error) {
        self.entry.outcome = match error {
            Error::RequestDenied { code, reason, line_to_add, .. }
            | Error::AddressDenied { code, reason, line_to_add, .. } => {
                Outcome::Denied { code, reason: reason.clone(), line_to_add: line_to_add.clone() }
            }
            Error::Revoked { what, to_allow } => Outcome::Denied {
                code: error.code(),
                reason: format!("the connection was revoked: {what}; {to_allow}"),
                line_to_add: None,
            },
            other => {
                let secrets = &self.exchange.shared.secrets;
                let message = secrets.text(Place::Message, &other.full_text()).into_owned();
                Outcome::Failed { code: other.code(), message }
            }
        };
    }

    /// This request is beyond the cap and was told once already.
    pub(crate) fn silence(&mut self) {
        self.silent = true;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let shared = &self.exchange.shared;
        let duration = self.exchange.started.elapsed();
        shared.totals.leave(duration);
        if self.silent {
            return;
        }
        let mut entry = std::mem::take(&mut self.entry);
        entry.bytes_out = self.bytes_out_before + self.exchange.bytes_out();
        entry.duration = duration;
        shared.ledger.record(entry);
    }
}

fn shorten(text: &str) -> String {
    if text.len() <= TEXT_CHARS_MAX { text.to_owned() } else { text.chars().take(TEXT_CHARS_MAX).collect() }
}
