//! The certificate that a server is to show: whether it is one, and for how long yet.

use std::error::Error as _;
use std::path::Path;

use super::finding::{Finding, Topic::Certificate};
use crate::units::counted;

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// Whoever renews certificates does so a month before their end; two weeks before it something is wrong with that.
const SOON_DAYS: u64 = 14;

pub(super) fn finding(path: &Path, now_ms: u64) -> Finding {
    judge(path, api::certificate_ends(path), now_ms / 1_000)
}

fn judge(path: &Path, ends: Result<Option<u64>, api::Error>, now: u64) -> Finding {
    let path = path.display();
    let why = "who comes by TLS is refused by their own side, and sees a warning at best";
    let ends = match ends {
        Ok(Some(ends)) => ends,
        Ok(None) => {
            let seen = format!("`{path}` has a certificate that cannot be read");
            return Finding::fault(Certificate, seen, why, "ask whoever issues it for one as X.509, in PEM");
        }
        Err(error) => {
            let cause = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            return Finding::fault(Certificate, cause, why, "name the chain of certificates, as PEM");
        }
    };
    let renew = "let whatever renews it run, and write both files anew: the server takes them up by itself";
    match ends.checked_sub(now).map(|left| left / DAY_SECONDS) {
        None => Finding::fault(Certificate, format!("the certificate in `{path}` has ended"), why, renew),
        Some(days) if days < SOON_DAYS => {
            let seen = format!("the certificate in `{path}` ends in {}", counted(days, "day", "days"));
            Finding::warning(Certificate, seen, why, renew)
        }
        Some(days) => {
            let days = counted(days, "day", "days");
            Finding::ok(Certificate, format!("the certificate in `{path}` is good for {days} yet"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::finding::State;
    use super::{DAY_SECONDS, finding, judge};

    #[test]
    fn an_end_that_is_near_is_told_before_it_comes() {
        let now = 1_000 * DAY_SECONDS;
        for (ends, state, said) in [
            (now - 1, State::Fault, "has ended"),
            (now + 60, State::Warning, "ends in 0 days"),
            (now + 14 * DAY_SECONDS - 1, State::Warning, "ends in 13 days"),
            (now + 14 * DAY_SECONDS, State::Ok, "14 days yet"),
        ] {
            let found = judge(Path::new("chain.pem"), Ok(Some(ends)), now);
            assert_eq!(found.state(), state, "{ends}");
            assert!(found.text().contains(said), "{}", found.text());
        }
        assert_eq!(judge(Path::new("chain.pem"), Ok(None), now).state(), State::Fault);
    }

    #[test]
    fn a_real_one_is_read() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("chain.pem");
        assert_eq!(finding(&path, 0).state(), State::Fault);
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&path, made.cert.pem()).unwrap();
        assert_eq!(finding(&path, crate::units::now_ms()).state(), State::Ok);
        assert_eq!(finding(&path, u64::MAX).state(), State::Fault);
    }
}
