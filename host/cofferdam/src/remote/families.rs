//! Everything that can be asked of a server, by the kind of thing that it is about.

mod glass;
mod invitations;
mod members;
mod organizations;
mod people;
mod tokens;
mod zones;

use super::verb::Family;

/// In the order in which help lists them.
pub(super) static ALL: &[Family] = &[
    people::FAMILY,
    organizations::FAMILY,
    members::FAMILY,
    invitations::FAMILY,
    tokens::FAMILY,
    zones::FAMILY,
    glass::FAMILY,
];

#[cfg(test)]
mod tests;
