//! When the power is cut.

use std::collections::BTreeMap;

use crate::event::Event;

/// So many moments, ascending, as numbers of events that have happened by then. Half of them lie anywhere; the others beside
/// events after which something is promised, where an order that is wrong shows. What happens seldom is chosen as often as what
/// happens all the time.
#[must_use]
pub fn moments(events: &[Event], count: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let mut telling: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        if let Some(kind) = telling_kind(event) {
            telling.entry(kind).or_default().push(at);
        }
    }
    let kinds: Vec<Vec<usize>> = telling.into_values().collect();
    let mut moments: Vec<usize> = (0..count)
        .map(|number| match random.choice(&kinds).and_then(|places| random.choice(places)) {
            Some(at) if number % 2 == 0 => at + random.usize(0..=1),
            _ => random.usize(0..=events.len()),
        })
        .collect();
    moments.sort_unstable();
    moments
}

fn telling_kind(event: &Event) -> Option<u8> {
    match event {
        Event::Mark(_) => Some(0),
        Event::Sync { .. } | Event::SyncAll => Some(1),
        Event::FailedSync { .. } => Some(2),
        Event::Rename { .. } => Some(3),
        Event::Unlink { .. } => Some(4),
        Event::Resize { .. } => Some(5),
        Event::Root { .. }
        | Event::Create { .. }
        | Event::MakeDirectory { .. }
        | Event::Write { .. }
        | Event::Link { .. } => None,
    }
}
