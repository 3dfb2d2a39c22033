//! Sees to the certificate for as long as a server runs: shows the one that is kept, and asks for the next one in time.

use crate::account::{account, kept_account};
use crate::attempts::Attempts;
use crate::certificate::{Certificate, key};
use crate::error::Error;
use crate::hint::{self, Hint};
use crate::kept::{Kept, KeptCertificate};
use crate::order::issued;
use crate::problem::BAD_NONCE;
use crate::settings::Settings;
use crate::shows::Shows;
use crate::wire::Wire;
use egress::{Authorities, Egress};
use measures::Measures;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use storage::Storage;

/// An order is a matter of seconds; some directories take minutes.
const ATTEMPT_MAX: Duration = Duration::from_secs(10 * 60);
/// How often an attempt begins anew at once: where a nonce is not taken, or an account is not known any more.
const ANEW_MAX: usize = 4;
/// Nobody sleeps longer without a look at the clock, which may have been set, on a machine that may have slept.
const LOOK: Duration = Duration::from_secs(10 * 60);
/// Storage that cannot be read is asked again.
const AGAIN: Duration = Duration::from_secs(2 * 60);

/// What a renewal is put together of.
pub struct Parts {
    /// Where account, key and certificate are kept.
    pub storage: Arc<Storage>,
    /// The organization of storage in which things of the installation are. There is a key for it.
    pub organization: &'static str,
    /// The way out.
    pub egress: Egress,
    /// Whom a directory of one's own is vouched for by.
    pub authorities: Authorities,
    /// Who shows certificates.
    pub shows: Arc<dyn Shows>,
    /// What is counted.
    pub measures: Arc<Measures>,
}

/// Sees to the certificate.
pub struct Renewal {
    settings: Settings,
    kept: Kept,
    wire: Wire,
    shows: Arc<dyn Shows>,
    measures: Arc<Measures>,
    current: Option<Current>,
}

/// The certificate that is shown.
struct Current {
    certificate: Certificate,
    /// The settings for which it was asked.
    of: [u8; 32],
    kept_ms: u64,
    /// What the other side says of it; none: it was not asked yet.
    hint: Option<Hint>,
}

