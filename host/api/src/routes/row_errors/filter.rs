//! Which row errors are wanted, as it stands behind the `?`. No value of a row does: addresses end up in logs of proxies.

use crate::fault::Fault;
use crate::page::PageQuery;
use records::{ErrorFilter, ErrorId, StateFilter};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// More are asked for by run, stream and code.
const IDS_MAX: usize = 1_000;

/// In which state row errors are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    #[default]
    Any,
    /// Something is still to be done about it.
    Open,
    /// A row of the same key was accepted since.
    Superseded,
}

/// Which row errors are wanted: those for which all of it holds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Finding {
    /// Of this run.
    pub(super) run: Option<u64>,
    /// Of this source stream.
    pub(super) stream: Option<String>,
    /// With this code.
    pub(super) code: Option<String>,
    /// In this state.
    #[serde(default)]
    #[param(inline)]
    pub(super) state: State,
    /// Ids, with commas between them.
    pub(super) ids: Option<String>,
}

/// A page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Listing {
    /// Of this run.
    run: Option<u64>,
    /// Of this source stream.
    stream: Option<String>,
    /// With this code.
    code: Option<String>,
    /// In this state.
    #[serde(default)]
    #[param(inline)]
    state: State,
    /// Ids, with commas between them.
    ids: Option<String>,
    /// How many items at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Which are deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Deleting {
    /// Of this run.
    run: Option<u64>,
    /// Of this source stream.
    stream: Option<String>,
    /// With this code.
    code: Option<String>,
    /// In this state.
    #[serde(default)]
    #[param(inline)]
    state: State,
    /// Ids, with commas between them.
    ids: Option<String>,
    /// Said where none of the others is: every row error of the sync.
    #[serde(default)]
    all: bool,
}

impl Finding {
    pub(super) fn filter(self) -> Result<ErrorFilter, Fault> {
        let Self { run, stream, code, state, ids } = self;
        let state = match state {
            State::Any => StateFilter::Any,
            State::Open => StateFilter::Open,
            State::Superseded => StateFilter::Superseded,
        };
        let ids = ids.as_deref().map_or_else(|| Ok(Vec::new()), |ids| read_ids(ids.split(',')));
        let ids = ids.map_err(|message| Fault::BadQuery { message: format!("`ids`: {message}") })?;
        let codes = code.into_iter().collect();
        Ok(ErrorFilter { run, stream, codes, state, ids, conditions: Vec::new() })
    }
}

impl Listing {
    pub(super) fn parts(self) -> (PageQuery, Finding) {
        let Self { run, stream, code, state, ids, limit, cursor } = self;
        (PageQuery { limit, cursor }, Finding { run, stream, code, state, ids })
    }
}

impl Deleting {
    pub(super) fn filter(self) -> Result<ErrorFilter, Fault> {
        let Self { run, stream, code, state, ids, all } = self;
        let is_narrow =
            run.is_some() || stream.is_some() || code.is_some() || ids.is_some() || state != State::Any;
        if is_narrow == all {
            let message = "name which, by `run`, `stream`, `code`, `state` or `ids`, or else say `all=true`";
            return Err(Fault::BadQuery { message: message.into() });
        }
        Finding { run, stream, code, state, ids }.filter()
    }
}

/// Ids of row errors, or what is wrong with them.
pub(crate) fn read_ids<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<ErrorId>, String> {
    let ids: Option<Vec<ErrorId>> = texts.take(IDS_MAX + 1).map(|text| text.parse().ok()).collect();
    match ids {
        None => Err("expected runs and numbers, as in `12-345`".to_owned()),
        Some(ids) if ids.len() > IDS_MAX => Err(format!("expected at most {IDS_MAX} of them")),
        Some(ids) => Ok(ids),
    }
}
