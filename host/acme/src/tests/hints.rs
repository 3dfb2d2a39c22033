//! What the other side says of when to renew.

use super::world::{Answer, World, directory_of};
use crate::certificate::Certificate;
use crate::hint::{self, Hint};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use std::sync::Arc;

const NOW_MS: u64 = 1_735_689_600_000;
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// One that somebody has issued.
fn certificate() -> Certificate {
    Certificate::read(&issued().0).unwrap()
}

/// The same, and its key, as PEM.
pub(super) fn issued() -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
}

/// The hint of a directory that answers so where it is asked for one.
async fn hint(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Hint {
    let world = World::new(Arc::new(move |path, address| match path {
        "/dir" => {
            let mut directory = directory_of(address);
            directory["renewalInfo"] = json!(format!("https://{address}/renewal"));
            Some((200, String::new(), directory.to_string()))
        }
        path if path.starts_with("/renewal/") => Some(answer()),
        _ => None,
    }))
    .await;
    hint::asked(&world.account().await, &certificate(), NOW_MS).await
}

fn window(start: &str, end: &str) -> String {
    json!({"suggestedWindow": {"start": start, "end": end}}).to_string()
}

#[tokio::test]
async fn who_issued_a_certificate_says_from_when_to_when_it_is_to_be_renewed() {
    let body = window("2025-01-02T00:00:00Z", "2025-01-03T00:00:00Z");
    let told = move |after: &'static str| {
        let body = body.clone();
        hint(move || (200, format!("retry-after: {after}\r\n"), body.clone()))
    };
    let day_ms = 24 * HOUR_MS;
    let window_ms = Some((NOW_MS + day_ms, NOW_MS + 2 * day_ms));
    // It is asked no oftener than each hour, and no seldomer than each day. What is left of a date is a little less.
    for (after, hours) in [("1", 1), ("7200", 2), ("99999999", 24)] {
        let found = told(after).await;
        assert_eq!(found.window_ms, window_ms, "{after}");
        let again = (found.again_ms - NOW_MS).div_ceil(HOUR_MS);
        assert_eq!(again, hours, "{after}");
    }
}

#[tokio::test]
async fn what_is_no_hint_leaves_it_to_the_life_of_the_certificate() {
    let none = Hint { window_ms: None, again_ms: NOW_MS + 6 * HOUR_MS };
    let after = "retry-after: 21600\r\n";
    let window = window("2025-01-03T00:00:00Z", "2025-01-02T00:00:00Z");
    let backwards = hint(move || (200, after.to_owned(), window.clone())).await;
    assert_eq!(backwards.window_ms, None);
    assert_eq!(hint(|| (200, "retry-after: 3\r\n".to_owned(), "<html>".to_owned())).await, none);
    assert_eq!(hint(|| (500, String::new(), String::new())).await, none);
    let silent = World::new(Arc::new(|_, _| None)).await;
    assert_eq!(hint::asked(&silent.account().await, &certificate(), NOW_MS).await, none);
    assert!(silent.asked.lock().unwrap().iter().all(|path| !path.starts_with("/renewal")));
}
