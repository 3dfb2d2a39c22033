//! One request from judging to the head of its response. Redirects are answers like any other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, RANGE, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::OnceCell;
use tokio_rustls::rustls::ClientConfig;

use crate::caps::{Allowed, Timeouts};
use crate::carry::Delivered;
use crate::credential::Broker;
use crate::decode::Coding;
use crate::dial;
use crate::download::{Download, Wire};
use crate::exchange::Exchange;
use crate::lease::{Lease, Unanswered};
use crate::lookups::Lookups;
use crate::outlet::Outlet;
use crate::own::Bears;
use crate::pace::Pace;
use crate::pool::Pool;
use crate::rebuild::{Head, rebuild};
use crate::record::Record;
use crate::retry_after::SlowDowns;
use crate::revoke::Standing;
use crate::target::Target;
use crate::totals::{Admission, Totals};
use crate::upload::Upload;
use crate::{
    Authorities, Body, Caps, ClientSettings, Error, Gate, Ledger, Limit, Result, Revoker, SlowDown, Usage,
    headers, scrubbed, transport,
};

/// What all requests of one client share.
pub(crate) struct Shared {
    pub(crate) gate: Arc<dyn Gate>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) caps: Caps,
    pub(crate) totals: Totals,
    pub(crate) pool: Pool,
    pub(crate) outlet: Outlet,
    pub(crate) broker: Option<Broker>,
    /// What is told of failures is told without these: a server may write what it was sent into what our libraries tell of it.
    pub(crate) secrets: scrub::Watch,
    pub(crate) lookups: Lookups,
    pub(crate) standing: Arc<Standing>,
    pace: Pace,
    slow_down: SlowDowns,
    authorities: Authorities,
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Shared {
    pub(crate) async fn tls_config(&self) -> io::Result<Arc<ClientConfig>> {
        self.tls.get_or_try_init(|| self.outlet.trust.client_config(&self.authorities)).await.cloned()
    }
}

/// Sends the requests of one connection in one run. Clones share everything.
///
/// When the last clone is dropped, kept connections are closed; responses that are still read end as usual.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    _open: Arc<Open>,
}

/// Closes the pool with the last clone: requests under way hold the rest of what is shared.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.pool.close();
    }
}

impl Client {
    /// What the settings say of credentials is in the broker by now. `secrets` are those of a client without one.
    pub(crate) fn new(
        mut outlet: Outlet,
        settings: ClientSettings,
        broker: Option<Broker>,
        secrets: scrub::Watch,
    ) -> Self {
        if let Some(resolver) = outlet.resolver.apart() {
            outlet.resolver = resolver;
        }
        let shared = Shared {
            standing: Standing::new(Arc::clone(&settings.rights)),
            gate: settings.rights,
            ledger: settings.ledger,
            lookups: Lookups::new(&settings.caps),
            pace: Pace::new(settings.caps.requests_per_second),
            caps: settings.caps,
            totals: Totals::default(),
            pool: Pool::default(),
            outlet,
            secrets: broker.as_ref().map_or(secrets, |broker| broker.watch().clone()),
            broker,
            slow_down: SlowDowns::default(),
            authorities: settings.authorities,
            tls: OnceCell::new(),
        };
        let shared = Arc::new(shared);
        Self { _open: Arc::new(Open(Arc::clone(&shared))), shared }
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        Usage { requests_per_second: self.shared.pace.peak(), ..self.shared.totals.usage() }
    }

    /// Takes rights from this client and all its clones.
    pub fn revoker(&self) -> Revoker {
        Revoker(Arc::clone(&self.shared.standing))
    }

    /// How long servers still want to be left alone, as far as they said so (`Retry-After`); none: nobody minds.
    pub fn slow_down(&self) -> Option<Duration> {
        self.shared.slow_down.left()
    }

    /// The secrets that were placed so far, and what was found of them in responses.
    pub fn secrets(&self) -> scrub::Watch {
        self.shared.broker.as_ref().map(|broker| broker.watch().clone()).unwrap_or_default()
    }

    /// What may be used.
    pub fn caps(&self) -> &Caps {
        &self.shared.caps
    }

