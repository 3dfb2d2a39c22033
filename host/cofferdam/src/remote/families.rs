//! Everything that can be asked of a server, by the kind of thing that it is about.

mod connections;
mod connectors;
mod endpoints;
mod glass;
mod invitations;
mod members;
mod operators;
mod organizations;
mod people;
mod retention;
mod syncs;
mod tokens;
mod zones;

use super::verb::Family;

pub(super) use connections::STREAMS;
pub(super) use syncs::{LIVE, SYNC};

/// In the order in which help lists them.
pub(super) static ALL: &[Family] = &[
    people::FAMILY,
    operators::FAMILY,
    organizations::FAMILY,
    members::FAMILY,
    invitations::FAMILY,
    tokens::FAMILY,
    zones::FAMILY,
    glass::FAMILY,
    connectors::FAMILY,
    connections::FAMILY,
    syncs::FAMILY,
    endpoints::FAMILY,
    retention::FAMILY,
];

#[cfg(test)]
mod tests;
