//! Integration tests that link the engine.
