//! The routes: each reads what was sent, asks `control`, and shows what it says.

pub(crate) mod account;
mod asks;
#[expect(unused_qualifications, reason = "what is made of the descriptions names their types in full")]
pub(crate) mod audit;
pub(crate) mod catalog;
pub(crate) mod checkpoints;
pub(crate) mod connections;
pub(crate) mod connectors;
pub(crate) mod consent;
pub(crate) mod credentials;
pub(crate) mod deletion;
pub(crate) mod endpoints;
pub(crate) mod events;
mod fields;
pub(crate) mod glass;
pub(crate) mod health;
pub(crate) mod history;
pub(crate) mod installation_audit;
pub(crate) mod invitations;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod members;
mod of_sync;
pub(crate) mod organizations;
pub(crate) mod persons;
pub(crate) mod previews;
pub(crate) mod queue;
pub(crate) mod reprocess;
pub(crate) mod retention;
pub(crate) mod row_errors;
pub(crate) mod second;
pub(crate) mod sessions;
pub(crate) mod setup;
pub(crate) mod syncs;
pub(crate) mod tokens;
mod words;
pub(crate) mod zones;
