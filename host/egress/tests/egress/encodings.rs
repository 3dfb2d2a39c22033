//! The host undoes one layer of content encoding, whole or not at all.

use std::io::Cursor;

use async_compression::Level;
use async_compression::tokio::bufread::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use async_compression::zstd::CParameter;
use egress::{Class, Error, Limit};
use http::Request;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::support::raw::{Raw, Then};
use crate::support::{House, fetch, get, read, send};

async fn all(mut encoder: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// The text in each encoding; `raw` is what some servers call `deflate`.
pub(crate) async fn encode(coding: &str, text: &[u8]) -> Vec<u8> {
    let text = Cursor::new(text.to_vec());
    match coding {
        "gzip" | "x-gzip" | "GZip" => all(GzipEncoder::new(text)).await,
        "br" => all(BrotliEncoder::with_quality(text, Level::Fastest)).await,
        "zstd" => all(ZstdEncoder::new(text)).await,
        "deflate" => all(ZlibEncoder::new(text)).await,
        "raw" => all(DeflateEncoder::new(text)).await,
        other => panic!("no encoding {other}"),
    }
}

fn answer(coding: &str, body: &[u8]) -> Vec<u8> {
    let coding = if coding == "raw" { "deflate" } else { coding };
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len())
            .into_bytes();
    answer.extend(body);
    answer
}

/// Real data is long enough to cross parts and compresses well without being constant.
fn text() -> Vec<u8> {
    (0..6_000)
        .flat_map(|number: u32| format!("{number},{}\n", number.wrapping_mul(2_654_435_761)).into_bytes())
        .collect()
}

const CODINGS: [&str; 7] = ["gzip", "x-gzip", "GZip", "br", "zstd", "deflate", "raw"];

