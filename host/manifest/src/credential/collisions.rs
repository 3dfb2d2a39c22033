//! Two credentials for one place of one request: nobody could say which is meant, so such a manifest is refused.

use super::{CredentialAsk, Place};
use crate::fault::Code;
use crate::host::HostPattern;
use crate::reader::Node;
use crate::text::quoted;

/// Two credentials that could both be put into one place of one request.
#[derive(Debug)]
struct Collision<'a> {
    earlier: &'a CredentialAsk,
    later: &'a CredentialAsk,
    place: Place,
    audience: HostPattern,
}

impl Collision<'_> {
    fn message(&self) -> String {
        let (earlier, later) = (quoted(&self.earlier.name), quoted(&self.later.name));
        let Self { place, audience, .. } = self;
        format!("{later} and {earlier} would both be {place} of a request to `{audience}`")
    }
}

/// Reports what is sure to collide, whatever the configuration says, at both places.
pub(crate) fn check_collisions(asks: &[(Node<'_>, CredentialAsk)]) {
    for (index, (later_node, later)) in asks.iter().enumerate() {
        for (earlier_node, earlier) in asks.iter().take(index) {
            let Some(collision) = collision(earlier, later) else { continue };
            let hint = |other: &Node<'_>| {
                Some(format!(
                    "{} says the same; narrow one audience, or give both the same `one_of` if only one is entered",
                    quoted(other.path())
                ))
            };
            later_node.fault_with(Code::AmbiguousCredentials, collision.message(), hint(earlier_node));
            earlier_node.fault_with(Code::AmbiguousCredentials, collision.message(), hint(later_node));
        }
    }
}

/// What collides once the configuration's values are in the asks.
pub(super) fn resolved_faults(asks: &[CredentialAsk]) -> Vec<String> {
    let mut messages = Vec::new();
    for (index, later) in asks.iter().enumerate() {
        let collisions = asks.iter().take(index).filter_map(|earlier| collision(earlier, later));
        messages.extend(collisions.map(|collision| collision.message()));
    }
    messages
}

fn collision<'a>(earlier: &'a CredentialAsk, later: &'a CredentialAsk) -> Option<Collision<'a>> {
    // Of a group exactly one is entered; what the connector holds itself takes no place.
    let alternatives = earlier.one_of.is_some() && earlier.one_of == later.one_of;
    if alternatives || earlier.reveal || later.reveal {
        return None;
    }
    let places = later.kind.places();
    let place =
        earlier.kind.places().into_iter().find(|place| places.iter().any(|other| other.is_as(place)))?;
    let audience =
        earlier.audience.iter().find_map(|one| later.audience.iter().find_map(|other| one.meets(other)))?;
    Some(Collision { earlier, later, place, audience })
}
