//! nginx as Debian ships it, with one server for each certificate.
//!
//! nginx cannot say which port it chose, so it listens on sockets in a directory of the test, and a task of the test
//! carries bytes between a port of its own and such a socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinHandle;

use super::authority::Identity;

/// A running nginx. It ends with the test.
pub(crate) struct Nginx {
    directory: TempDir,
    process: Child,
    carriers: Vec<JoinHandle<()>>,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.carriers.iter().for_each(JoinHandle::abort);
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// One server of it.
pub(crate) struct Site<'a> {
    pub(crate) name: &'a str,
    pub(crate) identity: &'a Identity,
    /// Further lines of its `server` block.
    pub(crate) lines: &'a str,
}

impl Nginx {
    /// Starts nginx with these servers and waits until it accepts connections.
    pub(crate) async fn start(sites: &[Site<'_>]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let mut servers = String::new();
        for site in sites {
            std::fs::write(path.join(format!("{}.crt", site.name)), &site.identity.certificate).unwrap();
            std::fs::write(path.join(format!("{}.key", site.name)), &site.identity.key).unwrap();
            servers.push_str(&server(path, site));
        }
        let config = path.join("nginx.conf");
        std::fs::write(&config, frame(path, &servers)).unwrap();
        let process = Command::new(program())
            .arg("-c")
            .arg(&config)
            .arg("-e")
            .arg(path.join("error.log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut nginx = Self { directory, process, carriers: Vec::new() };
        for site in sites {
            nginx.wait_for(site.name).await;
        }
        nginx
    }

    /// An address that leads to this server.
    pub(crate) async fn address(&mut self, name: &str) -> SocketAddr {
        let socket = self.socket(name);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.carriers.push(tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let socket = socket.clone();
                tokio::spawn(async move {
                    let mut server = UnixStream::connect(socket).await.unwrap();
                    // Either side may go away: that is what the tests are about.
                    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }));
        address
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.sock"))
    }

    async fn wait_for(&mut self, name: &str) {
        let socket = self.socket(name);
        let log = self.directory.path().join("error.log");
        let process = &mut self.process;
        super::eventually("nginx accepts connections", || {
            if let Some(status) = process.try_wait().unwrap() {
                panic!("nginx ended with {status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
        })
        .await;
    }
}

/// The one that `cargo xtask test` has put there, or else the machine's.
fn program() -> PathBuf {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-deps/nginx");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let machine = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    std::iter::once(fetched)
        .chain(machine.map(|directory| directory.join("nginx")))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("there is no nginx: `cargo xtask test-deps` fetches it"))
}

fn frame(path: &Path, servers: &str) -> String {
    let path = path.display();
    format!(
        "daemon off;\nmaster_process off;\npid {path}/nginx.pid;\nerror_log {path}/error.log;\nevents {{}}\n\
         http {{\naccess_log off;\nclient_body_temp_path {path}/body;\nproxy_temp_path {path}/proxy;\n\
         fastcgi_temp_path {path}/fastcgi;\nuwsgi_temp_path {path}/uwsgi;\nscgi_temp_path {path}/scgi;\n\
         default_type text/plain;\n{servers}}}\n"
    )
}

fn server(path: &Path, site: &Site<'_>) -> String {
    let (path, name, lines) = (path.display(), site.name, site.lines);
    let http2 = if site.lines.contains("http2_") { " http2" } else { "" };
    format!(
        "server {{\nlisten unix:{path}/{name}.sock ssl{http2};\nssl_certificate {path}/{name}.crt;\n\
         ssl_certificate_key {path}/{name}.key;\nssl_session_tickets on;\n{lines}\n\
         location / {{ return 200 \"hello\"; }}\n\
         location /tls {{ return 200 \"$ssl_server_name $host $http_host $ssl_protocol $ssl_session_reused\"; }}\n\
         location /away {{ return 302 https://elsewhere.test/; }}\n}}\n"
    )
}
