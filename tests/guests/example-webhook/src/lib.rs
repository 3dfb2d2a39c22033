//! Turns messages into rows: the header `x-event` names the stream, the body is the row. A challenge is answered with
//! the value of the query parameter `challenge`.

use std::collections::BTreeMap;

use cofferdam_sdk::{
    Batch, Catalog, Challenge, ChallengeAnswer, JsonLinesBuilder, Layout, Message, Operation, Page,
    PageBuilder, Result, Schema, StreamInfo, StreamSchema, Webhook, export,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Config {
    events: Vec<String>,
}

fn schema(event: &str) -> StreamSchema {
    StreamSchema::new(event, Schema::open(), Layout::JsonLines)
}

struct Events;

impl Webhook for Events {
    type Config = Config;

    fn discover(config: &Config) -> Result<Catalog> {
        Ok(Catalog::new(config.events.iter().map(|event| StreamInfo::new(schema(event)))))
    }

    fn rows(config: &Config, messages: Vec<Message>) -> Result<Page> {
        let mut page = PageBuilder::unlimited();
        let mut rows = BTreeMap::<&str, JsonLinesBuilder>::new();
        for message in messages {
            let header = message.headers.iter().find(|(name, _)| name == "x-event");
            let event = header.and_then(|(_, event)| config.events.iter().find(|wanted| *wanted == event));
            // What was not asked for is no row and no reject.
            let Some(event) = event else { continue };
            match serde_json::from_slice::<Map<String, Value>>(&message.body) {
                Ok(mut row) => {
                    row.insert("sequence".to_owned(), message.sequence.into());
                    rows.entry(event).or_default().push(&row)?;
                }
                Err(fault) => page.reject_raw(event, message.body, "not_an_object", fault.to_string()),
            }
        }
        for (event, rows) in rows {
            page.add(Batch::new(&schema(event), Operation::Insert, rows.finish()));
        }
        Ok(page.into_page())
    }

    fn answer_challenge(request: Challenge) -> Result<ChallengeAnswer> {
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        let challenge = query.split('&').find_map(|pair| pair.strip_prefix("challenge="));
        Ok(match challenge {
            Some(text) => ChallengeAnswer {
                status: 200,
                headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
                body: text.into(),
            },
            None => ChallengeAnswer { status: 404, headers: Vec::new(), body: Vec::new() },
        })
    }
}

export!(webhook = Events, manifest = "connector.toml");
