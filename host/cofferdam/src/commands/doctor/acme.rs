//! Certificates by ACME: whether the directory is reached and is one, and whether names can be proved where a server listens.
//! Nothing is ordered, and no account is made.

use std::net::SocketAddr;
use std::path::PathBuf;

use egress::Egress;
use http::Uri;

use super::finding::{Finding, Topic::Acme};
use crate::arguments::Network;
use crate::host::ways_out;
use crate::problem::Problems;
use crate::serve::authorities;

/// Where whoever looks for a proof comes (RFC 8737 §3).
const PROOF_PORT: u16 = 443;

pub(super) async fn findings(
    directory: &Uri,
    trusted: Option<PathBuf>,
    name_servers: Vec<SocketAddr>,
    addresses: &[SocketAddr],
) -> Result<Vec<Finding>, Problems> {
    let network = Network { proxy: None, name_servers, hosts_file: false };
    let egress = Egress::new(ways_out(&network))?;
    let reached = acme::reach(directory, &egress, authorities(trusted)?).await;
    let mut findings = vec![judge(directory, reached)];
    findings.extend(port(addresses));
    Ok(findings)
}

fn judge(directory: &Uri, reached: Result<(), acme::Error>) -> Finding {
    let Err(error) = reached else {
        return Finding::ok(Acme, format!("the directory at {directory} is reached"));
    };
    let cause = error.cause().map(|cause| format!(": {cause}")).unwrap_or_default();
    let why = "no certificate comes, and one that is there is not renewed";
    Finding::fault(Acme, format!("{} {error}{cause}", error.code()), why, error.hint())
}

/// Where a server is to listen nowhere, there is nothing to say.
fn port(addresses: &[SocketAddr]) -> Option<Finding> {
    let is_missed = !addresses.is_empty() && addresses.iter().all(|address| address.port() != PROOF_PORT);
    is_missed.then(|| {
        Finding::warning(
            Acme,
            format!("the server is to listen on another port than {PROOF_PORT}"),
            "the ACME server looks for the proof of a name at that port alone",
            "let the port lead to where the server listens, as TCP and without ending TLS on the way",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{judge, port};
    use http::Uri;

    #[test]
    fn what_is_wrong_with_a_directory_is_told_with_what_to_do() {
        let directory = Uri::from_static("https://ca.example/directory");
        assert_eq!(judge(&directory, Ok(())).state(), State::Ok);
        let found = judge(
            &directory,
            Err(acme::Error::NotAcme { doing: "read the directory", reason: "status 200".to_owned() }),
        );
        assert_eq!(found.state(), State::Fault);
        assert!(
            found.text().contains("CD1502") && found.text().contains("`acme-directory`"),
            "{}",
            found.text()
        );
    }

    #[test]
    fn a_name_is_proved_at_one_port_alone() {
        let at = |ports: &[u16]| {
            let addresses: Vec<_> = ports.iter().map(|port| ([0, 0, 0, 0], *port).into()).collect();
            port(&addresses).is_some()
        };
        assert!(at(&[8443]) && at(&[80, 8443]));
        assert!(!at(&[443]) && !at(&[80, 443]) && !at(&[]));
    }
}
