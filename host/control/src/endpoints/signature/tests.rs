use super::super::record::KeptSecret;
use super::{check_secret, verify};
use manifest::{Manifest, SignatureScheme};

/// The scheme of a manifest with these lines.
fn scheme(lines: &str) -> SignatureScheme {
    let head = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
                roles = [\"webhook\"]\ntitle = \"A\"\n[webhook.signature]\n";
    Manifest::parse("connector.toml", &format!("{head}{lines}")).unwrap().webhook.unwrap().signature.unwrap()
}

fn hmac(lines: &str) -> SignatureScheme {
    scheme(&format!("scheme = \"hmac-header\"\nhash = \"sha256\"\nencoding = \"hex\"\n{lines}"))
}

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn judge(
    scheme: &SignatureScheme,
    secrets: &[&str],
    (all, body): (&[(&str, &str)], &str),
    now_ms: u64,
) -> Result<(), &'static str> {
    let kept: Vec<KeptSecret> =
        secrets.iter().map(|text| KeptSecret { text: (*text).to_owned(), until_ms: None }).collect();
    verify(scheme, &kept.iter().collect::<Vec<_>>(), (&headers(all), body.as_bytes()), now_ms)
}

/// The example that the libraries of Standard Webhooks are tested by.
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT_S: u64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

#[test]
fn the_published_example_of_standard_webhooks_is_accepted_and_nothing_near_it() {
    let scheme = scheme("scheme = \"standard-webhooks\"\n");
    let told = |id: &str, at: &str, signature: &str, key: &str, body: &str| {
        let all = [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)];
        judge(&scheme, &[key], (&all, body), AT_S * 1_000)
    };
    let at = AT_S.to_string();
    assert_eq!(told(ID, &at, SIGNATURE, KEY, BODY), Ok(()));
    assert_eq!(told(ID, &at, SIGNATURE, KEY.trim_start_matches("whsec_"), BODY), Ok(()));
    // While its key changes, a sender gives a signature by each; signatures of other kinds stand beside them.
    assert_eq!(told(ID, &at, &format!("v1,AAAA v1a,{SIGNATURE} {SIGNATURE}"), KEY, BODY), Ok(()));
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (id, at, signature, key, body) in [
        ("msg_other", at.as_str(), SIGNATURE, KEY, BODY),
        (ID, "1614265331", SIGNATURE, KEY, BODY),
        (ID, &at, &SIGNATURE.replace("v1,", "v2,"), KEY, BODY),
        (ID, &at, &SIGNATURE.replace('g', "h"), KEY, BODY),
        (ID, &at, "v1,", KEY, BODY),
        (ID, &at, "", KEY, BODY),
        (ID, "soon", SIGNATURE, KEY, BODY),
        (ID, "-1", SIGNATURE, KEY, BODY),
        (ID, "18446744073709551615", SIGNATURE, KEY, BODY),
        (ID, &at, SIGNATURE, other, BODY),
        (ID, &at, SIGNATURE, KEY, r#"{"test": 2432232315}"#),
        (ID, &at, SIGNATURE, KEY, ""),
    ] {
        assert!(told(id, at, signature, key, body).is_err(), "{id} {at} {signature} {key} {body}");
    }
}

#[test]
fn a_message_without_the_headers_or_with_one_of_them_twice_is_refused() {
    let scheme = scheme("scheme = \"standard-webhooks\"\n");
    let at = AT_S.to_string();
    let all = [("webhook-id", ID), ("webhook-timestamp", at.as_str()), ("webhook-signature", SIGNATURE)];
    for left_out in 0..all.len() {
        let mut some = all.to_vec();
        some.remove(left_out);
        assert!(judge(&scheme, &[KEY], (&some, BODY), AT_S * 1_000).is_err(), "{left_out}");
    }
    for twice in [("webhook-id", ID), ("webhook-timestamp", at.as_str())] {
        let more = [all.as_slice(), &[twice]].concat();
        assert!(judge(&scheme, &[KEY], (&more, BODY), AT_S * 1_000).is_err(), "{twice:?}");
    }
}

#[test]
fn a_time_may_be_off_by_the_tolerance_and_no_more() {
    let scheme = scheme("scheme = \"standard-webhooks\"\ntolerance = \"5 min\"\n");
    let at = AT_S.to_string();
    let all = [("webhook-id", ID), ("webhook-timestamp", at.as_str()), ("webhook-signature", SIGNATURE)];
    let told = |now_ms| judge(&scheme, &[KEY], (&all, BODY), now_ms);
    let signed_ms = AT_S * 1_000;
    assert_eq!(told(signed_ms - 300_000), Ok(()));
    assert_eq!(told(signed_ms + 300_000), Ok(()));
    assert_eq!(told(signed_ms - 300_001), Err(super::OFF));
    assert_eq!(told(signed_ms + 300_001), Err(super::OFF));
}

