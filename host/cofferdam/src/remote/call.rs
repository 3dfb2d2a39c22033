//! A command of the table is done: its request is made of what was given, asked of the server, and its answer shown.

use std::collections::BTreeMap;

use http::Method;
use http::header::IF_MATCH;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::client::Wish;
use super::verb::{Kind, Place, Shows, Take, Verb};
use super::{Error, paged, show};
use crate::arguments::Server;
use crate::confirm::confirmed;
use crate::connect::SecretSource;
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::prompt::{self, Echo};

const ORGANIZATION: &str = "organization";
const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A command of the table, with what was given for it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) verb: &'static Verb,
    pub(crate) values: Values,
    pub(crate) is_confirmed: bool,
    /// How many items of a list at most.
    pub(crate) limit: usize,
}

/// By the names that the API has for it.
pub(crate) type Values = BTreeMap<&'static str, Given>;

/// Something that was given.
#[derive(Debug)]
pub(crate) enum Given {
    Value(Value),
    Secret(SecretSource),
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        Self::Value(text.into())
    }
}

impl Call {
    pub(crate) fn of(verb: &'static Verb) -> Self {
        Self { verb, values: Values::new(), is_confirmed: false, limit: usize::MAX }
    }

    /// Does it, and shows what came of it.
    pub(crate) async fn perform(&self, server: &Server, output: &Output) -> Result<(), Problems> {
        let client = if self.verb.is_for_strangers { server.stranger()? } else { server.client()? };
        let organization = if self.verb.path.contains("{organization}") {
            Some(server.organization(&client).await?)
        } else {
            None
        };
        let names = self.names(organization.as_deref());
        if let Some(what) = self.verb.asks {
            let word = self.verb.takes.iter().rev().find(|take| take.place == Place::Path);
            let word = word.map_or(ORGANIZATION, |take| take.name);
            let word = names.get(word).map_or("yes", String::as_str);
            confirmed(self.is_confirmed, &filled(what, &names, ToOwned::to_owned), word)?;
        }
        let mut wish = self.wish(&names)?;
        match &self.verb.shows {
            Shows::List(under, columns) => {
                let (items, has_more) = paged::first(&client, &wish, self.limit).await?;
                return show::list(under, columns, &items, has_more, output);
            }
            Shows::One(_) | Shows::Done(_) => {}
        }
        if self.verb.is_of_what_was_read {
            let read = Wish::new(Method::GET, wish.path.clone());
            if let (_, Some(tag)) = client.tagged(&read).await? {
                wish.headers.insert(IF_MATCH, tag);
            }
        }
        // Nothing is kept for strangers.
        let wish = if self.verb.is_for_strangers { wish } else { wish.once() };
        let answered = client.document(&wish).await?;
        if output.json {
            let document = if answered.is_null() { Value::Object(Map::new()) } else { answered };
            output.document(&document)?;
        } else {
            output.text(&self.text(&answered, &names))?;
        }
        self.verb.note.into_iter().for_each(|note| output.aside(&format!("{note}\n")));
        Ok(())
    }

    fn text(&self, answered: &Value, names: &BTreeMap<&str, String>) -> String {
        match &self.verb.shows {
            Shows::One(columns) => show::one(columns, answered),
            Shows::Done(words) => {
                format!("{}\n", crate::text::plain_line(&filled(words, names, ToOwned::to_owned)))
            }
            Shows::List(..) => String::new(),
        }
    }

    /// What stands in braces.
    fn names(&self, organization: Option<&str>) -> BTreeMap<&str, String> {
        let text = |given: &Given| match given {
            Given::Value(Value::String(text)) => Some(text.clone()),
            Given::Value(value) => Some(value.to_string()),
            Given::Secret(_) => None,
        };
        let values = self.values.iter().filter_map(|(name, given)| Some((*name, text(given)?)));
        values.chain(organization.map(|id| (ORGANIZATION, id.to_owned()))).collect()
    }

    fn wish(&self, names: &BTreeMap<&str, String>) -> Result<Wish, Problems> {
        let path = filled(self.verb.path, names, |text| utf8_percent_encode(text, IN_A_PATH).to_string());
        let mut body = Map::new();
        let members = self.verb.takes.iter().filter(|take| take.place == Place::Body);
        let has_body = members.clone().next().is_some();
        for take in members {
            if let Some(value) = self.value(take)? {
                body.insert(take.name.to_owned(), value);
            }
        }
        let wish = Wish::new(self.verb.method.clone(), path);
        Ok(if has_body { wish.with_json(&Value::Object(body)) } else { wish })
    }

    fn value(&self, take: &Take) -> Result<Option<Value>, Problems> {
        match self.values.get(take.name) {
            Some(Given::Value(value)) => Ok(Some(value.clone())),
            Some(Given::Secret(source)) => Ok(Some(text(take.help, source.value()?.expose())?)),
            None if take.kind == Kind::Secret && take.is_needed => Ok(Some(typed(take)?)),
            None if take.is_empty_unless_said => Ok(Some(Value::Array(Vec::new()))),
            None => Ok(None),
        }
    }
}

fn typed(take: &Take) -> Result<Value, Problems> {
    let option = "SOURCE: `@FILE`, `env:VARIABLE`, or `-` for standard input";
    let none = Error::NoTerminal { what: take.help, option };
    let typed = prompt::line(&format!("{}: ", take.help), Echo::Hidden).ok_or(none)?;
    text(take.help, typed.expose())
}

fn text(what: &'static str, bytes: &[u8]) -> Result<Value, Problems> {
    let wrong = |_| Problem::from(Error::NoText { what });
    Ok(std::str::from_utf8(bytes).map_err(wrong)?.into())
}

/// Words with names in braces, which are put in their places.
fn filled(words: &str, names: &BTreeMap<&str, String>, written: impl Fn(&str) -> String) -> String {
    names
        .iter()
        .fold(words.to_owned(), |words, (name, value)| words.replace(&format!("{{{name}}}"), &written(value)))
}
