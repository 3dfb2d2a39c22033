use crate::credential::{Digest, Encoding, KeyEncoding, TimestampForm};
use crate::{HeaderFields, Manifest, SignatureScheme, WebhookAsk};

const HEAD: &str = "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
                    roles = [\"webhook\"]\ntitle = \"A\"\n";

fn read(body: &str) -> WebhookAsk {
    Manifest::parse("connector.toml", &format!("{HEAD}{body}")).unwrap().webhook.unwrap()
}

/// Each fault as `path: message`.
fn faults(body: &str) -> Vec<String> {
    let faults = Manifest::parse("connector.toml", &format!("{HEAD}{body}")).expect_err(body);
    faults.faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect()
}

/// A scheme with these lines beside the ones that it needs.
fn hmac(more: &str) -> String {
    let needed =
        "scheme = \"hmac-header\"\nheader = \"X-Signature\"\nhash = \"sha256\"\nencoding = \"hex\"\n";
    format!("[webhook.signature]\n{needed}{more}\n")
}

#[test]
fn what_a_connector_says_of_messages_is_read() {
    let ask = read(
        "[webhook]\nheaders = [\"X-Event\", \"content-type\"]\n[webhook.signature]\nscheme = \"standard-webhooks\"\n",
    );
    assert_eq!(ask.headers, ["x-event", "content-type"]);
    assert_eq!(ask.id_header(), Some("webhook-id"));
    let signature = ask.signature.unwrap();
    assert_eq!((signature.as_str(), signature.tolerance_ms()), ("standard-webhooks", Some(300_000)));
    assert_eq!(read("[webhook]\n"), WebhookAsk::default());
    let named = read("[webhook]\nid_header = \"X-GitHub-Delivery\"\n");
    assert_eq!(named.id_header(), Some("x-github-delivery"));
}

#[test]
fn schemes_of_known_senders_can_be_written() {
    let github = read(&hmac("prefix = \"sha256=\"\nsign = \"${body}\""));
    let Some(SignatureScheme::HmacHeader(scheme)) = &github.signature else { panic!("{github:?}") };
    assert_eq!((scheme.header.as_str(), scheme.prefix.as_str()), ("x-signature", "sha256="));
    assert_eq!((scheme.hash, scheme.encoding), (Digest::Sha256, Encoding::Hex));
    assert_eq!((scheme.key_encoding, scheme.timestamp), (KeyEncoding::Text, TimestampForm::Seconds));
    assert_eq!((scheme.signs_time(), github.signature.as_ref().unwrap().tolerance_ms()), (false, None));

    let stripe = "sign = \"${timestamp}.${body}\"\nfields = { signature = \"v1\", timestamp = \"t\" }\ntolerance = \"1 min\"";
    let stripe = read(&hmac(stripe)).signature.unwrap();
    let SignatureScheme::HmacHeader(scheme) = &stripe else { panic!("{stripe:?}") };
    let fields = HeaderFields { signature: "v1".into(), timestamp: Some("t".into()) };
    assert_eq!((scheme.fields.as_ref(), stripe.tolerance_ms()), (Some(&fields), Some(60_000)));

    let slack = "sign = \"v0:${timestamp}:${body}\"\nprefix = \"v0=\"\ntimestamp_header = \"X-Slack-Request-Timestamp\"";
    assert_eq!(read(&hmac(slack)).signature.unwrap().tolerance_ms(), Some(300_000));
}

#[test]
fn a_challenge_in_a_body_and_a_name_with_a_password_can_be_written() {
    let slack =
        "[webhook.challenge]\nfield = \"type\"\nvalue = \"url_verification\"\nanswer = \"challenge\"\n";
    let ask = read(slack);
    let challenge = ask.challenge.unwrap();
    assert_eq!(
        (challenge.field.as_str(), challenge.value.as_str(), challenge.answer.as_str()),
        ("type", "url_verification", "challenge")
    );
    let basic = read("[webhook.signature]\nscheme = \"basic\"\n").signature.unwrap();
    assert_eq!((basic.as_str(), basic.tolerance_ms()), ("basic", None));
    for (body, expected) in [
        ("[webhook.challenge]\nfield = \"type\"\nvalue = \"x\"\n", "answer"),
        (
            "[webhook.challenge]\nfield = \"type\"\nvalue = \"a\\nb\"\nanswer = \"c\"\n",
            "webhook.challenge.value",
        ),
        ("[webhook.challenge]\nfield = 7\nvalue = \"x\"\nanswer = \"c\"\n", "webhook.challenge.field"),
        ("[webhook.signature]\nscheme = \"basic\"\nheader = \"x\"\n", "unknown key `header`"),
    ] {
        assert!(faults(body).iter().any(|fault| fault.contains(expected)), "{expected}: {:?}", faults(body));
    }
}

#[test]
fn every_fault_of_a_scheme_is_told_at_its_place() {
    for (body, expected) in [
        ("[webhook]\nheader = []\n", vec!["webhook: unknown key `header`"]),
        (
            "[webhook]\nheaders = [\"a b\", \"Cookie\", \"x\", \"X\"]\n",
            vec![
                "webhook.headers[0]: `a b` is not the name of a header",
                "webhook.headers[1]: the header `cookie` is the host's alone",
                "webhook.headers[3]: the header `x` stands twice",
            ],
        ),
        ("[webhook.signature]\n", vec!["webhook.signature: `scheme` is missing"]),
        (
            "[webhook.signature]\nscheme = \"digest\"\n",
            vec!["webhook.signature.scheme: `digest` is not `standard-webhooks`, `hmac-header` or `basic`"],
        ),
        (
            "[webhook.signature]\nscheme = \"standard-webhooks\"\ntolerance = \"2 h\"\nhash = \"sha1\"\n",
            vec![
                "webhook.signature.tolerance: must be from 1 s to 1 h",
                "webhook.signature: unknown key `hash`",
            ],
        ),
        (&hmac(""), vec!["webhook.signature: `sign` is missing"]),
        (
            &hmac("sign = \"${path}${body}\""),
            vec![
                "webhook.signature.sign: signs `${path}`, which a message does not have; it has `${body}`, `${body_hash}`, \
                 `${timestamp}` and `${header.name}`",
            ],
        ),
        (
            &hmac("sign = \"${timestamp}\"\ntimestamp_header = \"x-time\""),
            vec![
                "webhook.signature.sign: does not sign `${body}`: whoever has one signature could send anything",
            ],
        ),
        (
            &hmac("sign = \"${timestamp}${body}\""),
            vec![
                "webhook.signature.sign: signs `${timestamp}`, which no `timestamp_header` and no field carries",
            ],
        ),
        (
            &hmac("sign = \"${body}\"\ntimestamp_header = \"x-time\""),
            vec![
                "webhook.signature.timestamp_header: the time is not signed: put `${timestamp}` into `sign`",
            ],
        ),
        (
            &hmac("sign = \"${body}\"\nprefix = \"a\"\nfields = { signature = \"v1\", timestamp = \"t\" }"),
            vec![
                "webhook.signature.prefix: a header of several fields has no prefix",
                "webhook.signature.fields: the time is not signed: put `${timestamp}` into `sign`",
            ],
        ),
        (
            &hmac("sign = \"${header.x-signature}${body}\""),
            vec!["webhook.signature.sign: signs the header of the signature itself"],
        ),
    ] {
        let mut found = faults(body);
        found.sort();
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        expected.sort();
        assert_eq!(found, expected, "{body}");
    }
    let other = format!("{HEAD}[webhook]\n").replace("roles = [\"webhook\"]", "roles = [\"source\"]");
    let faults = Manifest::parse("connector.toml", &other).unwrap_err();
    assert_eq!(faults.faults[0].message, "the connector is no webhook");
}

#[test]
fn a_manifest_of_before_has_no_word_of_messages_and_one_with_them_crosses_a_process_boundary() {
    let manifest =
        Manifest::parse("connector.toml", &format!("{HEAD}{}", hmac("sign = \"${body}\""))).unwrap();
    let mut carried = serde_json::to_value(&manifest).unwrap();
    assert_eq!(serde_json::from_value::<Manifest>(carried.clone()).unwrap(), manifest);
    carried.as_object_mut().unwrap().remove("webhook");
    assert_eq!(serde_json::from_value::<Manifest>(carried).unwrap().webhook, None);
}
