//! nginx as Debian ships it, over TLS, with files of the test.
//!
//! nginx cannot say which port it chose, so it listens on a socket in a folder of the test, and threads of the test carry
//! bytes between a port of their own and that socket.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::stopped::until;
use crate::world::{World, target};

/// An authority that nobody trusts who was not told to.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of this authority, in PEM form.
    pub(crate) fn signs(&self, params: CertificateParams, key: &KeyPair) -> String {
        params.signed_by(key, &self.0).unwrap().pem()
    }
}

/// A running nginx. It ends with the test.
pub(crate) struct Nginx {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Nginx {
    /// Starts nginx over the world's folder `served`, under this name, and waits until it accepts connections.
    pub(crate) fn start(world: &World, authority: &Authority, name: &str) -> Self {
        Self::start_with(world, authority, name, "")
    }

    /// The same with more lines of configuration.
    pub(crate) fn start_with(world: &World, authority: &Authority, name: &str, more: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        Self::showing(world, &authority.signs(params, &key), &key, more)
    }

    /// The same with a certificate in PEM form that need not be in order.
    pub(crate) fn showing(world: &World, certificate: &str, key: &KeyPair, more: &str) -> Self {
        world.theirs("nginx");
        world.file("nginx/server.crt", certificate);
        world.file("nginx/server.key", key.serialize_pem());
        world.file("nginx/nginx.conf", configuration(&world.path("nginx"), &world.path("served"), more));
        let folder = world.path("nginx");
        let process = Command::new(program())
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .arg("-e")
            .arg(folder.join("error.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let socket = folder.join("server.sock");
        let mut nginx = Self { process, address: carry(socket.clone()) };
        until("nginx", || {
            if let Some(status) = nginx.process.try_wait().unwrap() {
                panic!("nginx ended with {status}: {}", world.read("nginx/error.log"));
            }
            UnixStream::connect(&socket).is_ok()
        });
        nginx
    }
}

/// Carries bytes between a port of its own and this socket until the test's process ends.
fn carry(socket: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), UnixStream::connect(&socket).unwrap());
            let (there, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || pass(&there, &back, |back| back.shutdown(Shutdown::Write)));
            thread::spawn(move || {
                pass(&server, &client, |client: &TcpStream| client.shutdown(Shutdown::Write))
            });
        }
    });
    address
}

/// Until one side ends. Either may go away at any time: that is what the tests are about.
fn pass<From, To>(from: &From, to: &To, end: impl FnOnce(&To) -> io::Result<()>)
where
    for<'a> &'a From: io::Read,
    for<'a> &'a To: io::Write,
{
    let (mut reader, mut writer) = (from, to);
    let _copied = io::copy(&mut reader, &mut writer);
    let _ended = end(to);
}

/// The one that `cargo xtask test` has put there, or else the machine's.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let machine = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    std::iter::once(target().join("test-deps"))
        .chain(machine)
        .map(|folder| folder.join("nginx"))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("there is no nginx: `cargo xtask test-deps` fetches it"))
}

/// `/movies?_page=3` is the file `movies-3.json`; anything else is a file by its name.
fn configuration(folder: &Path, served: &Path, more: &str) -> String {
    let (folder, served) = (folder.display(), served.display());
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n\
         http {{\naccess_log {folder}/access.log;\nclient_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\n\
         fastcgi_temp_path {folder}/fastcgi;\nuwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
         default_type application/json;\nserver {{\nlisten unix:{folder}/server.sock ssl;\n\
         ssl_certificate {folder}/server.crt;\nssl_certificate_key {folder}/server.key;\nroot {served};\n{more}\n\
         location = /movies {{ rewrite ^ /movies-$arg__page.json break; }}\n}}\n}}\n"
    )
}
