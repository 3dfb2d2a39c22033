//! Parses and validates connector.toml and reports every fault with its place.
