//! One connection to a server, held by one request (HTTP/1.1) or by several (HTTP/2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::Uri;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::exchange::Exchange;
use crate::rebuild::Head;
use crate::target::Origin;
use crate::upload::Upload;

/// How long a kept connection may take to settle after its last response before a fresh one is dialed instead.
const SETTLE_MAX: Duration = Duration::from_millis(100);

/// A connection that may send. Dropping the last lease of a connection closes it.
pub(crate) struct Lease {
    pub(crate) origin: Origin,
    pub(crate) address: SocketAddr,
    pub(crate) sender: Sender,
    /// It has carried a request before, so the server may have closed it meanwhile.
    pub(crate) reused: bool,
    pub(crate) ends: Arc<Ends>,
}

/// The sending half.
pub(crate) enum Sender {
    One(http1::SendRequest<Upload>),
    Two(http2::SendRequest<Upload>),
}

/// The tasks that drive one connection. They end with the last lease, also when the server reads and answers nothing.
#[derive(Clone, Default)]
pub(crate) struct Tasks(CancellationToken);

impl Tasks {
    /// Tasks that also end with their client's right to be connected.
    pub(crate) fn under(revoked: &CancellationToken) -> Self {
        Self(revoked.child_token())
    }

    /// Ends them now.
    pub(crate) fn end(&self) {
        self.0.cancel();
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.0.clone();
        tokio::spawn(async move { ended.run_until_cancelled(work).await });
    }
}

/// hyper starts tasks of its own for HTTP/2.
impl<F: Future + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.spawn(async move {
            work.await;
        });
    }
}

/// Ends the tasks of a connection when it is dropped.
pub(crate) struct Ends(pub(crate) Tasks);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Why a request was not answered.
pub(crate) enum Unanswered {
    /// Nothing of it was sent.
    Unsent(Upload, hyper::Error),
    /// Nobody knows whether it arrived.
    Lost(hyper::Error),
}

impl Lease {
    /// The tasks that drive the connection.
    pub(crate) fn tasks(&self) -> &Tasks {
        &self.ends.0
    }

    /// We have ended the connection ourselves.
    pub(crate) fn is_cut(&self) -> bool {
        self.tasks().0.is_cancelled()
    }

    pub(crate) fn is_open(&self) -> bool {
        match &self.sender {
            Sender::One(sender) => !sender.is_closed(),
            Sender::Two(sender) => !sender.is_closed(),
        }
    }

    /// Waits until a kept connection can send; says whether it can.
    pub(crate) async fn settle(&mut self) -> bool {
        match &mut self.sender {
            Sender::One(sender) if sender.is_ready() => true,
            Sender::One(sender) => {
                matches!(tokio::time::timeout(SETTLE_MAX, sender.ready()).await, Ok(Ok(())))
            }
            Sender::Two(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends and waits for the head of the response.
    pub(crate) async fn send(&mut self, request: Request<Upload>) -> Result<Response<Incoming>, Unanswered> {
        let answer = match &mut self.sender {
            Sender::One(sender) => sender.try_send_request(request).await,
            Sender::Two(sender) => sender.try_send_request(request).await,
        };
        answer.map_err(|mut failed| match failed.take_message() {
            Some(request) => Unanswered::Unsent(request.into_body(), failed.into_error()),
            None => Unanswered::Lost(failed.into_error()),
        })
    }

    /// The request in the form that this connection's version wants.
    pub(crate) fn request(
        &self,
        head: Head,
        upload: Upload,
        exchange: &Arc<Exchange>,
    ) -> Result<Request<Upload>> {
        let unsized_get =
            !upload.has_length() && matches!(head.method, http::Method::GET | http::Method::HEAD);
        let mut request = Request::new(upload);
        match self.sender {
            Sender::One(_) => {
                *request.uri_mut() = Uri::from(head.target.path_and_query.clone());
                *request.headers_mut() = head.headers;
                if unsized_get {
                    // hyper takes a GET without a length to have no body, and would drop it in silence.
                    let chunked = http::HeaderValue::from_static("chunked");
                    request.headers_mut().insert(http::header::TRANSFER_ENCODING, chunked);
                }
                let counted = Arc::clone(exchange);
                hyper::ext::on_informational(&mut request, move |_interim| counted.interim_response());
            }
            Sender::Two(_) => {
                *request.uri_mut() = head.target.absolute()?;
                *request.headers_mut() = head.headers;
                // `:authority` says it (RFC 9113 §8.3.1).
                request.headers_mut().remove(HOST);
                *request.version_mut() = Version::HTTP_2;
            }
        }
        *request.method_mut() = head.method;
        Ok(request)
    }

    /// A second lease on the same HTTP/2 connection.
    pub(crate) fn share(&self) -> Option<Self> {
        let Sender::Two(sender) = &self.sender else { return None };
        Some(Self {
            origin: self.origin.clone(),
            address: self.address,
            sender: Sender::Two(sender.clone()),
            reused: true,
            ends: Arc::clone(&self.ends),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use hyper::rt::Executor;

    use super::{Ends, Tasks};

    #[tokio::test]
    async fn tasks_of_a_connection_end_with_it_whatever_they_wait_for() {
        let (tasks, alive) = (Tasks::default(), Arc::new(()));
        for held in [Arc::clone(&alive), Arc::clone(&alive)] {
            tasks.execute(async move {
                std::future::pending::<()>().await;
                drop(held);
            });
        }
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 3);
        drop(Ends(tasks));
        let ended = async {
            while Arc::strong_count(&alive) > 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.unwrap();
    }
}
