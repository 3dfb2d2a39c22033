//! Row errors as lines of JSON, written no faster than they are taken: what is in memory does not grow with their number.

use super::shown::WholeRowError;
use crate::routes::of_sync::OfSync;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use records::{ErrorFilter, KeptError};
use std::io;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

pub(super) fn lines(of: OfSync, filter: ErrorFilter) -> Response {
    let headers =
        [(CONTENT_TYPE, "application/jsonl"), (CONTENT_DISPOSITION, "attachment; filename=\"errors.jsonl\"")];
    (headers, Body::from_stream(stream_of(of, filter))).into_response()
}

/// Whoever finds row errors goes one step ahead of whoever takes them, and ends when nobody does.
struct Writing {
    sync: String,
    from: Receiver<Vec<KeptError>>,
    finding: Option<JoinHandle<Result<(), records::Error>>>,
}

fn stream_of(of: OfSync, filter: ErrorFilter) -> impl Stream<Item = io::Result<Bytes>> {
    let (to, from) = mpsc::channel(1);
    let OfSync { sync, records, .. } = of;
    let name = sync.clone();
    let finding = tokio::spawn(async move { records.send_errors(&name, &filter, &to).await });
    stream::unfold(Writing { sync, from, finding: Some(finding) }, async |mut writing| {
        if let Some(errors) = writing.from.recv().await {
            return Some((written(&writing.sync, &errors), writing));
        }
        let ended = match writing.finding.take()?.await {
            // A sync that never ran has none.
            Ok(Ok(()) | Err(records::Error::UnknownSync { .. })) => return None,
            Ok(Err(error)) => {
                tracing::warn!(code = error.code(), "an export of row errors broke off");
                io::Error::other("the rest cannot be read")
            }
            Err(_) => io::Error::other("the rest is lost"),
        };
        // The connection is broken off, so that a part is not taken for the whole.
        Some((Err(ended), writing))
    })
}

fn written(sync: &str, errors: &[KeptError]) -> io::Result<Bytes> {
    let mut lines = Vec::new();
    for error in errors {
        serde_json::to_writer(&mut lines, &WholeRowError::of(sync, error))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}
