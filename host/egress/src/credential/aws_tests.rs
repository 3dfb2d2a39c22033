use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method};

use super::{Body, Scope, place};
use crate::Caps;
use crate::credential::{Generation, Material, Secret};
use crate::rebuild::Head;
use crate::target::Target;

/// The SHA-256 of nothing.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn material() -> Material {
    Material::new(Generation(1))
        .with("access_key_id", Secret::new("AKIAIOSFODNN7EXAMPLE".to_owned()))
        .with("secret_access_key", Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()))
}

fn scope(service: &str) -> Scope<'_> {
    // 2013-05-24T00:00:00Z
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    Scope { service, region: "us-east-1", now }
}

fn head(target: &str, headers: &[(&'static str, &str)]) -> Head {
    let uri = format!("https://examplebucket.s3.amazonaws.com{target}").parse().unwrap();
    let target = Target::parse(&uri, &Caps::default()).unwrap();
    let mut all = HeaderMap::new();
    all.insert("host", target.authority.clone());
    all.insert("accept-encoding", "gzip".parse().unwrap());
    for (name, value) in headers {
        all.append(*name, value.parse().unwrap());
    }
    Head { method: Method::GET, target, headers: all }
}

/// "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
#[test]
fn the_published_examples_of_s3_come_out() {
    let range: &[_] = &[("range", "bytes=0-9")];
    for (target, headers, names, signature) in [
        (
            "/test.txt",
            range,
            "host;range;x-amz-content-sha256;x-amz-date",
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "/?lifecycle",
            &[],
            "host;x-amz-content-sha256;x-amz-date",
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "/?max-keys=2&prefix=J",
            &[],
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ] {
        let mut head = head(target, headers);
        place(&mut head, &scope("s3"), &material(), Body::Hashed(EMPTY.to_owned())).unwrap();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders={names}, Signature={signature}"
        );
        assert_eq!(head.headers["authorization"], expected.as_str(), "{target}");
        assert_eq!(
            (&head.headers["x-amz-date"], &head.headers["x-amz-content-sha256"]),
            (&"20130524T000000Z".parse().unwrap(), &EMPTY.parse().unwrap())
        );
    }
}

#[test]
fn e41_what_the_guest_wrote_of_a_signature_goes() {
    let sign = |target, headers| {
        let mut head = head(target, headers);
        place(&mut head, &scope("s3"), &material(), Body::Unsigned).unwrap();
        head
    };
    let plain = sign("/x?list-type=2", &[]);
    let twins = sign(
        "/x?X-Amz-Signature=00&list-type=2&x-amz-%63redential=mine&X-Amz-Security-Token=t&X-Amz-Expires=9",
        &[
            ("authorization", "AWS4-HMAC-SHA256 Credential=mine"),
            ("authorization", "Bearer mine"),
            ("x-amz-date", "20000101T000000Z"),
            ("x-amz-content-sha256", EMPTY),
            ("x-amz-security-token", "mine"),
            ("x_amz_date", "20000101T000000Z"),
            ("X-Amz_Security-Token", "mine"),
        ],
    );
    assert_eq!(twins.headers, plain.headers);
    assert_eq!(twins.target.path_and_query, "/x?list-type=2");
    assert_eq!(plain.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert!(
        plain.headers["authorization"].is_sensitive() && !plain.headers.contains_key("x-amz-security-token")
    );
}

#[test]
fn a_session_token_is_sent_and_signed_and_what_is_missing_is_said() {
    let mut head = head("/x", &[]);
    let session = material().with("session_token", Secret::new("session-1".to_owned()));
    place(&mut head, &scope("execute-api"), &session, Body::Hashed(EMPTY.to_owned())).unwrap();
    assert_eq!(head.headers["x-amz-security-token"], "session-1");
    assert!(head.headers["x-amz-security-token"].is_sensitive());
    assert!(head.headers["authorization"].to_str().unwrap().contains("x-amz-date;x-amz-security-token,"));
    for field in ["access_key_id", "secret_access_key"] {
        let problem = place(&mut head, &scope("s3"), &material().without(field), Body::Unsigned).unwrap_err();
        assert!(problem.starts_with("has no "), "{problem}");
    }
}
