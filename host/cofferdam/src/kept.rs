//! The credentials of a data directory as egress asks for them: opened for each use, and only for what they were entered for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use egress::credential::{Credentials, Generation, Material, Secret, StoreError, field};
use manifest::CredentialAsk;
use measures::Measures;
use records::{
    CredentialBinding, CredentialFields, CredentialUpdate, Error, OpenedCredential, SealedRecords,
    UpdateCause,
};
use vault::Plaintext;

/// What the host keeps beside what was entered, and what is no secret.
const KEPT_PUBLIC: [&str; 2] = [field::EXPIRES_AT, field::REFRESH_AT];

/// The credentials that one connection was granted.
pub(crate) struct Kept {
    records: Arc<SealedRecords>,
    /// By the name under which each is kept.
    granted: HashMap<String, Granted>,
    /// What was opened last. Each request asks, and opening anew what is unchanged would be half of its cost.
    opened: Mutex<HashMap<String, Material>>,
    measures: Arc<Measures>,
}

/// What a credential is used for.
pub(crate) struct Granted {
    pub(crate) ask: CredentialAsk,
    pub(crate) binding: CredentialBinding,
}

impl Kept {
    pub(crate) fn new(
        records: Arc<SealedRecords>,
        granted: HashMap<String, Granted>,
        measures: Arc<Measures>,
    ) -> Self {
        Self { records, granted, opened: Mutex::default(), measures }
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<String, Material>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn granted(&self, name: &str) -> Result<&Granted, StoreError> {
        self.granted.get(name).ok_or(StoreError::Missing)
    }
}

#[async_trait]
impl Credentials for Kept {
    fn organization(&self) -> &str {
        self.records.organization()
    }

    async fn material(&self, credential: &str) -> Result<Material, StoreError> {
        let kept = self.records.credential(credential).await.map_err(|error| {
            self.opened().remove(credential);
            told(error)
        })?;
        // Also in the middle of a run: it may have been entered anew meanwhile, for something else.
        kept.binding.serves(credential, &self.granted(credential)?.binding).map_err(told)?;
        let generation = Generation(kept.generation);
        let last = self.opened().get(credential).filter(|last| last.generation() == generation).cloned();
        if let Some(last) = last {
            return Ok(last.redeeming(kept.redeeming_ms.is_some()));
        }
        let opened = self.records.open_credential(credential).await.map_err(told)?;
        opened.kept.binding.serves(credential, &self.granted(credential)?.binding).map_err(told)?;
        let opened = material(opened)?;
        self.opened().insert(credential.to_owned(), opened.clone());
        Ok(opened)
    }

    async fn mark(&self, credential: &str, seen: Generation) -> Result<(), StoreError> {
        self.records.mark_redeeming(credential, seen.0).await.map_err(told)
    }

    async fn unmark(&self, credential: &str, seen: Generation) -> Result<(), StoreError> {
        self.records.unmark_redeeming(credential, seen.0).await.map_err(told)
    }

    fn redeemed(&self, _: &str, is_renewed: bool) {
        self.measures.refresh(is_renewed);
    }

    async fn persist(
        &self,
        credential: &str,
        seen: Generation,
        fresh: Material,
    ) -> Result<Generation, StoreError> {
        let fields = fields(&self.granted(credential)?.ask, &fresh);
        let expires_ms = fresh.get(field::EXPIRES_AT).and_then(|seconds| seconds.parse::<u64>().ok());
        let expires_ms = expires_ms.map(|seconds| seconds.saturating_mul(1_000));
        let update = CredentialUpdate { fields, expires_ms, cause: UpdateCause::Refreshed };
        let kept = self.records.update_credential(credential, seen.0, update).await.map_err(told)?;
        Ok(Generation(kept.generation))
    }
}

fn material(opened: OpenedCredential) -> Result<Material, StoreError> {
    let OpenedCredential { kept, secret } = opened;
    let mut material = Material::new(Generation(kept.generation)).redeeming(kept.redeeming_ms.is_some());
    for (name, value) in kept.public {
        material = material.with(name, Secret::new(value));
    }
    for (name, value) in secret {
        let text = std::str::from_utf8(value.expose())
            .map_err(|_| StoreError::Storage { problem: format!("its field `{name}` is no text") })?;
        material = material.with(name, Secret::new(text.to_owned()));
    }
    Ok(material)
}

/// What is not known to be public is secret.
fn fields(ask: &CredentialAsk, fresh: &Material) -> CredentialFields {
    let is_public = |name: &str| {
        KEPT_PUBLIC.contains(&name)
            || ask.entered_fields().iter().any(|field| field.name == name && !field.secret)
    };
    let mut fields = CredentialFields::default();
    for (name, value) in fresh.fields() {
        if is_public(name) {
            fields.public.insert(name.to_owned(), value.to_owned());
        } else {
            fields.secret.insert(name.to_owned(), Plaintext::new(value.as_bytes().to_vec()));
        }
    }
    fields
}

fn told(error: Error) -> StoreError {
    match error {
        Error::UnknownCredential { .. } => StoreError::Missing,
        Error::CredentialChanged { .. } => StoreError::Superseded,
        Error::CredentialBinding { entered, now, .. } => StoreError::Rebound { entered_for: entered, now },
        Error::CredentialOfAnother { kept, wanted, .. } => {
            StoreError::Rebound { entered_for: kept, now: wanted }
        }
        other => StoreError::Storage { problem: format!("{other} ({})", other.code()) },
    }
}

#[cfg(test)]
mod tests;
