//! What is answered instead of what was asked for. One place makes a body of it: `{code, message, hint, request_id}`.

use crate::fault::Fault;
use crate::mapped::Mapped;
use crate::ports::{Blame, ConnectorFault};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// What is answered instead of what was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) hint: Cow<'static, str>,
    pub(crate) retry_after_ms: Option<u64>,
    /// For the log alone.
    pub(crate) cause: Option<String>,
}

/// Why a request was not done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem<'a> {
    /// Stable, and explained by `cofferdam explain`.
    #[schema(example = "CD1242", pattern = "^CD[0-9]{4}$")]
    pub(crate) code: &'a str,
    /// What happened.
    pub(crate) message: &'a str,
    /// What to do.
    pub(crate) hint: &'a str,
    /// By which the operator finds it in the log.
    pub(crate) request_id: &'a str,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let retry_after_ms = match &fault {
            Fault::TooMany { retry_after_ms } => Some(*retry_after_ms),
            Fault::UnderWay | Fault::Draining | Fault::ManyUploads => Some(1_000),
            _ => None,
        };
        Self {
            status: fault.status(),
            code: fault.code().into(),
            message: fault.to_string(),
            hint: fault.hint().into(),
            retry_after_ms,
            cause: None,
        }
    }
}

impl From<control::Error> for Refusal {
    fn from(error: control::Error) -> Self {
        let refusal = Self::mapped(Mapped::of(&error), error.code(), &error);
        match &error {
            control::Error::TooManyAttempts { retry_after_ms } => {
                Self { retry_after_ms: Some(*retry_after_ms), ..refusal }
            }
            // A run that moves what waits takes some seconds.
            control::Error::Event(control::EventError::Full { .. }) => {
                Self { retry_after_ms: Some(5_000), ..refusal }
            }
            _ => refusal,
        }
    }
}

impl From<records::Error> for Refusal {
    fn from(error: records::Error) -> Self {
        Self::mapped(Mapped::of_records(&error), error.code(), &error)
    }
}

impl From<ConnectorFault> for Refusal {
    fn from(fault: ConnectorFault) -> Self {
        let status = match fault.blame {
            Blame::Caller => StatusCode::UNPROCESSABLE_ENTITY,
            // What stands behind us has failed, and not what was asked.
            Blame::Connector | Blame::System => StatusCode::BAD_GATEWAY,
            Blame::Host => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let is_ours = fault.blame == Blame::Host;
        let message = if is_ours { Fault::Internal.to_string() } else { fault.message.clone() };
        let hint = if is_ours { Fault::Internal.hint().into() } else { fault.hint.clone().into() };
        let cause = is_ours.then(|| fault.to_string());
        let ConnectorFault { code, retry_after_ms, .. } = fault;
        Self { status, code: code.into(), message, hint, retry_after_ms, cause }
    }
}

impl Refusal {
    fn mapped(mapped: Mapped, code: &'static str, error: &dyn std::error::Error) -> Self {
        let Mapped { status, hint } = mapped;
        let retry_after_ms = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1_000);
        // What storage says names files and tables, which are nobody's business out there.
        let is_ours = status.is_server_error();
        let message = if is_ours { Fault::Internal.to_string() } else { error.to_string() };
        let cause = is_ours.then(|| causes(error));
        Self { status, code: code.into(), message, hint: hint.into(), retry_after_ms, cause }
    }

    /// What happened, where something else was done in spite of it.
    pub(crate) fn told(self) -> String {
        if let Some(cause) = self.cause {
            tracing::error!(code = %self.code, cause, "a part of a request failed within");
        }
        format!("{} ({})", self.message, self.code)
    }

    /// What is told of it for the request of this id.
    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let Self { code, message, hint, .. } = self;
        serde_json::to_vec(&Problem { code, message, hint, request_id }).unwrap_or_default()
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let first = error.to_string();
    let rest = std::iter::successors(error.source(), |cause| cause.source());
    rest.fold(first, |all, cause| format!("{all}: {cause}"))
}

impl IntoResponse for Refusal {
    /// Without a body, which needs the request's id: see `around`.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}
