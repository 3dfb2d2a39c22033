//! A certificate that came: whether it is what was asked for, and when the next one is asked for.

use crate::error::Error;
use instant_acme::CertificateIdentifier;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;

/// A chain has three; more is no chain.
const CHAIN_MAX: usize = 16;

/// Let's Encrypt issues the same certificate five times a week at most.
const HINTED_LIFE_MS_MIN: u64 = 2 * 24 * 60 * 60 * 1_000;

/// A chain of certificates that was read.
pub(crate) struct Certificate {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// In milliseconds since the epoch, as its end.
    begins_ms: u64,
    ends_ms: u64,
    /// From 0 to 65,535, by what the certificate is: who was given certificates together renews them apart, and each always at
    /// the same moment of its life.
    lot: u64,
}

impl Certificate {
    /// Reads a chain, as PEM.
    pub(crate) fn read(pem: &str) -> Result<Self, Error> {
        let unusable = |reason: &str| Error::Unusable { reason: reason.to_owned() };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_bytes()).take(CHAIN_MAX).collect();
        let chain = chain.map_err(|_| unusable("it is no PEM"))?;
        let first = chain.first().ok_or_else(|| unusable("there is none in it"))?;
        let (_, read) = x509_parser::parse_x509_certificate(first).map_err(|_| unusable("it is no X.509"))?;
        let milliseconds = |at: x509_parser::time::ASN1Time| {
            u64::try_from(at.timestamp()).unwrap_or_default().saturating_mul(1_000)
        };
        let (begins_ms, ends_ms) =
            (milliseconds(read.validity().not_before), milliseconds(read.validity().not_after));
        let [high, low, ..]: [u8; 32] = Sha256::digest(first).into();
        let lot = u64::from(u16::from_be_bytes([high, low]));
        Ok(Self { chain, begins_ms, ends_ms, lot })
    }

    /// Whether it holds now, for all these names and of this key.
    pub(crate) fn judge(
        &self,
        names: &[String],
        key: PrivateKeyDer<'static>,
        now_ms: u64,
    ) -> Result<(), Error> {
        CertifiedKey::from_der(self.chain.clone(), key, &default_provider())
            .map_err(|error| Error::Unusable { reason: error.to_string() })?;
        if now_ms >= self.ends_ms {
            return Err(Error::Unusable { reason: "it has ended, by the clock of this machine".to_owned() });
        }
        let first = self.chain.first().map(ParsedCertificate::try_from);
        let Some(Ok(first)) = first else {
            return Err(Error::Unusable { reason: "it is none that TLS takes".to_owned() });
        };
        for name in names {
            let is_in = ServerName::try_from(name.as_str())
                .is_ok_and(|name| verify_server_name(&first, &name).is_ok());
            if !is_in {
                return Err(Error::Unusable { reason: format!("it is not for `{name}`") });
            }
        }
        Ok(())
    }

    /// When the next one is asked for: after two thirds of its life, up to a twentieth of it earlier. One that came at
    /// `kept_ms` stays for a third of its life, whatever clocks say: a wrong one is not to order again and again.
    ///
    /// Where the other side says when (`window_ms`), it is a moment of that, which may be soon when it has to revoke the
    /// certificate; but no sooner than two days after this one came, and not when it is too late.
    pub(crate) fn due_ms(&self, kept_ms: u64, window_ms: Option<(u64, u64)>) -> u64 {
        let life = self.ends_ms.saturating_sub(self.begins_ms);
        if let Some((begins, ends)) = window_ms {
            let within =
                u128::from(ends.saturating_sub(begins)) * u128::from(self.lot) / u128::from(u16::MAX);
            let at = begins.saturating_add(u64::try_from(within).unwrap_or(u64::MAX));
            let latest = self.ends_ms.saturating_sub(life / 10);
            return at.min(latest).max(kept_ms.saturating_add((life / 3).min(HINTED_LIFE_MS_MIN)));
        }
        let earlier = (life / 20).saturating_mul(self.lot) / u64::from(u16::MAX);
        let due = self.begins_ms.saturating_add(life / 3 * 2).saturating_sub(earlier);
        due.max(kept_ms.saturating_add(life / 3))
    }

    /// By what the other side knows it; none: it is of nobody who could say so.
    pub(crate) fn identifier(&self) -> Option<CertificateIdentifier<'static>> {
        let identifier: CertificateIdentifier<'_> = self.chain.first()?.try_into().ok()?;
        Some(identifier.into_owned())
    }

    /// In milliseconds since the epoch.
    pub(crate) fn ends_ms(&self) -> u64 {
        self.ends_ms
    }
}