impl Renewal {
    /// Shows the certificate that is kept, if there is one.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn open(settings: Settings, parts: Parts) -> Result<Self, Error> {
        let Parts { storage, organization, egress, authorities, shows, measures } = parts;
        let wire = Wire::new(&settings.directory, &egress, authorities);
        let kept = Kept::new(storage, organization);
        let mut renewal = Self { settings, kept, wire, shows, measures, current: None };
        if let Some(kept) = renewal.kept.certificate().await? {
            renewal.show(&kept)?;
        }
        renewal.tell_of_wait().await?;
        Ok(renewal)
    }

    /// Whether connections are shown a certificate.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.current.is_some()
    }

    /// For ever. What it waits for may be dropped at any time.
    pub async fn run(mut self) -> Infallible {
        loop {
            let now_ms = self.kept.now_ms();
            self.ask_for_hint(now_ms).await;
            let left = match self.next_ms(now_ms).await {
                Ok(next_ms) => Duration::from_millis(next_ms.saturating_sub(now_ms)),
                Err(error) => {
                    self.tell(&error);
                    AGAIN
                }
            };
            if !left.is_zero() {
                tokio::time::sleep(left.min(LOOK)).await;
                continue;
            }
            match self.attempt().await {
                Ok(()) => {
                    self.measures.certificate_obtained();
                    tracing::info!("a certificate was obtained: new connections are shown it");
                }
                Err(error) => {
                    self.measures.certificate_failed();
                    self.tell(&error);
                    // Also where storage could not keep when the next attempt may be made.
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Whoever starts a server to see whether a mistake is mended is to know that it is too early to see.
    async fn tell_of_wait(&self) -> Result<(), Error> {
        let now_ms = self.kept.now_ms();
        let attempts = Attempts::of(self.kept.attempts().await?, self.settings.digest());
        let seconds = attempts.next_ms(now_ms).saturating_sub(now_ms) / 1_000;
        if seconds > 0 {
            tracing::warn!(
                seconds,
                "a certificate is not asked for again yet: earlier attempts came to nothing"
            );
        }
        Ok(())
    }

    /// When a certificate is to be asked for.
    pub(crate) async fn next_ms(&self, now_ms: u64) -> Result<u64, Error> {
        let of = self.settings.digest();
        let attempts = Attempts::of(self.kept.attempts().await?, of);
        let due = self.current.as_ref().filter(|current| current.of == of);
        let due = due.map_or(0, Current::due_ms);
        Ok(due.max(attempts.next_ms(now_ms)))
    }

    /// Asks the other side when the certificate is to be renewed, now and then. It costs nothing that is limited.
    pub(crate) async fn ask_for_hint(&mut self, now_ms: u64) {
        let of = self.settings.digest();
        let Some(current) = &mut self.current else { return };
        if current.of != of || current.hint.is_some_and(|hint| now_ms < hint.again_ms) {
            return;
        }
        current.hint = Some(match kept_account(&self.settings, &self.kept, &self.wire).await {
            Ok(Some(account)) => hint::asked(&account, &current.certificate, now_ms).await,
            // Without an account nothing was asked for, and whoever is not reached is asked again later.
            Ok(None) | Err(_) => Hint::none(now_ms),
        });
    }

    pub(crate) async fn attempt(&mut self) -> Result<(), Error> {
        let of = self.settings.digest();
        let begun = Attempts::of(self.kept.attempts().await?, of).begun(self.kept.now_ms());
        self.kept.keep_attempts(&begun).await?;
        let obtained = tokio::time::timeout(ATTEMPT_MAX, self.obtained()).await;
        let obtained = obtained.unwrap_or(Err(Error::TooSlow { doing: "obtain a certificate" }));
        match obtained {
            Ok(kept) => {
                // Kept first: what is shown and not kept would be ordered again by the next start.
                self.kept.keep_certificate(&kept).await?;
                self.show(&kept)
            }
            Err(error) => {
                self.kept.keep_attempts(&begun.failed(&error, self.kept.now_ms())).await?;
                Err(error)
            }
        }
    }

    /// A certificate that was judged.
    async fn obtained(&self) -> Result<KeptCertificate, Error> {
        let mut left = ANEW_MAX;
        let issued = loop {
            left -= 1;
            match self.issued().await {
                Ok(issued) => break issued,
                Err(Error::Refused { kind, .. }) if kind == BAD_NONCE && left > 0 => {}
                Err(Error::Account { is_unknown: true, .. }) if left > 0 => {
                    self.kept.forget_account(&self.settings.account()).await?;
                }
                Err(error) => return Err(error),
            }
        };
        let kept_ms = self.kept.now_ms();
        Certificate::read(&issued.chain)?.judge(&self.settings.names, key(&issued.key)?, kept_ms)?;
        let of = self.settings.digest();
        Ok(KeptCertificate { of, chain: issued.chain, key: issued.key, kept_ms })
    }

    async fn issued(&self) -> Result<crate::order::Issued, Error> {
        let account = account(&self.settings, &self.kept, &self.wire).await?;
        // Only who gives hints knows of replacing.
        let replaced = self.current.as_ref().filter(|current| current.window_ms().is_some());
        let replaces = replaced.and_then(|current| current.certificate.identifier());
        issued(&account, &self.settings.names, replaces, &self.shows, &self.wire).await
    }

    fn show(&mut self, kept: &KeptCertificate) -> Result<(), Error> {
        let certificate = Certificate::read(&kept.chain)?;
        let shown = self.shows.show(certificate.chain.clone(), key(&kept.key)?);
        shown.map_err(|error| Error::Unusable { reason: error.to_string() })?;
        self.current = Some(Current { certificate, of: kept.of, kept_ms: kept.kept_ms, hint: None });
        Ok(())
    }

    fn tell(&self, error: &Error) {
        let stays = match &self.current {
            None => "there is no certificate, and connections are refused",
            Some(current) if current.certificate.ends_ms() <= self.kept.now_ms() => {
                "the certificate that is shown has ended"
            }
            Some(_) => "the certificate from before stays",
        };
        let (code, cause, hint) = (error.code(), error.cause(), error.hint());
        tracing::warn!(code, cause, hint, "{error}; {stays}");
    }
}

impl Current {
    fn due_ms(&self) -> u64 {
        self.certificate.due_ms(self.kept_ms, self.window_ms())
    }

    fn window_ms(&self) -> Option<(u64, u64)> {
        self.hint?.window_ms
    }
}
