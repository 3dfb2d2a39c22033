//! Commands that a server does: which server, who asks, what is asked for, and how the answer is shown. Decides nothing about
//! what they mean: the server does.

mod address;
mod audit;
mod call;
mod chosen;
mod client;
mod consented;
mod error;
mod families;
mod fields;
mod fill;
mod here;
mod history;
mod live;
mod login;
mod look_up;
mod paged;
mod refused;
mod rights;
mod show;
mod trust;
mod verb;
mod words;

pub(crate) use audit::{
    audit_checkpoint, audit_compare, audit_consistency, audit_entries, audit_inclusion, exported_audit,
};
pub(crate) use client::{Client, Wish};
pub(crate) use error::Error;
pub(crate) use here::{
    check, connect, credentials, credentials_revoke, credentials_rotate, discover, preview,
};
pub(crate) use history::{
    checkpoint_edit, checkpoints, checkpoints_reset, reprocess, row_error, row_errors, row_errors_delete,
    row_errors_export, run, run_logs, runs, watched,
};
pub(crate) use login::{Login, Logins, make_folder_of};
pub(crate) use words::Words;
