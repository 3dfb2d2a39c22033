//! Bodies flow both ways at once through a guest. One that had to be sent whole before the answer may come would stall
//! once the buffers between are full.

use super::Plan;
use super::servers::serve;
use egress::Outcome;
use http::Response;
use serde_json::json;

const LARGE_BYTES: u64 = 64 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_mebibytes_flow_both_ways_at_once_through_a_guest() {
    let echo = serve(|request| async { Response::new(request.into_body()) }).await;
    let config = json!({"act": "duplex", "count": LARGE_BYTES});
    let wired = Plan::to(echo, "wire", config).start().await;
    wired.read(None).await.unwrap();
    let said = wired.proof.said();
    assert_eq!(said[0], "status 200");
    let told =
        said[1].strip_prefix(&format!("sent {LARGE_BYTES}, received {LARGE_BYTES}, first after Some("));
    let first: u64 = told.unwrap_or_else(|| panic!("{said:?}")).trim_end_matches(')').parse().unwrap();
    assert!(first < LARGE_BYTES / 2, "the echo came only after {first} bytes");
    let entry = wired.ledger.all().remove(0);
    assert_eq!((entry.bytes_out, entry.bytes_in), (LARGE_BYTES, LARGE_BYTES));
    assert_eq!(entry.outcome, Outcome::Completed);
}
