//! What the two halves say to each other. Every number by which something is named (calls, handles, connections, components)
//! is chosen by the parent, but for requests, which a worker counts upwards.

use cassette::{Failure, Limited, Told};
use pipeline::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, Page, PageBudget, Step, StreamPlan,
    StreamSchema, StreamVerdict, TransformPlan, Transformed, WriteReport,
};
use runtime::{CODE_KEY_BYTES, Challenge, ChallengeAnswer, Directory, Level, Limits, Message};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};
use std::borrow::Cow;

use crate::compiler::Order;
use crate::walls::Walls;

/// Both halves are one program; it was replaced while it ran where they differ.
pub(crate) const VERSION: u32 = 1;

/// The first frame: what a process is for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Beginning {
    Connectors(Box<Setup>),
    Compiler(Order),
}

impl Beginning {
    /// The version of whoever started this process.
    pub(crate) fn version(&self) -> u32 {
        match self {
            Self::Connectors(setup) => setup.version,
            Self::Compiler(order) => order.version,
        }
    }
}

/// What a worker is told before its walls stand.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) version: u32,
    /// Opened by nobody but this worker's guests, and all that its walls leave open.
    pub(crate) directories: Vec<Directory>,
    pub(crate) memory_bytes: u64,
    pub(crate) pooled: bool,
    pub(crate) live_instances: u64,
    pub(crate) guest_threads: u64,
    pub(crate) ceilings: Limits,
    /// Under which compiled code comes.
    pub(crate) code_key: [u8; CODE_KEY_BYTES],
}

/// Which of the two parts of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PartOf {
    Component,
    Code,
}

/// To a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker<'a, 'b> {
    Part {
        component: u32,
        of: PartOf,
        #[serde(borrow)]
        bytes: &'a Bytes,
    },
    Call {
        call: u64,
        connection: u32,
        what: Call<'b>,
    },
    /// Nobody waits for this call any more.
    Abandon {
        call: u64,
    },
    /// A reader, writer or transformer is dropped.
    Close {
        handle: u64,
    },
    /// The run of this connection is to stop.
    Stop {
        connection: u32,
    },
    /// A directory was taken back from this connection: nothing of it goes on.
    CutOff {
        connection: u32,
    },
    /// The connection is dropped.
    Unbind {
        connection: u32,
    },
    /// The next piece of a request's body is wanted.
    Pull {
        request: u64,
    },
    /// No more of a request's body is wanted.
    Dropped {
        request: u64,
    },
    Answered {
        request: u64,
        answer: Result<Head, Refusal>,
    },
    Piece {
        request: u64,
        piece: Piece,
    },
}

/// A call into a connector, or what goes before the first one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Call<'a> {
    /// All parts of a component have come.
    Load {
        component: u32,
    },
    Bind {
        component: u32,
        config: String,
        limits: Box<Limits>,
        directories: Vec<Directory>,
    },
    SourceCheck,
    Discover,
    OpenReader {
        handle: u64,
        read: Box<OpenRead>,
    },
    Next {
        handle: u64,
        budget: PageBudget,
    },
    Committed {
        handle: u64,
        checkpoint: String,
    },
    DestinationCheck,
    OpenWriter {
        handle: u64,
        unit: String,
        fence: Option<u64>,
    },
    Capabilities {
        handle: u64,
    },
    LastCommit {
        handle: u64,
    },
    Prepare {
        handle: u64,
        plans: Vec<StreamPlan>,
        dry_run: bool,
    },
    Write {
        handle: u64,
        number: u64,
        batch: Cow<'a, Batch>,
    },
    Commit {
        handle: u64,
        token: String,
        last: bool,
    },
    TransformCheck,
    Plan {
        inputs: Vec<StreamSchema>,
    },
    OpenTransformer {
        handle: u64,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    },
    Apply {
        handle: u64,
        batch: Cow<'a, Batch>,
    },
    WebhookDiscover,
    Rows {
        messages: Vec<Message>,
        schemas: Vec<StreamSchema>,
    },
    AnswerChallenge {
        challenge: Challenge,
    },
}

