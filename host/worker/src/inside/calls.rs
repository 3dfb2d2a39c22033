//! One call of the parent, made in this process.

use pipeline::connector::{Destination as _, Source as _, Transform as _};
use pipeline::failure::{Cause, Failure};
use runtime::{Destination, Source, Transform, Webhook};
use std::sync::Arc;

use super::connections::{Bound, Open, Shared};
use crate::message::{Brought, Call};

type Outcome = Result<Brought, Failure>;

/// Makes a call of a connection. What it opens, or called, is there for the next call unless this one failed.
pub(super) async fn made(shared: &Shared, bound: &Bound, call: Call<'static>) -> Outcome {
    match call {
        Call::SourceCheck => source(bound).map_err(failure)?.check().await.map(nothing),
        Call::Discover => source(bound).map_err(failure)?.discover().await.map(Brought::Catalog),
        Call::OpenReader { handle, read } => {
            let reader = source(bound).map_err(failure)?.open(*read).await?;
            Ok(opened(shared, handle, Open::Reader(reader)))
        }
        Call::DestinationCheck => destination(bound).map_err(failure)?.check().await.map(nothing),
        Call::OpenWriter { handle, unit, fence } => {
            let writer = destination(bound).map_err(failure)?.open(unit, fence).await?;
            Ok(opened(shared, handle, Open::Writer(writer)))
        }
        Call::TransformCheck => transform(bound).map_err(failure)?.check().await.map(nothing),
        Call::Plan { inputs } => transform(bound).map_err(failure)?.plan(inputs).await.map(Brought::Plan),
        Call::OpenTransformer { handle, inputs, outputs } => {
            let transformer = transform(bound).map_err(failure)?.open(inputs, outputs).await?;
            Ok(opened(shared, handle, Open::Transformer(transformer)))
        }
        Call::Next { handle, .. } | Call::Committed { handle, .. } => reader(shared, handle, call).await,
        Call::Capabilities { handle }
        | Call::LastCommit { handle }
        | Call::Prepare { handle, .. }
        | Call::Write { handle, .. }
        | Call::Commit { handle, .. } => writer(shared, handle, call).await,
        Call::Apply { handle, batch } => {
            let Some(Open::Transformer(mut transformer)) = shared.take(handle) else {
                return Err(failure(gone()));
            };
            let brought = transformer.apply(Arc::new(batch.into_owned())).await?;
            shared.opened(handle, Open::Transformer(transformer));
            Ok(Brought::Transformed(brought))
        }
        Call::WebhookDiscover => webhook(bound).map_err(failure)?.discover().await.map(Brought::Catalog),
        Call::Rows { messages, schemas } => {
            webhook(bound).map_err(failure)?.rows(messages, &schemas).await.map(Brought::Page)
        }
        Call::AnswerChallenge { challenge } => {
            webhook(bound).map_err(failure)?.answer_challenge(challenge).await.map(Brought::Answer)
        }
        Call::Load { .. } | Call::Bind { .. } => Err(failure(gone())),
    }
}

async fn reader(shared: &Shared, handle: u64, call: Call<'static>) -> Outcome {
    let Some(Open::Reader(mut reader)) = shared.take(handle) else { return Err(failure(gone())) };
    let brought = match call {
        Call::Next { budget, .. } => Brought::Step(reader.next(budget).await?),
        Call::Committed { checkpoint, .. } => nothing(reader.committed(checkpoint).await?),
        _ => return Err(failure(gone())),
    };
    shared.opened(handle, Open::Reader(reader));
    Ok(brought)
}

async fn writer(shared: &Shared, handle: u64, call: Call<'static>) -> Outcome {
    let Some(Open::Writer(mut writer)) = shared.take(handle) else { return Err(failure(gone())) };
    let brought = match call {
        Call::Capabilities { .. } => Brought::Capabilities(writer.capabilities().await?),
        Call::LastCommit { .. } => Brought::LastCommit(writer.committed().await?),
        Call::Prepare { plans, dry_run, .. } => Brought::Verdicts(writer.prepare(plans, dry_run).await?),
        Call::Write { number, batch, .. } => {
            Brought::Written(writer.write(number, Arc::new(batch.into_owned())).await?)
        }
        Call::Commit { token, last, .. } => Brought::Commit(writer.commit(token, last).await?),
        _ => return Err(failure(gone())),
    };
    shared.opened(handle, Open::Writer(writer));
    Ok(brought)
}

fn nothing((): ()) -> Brought {
    Brought::Nothing
}

fn opened(shared: &Shared, handle: u64, open: Open) -> Brought {
    shared.opened(handle, open);
    Brought::Nothing
}

fn source(bound: &Bound) -> Result<Source, Cause> {
    Source::new(bound.connection.clone()).map_err(|error| not_loaded(&error))
}

fn destination(bound: &Bound) -> Result<Destination, Cause> {
    Destination::new(bound.connection.clone()).map_err(|error| not_loaded(&error))
}

fn transform(bound: &Bound) -> Result<Transform, Cause> {
    Transform::new(bound.connection.clone()).map_err(|error| not_loaded(&error))
}

fn webhook(bound: &Bound) -> Result<Webhook, Cause> {
    Webhook::new(bound.connection.clone()).map_err(|error| not_loaded(&error))
}

/// What a component, or an engine, says against being run here.
pub(super) fn not_loaded(error: &runtime::Error) -> Cause {
    Cause::Load { code: error.code().to_owned(), message: error.to_string() }
}

/// A number that names nothing here.
pub(super) fn gone() -> Cause {
    Cause::Host("the worker does not have what is called".into())
}

/// The parent adds whose and in which call.
pub(super) fn failure(cause: Cause) -> Failure {
    Failure {
        cause,
        connector: String::new(),
        call: String::new(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    }
}
