//! What was entered into a credential is in no answer, entry of a log, or line of the server's own.

use super::connecting::Connected;
use crate::ports::{Blame, ConnectorFault};
use serde_json::json;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that the server writes into its own log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Written(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Written(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Written(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Written<'a>(&'a mut String);

impl Visit for Written<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

const CANARY: &str = "CANARY-b7f1d2-4711";

#[tokio::test]
async fn a_credential_is_told_by_nothing_that_is_answered_or_written_down() {
    let shop = Connected::new().await;
    let lines = Lines::default();
    let listening = tracing::subscriber::set_default(lines.clone());
    let mut told = Vec::new();
    let fields = json!({"fields": {"token": CANARY}});
    // Right, wrong in every way in which a secret slips into another place, and once more.
    told.push(shop.put("{c}/credentials/api", &fields).await);
    for wrong in [
        json!({"fields": {CANARY: CANARY}}),
        json!({"fields": CANARY}),
        json!({"fields": {"token": [CANARY]}}),
        json!({"fields": {"token": format!("{CANARY}\n")}}),
        json!({"fields": {CANARY: 7}}),
    ] {
        let refused = shop.put("{c}/credentials/api", &wrong).await;
        assert!((400..500).contains(&refused.status()), "{wrong}");
        told.push(refused);
    }
    let as_config = json!({"name": "x", "digest": shop.shop.digest, "config": {"subdomain": [CANARY]}});
    told.push(shop.ask("POST", "/connections").json(&as_config).await);
    told.push(shop.ask("POST", "/connections/validate").json(&as_config).await);
    for rest in ["", "/connectors", "/connections", "{c}", "{c}/catalog", "/audit?limit=200", "/audit/export"]
    {
        told.push(shop.get(rest).await);
    }
    // What follows is said of this host, and so is for its log.
    drop(listening);
    let lines = lines.0.lock().unwrap().clone();
    assert!(lines.contains("a request was answered") && !lines.contains(CANARY), "{lines}");
    let fault = ConnectorFault {
        blame: Blame::Host,
        code: "CD0001".into(),
        message: CANARY.into(),
        hint: CANARY.into(),
        retry_after_ms: None,
    };
    *shop.world.connectors.fault.lock().unwrap() = Some(fault.clone());
    *shop.world.providers.fault.lock().unwrap() = Some(fault);
    told.push(shop.ask("POST", "{c}/check").await);
    told.push(shop.ask("DELETE", "{c}/credentials/api").await);
    told.push(shop.get("/audit?limit=200").await);
    for reply in &told {
        let text = String::from_utf8_lossy(reply.bytes());
        assert!(!text.contains(CANARY), "{}: {text}", reply.status());
    }
    assert!(told.len() > 15, "so many answers are to be looked at: {}", told.len());
    let acts = shop.get("/audit?limit=200").await.json();
    let acts: Vec<&str> =
        acts["items"].as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    assert!(acts.contains(&"credential_entered") && acts.contains(&"credential_revoked"), "{acts:?}");
}
