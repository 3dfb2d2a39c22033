//! A command of the table is done: its request is asked of the server, and its answer shown.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use http::Method;
use http::header::IF_MATCH;
use serde_json::{Map, Value, json};

use super::client::{Client, Wish};
use super::consented::{Consenting, consented};
use super::fill::{self, Names, filled};
use super::live::{self, Watched};
use super::verb::{Place, Shows, Verb};
use super::{look_up, paged, show};
use crate::arguments::{Given as Fields, Server};
use crate::confirm::confirmed;
use crate::connect::SecretSource;
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::text::plain_line;

const ORGANIZATION: &str = "organization";

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
    File(PathBuf),
    Secret(SecretSource),
    /// Fields of a credential.
    Fields(Fields),
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

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.values.insert(name, Given::Value(value.into()));
        self
    }

    /// Left out where there is nothing.
    pub(crate) fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn confirmed(self, is_confirmed: bool) -> Self {
        Self { is_confirmed, ..self }
    }

    pub(crate) fn at_most(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Does it, and shows what came of it.
    pub(crate) async fn perform(&self, server: &Server, output: &Output) -> Result<(), Problems> {
        let client = if self.verb.is_for_strangers { server.stranger()? } else { server.client()? };
        let names = self.names(&client, server).await?;
        self.confirm(&names)?;
        let wish = fill::wish(self, &client, &names, output).await?;
        match &self.verb.shows {
            Shows::List(under, columns) => {
                let (items, has_more) = paged::first(&client, &wish, self.limit).await?;
                show::list(under, columns, &items, has_more, output)
            }
            Shows::Raw => show::raw(&client, client.ask(&wish).await?, output).await,
            Shows::Live => {
                let sync = names.get("sync").map(String::as_str);
                let watched = Watched { sync, until_ended: self.is_said("until_ended") };
                live::shown(&client, client.ask(&wish).await?, watched, output).await
            }
            Shows::Consent => {
                let answer = match self.values.get("answer") {
                    Some(Given::Secret(source)) => Some(source),
                    _ => None,
                };
                let how = Consenting { no_browser: self.is_said("no_browser"), answer };
                consented(&client, &wish, how, output).await
            }
            Shows::One(_) | Shows::Within(..) | Shows::Done(_) => {
                self.change(&client, wish, &names, output).await
            }
        }
    }

    /// Writes what comes into a file for its owner's eyes alone, or to standard output.
    pub(crate) async fn written(
        &self,
        server: &Server,
        to: Option<&Path>,
        output: &Output,
    ) -> Result<(), Problems> {
        let Some(path) = to else { return self.perform(server, output).await };
        let client = server.client()?;
        let names = self.names(&client, server).await?;
        let answer = client.ask(&fill::wish(self, &client, &names, output).await?).await?;
        let failed = |source| Problem::from(Own::Write { what: "the file", path: path.to_owned(), source });
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        show::copied(&client, answer, &mut |part| file.write_all(part)).await?.map_err(failed)?;
        file.sync_all().map_err(failed)?;
        if output.json {
            return output.document(&json!({ "file": path }));
        }
        output.aside(&format!("written to `{}`\n", path.display()));
        Ok(())
    }

    async fn change(
        &self,
        client: &Client,
        wish: Wish,
        names: &Names,
        output: &Output,
    ) -> Result<(), Problems> {
        // Nothing is kept for strangers.
        let mut wish = if self.verb.is_for_strangers { wish } else { wish.once() };
        if let Some(path) = self.verb.reads_first {
            let read = Wish::new(Method::GET, fill::path(path, names));
            if let (_, Some(tag)) = client.tagged(&read).await? {
                wish.headers.insert(IF_MATCH, tag);
            }
        }
        let answered = client.document(&wish).await?;
        if output.json {
            let document = if answered.is_null() { Value::Object(Map::new()) } else { answered };
            output.document(&document)?;
        } else {
            output.text(&match &self.verb.shows {
                Shows::One(columns) => show::one(columns, &answered),
                Shows::Within(at, columns) => show::within(at, columns, &answered),
                Shows::Done(words) => format!("{}\n", plain_line(&filled(words, names))),
                Shows::List(..) | Shows::Raw | Shows::Live | Shows::Consent => String::new(),
            })?;
        }
        self.verb.note.into_iter().for_each(|note| output.aside(&format!("{note}\n")));
        Ok(())
    }

    /// A choice that is made or not.
    fn is_said(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// What cannot be undone is asked for; what it is about is to be typed.
    fn confirm(&self, names: &Names) -> Result<(), Problems> {
        let Some(what) = self.verb.asks else { return Ok(()) };
        let about = self.verb.takes.iter().rev().find(|take| take.place == Place::Path);
        let word = names.get(about.map_or(ORGANIZATION, |take| take.name));
        confirmed(self.is_confirmed, &filled(what, names), word.map_or("yes", String::as_str))
    }

    /// What stands in braces: by ids, whatever was said.
    async fn names(&self, client: &Client, server: &Server) -> Result<Names, Problems> {
        let mut names: Names = Names::new();
        for (name, given) in &self.values {
            match given {
                Given::Value(Value::String(text)) => drop(names.insert(name, text.clone())),
                Given::Value(value) => drop(names.insert(name, value.to_string())),
                Given::File(_) | Given::Secret(_) | Given::Fields(_) => {}
            }
        }
        if self.verb.path.contains("{organization}") {
            let id = match self.verb.is_of_what_is_gone {
                true => server.organization_by_id()?,
                false => server.organization(client).await?,
            };
            names.insert(ORGANIZATION, id);
        }
        for take in self.verb.takes {
            if let Some(among) = take.among {
                let said = names.get(take.name).cloned();
                if said.is_some() || take.is_needed {
                    names.insert(
                        take.name,
                        look_up::id(client, &fill::path(among, &names), said.as_deref(), take.name).await?,
                    );
                }
            }
        }
        Ok(names)
    }
}
