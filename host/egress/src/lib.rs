//! The only way out: judges, dials, caps and records every outgoing request.
