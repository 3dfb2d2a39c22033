//! A directory that answers as the test says, storage in memory, and a server that remembers what it was to show.

use crate::account::account;
use crate::kept::Kept;
use crate::renewal::{Parts, Renewal};
use crate::settings::{Settings, directory};
use crate::shows::{NotShown, Shows};
use crate::wire::Wire;
use egress::{Authorities, Egress};
use instant_acme::Account;
use measures::Measures;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use storage::{MemoryEngine, Storage, SystemClock};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use vault::{DeploymentId, KeyFile, Keyring, Location, OsFiles};

const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([7; 16]);
const ORGANIZATION: &str = "installation";

/// An answer: status, headers, body.
pub(super) type Answer = (u16, String, String);
/// What is answered to a path in another way than an honest directory does.
pub(super) type Script = Arc<dyn Fn(&str, SocketAddr) -> Option<Answer> + Send + Sync>;

/// A directory, and the server that asks it.
pub(super) struct World {
    _folder: TempDir,
    storage: Arc<Storage>,
    address: SocketAddr,
    authority: String,
    /// Every path that was asked for.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
    pub(super) shown: Arc<Remembers>,
}

/// How many certificates were to be shown, and what is being proved.
#[derive(Default)]
pub(super) struct Remembers {
    pub(super) shown: Mutex<usize>,
    pub(super) proofs: Mutex<Vec<String>>,
}

impl Shows for Remembers {
    fn show(&self, _: Vec<CertificateDer<'static>>, _: PrivateKeyDer<'static>) -> Result<(), NotShown> {
        *self.shown.lock().unwrap() += 1;
        Ok(())
    }

    fn prove(
        &self,
        name: &str,
        _: CertificateDer<'static>,
        _: PrivateKeyDer<'static>,
    ) -> Result<(), NotShown> {
        self.proofs.lock().unwrap().push(name.to_owned());
        Ok(())
    }

    fn forget(&self, name: &str) {
        self.proofs.lock().unwrap().retain(|known| known != name);
    }
}

impl World {
    pub(super) async fn new(script: Script) -> Self {
        let folder = TempDir::new().unwrap();
        KeyFile::create(Arc::new(OsFiles), folder.path().join("key"), &DEPLOYMENT).unwrap();
        let file = KeyFile::new(Arc::new(OsFiles), folder.path().join("key"));
        let path = folder.path().join("data/keyring");
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let slot = Some(file.shred_slot());
        let location = Location { files: Arc::new(OsFiles), path, slot, kek: Arc::new(file) };
        let keyring = Keyring::create(location, DEPLOYMENT).unwrap();
        let (engine, clock) = (Arc::new(MemoryEngine::new()), Arc::new(SystemClock));
        let storage = Arc::new(Storage::open(engine, keyring, clock).await.unwrap());
        storage.create_organization(ORGANIZATION).await.unwrap();

        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::default()));
        tokio::spawn(take(listener, TlsAcceptor::from(Arc::new(config)), script, Arc::clone(&asked)));
        let shown = Arc::default();
        Self { _folder: folder, storage, address, authority: cert.pem(), asked, shown }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            directory: directory(&format!("https://{}/dir", self.address)).unwrap(),
            names: vec!["a.example".to_owned()],
            contact: None,
            external: None,
        }
    }

    fn egress(&self) -> (Egress, Authorities) {
        let authorities = Authorities::from_pem(self.authority.as_bytes()).unwrap();
        (Egress::new(egress::Settings::default()).unwrap(), authorities)
    }

    pub(super) fn kept(&self) -> Kept {
        Kept::new(Arc::clone(&self.storage), ORGANIZATION)
    }

    pub(super) async fn account(&self) -> Account {
        let (settings, (egress, authorities)) = (self.settings(), self.egress());
        account(&settings, &self.kept(), &Wire::new(&settings.directory, &egress, authorities)).await.unwrap()
    }

    pub(super) async fn renewal(&self) -> Renewal {
        self.renewal_of(self.settings()).await
    }

    pub(super) async fn renewal_of(&self, settings: Settings) -> Renewal {
        let (egress, authorities) = self.egress();
        let parts = Parts {
            storage: Arc::clone(&self.storage),
            organization: ORGANIZATION,
            egress,
            authorities,
            shows: Arc::clone(&self.shown) as Arc<dyn Shows>,
            measures: Arc::new(Measures::new()),
        };
        Renewal::open(settings, parts).await.unwrap()
    }

    pub(super) fn count(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }
}

