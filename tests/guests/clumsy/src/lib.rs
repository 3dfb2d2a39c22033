//! A webhook with bugs: the header `x-fail` of a message says in which way it fails on it. Of all others the body is the row.

use cofferdam_sdk::{
    Batch, Catalog, Challenge, ChallengeAnswer, Error, JsonLinesBuilder, Layout, Message, Operation, Page,
    PageBuilder, Result, Schema, StreamInfo, StreamSchema, Webhook, export,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Config {}

fn schema() -> StreamSchema {
    StreamSchema::new("orders", Schema::open(), Layout::JsonLines)
}

struct Clumsy;

impl Webhook for Clumsy {
    type Config = Config;

    fn discover(_config: &Config) -> Result<Catalog> {
        Ok(Catalog::new([StreamInfo::new(schema())]))
    }

    fn rows(_config: &Config, messages: Vec<Message>) -> Result<Page> {
        let (mut page, mut rows) = (PageBuilder::unlimited(), JsonLinesBuilder::default());
        for message in messages {
            match message.headers.iter().find(|(name, _)| name == "x-fail").map(|(_, how)| how.as_str()) {
                Some("crash") => std::process::abort(),
                Some("bug") => return Err(Error::bug("it has never seen such a message")),
                Some(_) => return Err(Error::data("it cannot be read on from here")),
                None => {}
            }
            let Ok(mut row) = serde_json::from_slice::<Map<String, Value>>(&message.body) else {
                return Err(Error::data("it is no object"));
            };
            row.insert("sequence".to_owned(), message.sequence.into());
            rows.push(&row)?;
        }
        page.add(Batch::new(&schema(), Operation::Insert, rows.finish()));
        Ok(page.into_page())
    }

    fn answer_challenge(_request: Challenge) -> Result<ChallengeAnswer> {
        Ok(ChallengeAnswer { status: 404, headers: Vec::new(), body: Vec::new() })
    }
}

export!(webhook = Clumsy, manifest = "connector.toml");
