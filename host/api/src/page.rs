//! Lists, a page at a time. A cursor says of which list it is and behind what it goes on; to whoever holds it, it is a word.

use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::{FromRequestParts, Query};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const ITEMS: usize = 50;
/// What one answer may hold without becoming slow.
const ITEMS_MAX: usize = 200;
/// No key that we write is longer.
const CURSOR_BYTES_MAX: usize = 512;
const MESSAGE_CHARACTERS_MAX: usize = 200;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items at most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(crate) limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; none: this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Where a page of a list begins, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

impl PageQuery {
    /// Where the page of this list begins.
    pub(crate) fn cut(&self, list: &str) -> Result<Cut, Fault> {
        let limit = self.limit.unwrap_or(ITEMS);
        if !(1..=ITEMS_MAX).contains(&limit) {
            let message = format!("`limit`: expected 1 to {ITEMS_MAX}");
            return Err(Fault::BadQuery { message });
        }
        let after = match &self.cursor {
            Some(cursor) => Some(read_cursor(list, cursor).ok_or(Fault::BadCursor)?),
            None => None,
        };
        Ok(Cut { after, limit })
    }
}

impl<T> Page<T> {
    /// The page of a whole list, in the order of what `key` says.
    pub(crate) fn of(list: &str, cut: &Cut, mut all: Vec<T>, key: impl Fn(&T) -> &str) -> Self {
        all.sort_by(|one, other| key(one).cmp(key(other)));
        if let Some(after) = &cut.after {
            all.retain(|item| key(item) > after.as_str());
        }
        let has_more = all.len() > cut.limit;
        all.truncate(cut.limit);
        let next = all.last().filter(|_| has_more).map(|last| write_cursor(list, key(last)));
        Self { items: all, next }
    }

    /// A page as `control` gives it, in the order of ids.
    pub(crate) fn kept(list: &str, page: control::Page<T>) -> Self {
        let next = page.next.map(|after| write_cursor(list, &after));
        Self { items: page.items, next }
    }

    pub(crate) fn map<U>(self, show: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(show).collect(), next: self.next }
    }
}

pub(crate) fn write_cursor(list: &str, after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{after}"))
}

fn read_cursor(list: &str, cursor: &str) -> Option<String> {
    let is_short = cursor.len() <= CURSOR_BYTES_MAX;
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok().filter(|_| is_short)?;
    let text = String::from_utf8(bytes).ok()?;
    let (of, after) = text.split_once('\n')?;
    (of == list).then(|| after.to_owned())
}

/// What stands behind the `?`, as it is described and not otherwise.
pub(crate) struct Queried<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<House> for Queried<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &House) -> Result<Self, Refusal> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        let Query(value) = read.map_err(|error| {
            let text = error.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let message = text.chars().filter(|char| !char.is_control()).take(MESSAGE_CHARACTERS_MAX);
            Fault::BadQuery { message: message.collect() }
        })?;
        Ok(Self(value))
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Page, PageQuery, read_cursor, write_cursor};
    use crate::fault::Fault;

    #[test]
    fn pages_hold_each_item_once_and_in_order() {
        let all: Vec<String> = ["d", "b", "a", "e", "c"].map(str::to_owned).into();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = Page::of("x", &Cut { after, limit: 2 }, all.clone(), |item| item);
            seen.push(page.items.concat());
            let Some(next) = page.next else { break };
            after = read_cursor("x", &next);
            assert!(after.is_some());
        }
        assert_eq!(seen, ["ab", "cd", "e"]);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let all = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(Page::of("x", &Cut { after: None, limit: 2 }, all, |item| item).next, None);
    }

    #[test]
    fn a_cursor_of_another_list_or_of_nobody_is_refused() {
        let good = write_cursor("members", "usr_a");
        for cursor in [good.as_str(), "", "!", "AAAA", "eA", &good.repeat(100), &format!("{good}=")] {
            let query = PageQuery { limit: None, cursor: Some(cursor.to_owned()) };
            assert_eq!(query.cut("tokens"), Err(Fault::BadCursor), "{cursor}");
        }
        let query = PageQuery { limit: Some(3), cursor: Some(good) };
        assert_eq!(query.cut("members"), Ok(Cut { after: Some("usr_a".into()), limit: 3 }));
    }

    #[test]
    fn a_page_has_at_least_one_item_and_at_most_200() {
        for (limit, is_taken) in [(0, false), (1, true), (200, true), (201, false)] {
            assert_eq!(PageQuery { limit: Some(limit), cursor: None }.cut("x").is_ok(), is_taken, "{limit}");
        }
    }
}