/// Reads a private key, as PEM.
pub(crate) fn key(pem: &str) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| Error::Key { reason: "it is no private key as PEM".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::Certificate;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    /// 2025-01-01.
    const BEGINS_MS: u64 = 1_735_689_600_000;

    fn made(names: &[&str], serial: u64) -> (Certificate, KeyPair) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2025, 4, 1);
        params.serial_number = Some(serial.into());
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (Certificate::read(&pem).unwrap(), key)
    }

    #[test]
    fn it_is_renewed_after_two_thirds_of_its_life_or_a_little_earlier() {
        let (mut first, mut last) = (u64::MAX, 0);
        for serial in 1..200 {
            let due = made(&["a.example"], serial).0.due_ms(BEGINS_MS, None);
            first = first.min(due);
            last = last.max(due);
        }
        assert!(last <= BEGINS_MS + 60 * DAY_MS, "{last}");
        assert!(first >= BEGINS_MS + 55 * DAY_MS, "{first}");
        assert!(last - first > 2 * DAY_MS, "not all of them together");
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_order_again_and_again() {
        let (certificate, _) = made(&["a.example"], 1);
        let (ahead, third) = (BEGINS_MS + 80 * DAY_MS, 30 * DAY_MS);
        assert_eq!(certificate.due_ms(ahead, None), ahead + third);
    }

    #[test]
    fn who_issued_it_says_when_within_bounds() {
        let (certificate, _) = made(&["a.example"], 1);
        let day = |number: u64| BEGINS_MS + number * DAY_MS;
        let due = |from, to| certificate.due_ms(BEGINS_MS, Some((day(from), day(to))));
        assert!((day(40)..=day(45)).contains(&due(40, 45)));
        assert!((day(70)..=day(72)).contains(&due(70, 72)), "also later than by its life alone");
        assert_eq!(due(0, 1), day(2), "who has to revoke it is heard, and not again and again");
        assert_eq!(due(1_000, 2_000), day(81), "nobody lets it end");
    }

    #[test]
    fn what_was_not_asked_for_is_told() {
        let (certificate, key) = made(&["a.example", "b.example"], 1);
        let of = |key: &KeyPair| super::key(&key.serialize_pem()).unwrap();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let judged = |wanted: &[&str], now| {
            certificate.judge(&names(wanted), of(&key), now).map_err(|error| error.to_string())
        };
        let during = BEGINS_MS + DAY_MS;
        assert_eq!(judged(&["a.example", "b.example"], during), Ok(()));
        assert!(judged(&["a.example", "c.example"], during).unwrap_err().contains("`c.example`"));
        assert!(judged(&["a.example"], BEGINS_MS + 90 * DAY_MS).unwrap_err().contains("ended"));
        let other = KeyPair::generate().unwrap();
        assert!(certificate.judge(&names(&["a.example"]), of(&other), during).is_err());
    }

    #[test]
    fn what_is_no_chain_is_no_certificate() {
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "<html>", junk, "-----BEGIN CERTIFICATE-----\n"] {
            let error = Certificate::read(pem).err().unwrap();
            assert_eq!(error.code(), "CD1510", "{pem}");
        }
    }
}
