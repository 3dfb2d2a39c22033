//! The host's log holds the host's words: codes, names and figures, and nothing that a connector says.

use super::faults::{Fault, GUEST_TEXT, lock};
use super::sweep::jumping;
use super::world::{Script, World, page};
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down every event, at whichever level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut lock(&self.0)));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Line<'l>(&'l mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "{}={value:?}", field.name()).unwrap();
    }
}

#[test]
fn no_word_of_a_connector_is_in_the_log() {
    let log = Log::default();
    let guard = tracing::subscriber::set_default(log.clone());
    for fault in [Fault::Transient { after: false }, Fault::RateLimited(7), Fault::Trap, Fault::Panic] {
        for call in 0.. {
            let fired = jumping(async {
                let script =
                    Script { write_rejects: true, transform: true, ..Script::of(vec![page("a", 0..9)]) };
                let world = World::new(script);
                world.run(Some((call, fault))).await.unwrap();
                world.faults.fired()
            });
            if !fired {
                break;
            }
        }
    }
    drop(guard);
    let text = lock(&log.0);
    for line in [
        "message=an attempt failed and is tried again",
        "message=discovering the source's streams failed",
        "message=the source failed when it was told of a commit",
        "code=\"CD0605\"",
        "code=\"CD0610\"",
        "connector=\"scripted\"",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for canary in [GUEST_TEXT, "a bug in", "row 4"] {
        assert!(!text.contains(canary), "{text}");
    }
}
