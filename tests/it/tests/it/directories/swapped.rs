//! A race: while the guest opens a path again and again, its directory is exchanged for a link that leads out, and back.

use super::{CANARY, Granted};
use serde_json::json;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const TRIES: u32 = 10_000;

/// Exchanges `swap`, a directory, and a link to the one beside, until it is told to stop.
fn exchange(granted: &Granted, stop: Arc<AtomicBool>, count: Arc<AtomicU64>) -> std::thread::JoinHandle<()> {
    let (swap, link, aside) = (granted.at("swap"), granted.at("link"), granted.at("aside"));
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            std::fs::rename(&swap, &aside).unwrap();
            std::fs::rename(&link, &swap).unwrap();
            std::fs::rename(&swap, &link).unwrap();
            std::fs::rename(&aside, &swap).unwrap();
            count.fetch_add(1, Ordering::Relaxed);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_becomes_a_link_while_it_is_opened_never_leads_out() {
    let granted = Granted::new(false);
    std::fs::create_dir(granted.at("swap")).unwrap();
    std::fs::write(granted.at("swap/secret"), "inside").unwrap();
    symlink("../beside", granted.at("link")).unwrap();
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let exchanging = exchange(&granted, stop.clone(), count.clone());
    let tries = json!([{ "do": "again", "path": "swap/secret", "count": TRIES }]);
    let said = granted.steps(tries).await;
    stop.store(true, Ordering::Relaxed);
    exchanging.join().unwrap();
    let said = said.unwrap().remove(0);
    assert!(!said.contains(CANARY), "{said}");
    // Both were met: the directory, and the link that leads out.
    for answer in ["`inside` ", "not-permitted "] {
        assert!(said.contains(answer), "{said} in {} exchanges", count.load(Ordering::Relaxed));
    }
    granted.nothing_outside_was_touched();
}
