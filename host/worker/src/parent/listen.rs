//! Hears what a worker says, holds it against what it may say, and passes it on.

use std::sync::Arc;
use tokio::net::unix::OwnedReadHalf;
use tokio::task::JoinHandle;

use super::link::{Pending, Shared};
use super::losses::Losses;
use super::process::Process;
use super::requests;
use super::served::Served;
use crate::frame::{self, Broken};
use crate::message::{Loudness, ToParent};

/// Hears the worker until it is lost; then its process is ended and what waited for it is told.
pub(super) async fn listen(
    mut from: OwnedReadHalf,
    writing: JoinHandle<()>,
    process: Option<Process>,
    shared: Arc<Shared>,
    losses: Arc<dyn Losses>,
) {
    let writing = Aborts(writing);
    let why = loop {
        let heard = tokio::select! {
            heard = frame::read(&mut from) => heard,
            () = shared.condemn.notified() => match shared.condemned.get() {
                Some(what) => break what.clone(),
                None => continue,
            },
        };
        let heard = heard.and_then(|bytes| frame::decoded(&bytes)).and_then(|message| hear(&shared, message));
        if let Err(broken) = heard {
            break broken.to_string();
        }
    };
    drop(writing);
    drop(from);
    let (how, words) = match process {
        Some(process) => {
            let ended = process.ended().await;
            (format!("{why}; {}", ended.how), ended.words)
        }
        None => (why, String::new()),
    };
    super::tally::lost();
    tracing::warn!(how, words, "a worker was lost");
    shared.end((how, words), &*losses).await;
}

struct Aborts(JoinHandle<()>);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn hear(shared: &Arc<Shared>, message: ToParent) -> Result<(), Broken> {
    match message {
        ToParent::Ready { .. } => Err(Broken::Protocol("it said twice that it is ready".into())),
        ToParent::Reply { call, outcome, used } => {
            let mut state = shared.state();
            if let Some(Pending { connection, reply }) = Shared::take_pending(&mut state, call) {
                let served = state.connections.get(&connection).cloned();
                drop(state);
                served.iter().for_each(|served| served.used().said(used.clone()));
                // Whoever waited may be gone by now.
                let _ = reply.send(*outcome);
                return Ok(());
            }
            if state.abandoned.remove(&call) {
                return Ok(());
            }
            Err(Broken::Protocol(format!("it answered {call}, which was not asked")))
        }
        ToParent::Log { connection, level, target, text } => {
            let served = served(shared, connection)?;
            log(&served, level, &target, &text)
        }
        ToParent::Request { connection, request, head } => {
            let served = served(shared, connection)?;
            requests::begin(shared, &served, request, head)
        }
        ToParent::Piece { request, piece } => requests::piece(shared, request, piece),
        ToParent::Pull { request } => requests::pull(shared, request),
        ToParent::Done { request } => requests::done(shared, request),
    }
}

/// A worker names its own connections only: it has no name for those of another.
fn served(shared: &Shared, connection: u32) -> Result<Arc<Served>, Broken> {
    let served = shared.state().connections.get(&connection).cloned();
    served
        .ok_or_else(|| Broken::Protocol(format!("it named connection {connection}, which it does not have")))
}

fn log(served: &Served, level: Loudness, target: &str, text: &str) -> Result<(), Broken> {
    if served.line(level.into(), target, text) {
        return Ok(());
    }
    Err(Broken::Protocol(format!("it logged more for `{}` than is allowed", served.name)))
}
