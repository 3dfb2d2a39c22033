//! A real provider of OAuth 2 (`oidc-provider`) with an API beside it, and what a browser does for a user.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::target;

const PROVIDER: &str = include_str!("identity/provider.js");
const BROWSER: &str = include_str!("identity/browser.js");

/// The provider, with the client `shop`.
pub(crate) struct Provider {
    process: Child,
    lines: BufReader<ChildStdout>,
    /// Where it is.
    pub(crate) issuer: String,
}

/// The secret of the client.
pub(crate) const CLIENT_SECRET: &str = "CANARY/client+\"secret\"&<4711>~=?";

/// Its name and secret, as they stand in a header: encoded as in a form before they are joined.
fn client() -> String {
    let secret: String = form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    STANDARD.encode(format!("shop:{secret}"))
}

fn node(script: &str) -> Command {
    let modules = target().join("test-deps/node_modules");
    assert!(modules.join("oidc-provider").exists(), "there is no provider: run `cargo xtask test-deps`");
    let mut node = Command::new("node");
    node.args(["-e", script, "--"]).env("NODE_PATH", modules).stdin(Stdio::null()).stderr(Stdio::null());
    node
}

impl Provider {
    /// Its access tokens live for an hour.
    pub(crate) fn start() -> Self {
        Self::started(&["3600"])
    }

    /// In what it says through the browser it is somebody else.
    pub(crate) fn that_says_it_is(issuer: &str) -> Self {
        Self::started(&["3600", issuer])
    }

    fn started(arguments: &[&str]) -> Self {
        let mut process = node(PROVIDER)
            .arg(CLIENT_SECRET)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("`node` is there");
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut provider = Self { process, lines, issuer: String::new() };
        provider.issuer = provider.line();
        provider
    }

    /// The next thing that happens there. What it warns of is said on the same stream.
    pub(crate) fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "the provider has ended");
            if !line.starts_with("oidc-provider ") {
                return line.trim_end().to_owned();
            }
        }
    }

    /// It takes this access token no more, and renews it.
    pub(crate) fn forgets(&self, token: &str) {
        self.called("GET", &format!("/forget?token={token}"), "");
    }

    /// The access token with which its API is read next, other than this one.
    pub(crate) fn reads_with_another(&mut self, known: &str) -> String {
        loop {
            if let Some(token) = self.line().strip_prefix("read ").filter(|token| *token != known) {
                return token.to_owned();
            }
        }
    }

    /// A refresh token for the client `shop`, as a user gets it elsewhere and enters it here.
    pub(crate) fn gives_a_refresh_token(&self) -> String {
        self.called("GET", "/refresh-token", "")
    }

    /// Its user withdraws all consent of which this token came.
    pub(crate) fn is_told_to_revoke(&self, token: &str) {
        self.called("POST", "/token/revocation", &format!("token={token}&token_type_hint=access_token"));
    }

    fn called(&self, method: &str, target: &str, form: &str) -> String {
        let address = self.issuer.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: Basic {}\r\n\
             content-length: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\r\n",
            client(),
            form.len()
        );
        stream.write_all(format!("{head}{form}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// Everything that has happened there since.
    pub(crate) fn ended(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        (&mut self.lines).lines().map(Result::unwrap).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a user who consents to everything sees last.
pub(crate) fn consents(url: &str) -> String {
    browsed(&[url])
}

/// What a browser shows last, and the address of that.
pub(crate) struct Seen {
    pub(crate) page: String,
    pub(crate) url: String,
}

/// The same of a browser that has this cookie from the beginning, if any.
pub(crate) fn browses(url: &str, cookie: &str) -> Seen {
    let seen = browsed(&[url, "", "", cookie]);
    let (page, url) = seen.trim_end().rsplit_once('\n').unwrap();
    Seen { page: page.to_owned(), url: url.to_owned() }
}

/// The same for one who types a code.
pub(crate) fn consents_by_code(url: &str, code: &str) -> String {
    browsed(&[url, code])
}

/// What a user who refuses sees last.
pub(crate) fn refuses(url: &str) -> String {
    browsed(&[url, "", "refuses"])
}

fn browsed(arguments: &[&str]) -> String {
    let output = node(BROWSER).args(arguments).output().expect("`node` is there");
    String::from_utf8(output.stdout).unwrap()
}