impl Call<'_> {
    /// The handle that it opens.
    pub(crate) fn opens(&self) -> Option<u64> {
        match self {
            Self::OpenReader { handle, .. }
            | Self::OpenWriter { handle, .. }
            | Self::OpenTransformer { handle, .. } => Some(*handle),
            _ => None,
        }
    }

    /// Its name in the contract.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Load { .. } => "load",
            Self::Bind { .. } => "bind",
            Self::SourceCheck => "source.check",
            Self::Discover => "source.discover",
            Self::OpenReader { .. } => "source.open",
            Self::Next { .. } => "reader.next",
            Self::Committed { .. } => "reader.committed",
            Self::DestinationCheck => "destination.check",
            Self::OpenWriter { .. } => "destination.open",
            Self::Capabilities { .. } => "writer.capabilities",
            Self::LastCommit { .. } => "writer.committed",
            Self::Prepare { .. } => "writer.prepare",
            Self::Write { .. } => "writer.write",
            Self::Commit { .. } => "writer.commit",
            Self::TransformCheck => "transform.check",
            Self::Plan { .. } => "transform.plan",
            Self::OpenTransformer { .. } => "transform.open",
            Self::Apply { .. } => "transformer.apply",
            Self::WebhookDiscover => "webhook.discover",
            Self::Rows { .. } => "webhook.rows",
            Self::AnswerChallenge { .. } => "webhook.answer-challenge",
        }
    }
}

/// What a call brings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Brought {
    Nothing,
    Catalog(Catalog),
    Step(Step),
    Capabilities(Capabilities),
    LastCommit(Option<LastCommit>),
    Verdicts(Vec<StreamVerdict>),
    Written(WriteReport),
    Commit(CommitReport),
    Plan(TransformPlan),
    Transformed(Transformed),
    Page(Page),
    Answer(ChallengeAnswer),
}

/// To the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToParent {
    Ready {
        version: u32,
        walls: Walls,
    },
    Reply {
        call: u64,
        outcome: Box<Result<Brought, pipeline::failure::Failure>>,
        /// What the connection used so far, in the order of `manifest::Limits::KEYS`.
        used: Vec<u64>,
    },
    Log {
        connection: u32,
        level: Loudness,
        target: String,
        text: String,
    },
    Request {
        connection: u32,
        request: u64,
        head: Asked,
    },
    /// A piece of a request's body, which was pulled.
    Piece {
        request: u64,
        piece: Piece,
    },
    /// The next piece of a response's body is wanted.
    Pull {
        request: u64,
    },
    /// Neither answer nor body are wanted any more: the last that is said of a request.
    Done {
        request: u64,
    },
}

/// [`Level`], which is not serialized elsewhere.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Loudness {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl From<Level> for Loudness {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

impl From<Loudness> for Level {
    fn from(level: Loudness) -> Self {
        match level {
            Loudness::Trace => Self::Trace,
            Loudness::Debug => Self::Debug,
            Loudness::Info => Self::Info,
            Loudness::Warn => Self::Warn,
            Loudness::Error => Self::Error,
        }
    }
}

/// Names and values in their order.
pub(crate) type Headers = Vec<(String, ByteBuf)>;

/// The head of a request.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Headers,
    /// Bytes of the body, where they are known.
    pub(crate) length: Option<u64>,
    /// What the guest allows for connecting, for the first byte and between two, in milliseconds.
    pub(crate) timeouts_ms: [Option<u64>; 3],
}

/// The head of a response.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) length: Option<u64>,
    /// The server asked to be left alone, and for how many milliseconds if it said so.
    pub(crate) slow_down: Option<Option<u64>>,
}

/// A piece of a body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Piece {
    Data(ByteBuf),
    Trailers(Headers),
    End,
    Failed(Refusal),
}

/// What a guest is told of a request that failed. What else there is to tell stays with the parent: what lies behind a name
/// is not for this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    told: Told,
    text: Option<String>,
    is_denied: bool,
    limit: Option<Limited>,
}

impl Refusal {
    /// A guest's own body failed.
    pub(crate) fn of_guest(problem: String) -> Self {
        Self { told: Told::Invalid, text: Some(problem), is_denied: false, limit: None }
    }

    /// The other half is gone.
    pub(crate) fn lost() -> Self {
        Self { told: Told::Incomplete, text: None, is_denied: false, limit: None }
    }

    /// What a guest said of its own body.
    pub(crate) fn into_text(self) -> String {
        self.text.unwrap_or_default()
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let Failure { told, text, denied, limit, .. } = failure;
        Self { told, text, is_denied: denied.is_some(), limit }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let Refusal { told, text, is_denied, limit } = refusal;
        // The text stands in no report: the parent has the whole one.
        Self { code: String::new(), told, text, denied: is_denied.then(|| "denied".to_owned()), limit }
    }
}
