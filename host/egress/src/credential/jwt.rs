//! A signed token (RFC 7519) that a service account shows for itself, or exchanges (RFC 7523).
//!
//! The host only signs, with the library that TLS uses too: the newer lines of token libraries bring either a second
//! cryptography library in C or an RSA whose timing leaks (RUSTSEC-2023-0071).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Map, Value};
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// With what a token is signed.
pub(super) enum Key {
    Rs256(Box<RsaKeyPair>),
    Es256(Box<EcdsaKeyPair>),
}

impl Key {
    pub(super) fn rs256(pem: &str) -> Result<Self, &'static str> {
        let pair = match read(pem)? {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err("is no RSA key, which `RS256` needs"),
        };
        let pair = pair.map_err(|_| "is no RSA key of 2048 to 4096 bits, which `RS256` needs")?;
        Ok(Self::Rs256(Box::new(pair)))
    }

    pub(super) fn es256(pem: &str) -> Result<Self, &'static str> {
        let PrivateKeyDer::Pkcs8(key) = read(pem)? else {
            return Err("is not in PKCS #8 form (`BEGIN PRIVATE KEY`), which `ES256` needs");
        };
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.secret_pkcs8_der(),
            &SystemRandom::new(),
        );
        Ok(Self::Es256(Box::new(pair.map_err(|_| "is no key of the curve P-256, which `ES256` needs")?)))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, &'static str> {
        let random = SystemRandom::new();
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| "cannot sign: the system gives no randomness")?;
                Ok(signature)
            }
            Self::Es256(pair) => Ok(pair
                .sign(&random, message)
                .map_err(|_| "cannot sign: the system gives no randomness")?
                .as_ref()
                .to_vec()),
        }
    }
}

/// A signed token with these claims.
pub(super) fn signed(
    key: &Key,
    key_id: Option<&str>,
    claims: &Map<String, Value>,
) -> Result<String, &'static str> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), key.name().into());
    header.insert("typ".to_owned(), "JWT".into());
    if let Some(key_id) = key_id {
        header.insert("kid".to_owned(), key_id.into());
    }
    let part = |map: &Map<String, Value>| {
        serde_json::to_vec(map).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| "cannot be written")
    };
    let message = format!("{}.{}", part(&header)?, part(claims)?);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes())?);
    Ok(format!("{message}.{signature}"))
}

fn read(pem: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "holds no private key in PEM form")
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
