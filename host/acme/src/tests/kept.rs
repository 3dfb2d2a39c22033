//! What is kept from one process to the next, and what becomes of a certificate that is there.

use super::hints::issued;
use super::hostile::problem;
use super::world::{Script, World, directory_of};
use crate::attempts::Attempts;
use crate::kept::KeptCertificate;
use crate::settings::{ExternalAccount, Settings};
use serde_json::json;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

const MINUTE_MS: u64 = 60 * 1_000;

fn honest() -> Script {
    Arc::new(|_, _| None)
}

impl World {
    /// Keeps a certificate for its settings, which came now.
    async fn has_certificate(&self) {
        let (chain, key) = issued();
        let (of, kept_ms) = (self.settings().digest(), self.kept().now_ms());
        let certificate = KeptCertificate { of, chain, key: Zeroizing::new(key), kept_ms };
        self.kept().keep_certificate(&certificate).await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_dies_during_an_attempt_leaves_one_that_counts() {
    let world = World::new(honest()).await;
    let mut renewal = world.renewal().await;
    {
        let mut attempt = pin!(renewal.attempt());
        let asked = async {
            while world.count("/dir") == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = asked => {}
            ended = &mut attempt => panic!("it was to be under way: {ended:?}"),
        }
    }
    let now_ms = world.kept().now_ms();
    assert!(world.renewal().await.next_ms(now_ms).await.unwrap() > now_ms + MINUTE_MS);
}

#[tokio::test]
async fn with_a_certificate_whatever_was_tried_in_vain_is_over() {
    let world = World::new(honest()).await;
    let (kept, of) = (world.kept(), world.settings().digest());
    kept.keep_attempts(&Attempts::of(None, of).begun(kept.now_ms())).await.unwrap();
    world.has_certificate().await;
    assert_eq!(kept.attempts().await.unwrap(), None);
}

#[tokio::test]
async fn a_certificate_is_kept_for_the_settings_it_was_asked_for() {
    let world = World::new(honest()).await;
    world.has_certificate().await;
    let now_ms = world.kept().now_ms();
    let due = async |settings| world.renewal_of(settings).await.next_ms(now_ms).await.unwrap();
    assert!(due(world.settings()).await > now_ms);
    let others = Settings { names: vec!["a.example".to_owned(), "b.example".to_owned()], ..world.settings() };
    assert_eq!(due(others).await, 0, "one for other names is asked for at once");
}

#[tokio::test]
async fn nobody_is_asked_when_to_renew_what_is_asked_for_anew_anyway() {
    let world = World::new(renews(Arc::default())).await;
    world.has_certificate().await;
    world.account().await;
    let asked = || world.asked.lock().unwrap().iter().filter(|path| path.starts_with("/renewal/")).count();
    let now_ms = world.kept().now_ms();
    let others = Settings { names: vec!["b.example".to_owned()], ..world.settings() };
    world.renewal_of(others).await.ask_for_hint(now_ms).await;
    assert_eq!(asked(), 0);
    world.renewal().await.ask_for_hint(now_ms).await;
    assert_eq!(asked(), 1);
}

/// A directory that says when to renew, and refuses the first order.
fn renews(is_refused: Arc<AtomicBool>) -> Script {
    Arc::new(move |path, address| match path {
        "/dir" => {
            let mut directory = directory_of(address);
            directory["renewalInfo"] = json!(format!("https://{address}/renewal"));
            Some((200, String::new(), directory.to_string()))
        }
        "/order" if !is_refused.swap(true, Ordering::SeqCst) => {
            problem("/order", 409, "alreadyReplaced", "")(path, address)
        }
        path if path.starts_with("/renewal/") => {
            let window = json!({"start": "2025-01-02T00:00:00Z", "end": "2025-01-03T00:00:00Z"});
            Some((200, "retry-after: 7200\r\n".to_owned(), json!({"suggestedWindow": window}).to_string()))
        }
        _ => None,
    })
}

#[tokio::test]
async fn an_order_that_may_replace_nothing_is_made_as_any_other() {
    let world = World::new(renews(Arc::default())).await;
    world.has_certificate().await;
    world.account().await;
    let mut renewal = world.renewal().await;
    renewal.ask_for_hint(world.kept().now_ms()).await;
    // What comes then is for another name: this directory has no better one.
    assert_eq!(renewal.attempt().await.unwrap_err().code(), "CD1510");
    assert_eq!(world.count("/order"), 2);
}

#[tokio::test]
async fn a_directory_that_points_into_our_network_has_nobody_called_there() {
    let inside = TcpListener::bind("127.0.0.2:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let address = inside.local_addr().unwrap();
    let script: Script = Arc::new(move |path, _| {
        (path == "/dir").then(|| (200, String::new(), directory_of(address).to_string()))
    });
    let error = World::new(script).await.renewal().await.attempt().await.unwrap_err();
    assert_eq!(error.code(), "CD1501");
    assert_eq!(inside.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn whatever_makes_another_account_or_order_is_told_apart() {
    let world = World::new(honest()).await;
    let key = || Zeroizing::new(vec![7; 32]);
    let external = |id: &str| Some(ExternalAccount { id: id.to_owned(), key: key() });
    let all = || {
        [
            world.settings(),
            Settings { contact: Some("op@host.example".to_owned()), ..world.settings() },
            Settings { external: external("kid-1"), ..world.settings() },
            Settings { external: external("kid-2"), ..world.settings() },
            Settings { directory: "https://ca.example/dir".parse().unwrap(), ..world.settings() },
        ]
    };
    let accounts: BTreeSet<[u8; 32]> = all().iter().map(Settings::account).collect();
    let orders: BTreeSet<[u8; 32]> = all().iter().map(Settings::digest).collect();
    assert_eq!((accounts.len(), orders.len()), (5, 5));
    let names = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Settings { names, ..world.settings() }
    };
    let (one, two) = (names(&["a.example", "b.example"]), names(&["a.exampleb", ".example"]));
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.account(), two.account());
}
