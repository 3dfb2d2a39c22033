//! A server under way: started as its operator starts it, asked over TLS and without, and ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::stopped::until;
use crate::world::{Ran, World};

pub(crate) const PASSWORD: &str = "a canary bird in a coal mine";

/// A server under way.
pub(crate) struct Serving {
    pub(crate) child: Child,
    /// What it tells people, as far as it has come.
    said: Arc<Mutex<String>>,
    saying: Option<JoinHandle<()>>,
    stdout: BufReader<ChildStdout>,
    pub(crate) address: String,
    pub(crate) root: Option<CertificateDer<'static>>,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Serving {
    pub(crate) fn start(world: &World, more: &[&str], root: Option<CertificateDer<'static>>) -> Self {
        let arguments = [&["serve", "--data", "data", "--listen", "127.0.0.1:0"], more].concat();
        // A world may have file systems of its own.
        let mut command = if world.path("mount.sh").exists() {
            let mut mounted = world.mounted("sh mount.sh && exec \"$PROGRAM\" \"$@\"");
            mounted.arg("sh").args(&arguments);
            mounted
        } else {
            world.command(&arguments)
        };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let scheme = if root.is_some() { "https" } else { "http" };
        let address = line.trim_end().strip_prefix(&format!("listening on {scheme}://"));
        let address = address.unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
        let said = Arc::<Mutex<String>>::default();
        let saying = listen(child.stderr.take().unwrap(), &said);
        Self { child, said, saying: Some(saying), stdout, address, root }
    }

    /// The token with which the first operator is made. It is said once, and no secret where what was said is looked at later.
    pub(crate) fn setup_token(&self) -> String {
        let mut token = None;
        until("it to say how the first operator is made", || {
            let mut said = self.said.lock().unwrap();
            let rest = said.split_once("\"token\": \"").and_then(|(_, rest)| rest.split_once('"'));
            if let Some((found, rest)) = rest.map(|(found, rest)| (found.to_owned(), rest.to_owned())) {
                (token, *said) = (Some(found), rest);
            }
            token.is_some()
        });
        token.unwrap()
    }

    /// Where figures are told.
    pub(crate) fn operations(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("operations on ");
        address.unwrap_or_else(|| panic!("it says {line:?}")).to_owned()
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let authorization =
            token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let text = self.exchange(request.as_bytes());
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// What comes for these bytes, until the other side ends.
    pub(crate) fn exchange(&self, request: &[u8]) -> String {
        let stream = TcpStream::connect(&self.address).unwrap();
        match &self.root {
            Some(root) => exchange(StreamOwned::new(client(root.clone()), stream), request),
            None => exchange(stream, request),
        }
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: Value) -> Value {
        let answer = self.ask("POST", path, token, Some(&body));
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, Some(token), None)
    }

    /// Comes in; answers the session's token.
    pub(crate) fn log_in(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD, "keep": "token"});
        text(&self.post("/v1/login", None, body), "/token")
    }

    pub(crate) fn terminate(mut self) -> Ran {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap().code();
        self.saying.take().unwrap().join().unwrap();
        Ran { status, stdout, stderr: self.said.lock().unwrap().clone() }
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A test that fails leaves no server behind. One that has ended by itself takes no notice.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Who does not read what it says lets it wait.
fn listen(stderr: ChildStderr, said: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            said.lock().unwrap().push_str(&(line.unwrap() + "\n"));
        }
    })
}

pub(crate) fn client(root: CertificateDer<'static>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}

pub(crate) fn certificate(world: &World) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    world.file("certificate.pem", cert.pem());
    world.secret("key.pem", &signing_key.serialize_pem());
    cert.der().clone()
}

/// What a body of chunks says.
pub(crate) fn unchunked(body: &str) -> String {
    let (mut left, mut whole) = (body, String::new());
    while let Some((size, rest)) = left.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        left = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
