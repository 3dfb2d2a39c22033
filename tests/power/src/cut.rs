//! When the power is cut.

use crate::event::Event;

/// So many different moments, ascending, as numbers of events that have happened by then. Half of them lie anywhere; the
/// others beside events after which something is promised, where an order that is wrong shows.
#[must_use]
pub fn moments(events: &[Event], count: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    let telling: Vec<usize> =
        (0..).zip(events).filter(|(_, event)| is_telling(event)).map(|(at, _)| at).collect();
    let mut moments: Vec<usize> = (0..count)
        .map(|number| match telling.get(random.usize(0..telling.len().max(1))) {
            Some(at) if number % 2 == 0 => at + random.usize(0..=1),
            _ => random.usize(0..=events.len()),
        })
        .collect();
    moments.sort_unstable();
    moments
}

fn is_telling(event: &Event) -> bool {
    match event {
        Event::Mark(_)
        | Event::Sync { .. }
        | Event::FailedSync { .. }
        | Event::SyncAll
        | Event::Rename { .. }
        | Event::Unlink { .. }
        | Event::Resize { .. } => true,
        Event::Root { .. }
        | Event::Create { .. }
        | Event::MakeDirectory { .. }
        | Event::Write { .. }
        | Event::Link { .. } => false,
    }
}
