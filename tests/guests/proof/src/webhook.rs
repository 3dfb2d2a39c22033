//! The webhook: tells each message, and answers a challenge with what it sees of the world.

use std::time::{SystemTime, UNIX_EPOCH};

use cofferdam_sdk::{
    Batch, Catalog, Challenge, ChallengeAnswer, JsonLines, Message, Operation, Page, Result, StreamInfo,
    Webhook, http::Client,
};
use wasip2::{
    clocks::monotonic_clock,
    filesystem::preopens::get_directories,
    random::{insecure::get_insecure_random_u64, insecure_seed::insecure_seed, random::get_random_bytes},
};

use crate::{Config, Proof, streams};

impl Webhook for Proof {
    type Config = Config;

    fn discover(config: &Config) -> Result<Catalog> {
        config.pass("webhook.discover")?;
        Ok(Catalog::new([StreamInfo::new(streams::lines("messages"))]))
    }

    /// A row of each message, and a checkpoint that is not the host's.
    fn rows(config: &Config, messages: Vec<Message>) -> Result<Page> {
        config.pass("webhook.rows")?;
        for message in &messages {
            let body = String::from_utf8_lossy(&message.body);
            log::info!("message {} {:?} {body}", message.sequence, message.headers);
        }
        let data =
            messages.iter().flat_map(|message| format!("{{\"id\":{}}}\n", message.sequence).into_bytes());
        let lines = JsonLines { row_count: u32::try_from(messages.len()).unwrap_or(0), data: data.collect() };
        let batch = Batch::new(&streams::lines("messages"), Operation::Insert, lines);
        Ok(Page {
            batches: vec![batch],
            rejects: Vec::new(),
            checkpoint: Some("\"mine\"".to_owned()),
            transaction_end: false,
        })
    }

    fn answer_challenge(request: Challenge) -> Result<ChallengeAnswer> {
        let told = format!("{} {} {:?}\n", request.method, request.path, request.headers);
        let url = String::from_utf8_lossy(&request.body).into_owned();
        let status = if request.path == "/no-status" { 99 } else { 207 };
        let headers = vec![("x-one".to_owned(), "1".to_owned()), ("x-two".to_owned(), String::new())];
        Ok(ChallengeAnswer { status, headers, body: (told + &world(&url)).into_bytes() })
    }
}

/// Time, randomness, files and the network, as they are seen from here.
fn world(url: &str) -> String {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_nanos());
    let sent = Client::new().get(url).send().map(|answer| answer.status());
    [
        format!("wall {wall:?}"),
        format!("monotonic {}", monotonic_clock::now()),
        format!("random {:?}", get_random_bytes(16)),
        format!("insecure {} {:?}", get_insecure_random_u64(), insecure_seed()),
        format!("directories {}", get_directories().len()),
        format!("http {sent:?}"),
    ]
    .join("\n")
}
