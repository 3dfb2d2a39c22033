//! What is sent beside the guest's words: Host always, redirects never, nothing that only the host may say.

use super::Plan;
use super::servers::{Raw, Then, answer};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_host_header_is_always_sent() {
    let server = Raw::answering(answer("200 OK", "", "ok"), Then::Close).await;
    Plan::to(server.address, "wire", json!({"act": "get", "path": "/a?b=c"})).read().await.unwrap();
    let heads = server.heads();
    let lines: Vec<_> = heads[0].split("\r\n").collect();
    assert_eq!(lines[0], "GET /a?b=c HTTP/1.1");
    let hosts = lines.iter().filter(|line| line.to_ascii_lowercase().starts_with("host:"));
    assert_eq!(hosts.collect::<Vec<_>>(), [&format!("host: {}", server.address)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_only_the_host_may_set_are_refused() {
    let server = Raw::answering(answer("200 OK", "", "ok"), Then::Close).await;
    let wired = Plan::to(server.address, "wire", json!({"act": "forbidden-headers"})).start().await;
    wired.read(None).await.unwrap();
    let forbidden = ["host", "connection", "transfer-encoding", "upgrade", "proxy-authorization"];
    let mut expect: Vec<_> = forbidden.iter().map(|name| format!("{name} HeaderError::Forbidden")).collect();
    expect.push("x-mine set".to_owned());
    assert_eq!(wired.proof.said(), expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Raw::answering(answer("200 OK", "", "lured"), Then::Close).await;
    let location = format!("location: http://{}/secret\r\n", elsewhere.address);
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"]
    {
        let server = Raw::answering(answer(status, &location, "moved"), Then::Close).await;
        let wired = Plan::to(server.address, "wire", json!({"act": "get"})).start().await;
        wired.read(None).await.unwrap();
        let said = wired.proof.said();
        assert_eq!(said[0], format!("status {}", &status[..3]));
        let told = format!("header location: http://{}/secret", elsewhere.address);
        assert!(said.contains(&told), "{said:?}");
        assert_eq!(said.last().unwrap(), "body moved");
        assert_eq!(server.heads().len(), 1);
    }
    assert_eq!(elsewhere.heads().len() + elsewhere.open(), 0);
}
