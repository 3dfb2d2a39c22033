//! Requests from the guest's parts to the bytes on the wire, through the whole of egress and a real socket: a parser of HTTP
//! that is not ours reads one request there, the one that was judged, with the host's credentials in their places and nowhere
//! else.
//!
//! Input: a line with method and URL, lines with header fields, an empty line, the body. `PORT` is the server's port, and a `~`
//! at the very start hides the length of the body.

mod arrived;
mod house;

use std::cell::RefCell;

use http::{HeaderName, HeaderValue, Method, Request, Uri};

use self::house::House;

pub(crate) const WORDS: &[&str] = &[
    "GET http://api.test:PORT/",
    "POST http://query.test:PORT/a?b=c",
    "http://other.test:PORT/",
    "@",
    "%2e%2e",
    "//",
    "\\",
    "#",
    "Authorization: Basic eA==\n",
    "X-Api-Key: mine\n",
    "api_key=mine",
    "api%5fkey=mine",
    "Connection: close, x-a\n",
    "Transfer-Encoding: chunked\n",
    "Content-Length: 3\n",
    "Content-Length: 0\n",
    "Host: evil.test\n",
    "TE: trailers\n",
    "Upgrade: h2c\n",
    "Expect: 100-continue\n",
    "X-Forwarded-For: 1\n",
    "Proxy-Authorization: x\n",
    "Range: bytes=0-1\n",
    "\n\nGET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "0\r\n\r\n",
    "[::1]",
    "127.0.0.1",
    "xn--",
    "PROPFIND ",
];

thread_local! {
    static HOUSE: RefCell<House> = RefCell::new(House::open());
}

pub(crate) fn run(input: &[u8]) {
    HOUSE.with_borrow_mut(|house| {
        if let Some(asked) = Asked::read(input, house.port()) {
            house.send(&asked);
        }
    });
}

/// What the guest asks for.
#[derive(Debug)]
struct Asked {
    method: Method,
    /// As the guest wrote it.
    url: String,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    knows_length: bool,
}

impl Asked {
    fn read(input: &[u8], port: u16) -> Option<Self> {
        let (input, knows_length) = match input {
            [b'~', rest @ ..] => (rest, false),
            all => (all, true),
        };
        let end = input.windows(2).position(|pair| pair == b"\n\n");
        let (head, body) = end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 2..]));
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next()?).replace("PORT", &port.to_string());
        let (method, url) = first.split_once(' ')?;
        let uri = Uri::try_from(url).ok()?;
        let field = |line: &[u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            Some((name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?))
        };
        Some(Self {
            method: Method::from_bytes(method.as_bytes()).ok()?,
            uri,
            headers: lines.filter_map(field).take(40).collect(),
            body: body.to_vec(),
            knows_length,
            url: url.to_owned(),
        })
    }

    fn request(&self) -> Request<egress::Body> {
        let body = match (self.knows_length, self.body.is_empty()) {
            (true, true) => egress::empty(),
            (true, false) => egress::full(self.body.clone()),
            (false, _) => house::of_unknown_length(self.body.clone()),
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        for (name, value) in &self.headers {
            request.headers_mut().append(name.clone(), value.clone());
        }
        request
    }
}