async fn failure(server: &Raw) -> Error {
    match fetch(&House::default().client(), get(server.url("/"))).await {
        Ok(body) => panic!("{} bytes came without an error", body.len()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn each_encoding_is_undone_and_its_headers_go() {
    let text = text();
    for coding in CODINGS {
        let encoded = encode(coding, &text).await;
        let server = Raw::answering(answer(coding, &encoded), Then::Serve).await;
        let house = House::default();
        let client = house.client();
        for _ in 0..2 {
            let response = send(&client, get(server.url("/"))).await.unwrap();
            assert!(response.headers().is_empty(), "{coding}: {:?}", response.headers());
            assert!(read(response).await.unwrap() == text, "{coding}");
        }
        assert_eq!(server.connections(), 1, "{coding}: the connection is kept");
        let entry = house.ledger.all()[0].clone();
        assert_eq!(
            (entry.bytes_in_wire, entry.bytes_in),
            (encoded.len() as u64, text.len() as u64),
            "{coding}"
        );
        assert!(!entry.opaque && entry.bytes_in_wire < entry.bytes_in);
    }
}

#[tokio::test]
async fn an_encoded_body_that_ends_early_is_an_error_wherever_it_is_cut() {
    let text = text();
    for coding in CODINGS {
        let encoded = encode(coding, &text).await;
        for cut in [1, 2, 5, 11, encoded.len() / 2, encoded.len() - 9, encoded.len() - 4, encoded.len() - 1] {
            let server = Raw::answering(answer(coding, &encoded[..cut]), Then::Serve).await;
            let error = failure(&server).await;
            assert!(
                matches!(error, Error::BodyEndedEarly { .. }),
                "{coding} cut at {cut}: {}",
                error.full_text()
            );
        }
    }
}

#[tokio::test]
async fn an_encoded_body_that_is_damaged_is_an_error() {
    // The other encodings carry no checksum here.
    for coding in ["gzip", "deflate"] {
        let mut encoded = encode(coding, &text()).await;
        let middle = encoded.len() / 2;
        encoded[middle] ^= 0x55;
        let server = Raw::answering(answer(coding, &encoded), Then::Serve).await;
        let error = failure(&server).await;
        // A flipped bit may also make the rest look missing.
        assert!(matches!(error, Error::Decode { .. } | Error::BodyEndedEarly { .. }), "{coding}: {error}");
    }
    for coding in CODINGS {
        let server =
            Raw::answering(answer(coding, b"\xffthis is no encoding of anything at all"), Then::Serve).await;
        let error = failure(&server).await;
        assert!(matches!(error, Error::Decode { .. }), "{coding}: {}", error.full_text());
        assert_eq!((error.code(), error.class()), ("CD0310", Class::Upstream));
    }
}

#[tokio::test]
async fn bytes_after_an_encoded_body_are_an_error_and_members_in_a_row_are_read() {
    for coding in CODINGS {
        let mut encoded = encode(coding, b"first ").await;
        encoded.extend(b"garbage");
        let server = Raw::answering(answer(coding, &encoded), Then::Serve).await;
        let error = failure(&server).await;
        assert!(
            matches!(error, Error::Decode { .. } | Error::BodyEndedEarly { .. }),
            "{coding}: {}",
            error.full_text()
        );
    }
    for coding in ["gzip", "zstd"] {
        let mut encoded = encode(coding, b"first ").await;
        encoded.extend(encode(coding, b"second").await);
        let server = Raw::answering(answer(coding, &encoded), Then::Serve).await;
        assert_eq!(fetch(&House::default().client(), get(server.url("/"))).await.unwrap(), "first second");
    }
}

#[tokio::test]
async fn e60_bombs_are_cut_at_the_cap_on_decoded_bytes() {
    let zeros = vec![0; 16 << 20];
    for coding in ["gzip", "br", "zstd", "deflate", "raw"] {
        let bomb = encode(coding, &zeros).await;
        let server = Raw::answering(answer(coding, &bomb), Then::Serve).await;
        let house = House::default().caps(|caps| caps.response_body_bytes = 1 << 20);
        let error = fetch(&house.client(), get(server.url("/"))).await.unwrap_err();
        assert!(matches!(error, Error::Limit { limit: Limit::ResponseBodyBytes, .. }), "{coding}: {error}");
        assert!(house.ledger.only().bytes_in <= (1 << 20) + (64 << 10), "{coding}");
    }
}

#[tokio::test]
async fn e60_an_encoded_stream_that_decodes_to_nothing_is_cut_by_its_own_length() {
    // Empty stored blocks: five bytes each that decode to none, for ever.
    let mut encoded = b"\x78\x9c".to_vec();
    encoded.extend(b"\x00\x00\x00\xff\xff".repeat(100_000));
    let answer = [b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n".as_slice(), &encoded].concat();
    let server = Raw::answering(answer, Then::Hold).await;
    let house = House::default().caps(|caps| caps.response_body_bytes = 100_000);
    let error = fetch(&house.client(), get(server.url("/"))).await.unwrap_err();
    assert!(matches!(error, Error::Limit { limit: Limit::ResponseBodyBytes, .. }), "{error}");
}

#[tokio::test]
async fn e60_windows_that_would_cost_the_host_its_memory_are_refused() {
    let parameters = [CParameter::window_log(27), CParameter::content_size_flag(false)];
    let wide =
        all(ZstdEncoder::with_quality_and_params(Cursor::new(vec![7; 1 << 20]), Level::Default, &parameters))
            .await;
    let brotli_large = b"\x11\x1e\x00\x00\x00".to_vec();
    for (coding, body) in [("zstd", wide), ("br", brotli_large)] {
        let server = Raw::answering(answer(coding, &body), Then::Serve).await;
        let error = failure(&server).await;
        assert!(matches!(error, Error::Decode { .. }), "{coding}: {}", error.full_text());
    }
}

#[tokio::test]
async fn e60_of_nested_encodings_one_layer_is_undone_and_the_rest_is_said() {
    let inner = encode("br", b"deep").await;
    let outer = encode("gzip", &inner).await;
    let server = Raw::answering(answer("br, gzip", &outer), Then::Serve).await;
    let house = House::default();
    let response = send(&house.client(), get(server.url("/"))).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "br");
    assert!(read(response).await.unwrap() == inner);
    assert!(house.ledger.only().opaque, "the ledger says that the guest saw encoded content");
}

#[tokio::test]
async fn an_encoding_that_the_host_cannot_undo_passes_and_is_marked() {
    let server = Raw::answering(answer("compress", b"\x1f\x9dabc"), Then::Serve).await;
    let house = House::default();
    let response = send(&house.client(), get(server.url("/"))).await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "compress");
    assert_eq!(read(response).await.unwrap(), &b"\x1f\x9dabc"[..]);
    assert!(house.ledger.only().opaque);
}

#[tokio::test]
async fn a_part_of_an_encoded_resource_passes_as_it_is() {
    let answer = "HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc";
    let server = Raw::answering(answer, Then::Serve).await;
    let request = Request::get(server.url("/")).header("range", "bytes=5-7").body(egress::empty()).unwrap();
    assert_eq!(fetch(&House::default().client(), request).await.unwrap(), "abc");
}

#[tokio::test]
async fn an_empty_body_in_chunks_needs_no_decoding() {
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        let server = Raw::answering(answer, Then::Serve).await;
        assert_eq!(fetch(&House::default().client(), get(server.url("/"))).await.unwrap(), "", "{coding}");
    }
}
