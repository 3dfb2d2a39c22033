//! The settings of certificates by ACME, and what they are put together to.

use std::path::PathBuf;
use std::sync::Arc;

use acme::{ExternalAccount, NotShown, Parts, Renewal, Shows};
use api::{Certificates, Transport};
use control::INSTALLATION;
use egress::{Authorities, Egress};
use http::Uri;
use measures::Measures;
use storage::Storage;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::settings::{listed, read};
use super::sources::Sources;
use crate::arguments::Network;
use crate::host::ways_out;
use crate::problem::{Own, Problems};

/// Let's Encrypt takes so many names in one certificate.
const NAMES_MAX: usize = 100;
/// What is of no use without names.
const BESIDE_NAMES: [&str; 6] = [
    "acme-directory",
    "acme-contact",
    "acme-terms-agreed",
    "acme-key-id",
    "acme-key-file",
    "acme-authorities",
];

/// How a certificate is come by.
pub(crate) struct Certified {
    names: Vec<String>,
    directory: Uri,
    contact: Option<String>,
    external: Option<(String, PathBuf)>,
    authorities: Option<PathBuf>,
    certificates: Certificates,
}

impl Certified {
    /// Where the server finds what it shows.
    pub(crate) fn transport(&self) -> Transport {
        Transport::Given(self.certificates.clone())
    }

    /// Shows the certificate that is kept, and is ready to see to the next one.
    pub(crate) async fn renewal(
        self,
        storage: Arc<Storage>,
        network: &Network,
        measures: Arc<Measures>,
    ) -> Result<Renewal, Problems> {
        let authorities = authorities(self.authorities)?;
        let external = self.external.map(|(id, path)| external(id, path)).transpose()?;
        let Self { names, directory, contact, certificates, .. } = self;
        let egress = Egress::new(ways_out(network))?;
        let shows = Arc::new(Shown(certificates));
        let parts = Parts { storage, organization: INSTALLATION, egress, authorities, shows, measures };
        Ok(Renewal::open(acme::Settings { directory, names, contact, external }, parts).await?)
    }
}

/// What is wrong is among the faults of the sources. None: certificates do not come by ACME.
pub(super) fn judged(sources: &mut Sources) -> Option<Certified> {
    let expected = "names in DNS with commas between them, no wildcards, such as `cofferdam.example.com`";
    let names = read(sources, "acme-names", expected, |text| {
        listed(text, acme::name).filter(|names| (1..=NAMES_MAX).contains(&names.len()))
    });
    let directory = read(sources, "acme-directory", "a URL of `https`", acme::directory);
    let contact = read(sources, "acme-contact", "an address of e-mail", acme::contact);
    let agreed = read(sources, "acme-terms-agreed", "`true`", |text| (text.trim() == "true").then_some(()));
    let id = sources.find("acme-key-id").map(|(id, _)| id.trim().to_owned());
    let key = sources.find("acme-key-file").map(|(path, _)| PathBuf::from(path));
    let authorities = sources.find("acme-authorities").map(|(path, _)| PathBuf::from(path));
    let Some(place) = sources.find("acme-names").map(|(_, place)| place.to_string()) else {
        let alone = BESIDE_NAMES.iter().filter_map(|name| sources.find(name));
        let alone = alone.map(|(_, place)| format!("{place}: `acme-names` is needed beside it"));
        let faults: Vec<String> = alone.collect();
        sources.faults.extend(faults);
        return None;
    };
    if ["tls-certificate", "tls-key"].iter().any(|name| sources.find(name).is_some()) {
        let either = "certificates come by ACME or from files: leave `tls-certificate` and `tls-key` out, or all \
                      that begins with `acme-`";
        sources.faults.push(format!("{place}: {either}"));
    }
    if agreed.is_none() && sources.find("acme-terms-agreed").is_none() {
        let read = "`acme-terms-agreed` is needed beside it: read the terms of whoever issues certificates there, \
                    and say `true`";
        sources.faults.push(format!("{place}: {read}"));
    }
    let external = match (id, key) {
        (None, None) => None,
        (Some(id), Some(key)) => Some((id, key)),
        _ => {
            sources.faults.push(format!("{place}: `acme-key-id` and `acme-key-file` are given together"));
            None
        }
    };
    let directory = directory.or_else(|| acme::directory(acme::LETS_ENCRYPT))?;
    let certificates = Certificates::default();
    Some(Certified { names: names?, directory, contact, external, authorities, certificates })
}

/// Whom a directory of one's own is vouched for by, beside those whom the machine trusts.
pub(crate) fn authorities(path: Option<PathBuf>) -> Result<Authorities, Problems> {
    let Some(path) = path else { return Ok(Authorities::default()) };
    let what = "authorities of ACME";
    let pem = std::fs::read(&path).map_err(|source| Own::Read { what, path: path.clone(), source })?;
    let read = Authorities::from_pem(&pem);
    Ok(read.map_err(|error| Own::WrongFile { what, path, reason: error.to_string() })?)
}

fn external(id: String, path: PathBuf) -> Result<ExternalAccount, Own> {
    let what = "the key of an external account";
    let text = std::fs::read_to_string(&path).map(Zeroizing::new);
    let text = text.map_err(|source| Own::Read { what, path: path.clone(), source })?;
    let key = acme::external_key(&text).ok_or_else(|| {
        let reason = "it holds one key of at least 128 bits, as base64 for URLs".to_owned();
        Own::WrongFile { what, path, reason }
    })?;
    Ok(ExternalAccount { id, key })
}

/// What the server shows, as who sees to certificates reaches it.
struct Shown(Certificates);

impl Shows for Shown {
    fn show(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<(), NotShown> {
        self.0.show(chain, key).map_err(not_shown)
    }

    fn prove(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), NotShown> {
        self.0.prove(name, certificate, key).map_err(not_shown)
    }

    fn forget(&self, name: &str) {
        self.0.forget(name);
    }
}

fn not_shown(error: api::Error) -> NotShown {
    NotShown(Box::new(error))
}
