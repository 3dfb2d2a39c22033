//! A request whose credential cannot be placed is not sent, and says why.

use egress::credential::StoreError;
use egress::{Class, Error, GuestClass, Outcome};

use crate::support::kept_credentials::{Keeper, placed};
use crate::support::raw::{Raw, Then, ok};
use crate::support::{House, get, send};

#[tokio::test]
async fn a_request_whose_credential_cannot_be_placed_is_not_sent() {
    let long = "x".repeat(70_000);
    let header = "kind = \"header\"\nheader = \"x-key\"";
    let hmac = "kind = \"hmac\"\nsign = \"${method}\"\nhash = \"sha256\"\nencoding = \"hex\"\nheader = \"x-s\"\n\
                key_encoding = \"hex\"";
    let aws = "kind = \"aws-sigv4\"\nservice = \"s3\"\nregion = \"eu-1\"";
    let jwt = "kind = \"jwt-bearer\"\nalgorithm = \"RS256\"";
    for (settings, fields, said) in [
        ("kind = \"bearer\"", &[][..], "has no token"),
        ("kind = \"bearer\"", &[("token", "")], "has no token"),
        (
            "kind = \"bearer\"",
            &[("token", "canary\r\nx-evil: 1")],
            "has a value that cannot stand in a header",
        ),
        ("kind = \"bearer\"", &[("value", "canary")], "has no token"),
        (header, &[("value", "canary\0")], "has a value that cannot stand in a header"),
        ("kind = \"query\"\nparameter = \"k\"", &[("value", &long)], "makes the URL too long"),
        (
            "kind = \"basic\"",
            &[("username", "a:b"), ("password", "canary")],
            "has a user's name with a `:` in it",
        ),
        ("kind = \"basic\"", &[], "has neither a user's name nor a password"),
        (hmac, &[("key", "canary")], "has a key that is not written in hexadecimal digits"),
        (aws, &[("access_key_id", "canary")], "has no secret access key"),
        (jwt, &[("private_key", "canary"), ("issuer", "i")], "holds no private key in PEM form"),
    ] {
        let server = Raw::answering(ok("hi"), Then::Serve).await;
        let keeper = Keeper::with("acme.api", fields);
        let house = House::placing(keeper.settings(placed(&server.url(""), settings)));
        let error = send(&house.client(), get(server.url("/"))).await.unwrap_err();
        assert!(error.to_string().contains(said), "{settings}: {error}");
        assert_eq!(
            (error.code(), error.class(), error.guest_class()),
            ("CD0321", Class::Denied, GuestClass::Denied)
        );
        assert!(!error.full_text().contains("canary") && !error.guest_text().contains("canary"), "{error}");
        assert_eq!(server.connections(), 0, "{settings}");
        assert!(matches!(house.ledger.only().outcome, Outcome::Failed { code: "CD0321", .. }));
        assert_eq!(house.ledger.only().credential, None, "nothing was placed");
    }
}

#[tokio::test]
async fn e68_what_is_missing_or_was_entered_for_another_audience_is_not_sent() {
    let (entered_for, now) = ("https://api.test".to_owned(), "https://evil.test".to_owned());
    for (refused, class, said) in [
        (StoreError::Missing, Class::Denied, "nobody has entered it, or it was revoked"),
        (
            StoreError::Rebound { entered_for, now },
            Class::Denied,
            "it was entered for https://api.test, and would now be sent to https://evil.test",
        ),
        (StoreError::Storage { problem: "disk full".to_owned() }, Class::Host, "disk full"),
    ] {
        let server = Raw::answering(ok("hi"), Then::Serve).await;
        let keeper = Keeper::with("acme.api", &[("token", "canary")]);
        let house = House::placing(keeper.settings(placed(&server.url(""), "kind = \"bearer\"")));
        let client = house.client();
        send(&client, get(server.url("/"))).await.unwrap();
        keeper.refuse("acme.api", refused);
        let error = send(&client, get(server.url("/"))).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.to_string().contains("credential `api` (kept as `acme.api`)"), "{error}");
        assert_eq!((error.code(), error.class()), ("CD0320", class));
        let Error::Credential(fault) = &error else { panic!("{error:?}") };
        assert_eq!(fault.needs_connecting(), class == Class::Denied);
        assert!(!error.guest_text().contains("evil.test"), "{}", error.guest_text());
        assert_eq!(server.heads().len(), 1, "it was sent without");
    }
}
