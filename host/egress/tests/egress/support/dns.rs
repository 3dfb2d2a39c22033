//! A name server that lies: it says what a test wants, in order, and not always in the form that the protocol has.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::CNAME;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

/// What fits into an answer over UDP; longer ones are cut, and asked for again over TCP.
const UDP_BYTES_MAX: usize = 1232;

/// What the server says to one question.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// Addresses of both families: each question gets its own.
    Addresses(Vec<IpAddr>),
    /// The same, to be kept for so many seconds.
    Kept(u32, Vec<IpAddr>),
    /// Another name, whose addresses are in the same answer.
    Alias(String, Vec<IpAddr>),
    /// Another name, and nothing about it.
    Elsewhere(String),
    /// No records.
    Nothing(ResponseCode),
    /// What this makes of its own place in the message, where a record should be.
    Garbage(fn(usize) -> Vec<u8>),
    /// No answer at all.
    Silence,
}

/// Ends with the test.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    zone: Arc<Zone>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Default)]
struct Zone {
    /// In order; the last one stays. A question about the other family gets the same answer as the one before it.
    names: Mutex<HashMap<String, Vec<Says>>>,
    asked: Mutex<Vec<(String, RecordType)>>,
    over_tcp: AtomicUsize,
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Dns {
    pub(crate) async fn start() -> Self {
        let (udp, tcp) = sockets().await;
        let (address, zone) = (udp.local_addr().unwrap(), Arc::new(Zone::default()));
        let tasks = [tokio::spawn(datagrams(udp, zone.clone())), tokio::spawn(streams(tcp, zone.clone()))];
        Self { address, zone, tasks }
    }

    /// What it says about a name from now on.
    pub(crate) fn say(&self, name: &str, says: impl IntoIterator<Item = Says>) {
        self.zone.names.lock().unwrap().insert(name.to_owned(), says.into_iter().collect());
    }

    pub(crate) fn addresses(&self, name: &str, addresses: &[&str]) {
        self.say(name, [Says::Addresses(addresses.iter().map(|text| text.parse().unwrap()).collect())]);
    }

    /// The names that it was asked about, each as often as it was.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.zone.asked.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn asked_over_tcp(&self) -> usize {
        self.zone.over_tcp.load(Ordering::SeqCst)
    }
}

/// One port of both kinds.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

async fn datagrams(socket: UdpSocket, zone: Arc<Zone>) {
    let mut query = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut query).await {
        let Some(answer) = zone.answer(&query[..length]) else { continue };
        let answer = if answer.len() > UDP_BYTES_MAX { cut(&answer) } else { answer };
        socket.send_to(&answer, from).await.unwrap();
    }
}

async fn streams(listener: TcpListener, zone: Arc<Zone>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(stream_of(stream, Arc::clone(&zone)));
    }
}

async fn stream_of(mut stream: TcpStream, zone: Arc<Zone>) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; usize::from(length)];
        stream.read_exact(&mut query).await.unwrap();
        zone.over_tcp.fetch_add(1, Ordering::SeqCst);
        let Some(answer) = zone.answer(&query) else { continue };
        let length = u16::try_from(answer.len()).unwrap();
        let _gone = stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await;
    }
}

/// The head and the question of a message, with the mark that it was cut.
fn cut(message: &[u8]) -> Vec<u8> {
    match Message::from_vec(message) {
        Ok(message) => message.truncate().to_vec().unwrap(),
        // Garbage is sent as it is.
        Err(_) => message[..UDP_BYTES_MAX].to_vec(),
    }
}

impl Zone {
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).unwrap();
        let question = query.queries[0].clone();
        let name = question.name().to_string().trim_end_matches('.').to_ascii_lowercase();
        let kind = question.query_type();
        let says = self.next(&name, kind);
        let mut answer = Message::response(query.metadata.id, OpCode::Query);
        answer.metadata.recursion_available = true;
        answer.metadata.recursion_desired = true;
        answer.add_query(question.clone());
        match says {
            Says::Addresses(addresses) => answer.insert_answers(records(question.name(), &addresses, kind)),
            Says::Kept(seconds, addresses) => {
                let mut records = records(question.name(), &addresses, kind);
                records.iter_mut().for_each(|record| record.ttl = seconds);
                answer.insert_answers(records);
            }
            Says::Alias(target, addresses) => {
                let target = Name::from_ascii(format!("{target}.")).unwrap();
                answer.add_answer(alias(question.name(), &target));
                answer.add_answers(records(&target, &addresses, kind));
            }
            Says::Elsewhere(target) => {
                let target = Name::from_ascii(format!("{target}.")).unwrap();
                answer.add_answer(alias(question.name(), &target));
            }
            Says::Nothing(code) => answer.metadata.response_code = code,
            Says::Garbage(make) => {
                let mut message = answer.to_vec().unwrap();
                // One record is announced.
                message[7] = 1;
                message.extend(make(message.len()));
                return Some(message);
            }
            Says::Silence => return None,
        }
        Some(answer.to_vec().unwrap())
    }

    fn next(&self, name: &str, kind: RecordType) -> Says {
        let mut asked = self.asked.lock().unwrap();
        let is_second = asked.iter().filter(|(before, _)| before == name).count() % 2 == 1;
        asked.push((name.to_owned(), kind));
        let mut names = self.names.lock().unwrap();
        match names.get_mut(name) {
            None => Says::Nothing(ResponseCode::NXDomain),
            Some(says) if is_second && says.len() > 1 => says.remove(0),
            Some(says) => says[0].clone(),
        }
    }
}

/// Never to be kept: the next question may be answered otherwise.
fn records(name: &Name, addresses: &[IpAddr], kind: RecordType) -> Vec<Record> {
    let of_kind = addresses.iter().filter(|address| address.is_ipv4() == (kind == RecordType::A));
    of_kind.map(|address| Record::from_rdata(name.clone(), 0, RData::from(*address))).collect()
}

fn alias(name: &Name, target: &Name) -> Record {
    Record::from_rdata(name.clone(), 0, RData::CNAME(CNAME(target.clone())))
}
