//! Wishes that change what is kept, or what a run may do. Once read, a change is made whether or not the other side waits.

use std::io;
use std::path::PathBuf;

use records::{CredentialFields, CredentialUpdate, KeptCredential, SealedRecords, UpdateCause};
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use super::message::{Answer, Order, Rotation, read_head, read_secrets};
use super::{GRANTED, Held, RELOAD, REVOKE, ROTATE};
use crate::connect::revoke;
use crate::hold::Effect;
use crate::problem::{Own, Problems};

/// Something that was asked for, and whole.
pub(super) enum Change {
    Rotate(Rotation, CredentialFields),
    Revoke(Order<String>),
    Reload(Order<PathBuf>),
}

impl Change {
    /// None: it is none that is known here.
    pub(super) async fn read(wish: &[u8; 9], stream: &mut UnixStream) -> io::Result<Option<Self>> {
        Ok(match wish {
            ROTATE => {
                let rotation: Rotation = read_head(stream).await?;
                let secret = read_secrets(stream).await?;
                let public = rotation.public.clone();
                Some(Self::Rotate(rotation, CredentialFields { public, secret }))
            }
            REVOKE => Some(Self::Revoke(read_head(stream).await?)),
            RELOAD => Some(Self::Reload(read_head(stream).await?)),
            _ => None,
        })
    }

    pub(super) async fn make(self, stream: &mut UnixStream, held: &Held) {
        match self {
            Self::Rotate(rotation, fields) => tell(stream, rotate(held, rotation, fields).await).await,
            Self::Revoke(order) => tell(stream, revoke_in(held, &order).await).await,
            Self::Reload(order) => tell(stream, reload(held, &order)).await,
        }
    }
}

pub(super) async fn list(stream: &mut UnixStream, records: &SealedRecords) {
    tell(stream, records.credentials().await.map_err(Problems::from)).await;
}

async fn rotate(
    held: &Held,
    rotation: Rotation,
    fields: CredentialFields,
) -> Result<KeptCredential, Problems> {
    let Rotation { name, expires_ms, by, .. } = rotation;
    let update = CredentialUpdate { fields, expires_ms, cause: UpdateCause::Rotated(by) };
    // Only its person changes a credential by hand; a token that was renewed meanwhile is one of the former secrets.
    let seen = held.records.credential(&name).await?.generation;
    Ok(held.records.update_credential(&name, seen, update).await?)
}

async fn revoke_in(held: &Held, order: &Order<String>) -> Result<revoke::Revoked, Problems> {
    let Order { about: name, by } = order;
    // A name that is not kept cuts nothing.
    held.records.credential(name).await?;
    let cut = held.live.as_ref().map_or_else(Vec::new, |live| live.revoke(name, by));
    let network = held.live.as_ref().map(|live| live.network.clone()).unwrap_or_default();
    let revoked = revoke::revoke(&held.records, &held.storage, name, &network).await?;
    Ok(revoke::Revoked { cut, ..revoked })
}

fn reload(held: &Held, order: &Order<PathBuf>) -> Result<Vec<Effect>, Problems> {
    let Order { about: document, by } = order;
    match held.live.as_ref().filter(|live| live.is_of(document)) {
        Some(live) => live.reload(by),
        None => Err(Own::NotRunning { document: document.clone() }.into()),
    }
}

async fn tell<T: Serialize>(stream: &mut UnixStream, outcome: Result<T, Problems>) {
    let answer = match outcome {
        Ok(done) => Answer::Done(done),
        Err(problems) => Answer::Problems(problems.into_all()),
    };
    if let Ok(told) = serde_json::to_vec(&answer)
        && stream.write_all(GRANTED).await.is_ok()
    {
        // Whoever asked may have gone away.
        let _ = stream.write_all(&told).await;
    }
}