    /// Sends a request and gives back the head of its response with a body that streams.
    ///
    /// The URI must be absolute. [`Timeouts`] in the extensions shorten those of the caps. The request body may still
    /// be on its way when this returns. Must be called within a tokio runtime; dropping the future, or the body of the
    /// response, ends the request.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Body>> {
        let exchange = Exchange::new(Arc::clone(&self.shared));
        let mut record = Record::open(Arc::clone(&exchange), request.method(), request.uri());
        let passage = Arc::clone(&exchange.passage);
        let run = passage.cut.run_until_cancelled(self.run(request, exchange, &mut record));
        match run.await.unwrap_or_else(|| Err(passage.why())) {
            Ok(answer) => Ok(answer.into_response(record)),
            Err(error) => {
                // What it was about to go over may be cut before it, and be told as a failure of its own.
                let error = passage.ended().unwrap_or(error);
                record.fail(&error);
                Err(error)
            }
        }
    }

    async fn run(
        &self,
        request: Request<Body>,
        exchange: Arc<Exchange>,
        record: &mut Record,
    ) -> Result<Answer> {
        let caps = &self.shared.caps;
        self.admit(record)?;
        self.until(&exchange, self.shared.pace.wait().map(Ok)).await?;
        let timeouts = request.extensions().get::<Timeouts>().copied().unwrap_or_default().within(caps);
        if let Some(Bears(credential)) = request.extensions().get::<Bears>() {
            record.carries(credential.clone());
        }
        let outgoing = rebuild(request, caps)?;
        record.rebuilt(&outgoing.head);
        record.allowed(exchange.passage.judge(&outgoing.head.method, &outgoing.head.target)?);
        let head = &outgoing.head;
        let asked =
            Asked { is_head: head.method == Method::HEAD, is_range: head.headers.contains_key(RANGE) };
        let delivered = self.carry(outgoing, &timeouts, exchange, record).await?;
        let Delivered { response, lease, exchange } = delivered;
        let answer = Answer::accept(response, lease, asked, &timeouts, &exchange)?;
        record.answered(answer.status(), answer.is_opaque, answer.slow_down);
        Ok(answer)
    }

    /// The body on its way, which begins now.
    pub(crate) async fn upload(
        &self,
        head: &Head,
        body: Body,
        length: Option<u64>,
        exchange: &Arc<Exchange>,
    ) -> Result<Upload> {
        let mut upload = Upload::new(body, length, Arc::clone(exchange))?;
        if matches!(head.method, Method::GET | Method::HEAD) && !upload.has_length() {
            self.until(exchange, upload.peek()).await?;
        }
        Ok(upload)
    }

    fn admit(&self, record: &mut Record) -> Result<()> {
        let caps = &self.shared.caps;
        match self.shared.totals.enter(caps) {
            Admission::Admitted => Ok(()),
            Admission::OverConcurrent => {
                Err(Error::Limit { limit: Limit::ConcurrentRequests, allowed: caps.concurrent_requests })
            }
            Admission::OverRequests { first } => {
                if !first {
                    record.silence();
                }
                Err(Error::Limit { limit: Limit::Requests, allowed: caps.requests })
            }
        }
    }

    /// Sends over a kept connection, or a fresh one where there is none or the kept one turns out to be closed.
    pub(crate) async fn deliver(
        &self,
        head: Head,
        mut upload: Upload,
        timeouts: &Allowed,
        exchange: &Arc<Exchange>,
        record: &mut Record,
    ) -> Result<(Response<Incoming>, Lease)> {
        if let Some(mut lease) = self.kept(&head.target).await {
            record.connected(lease.address);
            exchange.passage.goes_over(&lease.origin, lease.address, lease.tasks())?;
            let may_repeat = head.is_idempotent() && upload.is_empty();
            match self.attempt(&mut lease, head.clone(), upload, timeouts, exchange).await? {
                Ok(response) => return Ok((response, lease)),
                Err(Unanswered::Unsent(unsent, _)) => upload = unsent,
                Err(Unanswered::Lost(error)) if may_repeat && transport::is_stale(&error) => {
                    upload = Upload::empty(Arc::clone(exchange));
                }
                Err(Unanswered::Lost(error)) => {
                    return Err(transport::before_head(error, &lease.origin, exchange));
                }
            }
        }
        let dialing = dial::dial(&self.shared, &head.target, timeouts.connect);
        let mut lease = self.until(exchange, dialing).await?;
        record.connected(lease.address);
        exchange.passage.goes_over(&lease.origin, lease.address, lease.tasks())?;
        if let Some(shared) = lease.share() {
            self.shared.pool.keep(shared);
        }
        match self.attempt(&mut lease, head, upload, timeouts, exchange).await? {
            Ok(response) => Ok((response, lease)),
            Err(Unanswered::Unsent(_, error) | Unanswered::Lost(error)) => {
                Err(transport::before_head(error, &lease.origin, exchange))
            }
        }
    }

    /// A kept connection that can send.
    async fn kept(&self, target: &Target) -> Option<Lease> {
        loop {
            let mut lease = self.shared.pool.take(&target.origin)?;
            if lease.settle().await {
                return Some(lease);
            }
        }
    }

    /// Sends over this connection. The outer error is final, the inner one may allow another attempt.
    async fn attempt(
        &self,
        lease: &mut Lease,
        head: Head,
        upload: Upload,
        timeouts: &Allowed,
        exchange: &Arc<Exchange>,
    ) -> Result<Result<Response<Incoming>, Unanswered>> {
        let request = lease.request(head, upload, exchange)?;
        tokio::select! {
            biased;
            answer = lease.send(request) => Ok(answer),
            error = exchange.silence(timeouts.first_byte, Limit::FirstByteTimeout) => Err(error),
        }
    }

    /// Bounds what happens before anything is sent by the total timeout.
    pub(crate) async fn until<T>(
        &self,
        exchange: &Exchange,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut work = std::pin::pin!(work);
        // Mostly there is nothing to wait for, and so no timer to make.
        if let Some(done) = work.as_mut().now_or_never() {
            return done;
        }
        tokio::time::timeout_at(exchange.end, work).await.unwrap_or_else(|_elapsed| {
            Err(Error::Timeout { limit: Limit::TotalTimeout, allowed: self.shared.caps.total_timeout })
        })
    }
}

