//! Traces, for a collector that understands OTLP: a span for each request and each run, and in a run one for each check, page,
//! write and commit. They carry ids, templates of routes and codes; no row, no configuration, no query, no name of a host.
//!
//! Spans wait in a queue of so many: when the collector is slow or away, further ones are dropped, and nobody waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};
use tokio::runtime::Handle;

use crate::problem::{Problem, Problems};

/// What is a span of ours has this target, whichever crate makes it; what libraries trace has another.
pub(crate) const TARGET: &str = "cofferdam::spans";
/// Spans that wait: some seconds of a busy server, and a megabyte or two.
const QUEUE_MAX: usize = 4_096;
const BATCH_MAX: usize = 512;
const SEND_EVERY: Duration = Duration::from_secs(2);
/// A collector is near, and has nothing to do but to take it.
const SEND_WITHIN: Duration = Duration::from_secs(5);
/// For what waits when the process ends.
const END_WITHIN: Duration = Duration::from_secs(3);
/// Of an answer nothing is read but whether it is well.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Where traces go, and which.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// The collector, as in `http://127.0.0.1:4318`.
    pub(crate) collector: Uri,
    /// Which part of all traces is told, from 0 to 1.
    pub(crate) ratio: f64,
}

/// Traces under way.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// To be called where tasks can be started; nobody is connected to before there is something to tell.
    pub(crate) fn to(options: &Options) -> Result<Self, Problems> {
        let endpoint = format!("{}/v1/traces", options.collector.to_string().trim_end_matches('/'));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(SEND_WITHIN)
            .with_http_client(Sender::new())
            .build()
            .map_err(|error| Problem::bug(format!("traces: {error}")))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_MAX)
            .with_max_export_batch_size(BATCH_MAX)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.ratio))))
            // Attributes of the environment would be told too; ours are these.
            .with_resource(Resource::builder_empty().with_service_name("cofferdam").build())
            .build();
        Ok(Self { provider })
    }

    pub(crate) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("cofferdam")
    }

    /// Tells what waits, if the collector takes it in time.
    pub(crate) async fn end(self) {
        // Whoever does not take it has told so by then.
        let ending = move || drop(self.provider.shutdown_with_timeout(END_WITHIN));
        let _ = tokio::task::spawn_blocking(ending).await;
    }
}

/// Sends what the SDK has to send, from its thread, on the tasks of ours.
#[derive(Debug)]
struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: Handle,
    /// Whether it was said that the collector is away.
    is_away: Arc<AtomicBool>,
}

impl Sender {
    fn new() -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, runtime: Handle::current(), is_away: Arc::default() }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = async move { tokio::time::timeout(SEND_WITHIN, send(client, request)).await };
        let sent = self.runtime.spawn(sent);
        let sent = match sent.await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => Err("the collector takes too long".into()),
            Err(error) => Err(error.into()),
        };
        match &sent {
            Ok(response) if response.status().is_success() => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector of traces takes them again");
                }
            }
            // Told once, and not for each batch.
            _ if self.is_away.swap(true, Ordering::Relaxed) => {}
            Ok(response) => {
                tracing::warn!(status = response.status().as_u16(), "the collector refuses traces");
            }
            Err(_) => tracing::warn!("the collector of traces is not reached: they are dropped"),
        }
        sent
    }
}

async fn send(
    client: Client<HttpConnector, Full<Bytes>>,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = client.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
