//! The other side as one would not have it: what it answers is written here, and comes over real connections with TLS.

mod hints;
mod hostile;
mod kept;
mod settings;
mod world;