/// What about the request decides how its response is read.
#[derive(Clone, Copy)]
struct Asked {
    is_head: bool,
    is_range: bool,
}

/// A response that may be handed over.
struct Answer {
    head: http::response::Parts,
    wire: Wire,
    coding: Option<Coding>,
    is_opaque: bool,
    slow_down: Option<SlowDown>,
}

impl Answer {
    fn accept(
        response: Response<Incoming>,
        lease: Lease,
        asked: Asked,
        timeouts: &Allowed,
        exchange: &Arc<Exchange>,
    ) -> Result<Self> {
        let caps = &exchange.shared.caps;
        let (mut head, incoming) = response.into_parts();
        headers::check_size(&head.headers, caps.response_head_bytes, Limit::ResponseHeadBytes)?;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::Protocol {
                problem: "it switches to a protocol that was not asked for",
                source: None,
            });
        }
        if head.version != Version::HTTP_2 {
            check_framing(&head.headers)?;
        }
        if incoming.size_hint().lower() > caps.response_body_bytes {
            return Err(Error::Limit { limit: Limit::ResponseBodyBytes, allowed: caps.response_body_bytes });
        }
        headers::strip_response(&mut head.headers);
        if let Some(broker) = &exchange.shared.broker {
            scrubbed::headers(broker.watch(), &mut head.headers);
        }
        let has_body = !asked.is_head && !incoming.is_end_stream();
        let is_part = asked.is_range && head.status == StatusCode::PARTIAL_CONTENT;
        let (coding, is_opaque) = match has_body {
            true => decoding(&mut head.headers, is_part),
            false => (None, false),
        };
        head.extensions.clear();
        let slow_down = SlowDown::read(head.status, &head.headers);
        if let Some(slow_down) = slow_down {
            exchange.shared.slow_down.note(slow_down);
            head.extensions.insert(slow_down);
        }
        let wire = Wire::new(incoming, lease, Arc::clone(exchange), timeouts.between_bytes);
        Ok(Self { head, wire, coding, is_opaque, slow_down })
    }

    fn status(&self) -> StatusCode {
        self.head.status
    }

    fn into_response(self, record: Record) -> Response<Body> {
        let body = Download::new(self.wire, self.coding, record).boxed_unsync();
        Response::from_parts(self.head, body)
    }
}

/// How long a message of HTTP/1.1 is must be said in one way.
fn check_framing(headers: &http::HeaderMap) -> Result<()> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    if headers.contains_key(CONTENT_LENGTH) {
        // RFC 9112 §6.3: such a message may be an attempt at response splitting.
        return Err(Error::Protocol { problem: "it has two lengths", source: None });
    }
    if codings.next().is_some() || !coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        // Only `chunked` may come unasked (RFC 9112 §7). What is packed beside it would be handed over packed: nobody
        // would have looked for secrets in it.
        let problem = "it is encoded for its way as nobody asked";
        return Err(Error::Protocol { problem, source: None });
    }
    Ok(())
}

/// The layer to undo, and whether the guest will see content that is still encoded. The head then says what is left.
fn decoding(headers: &mut http::HeaderMap, is_part: bool) -> (Option<Coding>, bool) {
    let layers: Vec<String> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("unknown").split(',').map(|layer| layer.trim().to_owned()))
        .filter(|layer| !layer.is_empty() && !layer.eq_ignore_ascii_case("identity"))
        .collect();
    let Some((outermost, rest)) = layers.split_last() else { return (None, false) };
    let Some(coding) = Coding::parse(outermost).filter(|_| !is_part) else { return (None, true) };
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
    match http::HeaderValue::from_str(&rest.join(", ")) {
        Ok(value) if !rest.is_empty() => {
            headers.insert(CONTENT_ENCODING, value);
            (Some(coding), true)
        }
        _ => (Some(coding), false),
    }
}
