//! Pebble, the ACME server for tests of those who run Let's Encrypt, as Debian ships it. It forgets everything when it ends.
//!
//! It takes ports that nobody chose, which are read from the system. Two ways lead through threads of the test: to the
//! directory, so that another Pebble can take the place of one that ended, and from Pebble to whoever proves a name, so
//! that the server may be started later, or be out of reach.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tokio_rustls::rustls::StreamOwned;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::nginx::Authority;
use crate::serving::client;
use crate::stopped::until;
use crate::world::{World, target};

/// A port of the test, and where what comes there goes by now.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    to: Arc<(Mutex<To>, Condvar)>,
}

#[derive(Clone, Copy)]
enum To {
    /// What comes waits until somebody says where it goes.
    Unknown,
    /// It is closed at once.
    Nowhere,
    There(SocketAddr),
}

impl Way {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = Arc::new((Mutex::new(To::Nowhere), Condvar::new()));
        let way = Self { address: listener.local_addr().unwrap(), to };
        let to = Arc::clone(&way.to);
        thread::spawn(move || {
            for from in listener.incoming() {
                let (from, to) = (from.unwrap(), Arc::clone(&to));
                thread::spawn(move || carry(from, &to));
            }
        });
        way
    }

    pub(crate) fn leads_to(&self, address: &str) {
        self.leads(To::There(address.parse().unwrap()));
    }

    pub(crate) fn leads_nowhere(&self) {
        self.leads(To::Nowhere);
    }

    /// Until it is said where.
    pub(crate) fn waits(&self) {
        self.leads(To::Unknown);
    }

    fn leads(&self, to: To) {
        *self.to.0.lock().unwrap() = to;
        self.to.1.notify_all();
    }
}

fn carry(from: TcpStream, (to, changed): &(Mutex<To>, Condvar)) {
    let to = *changed.wait_while(to.lock().unwrap(), |to| matches!(to, To::Unknown)).unwrap();
    let To::There(address) = to else { return };
    let Ok(there) = TcpStream::connect(address) else { return };
    let back = (there.try_clone().unwrap(), from.try_clone().unwrap());
    thread::spawn(move || pass(&back.0, &back.1));
    pass(&from, &there);
}

/// Either side may go away at any time.
fn pass(from: &TcpStream, to: &TcpStream) {
    let (mut reader, mut writer) = (from, to);
    let _copied = std::io::copy(&mut reader, &mut writer);
    let _ended = to.shutdown(Shutdown::Write);
}

/// A running Pebble. It ends with the test.
pub(crate) struct Pebble {
    process: Child,
    /// The authority of its certificates, which no other Pebble has.
    pub(crate) root: CertificateDer<'static>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Where a Pebble stands.
pub(crate) struct Place {
    authority: Authority,
    /// To its directory.
    pub(crate) directory: Way,
    /// From it to who proves a name.
    pub(crate) proofs: Way,
}

impl Place {
    /// `ca.pem` of the world vouches for whoever stands here.
    pub(crate) fn new(world: &World) -> Self {
        let authority = Authority::new("the authority of a directory");
        world.file("ca.pem", authority.pem());
        Self { authority, directory: Way::new(), proofs: Way::new() }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/dir", self.directory.address)
    }

    /// What a server is told.
    pub(crate) fn settings(&self) -> Vec<String> {
        let url = self.url();
        let settings = ["--acme-names", "localhost", "--acme-directory", &url, "--acme-terms-agreed", "true"];
        [&settings[..], &["--acme-authorities", "ca.pem", "--operations", "127.0.0.1:0"]]
            .concat()
            .into_iter()
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Starts one with these settings and this environment.
    pub(crate) fn pebble(&self, world: &World, more: Value, environment: &[(&str, &str)]) -> Pebble {
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = self.authority.signs(CertificateParams::new(names).unwrap(), &key);
        world.theirs("pebble");
        world.file("pebble/certificate.pem", certificate);
        world.file("pebble/key.pem", key.serialize_pem());
        let mut settings = json!({
            "listenAddress": "127.0.0.1:0",
            "managementListenAddress": "127.0.0.1:0",
            "certificate": "pebble/certificate.pem",
            "privateKey": "pebble/key.pem",
            "tlsPort": self.proofs.address.port(),
        });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.file("pebble/config.json", json!({ "pebble": settings }).to_string());
        let log = fs::File::create(world.path("pebble/log")).unwrap();
        let mut command = Command::new(program());
        command.args(["-config", "pebble/config.json"]).current_dir(world.path("")).stdin(Stdio::null());
        // It does as others do that are slow, forget and refuse, where nothing else is said.
        let calm = [("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0"), ("PEBBLE_AUTHZREUSE", "0")];
        command.envs(calm).envs(environment.iter().copied());
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let authority = CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap();
        let mut root = None;
        until("Pebble", || {
            let ports = listening(process.id());
            if ports.len() < 2 {
                return false;
            }
            for port in ports {
                let got = get(port, "/roots/0", &authority);
                match CertificateDer::from_pem_slice(got.as_bytes()) {
                    Ok(found) => root = Some(found),
                    Err(_) => self.directory.leads_to(&format!("127.0.0.1:{port}")),
                }
            }
            root.is_some()
        });
        Pebble { process, root: root.unwrap() }
    }
}

/// The ports on which a process listens, by what the system says.
fn listening(process: u32) -> Vec<u16> {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let links = open.filter_map(|one| fs::read_link(one.ok()?.path()).ok());
    let sockets: Vec<String> = links.map(|link| link.display().to_string()).collect();
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).unwrap_or_default();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // The state 0A is that of a listener (`proc_net_tcp`).
    let own = rows
        .filter(|row| row.len() > 9 && row[3] == "0A" && sockets.contains(&format!("socket:[{}]", row[9])));
    own.map(|row| u16::from_str_radix(row[1].split_once(':').unwrap().1, 16).unwrap()).collect()
}

fn get(port: u16, path: &str, root: &CertificateDer<'static>) -> String {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut stream = StreamOwned::new(client(root.clone()), stream);
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// The one that `cargo xtask test` has put there, or else the machine's.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(target().join("test-deps"))
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("pebble"))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("there is no Pebble: `cargo xtask test-deps` fetches it"))
}
