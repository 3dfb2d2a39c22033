//! Renames, drops, casts, computes and filters, by column. Values that no step names are never looked at, and nothing is
//! remembered from batch to batch.

mod cast;
mod config;
mod decimal;
mod expression;
mod faults;
mod plan;
mod steps;
mod take;
#[cfg(test)]
mod tests;
mod transform;
mod types;
mod work;

pub use config::{Cast, Compute, Config, OnError, Step};
pub use transform::{StepsTransformer, Transform};

cofferdam_sdk::export!(transform = Transform, manifest = "connector.toml");
