//! Where rows go.

use std::{cell::RefCell, collections::HashMap, marker::PhantomData};

use serde::de::DeserializeOwned;

use crate::{
    Batch, Capabilities, CommitReport, Error, Incoming, LastCommit, Result, StreamPlan, StreamSchema,
    StreamVerdict, WriteReport, bindings::destination::exports::cofferdam::connector::destination as exports,
    logging, parse_config,
};

/// A connector to which rows go.
///
/// ```
/// use cofferdam_sdk::{
///     Batch, Capabilities, CommitReport, Destination, Incoming, JsonLinesBuilder, Layout, Layouts, Modes, OpenWrite,
///     Operation, Operations, Reject, Result, Schema, StreamPlan, StreamSchema, StreamVerdict, WriteReport, Writer,
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     path: String,
/// }
///
/// struct Lines;
///
/// impl Destination for Lines {
///     type Config = Config;
///     type Writer = LinesWriter;
///
///     fn check(_: &Config) -> Result<()> {
///         Ok(())
///     }
///
///     fn open(config: Config, _: OpenWrite) -> Result<LinesWriter> {
///         Ok(LinesWriter { path: config.path, rows: Vec::new() })
///     }
/// }
///
/// struct LinesWriter {
///     path: String,
///     rows: Vec<u8>,
/// }
///
/// impl Writer for LinesWriter {
///     fn capabilities(&self) -> Capabilities {
///         Capabilities {
///             exactly_once: false,
///             transactions: false,
///             fences: false,
///             late_rejects: false,
///             layouts: Layouts::JSON_LINES,
///             modes: Modes::APPEND,
///             operations: Operations::INSERT,
///         }
///     }
///
///     fn prepare(&mut self, plans: &[StreamPlan], _dry_run: bool) -> Result<Vec<StreamVerdict>> {
///         Ok(plans.iter().map(|plan| StreamVerdict::all_stored(plan, Layout::JsonLines)).collect())
///     }
///
///     fn write(&mut self, _number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
///         let mut rejected = Vec::new();
///         for (row, line) in (0..).zip(incoming.json_lines()?.lines()) {
///             if line.len() > 1000 {
///                 rejected.push(Reject::new(row, "too_long", "a line may have 1,000 bytes"));
///             } else {
///                 self.rows.extend_from_slice(line);
///                 self.rows.push(b'\n');
///             }
///         }
///         Ok(WriteReport { rejected })
///     }
///
///     fn commit(&mut self, _token: &str, _last: bool) -> Result<CommitReport> {
///         std::fs::write(&self.path, &self.rows)?;
///         Ok(CommitReport { rejected: Vec::new() })
///     }
/// }
///
/// cofferdam_sdk::export!(destination = Lines, manifest = "template/connector.toml");
///
/// # let path = std::env::temp_dir().join(format!("cofferdam-sdk-{}", std::process::id())).display().to_string();
/// let mut writer = Lines::open(Config { path: path.clone() }, OpenWrite { unit: "u".into(), fence: Some(1) })?;
/// let schema = StreamSchema::new("notes", Schema::open(), Layout::JsonLines);
/// let mut rows = JsonLinesBuilder::new();
/// rows.push(&serde_json::json!({"note": "keep"}))?;
/// rows.push(&serde_json::json!({"note": "x".repeat(1000)}))?;
/// let incoming = Incoming { schema: &schema, batch: Batch::new(&schema, Operation::Insert, rows.finish()) };
/// assert_eq!(writer.write(0, incoming)?.rejected[0].row, 1);
/// writer.commit("token", true)?;
/// assert_eq!(std::fs::read_to_string(&path)?, "{\"note\":\"keep\"}\n");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
pub trait Destination: 'static {
    /// The configuration. What does not fit it becomes a fault shown at its field.
    type Config: DeserializeOwned;
    /// Writes one commit unit.
    type Writer: Writer;

    /// Whether this configuration works.
    fn check(config: &Self::Config) -> Result<()>;

    /// Open a writer. Without a fence nothing may be changed.
    fn open(config: Self::Config, write: OpenWrite) -> Result<Self::Writer>;
}

