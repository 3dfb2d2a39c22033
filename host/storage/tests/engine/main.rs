//! One suite for every implementation of the port `Engine`: what it promises, and what it does when things go wrong.

#![cfg(test)]

mod conformance;
mod factory;
mod model;
mod sled;
mod snapshots;
mod writers;
