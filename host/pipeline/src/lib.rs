//! The life of a run: pages, checkpoints, row errors, retry and cancel.
