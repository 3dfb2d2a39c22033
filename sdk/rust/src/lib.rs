//! Write Cofferdam connectors in Rust.