/// Writes one commit unit: the streams of one read group.
pub trait Writer: 'static {
    /// What this destination can do.
    fn capabilities(&self) -> Capabilities;

    /// The last commit of this unit that is durable, and what it rejected late. Asked before the first row; a destination
    /// that declares `exactly_once` must tell the truth here.
    fn committed(&mut self) -> Result<Option<LastCommit>> {
        Ok(None)
    }

    /// What will come: before the first row, and again at each change of a schema. With `dry_run` nothing is changed.
    fn prepare(&mut self, plans: &[StreamPlan], dry_run: bool) -> Result<Vec<StreamVerdict>>;

    /// Take one batch. Numbers rise by one from 0 after each commit. A row that cannot be taken is reported, here or
    /// at the commit; an error means that the whole batch is not taken.
    fn write(&mut self, number: u64, incoming: Incoming<'_>) -> Result<WriteReport>;

    /// Make everything written since the last commit durable and visible under this token; a `replace` becomes visible
    /// with `last`, the last commit of its generation. Rejects here need the capability `late_rejects`, and are kept with
    /// the token.
    fn commit(&mut self, token: &str, last: bool) -> Result<CommitReport>;
}

/// Where to write.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenWrite {
    /// The name of the commit unit, stable across runs.
    pub unit: String,
    /// Rises with each run of the unit; a destination that can must refuse an older one. Without one only
    /// `capabilities`, `committed` and a dry `prepare` are called, and nothing may be changed.
    pub fence: Option<u64>,
}

/// Carries a [`Destination`] over the contract.
#[doc(hidden)]
pub struct Exported<D>(PhantomData<D>);

#[doc(hidden)]
pub struct ExportedWriter<W>(RefCell<Opened<W>>);

struct Opened<W> {
    writer: W,
    /// What the last `prepare` said of each stream.
    schemas: HashMap<String, StreamSchema>,
}

impl<D: Destination> exports::Guest for Exported<D> {
    type Writer = ExportedWriter<D::Writer>;

    fn check(config: String) -> Result<()> {
        logging::install();
        D::check(&parse_config(&config)?)
    }

    fn open(config: String, unit: String, fence: Option<u64>) -> Result<exports::Writer> {
        logging::install();
        let writer = D::open(parse_config(&config)?, OpenWrite { unit, fence })?;
        Ok(exports::Writer::new(ExportedWriter(RefCell::new(Opened { writer, schemas: HashMap::new() }))))
    }
}

impl<W: Writer> exports::GuestWriter for ExportedWriter<W> {
    fn capabilities(&self) -> Capabilities {
        self.0.borrow().writer.capabilities()
    }

    fn committed(&self) -> Result<Option<LastCommit>> {
        self.0.borrow_mut().writer.committed()
    }

    fn prepare(&self, plans: Vec<StreamPlan>, dry_run: bool) -> Result<Vec<StreamVerdict>> {
        let Opened { writer, schemas } = &mut *self.0.borrow_mut();
        let verdicts = writer.prepare(&plans, dry_run)?;
        schemas.extend(plans.into_iter().map(|plan| (plan.schema.stream.clone(), plan.schema)));
        Ok(verdicts)
    }

    fn write(&self, number: u64, batch: Batch) -> Result<WriteReport> {
        let Opened { writer, schemas } = &mut *self.0.borrow_mut();
        let schema = schema_of(schemas.get(&batch.stream), &batch)?;
        writer.write(number, Incoming { schema, batch })
    }

    fn commit(&self, token: String, last: bool) -> Result<CommitReport> {
        self.0.borrow_mut().writer.commit(&token, last)
    }
}

/// The schema by which a batch is laid out, if it is the one that was announced last.
pub(crate) fn schema_of<'a>(announced: Option<&'a StreamSchema>, batch: &Batch) -> Result<&'a StreamSchema> {
    announced.filter(|schema| schema.version == batch.schema_version).ok_or_else(|| {
        Error::bug(format!(
            "a batch of `{}` version {} was not announced",
            batch.stream, batch.schema_version
        ))
    })
}
