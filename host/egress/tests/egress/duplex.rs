//! Bodies flow both ways at once. A client that sends first and reads later stalls once the buffers between are full.

use http::Request;
use http_body_util::BodyExt;

use crate::support::authority::Authority;
use crate::support::certain::{self, Check};
use crate::support::secure::Echo;
use crate::support::{BOUND, House};

const LARGE_BYTES: u64 = 64 << 20;

async fn echo_large(house: House, url: String) {
    let client = house.client();
    let work = async {
        let request = Request::post(url).body(certain::body(LARGE_BYTES)).unwrap();
        let mut body = client.send(request).await.unwrap().into_body();
        let mut check = Check::default();
        while let Some(frame) = body.frame().await {
            check.part(&frame.unwrap().into_data().unwrap());
        }
        assert_eq!(check.bytes, LARGE_BYTES);
    };
    tokio::time::timeout(BOUND, work).await.expect("the bodies stalled");
    let entry = house.ledger.only();
    assert_eq!(
        (entry.bytes_out, entry.bytes_in, entry.bytes_in_wire),
        (LARGE_BYTES, LARGE_BYTES, LARGE_BYTES)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_mebibytes_flow_both_ways_at_once_over_http_1() {
    let echo = Echo::plain().await;
    echo_large(House::default(), format!("http://{}/", echo.address)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_mebibytes_flow_both_ways_at_once_over_http_2() {
    let authority = Authority::new();
    let echo = Echo::secure(&authority.issue("api.test"), "h2").await;
    let url = format!("https://api.test:{}/", echo.address.port());
    echo_large(House::default().trusting(&authority.pem()), url).await;
}

#[tokio::test]
async fn an_answer_that_comes_before_the_upload_has_ended_is_read_whole() {
    use crate::support::raw::{Raw, Then, ok};
    // The server answers after the head and reads nothing of the endless upload.
    let server = Raw::answering(ok("too much"), Then::Hold).await;
    let house = House::default();
    let request = Request::put(server.url("/")).body(certain::body(LARGE_BYTES)).unwrap();
    let body = crate::support::fetch(&house.client(), request).await.unwrap();
    assert_eq!(body, "too much");
    crate::support::eventually("the upload is cut", || server.open() == 0).await;
    assert!(house.ledger.only().bytes_out < LARGE_BYTES);
}