async fn take(listener: TcpListener, acceptor: TlsAcceptor, script: Script, asked: Arc<Mutex<Vec<String>>>) {
    let address = listener.local_addr().unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, script, asked) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&asked));
        tokio::spawn(async move { answer_all(stream, &acceptor, &script, &asked, address).await });
    }
}

/// Until the other side has enough, which it may at any time.
async fn answer_all(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    script: &Script,
    asked: &Mutex<Vec<String>>,
    address: SocketAddr,
) -> Option<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await.ok()?);
    loop {
        let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            if path.is_empty() {
                path = line.split(' ').nth(1)?.to_owned();
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = text.trim().parse().ok()?;
            }
        }
        stream.read_exact(&mut vec![0; length]).await.ok()?;
        asked.lock().unwrap().push(path.clone());
        let (status, headers, body) = script(&path, address).unwrap_or_else(|| honest(&path, address));
        let body_length = body.len();
        let nonce = "replay-nonce: bm9uY2U\r\n";
        let nonce = if headers.contains("replay-nonce") { "" } else { nonce };
        // What answers HEAD has a length and no body.
        let body = if path == "/nonce" { String::new() } else { body };
        let head =
            format!("HTTP/1.1 {status} X\r\n{nonce}{headers}content-length: {body_length}\r\n\r\n{body}");
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
    }
}

/// What a directory answers that means well: everything is there at once.
pub(super) fn honest(path: &str, address: SocketAddr) -> Answer {
    let url = |path: &str| format!("https://{address}{path}");
    let at = |path: &str| format!("location: {}\r\n", url(path));
    match path {
        "/dir" => (200, String::new(), directory_of(address).to_string()),
        "/nonce" => (200, String::new(), String::new()),
        "/account" => (201, at("/account/1"), json!({"status": "valid"}).to_string()),
        "/order" => (201, at("/order/1"), order(address, "ready").to_string()),
        "/order/1" | "/finalize" => (200, String::new(), order(address, "valid").to_string()),
        "/authorization" => {
            (200, String::new(), authorization(address, "valid", &["tls-alpn-01"]).to_string())
        }
        "/certificate" => {
            let other = generate_simple_self_signed(["b.example".to_owned()]).unwrap();
            (200, String::new(), other.cert.pem())
        }
        _ => (404, String::new(), String::new()),
    }
}

pub(super) fn directory_of(address: SocketAddr) -> Value {
    let url = |path: &str| format!("https://{address}{path}");
    json!({"newNonce": url("/nonce"), "newAccount": url("/account"), "newOrder": url("/order")})
}

pub(super) fn order(address: SocketAddr, status: &str) -> Value {
    let url = |path: &str| format!("https://{address}{path}");
    json!({
        "status": status,
        "authorizations": [url("/authorization")],
        "finalize": url("/finalize"),
        "certificate": url("/certificate"),
    })
}

pub(super) fn authorization(address: SocketAddr, status: &str, kinds: &[&str]) -> Value {
    let challenge = |kind: &&str| json!({"type": kind, "url": format!("https://{address}/challenge"), "token": "dG9rZW4", "status": status});
    let challenges: Vec<Value> = kinds.iter().map(challenge).collect();
    json!({
        "status": status,
        "identifier": {"type": "dns", "value": "a.example"},
        "challenges": challenges,
    })
}
