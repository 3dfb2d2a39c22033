//! What is told of any log, once it is settled that who asks may be told.

use super::shown::{Compared, Kept, ShownCheckpoint, ShownEntry};
use crate::body::Told;
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, write_cursor};
use crate::refusal::Refusal;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use control::{Act, Event, Log};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio_util::io::ReaderStream;

/// Of an export that goes out no faster than it is taken.
const PIPE_BYTES: usize = 64 << 10;

pub(crate) async fn list(
    house: &House,
    log: &Log,
    query: &PageQuery,
) -> Result<Told<Page<ShownEntry>>, Refusal> {
    let cut = query.cut(log.name())?;
    let from = match cut.after.map(|after| after.parse::<u64>()) {
        None => 0,
        Some(Ok(last)) => last.saturating_add(1),
        Some(Err(_)) => return Err(Fault::BadCursor.into()),
    };
    let audit = &house.parts.audit;
    let entries = audit.read(log, from, cut.limit).await?;
    let size = audit.head(log).await?.size;
    let last = entries.last().map(|entry| entry.number).filter(|last| last + 1 < size);
    let next = last.map(|last| write_cursor(log.name(), &last.to_string()));
    Ok(Told(StatusCode::OK, Page { items: entries.into_iter().map(ShownEntry::from).collect(), next }))
}

/// That it is exported is in the log, and so in the export.
pub(crate) async fn export(house: &House, log: &Log, by: &str) -> Result<Response, Refusal> {
    let audit = house.parts.audit.clone();
    audit.append(log, &Event::done(Act::AuditExported, by, log.name())).await?;
    let (mut writer, reader) = tokio::io::duplex(PIPE_BYTES);
    let log = log.clone();
    // Ends when it is done, or when nobody takes it any more. A part of an export is found to be one: its signed
    // checkpoint is missing.
    tokio::spawn(async move {
        if let Err(error) = audit.export(&log, &mut writer).await {
            tracing::warn!(code = error.code(), "an export of an audit log broke off");
        }
    });
    let headers =
        [(CONTENT_TYPE, "application/jsonl"), (CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\"")];
    Ok((headers, Body::from_stream(ReaderStream::new(reader))).into_response())
}

pub(crate) async fn checkpoint(house: &House, log: &Log) -> Result<Told<ShownCheckpoint>, Refusal> {
    let audit = &house.parts.audit;
    let checkpoint = audit.checkpoint(log).await?;
    Ok(Told(StatusCode::OK, ShownCheckpoint { checkpoint, key: audit.key().to_string() }))
}

pub(crate) async fn compare(house: &House, log: &Log, kept: &Kept) -> Result<Told<Compared>, Refusal> {
    let compared = house.parts.audit.hold_against(log, &kept.checkpoint).await?;
    Ok(Told(StatusCode::OK, compared.into()))
}
