//! Finds the next page.

use cofferdam_sdk::{Error, Result};
use http_manifest_dialect::{
    Paginator, RequestOption, Strategy, TokenOption,
    template::{Scope, Template},
};
use serde_json::Value;

use crate::{call::Injected, failure, http::Answer, links, position::NextPage};

/// An API that says for the hundredth time that there is more, and gives nothing, will go on saying so.
const EMPTY_PAGES_MAX: u32 = 100;

/// A paginator with the configuration's values in it.
pub(crate) struct Paging<'m> {
    paginator: &'m Paginator,
    page_size: Option<u64>,
}

/// What one page brought, for finding the next one.
pub(crate) struct PageRead<'a> {
    pub(crate) answer: &'a Answer,
    /// How many records it had, before any were left out.
    pub(crate) records: u64,
    /// The last of them.
    pub(crate) last_record: Option<Value>,
}

impl<'m> Paging<'m> {
    pub(crate) fn new(paginator: &'m Paginator, scope: &Scope) -> Result<Self> {
        let page_size = match paginator.strategy.page_size() {
            None => None,
            Some(template) => {
                let text = template.text(scope).map_err(failure::template)?;
                let size = text.as_deref().map(str::parse::<u64>).transpose().ok().flatten();
                let message = || format!("`page_size`: `{}` gives no number of records", template.source());
                Some(size.filter(|size| *size > 0).ok_or_else(|| Error::config("", message()))?)
            }
        };
        Ok(Self { paginator, page_size })
    }

    /// The token of a slice's first request.
    pub(crate) fn first_token(&self) -> Option<Value> {
        match &self.paginator.strategy {
            Strategy::Page { first, inject_on_first_request: true, .. } => Some(Value::from(*first)),
            Strategy::Offset { inject_on_first_request: true, .. } => Some(Value::from(0)),
            _ => None,
        }
    }

    /// Whether templates want to see the last record.
    pub(crate) fn wants_last_record(&self) -> bool {
        self.templates().any(|template| template.uses("last_record"))
    }

    /// Puts page size and token into a request.
    pub(crate) fn inject(&self, token: Option<&Value>, injected: &mut Injected<'m>) {
        if let (Some(option), Some(size)) = (&self.paginator.page_size_option, self.page_size) {
            injected.values.push((option, Value::from(size)));
        }
        match (&self.paginator.page_token_option, token) {
            (Some(TokenOption::Path), Some(token)) => injected.path = Some(shown(token)),
            (Some(TokenOption::Option(option)), Some(token)) => {
                let option: &'m RequestOption = option;
                injected.values.push((option, token.clone()));
            }
            _ => {}
        }
    }

    /// The page after this one; none when it was the last.
    pub(crate) fn next(
        &self,
        page: &NextPage,
        read: &PageRead<'_>,
        scope: &Scope,
    ) -> Result<Option<NextPage>> {
        let Some(token) = self.next_token(page.token.as_ref(), read, scope)? else { return Ok(None) };
        let mut lap = page.lap.clone();
        if lap.closes_with(&token) {
            let token = shown(&token);
            return Err(Error::data(format!(
                "page {} gives the token `{token}` for the next page, which came before: the pages go in a circle",
                page.read + 1
            )));
        }
        let empty = if read.records == 0 { page.empty + 1 } else { 0 };
        if empty >= EMPTY_PAGES_MAX {
            return Err(Error::data(format!(
                "{empty} pages in a row are empty, though each says that there are more"
            )));
        }
        Ok(Some(NextPage { token: Some(token), read: page.read + 1, empty, lap }))
    }

    fn next_token(&self, token: Option<&Value>, read: &PageRead<'_>, scope: &Scope) -> Result<Option<Value>> {
        let is_last = read.records == 0 || self.page_size.is_some_and(|size| read.records < size);
        match &self.paginator.strategy {
            Strategy::Page { .. } | Strategy::Offset { .. } if is_last => Ok(None),
            Strategy::Page { first, .. } => {
                let page = token.and_then(Value::as_i64).unwrap_or(*first);
                Ok(Some(Value::from(page.saturating_add(1))))
            }
            Strategy::Offset { .. } => {
                let offset = token.and_then(Value::as_u64).unwrap_or(0);
                Ok(Some(Value::from(offset.saturating_add(read.records))))
            }
            Strategy::Cursor { cursor_value, stop_condition, .. } => {
                let scope = self.scope(read, scope)?;
                if let Some(condition) = stop_condition
                    && condition.holds(&scope).map_err(failure::template)?
                {
                    return Ok(None);
                }
                let token = cursor_value.value(&scope).map_err(failure::template)?;
                Ok(token.filter(|token| !is_falsy(token)))
            }
        }
    }

    /// What templates see of a page; its body is read only where one looks at it.
    fn scope(&self, read: &PageRead<'_>, scope: &Scope) -> Result<Scope> {
        let uses = |name| self.templates().any(|template| template.uses(name));
        let mut scope = scope.clone().with("last_page_size", &Value::from(read.records));
        if let Some(record) = &read.last_record {
            scope = scope.with("last_record", record);
        }
        if uses("headers") {
            scope = scope.with_headers(&read.answer.headers, &links::of(read.answer));
        }
        if uses("response") && !read.answer.body.iter().all(u8::is_ascii_whitespace) {
            let body = read.answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&read.answer.body);
            scope = scope.with("response", &serde_json::from_slice(body)?);
        }
        Ok(scope)
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let (value, stop) = match &self.paginator.strategy {
            Strategy::Cursor { cursor_value, stop_condition, .. } => {
                (Some(cursor_value), stop_condition.as_ref())
            }
            Strategy::Page { .. } | Strategy::Offset { .. } => (None, None),
        };
        value.into_iter().chain(stop)
    }
}

fn is_falsy(token: &Value) -> bool {
    match token {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}

fn shown(token: &Value) -> String {
    token.as_str().map_or_else(|| token.to_string(), ToOwned::to_owned)
}
