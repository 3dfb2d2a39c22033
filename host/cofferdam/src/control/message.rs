//! What is said over the socket beyond a wish: a head of JSON behind its length, secrets behind theirs, an answer to the end.

use std::collections::BTreeMap;
use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use vault::Plaintext;

use crate::connect::by;
use crate::problem::Problem;

/// Names, and the public fields of a credential.
const HEAD_BYTES_MAX: u32 = 1 << 20;
/// As much as records keep of one credential.
const SECRET_BYTES_MAX: u32 = 256 << 10;
/// No kind of credential has so many fields.
const SECRETS_MAX: u16 = 64;

/// What comes of a wish.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer<T> {
    Done(T),
    Problems(Vec<Problem>),
}

/// Other secrets for a credential; the secrets follow it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) name: String,
    pub(crate) public: BTreeMap<String, String>,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) by: String,
}

/// A credential to revoke, or a document to read anew.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order<T> {
    pub(crate) about: T,
    pub(crate) by: String,
}

impl<T> Order<T> {
    /// The order of who runs this process.
    pub(crate) fn of(about: T) -> Self {
        Self { about, by: by() }
    }
}

pub(super) async fn write_head(to: &mut (impl AsyncWrite + Unpin), head: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(head)?;
    to.write_u32(u32::try_from(bytes.len()).map_err(io::Error::other)?).await?;
    to.write_all(&bytes).await
}

pub(super) async fn read_head<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let length = from.read_u32().await?;
    if length > HEAD_BYTES_MAX {
        return Err(io::Error::other("it is longer than anything that is said here"));
    }
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Straight from where they are kept: no copy of them is made here.
pub(super) async fn write_secrets(
    to: &mut (impl AsyncWrite + Unpin),
    secrets: &BTreeMap<String, Plaintext>,
) -> io::Result<()> {
    to.write_u16(u16::try_from(secrets.len()).map_err(io::Error::other)?).await?;
    for (name, value) in secrets {
        for part in [name.as_bytes(), value.expose()] {
            to.write_u32(u32::try_from(part.len()).map_err(io::Error::other)?).await?;
            to.write_all(part).await?;
        }
    }
    Ok(())
}

/// Each into a buffer that has its length from the start, and is wiped.
pub(super) async fn read_secrets(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<BTreeMap<String, Plaintext>> {
    let count = from.read_u16().await?;
    if count > SECRETS_MAX {
        return Err(io::Error::other("no credential has so many fields"));
    }
    let mut secrets = BTreeMap::new();
    for _ in 0..count {
        let name = read_part(from).await?;
        let name = std::str::from_utf8(name.expose()).map_err(io::Error::other)?.to_owned();
        secrets.insert(name, read_part(from).await?);
    }
    Ok(secrets)
}

async fn read_part(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Plaintext> {
    let length = from.read_u32().await?;
    if length > SECRET_BYTES_MAX {
        return Err(io::Error::other("it is longer than what is kept"));
    }
    let mut bytes = vec![0; length as usize];
    let read = from.read_exact(&mut bytes).await;
    let part = Plaintext::new(bytes);
    read.map(|_| part)
}
