use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Map, Value, json};

use super::{Key, signed};

const RSA: &str = include_str!("../../tests/keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("../../tests/keys/rsa-pkcs1.pem");
const EC: &str = include_str!("../../tests/keys/ec.pem");
const BY_OPENSSL: &str = include_str!("../../tests/keys/signed-by-openssl.jwt");

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "svc@test", "aud": "https://auth.test/token", "iat": 1_699_999_970_u64, "exp": 1_700_003_570_u64,
    });
    claims.as_object().unwrap().clone()
}

#[test]
fn rs256_signs_as_openssl_does_from_either_form_of_the_key() {
    for pem in [RSA, RSA_PKCS1] {
        let key = Key::rs256(pem).unwrap();
        assert_eq!(signed(&key, Some("k1"), &claims()).unwrap(), BY_OPENSSL.trim());
    }
}

#[test]
fn es256_verifies_with_the_public_key_and_says_what_it_is() {
    let key = Key::es256(EC).unwrap();
    let Key::Es256(pair) = &key else { panic!("another kind of key") };
    let public = EcdsaKeyPair::public_key(pair).as_ref().to_vec();
    let token = signed(&key, None, &claims()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message.as_bytes(), &signature).unwrap();
    let header = URL_SAFE_NO_PAD.decode(message.split('.').next().unwrap()).unwrap();
    assert_eq!(header, br#"{"alg":"ES256","typ":"JWT"}"#);
}

#[test]
fn a_key_that_cannot_sign_so_is_refused_with_what_it_is() {
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (outcome, said) in [
        (Key::rs256(EC), "no RSA key"),
        (Key::es256(RSA), "no key of the curve P-256"),
        (Key::es256(RSA_PKCS1), "not in PKCS #8 form"),
        (Key::rs256(""), "no private key in PEM form"),
        (Key::rs256(certificate), "no private key in PEM form"),
        (Key::es256("secret"), "no private key in PEM form"),
    ] {
        let problem = outcome.err().unwrap();
        assert!(problem.contains(said), "{problem}");
    }
}
