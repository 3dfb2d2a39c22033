//! Authenticators as authors write them. The host knows the API by its configuration alone, so a manifest is the same in each
//! run, and compiled once.

pub(crate) const HMAC: &str = r#"
type: HostAuthenticator
name: signing-key
kind: hmac
settings:
  sign: "${timestamp}${nonce}${method}${target}${host}"
  hash: sha256
  encoding: base64
  header: x-signature
  prefix: v1=
  timestamp_header: x-timestamp
  nonce_header: x-nonce
  key_id_header: x-key
fields: {key: "{{ config['secret'] }}", key_id: "{{ config['user'] }}"}
"#;
pub(crate) const AMAZON: &str = r#"
type: HostAuthenticator
kind: aws-sigv4
settings: {service: s3, region: eu-central-1}
fields: {access_key_id: "{{ config['user'] }}", secret_access_key: "{{ config['secret'] }}"}
"#;
pub(crate) const CERTIFICATE: &str = r#"
type: HostAuthenticator
kind: mtls
fields: {certificate: "{{ config['user'] }}", private_key: "{{ config['secret'] }}"}
"#;
/// A token that is shown as it was signed.
pub(crate) const SIGNED: &str = r#"
type: JwtAuthenticator
algorithm: RS256
secret_key: "{{ config['secret'] }}"
header_prefix: Bearer
jwt_payload: {iss: "{{ config['user'] }}", aud: orders}
"#;
/// A token that is exchanged for another.
pub(crate) const EXCHANGED: &str = r#"
type: HostAuthenticator
name: account
kind: jwt-bearer
settings: {algorithm: RS256, token_url: "{{ config['base_url'] }}/token"}
fields: {private_key: "{{ config['secret'] }}", issuer: "{{ config['user'] }}"}
"#;
pub(crate) const CLIENT: &str = r#"
type: OAuthAuthenticator
token_refresh_endpoint: "{{ config['base_url'] }}/token"
grant_type: client_credentials
client_id: "{{ config['user'] }}"
client_secret: "{{ config['secret'] }}"
scopes: [orders]
"#;
pub(crate) const REFRESHED: &str = r#"
type: OAuthAuthenticator
token_refresh_endpoint: "{{ config['base_url'] }}/token"
client_id: "{{ config['user'] }}"
client_secret: "{{ config['secret'] }}"
refresh_token: "{{ config['refresh_token'] }}"
"#;