#[test]
fn the_published_examples_of_known_senders_are_accepted() {
    let github = hmac("header = \"x-hub-signature-256\"\nprefix = \"sha256=\"\nsign = \"${body}\"\n");
    let signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let key = "It's a Secret to Everybody";
    let told = |value: &str, body| judge(&github, &[key], (&[("x-hub-signature-256", value)], body), 0);
    assert_eq!(told(signed, "Hello, World!"), Ok(()));
    assert_eq!(told(signed, "Hello, World"), Err(super::NOT_ITS));
    assert_eq!(told(signed.trim_start_matches("sha256="), "Hello, World!"), Err(super::NOT_SIGNED));

    let slack = hmac(
        "header = \"x-slack-signature\"\nprefix = \"v0=\"\nsign = \"v0:${timestamp}:${body}\"\n\
         timestamp_header = \"x-slack-request-timestamp\"\n",
    );
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
                trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signed = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let all = [("x-slack-signature", signed), ("x-slack-request-timestamp", "1531420618")];
    let key = "8f742231b10e8888abcd99yyyzzz85a5";
    assert_eq!(judge(&slack, &[key], (&all, body), 1_531_420_618_000), Ok(()));
    assert_eq!(judge(&slack, &[key], (&all, body), 1_531_430_618_000), Err(super::OFF));
    assert_eq!(judge(&slack, &[key], (&all[..1], body), 1_531_420_618_000), Err(super::NO_TIME));
}

/// HMAC-SHA256 of `1492774577.{"id":1}` by `whsec_test`, made by another program.
const FIELD: &str = "b164f0bdace395b683022343e6a251eaf36f4381d672f92874dcc6cb562c96ad";

#[test]
fn a_header_of_fields_holds_the_time_and_one_signature_for_each_key() {
    let scheme = hmac(
        "header = \"stripe-signature\"\nsign = \"${timestamp}.${body}\"\n\
         fields = { signature = \"v1\", timestamp = \"t\" }\n",
    );
    let body = r#"{"id":1}"#;
    let told = |value: &str| {
        judge(&scheme, &["old", "whsec_test"], (&[("stripe-signature", value)], body), 1_492_774_577_000)
    };
    assert_eq!(told(&format!("t=1492774577,v1=00,v1={FIELD},v0=11")), Ok(()));
    assert_eq!(told(&format!("t=1492774577, v1={FIELD}")), Ok(()));
    assert_eq!(told(&format!("t=1492774577,v0={FIELD}")), Err(super::NOT_SIGNED));
    assert_eq!(told(&format!("t=1492774578,v1={FIELD}")), Err(super::NOT_ITS));
    assert_eq!(told(&format!("v1={FIELD}")), Err(super::NO_TIME));
    assert_eq!(told(""), Err(super::NO_TIME));
}

#[test]
fn a_key_is_one_of_its_scheme() {
    let standard = scheme("scheme = \"standard-webhooks\"\n");
    let hex = hmac("header = \"x-s\"\nsign = \"${body}\"\nkey_encoding = \"hex\"\n");
    let text = hmac("header = \"x-s\"\nsign = \"${body}\"\n");
    for (scheme, key, is_one) in [
        (&standard, KEY, true),
        (&standard, "whsec_AAAA", false),
        (&standard, "no base64!", false),
        (&standard, &"A".repeat(88), false),
        (&hex, "00ff", true),
        (&hex, "0g", false),
        (&hex, "", false),
        (&text, "whatever it is", true),
        (&text, "", false),
        (&text, &"a".repeat(1_025), false),
    ] {
        assert_eq!(check_secret(scheme, key).is_ok(), is_one, "{key}");
    }
}

#[test]
fn a_name_with_its_password_is_shown_once_and_whole() {
    let basic = scheme("scheme = \"basic\"\n");
    let shown = |all: &[(&str, &str)], secrets: &[&str]| judge(&basic, secrets, (all, "{}"), 0);
    // RFC 7617, section 2.
    let (secret, word) = ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let value = format!("Basic {word}");
    assert_eq!(shown(&[("authorization", &value)], &[secret]), Ok(()));
    assert_eq!(shown(&[("authorization", &format!("basic  {word}"))], &["other:word", secret]), Ok(()));
    for wrong in [
        &[][..],
        &[("authorization", "Basic")],
        &[("authorization", "Basic ")],
        &[("authorization", word)],
        &[("authorization", &format!("Bearer {word}"))],
        &[("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2Ft")],
        &[("authorization", &value), ("authorization", &value)],
        &[("proxy-authorization", &value)],
    ] {
        assert!(shown(wrong, &[secret]).is_err(), "{wrong:?}");
    }
    assert!(shown(&[("authorization", &value)], &[]).is_err(), "no key is none that fits");
    assert!(shown(&[("authorization", &value)], &["Aladdin:open"]).is_err());
    assert_eq!(check_secret(&basic, secret), Ok(()));
    assert!(check_secret(&basic, "no colon").is_err());
}
