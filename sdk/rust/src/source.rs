//! Where rows come from.

use std::{cell::RefCell, marker::PhantomData, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    Budget, Catalog, Checkpoint, Result, Selection, Step,
    bindings::source::exports::cofferdam::connector::source as exports, logging, parse_config,
};

/// A connector from which rows come.
///
/// Every call may be made in an instance of its own; only a [`Reader`] lives across calls.
///
/// ```
/// use std::{collections::VecDeque, time::Duration};
/// use cofferdam_sdk::{
///     Budget, Catalog, Layout, OpenRead, Operation, PageBuilder, Reader, Result, Row, Source, Step, StreamInfo,
///     StreamSchema, row,
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     up_to: i64,
/// }
///
/// row! {
///     struct Square { number: i64, square: i64 }
/// }
///
/// struct Squares;
///
/// fn schema() -> StreamSchema {
///     StreamSchema::new("squares", Square::schema(), Layout::Columns)
/// }
///
/// impl Source for Squares {
///     type Config = Config;
///     type Reader = SquaresReader;
///
///     fn check(_: &Config) -> Result<()> {
///         Ok(())
///     }
///
///     fn discover(_: &Config) -> Result<Catalog> {
///         Ok(Catalog::new([StreamInfo::new(schema()).incremental(["number"])]))
///     }
///
///     fn open(config: Config, read: OpenRead) -> Result<SquaresReader> {
///         let done = read.position()?.unwrap_or(0);
///         let rows = (done + 1..=config.up_to).map(|number| Square { number, square: number * number });
///         Ok(SquaresReader { rows: rows.collect() })
///     }
/// }
///
/// struct SquaresReader {
///     rows: VecDeque<Square>,
/// }
///
/// impl Reader for SquaresReader {
///     fn next(&mut self, budget: &Budget) -> Result<Step> {
///         if self.rows.is_empty() {
///             return Ok(Step::End);
///         }
///         let mut page = PageBuilder::new(budget);
///         let before = self.rows.front().map_or(0, |row| row.number - 1);
///         page.fill_rows(&schema(), Operation::Insert, &mut self.rows)?;
///         page.checkpoint(&self.rows.front().map_or(before, |row| row.number - 1))?;
///         Ok(page.finish())
///     }
/// }
///
/// cofferdam_sdk::export!(source = Squares, manifest = "template/connector.toml");
///
/// let read = OpenRead::group("squares").from_checkpoint(&7)?;
/// let mut reader = Squares::open(Config { up_to: 10 }, read)?;
/// let Step::Page(page) = reader.next(&Budget::new(1000, 1 << 20, Duration::from_secs(30)))? else { unreachable!() };
/// assert_eq!(page.batches[0].row_count(), 3);
/// assert_eq!(reader.next(&Budget::new(1000, 1 << 20, Duration::from_secs(30)))?, Step::End);
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
pub trait Source: 'static {
    /// The configuration. What does not fit it becomes a fault shown at its field.
    type Config: DeserializeOwned;
    /// Reads one group of streams.
    type Reader: Reader;

    /// Whether this configuration works: can the other system be reached, does it let us in?
    fn check(config: &Self::Config) -> Result<()>;

    /// What there is to read.
    fn discover(config: &Self::Config) -> Result<Catalog>;

    /// Open a reader for one group and the selected streams of it.
    fn open(config: Self::Config, read: OpenRead) -> Result<Self::Reader>;
}

/// Reads one group of streams.
pub trait Reader: 'static {
    /// The next page (see [`PageBuilder`](crate::PageBuilder)), a wait, a changed schema, or the end. Never called
    /// again after the end or an error.
    fn next(&mut self, budget: &Budget) -> Result<Step>;

    /// The destination has made everything up to this checkpoint durable: a queue may now be told. The host may leave
    /// out a checkpoint that a later one covers, and all of them after a crash.
    fn committed(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }
}

/// What to read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenRead {
    /// The read group.
    pub group: String,
    /// The streams of the group, and what of each. Only what `discover` declared as pushdown is asked for.
    pub selections: Vec<Selection>,
    /// Where an earlier reader of this group stood.
    pub checkpoint: Option<Checkpoint>,
}

impl OpenRead {
    /// This group from its beginning, with no selections. For tests of a source.
    pub fn group(name: impl Into<String>) -> Self {
        Self { group: name.into(), selections: Vec::new(), checkpoint: None }
    }

    /// Go on from this position. For tests of a source.
    pub fn from_checkpoint(self, position: &impl serde::Serialize) -> Result<Self> {
        Ok(Self { checkpoint: Some(Checkpoint::new(position)?), ..self })
    }

    /// The checkpoint as the source's own type.
    pub fn position<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.checkpoint.as_ref().map(Checkpoint::parse).transpose()
    }

    /// The selection of one stream.
    pub fn selection(&self, stream: &str) -> Option<&Selection> {
        self.selections.iter().find(|selection| selection.stream == stream)
    }
}

/// Carries a [`Source`] over the contract.
#[doc(hidden)]
pub struct Exported<S>(PhantomData<S>);

#[doc(hidden)]
pub struct ExportedReader<R>(RefCell<R>);

impl<S: Source> exports::Guest for Exported<S> {
    type Reader = ExportedReader<S::Reader>;

    fn check(config: String) -> Result<()> {
        logging::install();
        S::check(&parse_config(&config)?)
    }

    fn discover(config: String) -> Result<Catalog> {
        logging::install();
        S::discover(&parse_config(&config)?)
    }

    fn open(
        config: String,
        group: String,
        selections: Vec<Selection>,
        checkpoint: Option<String>,
    ) -> Result<exports::Reader> {
        logging::install();
        let read = OpenRead { group, selections, checkpoint: checkpoint.map(Checkpoint::from_json) };
        let reader = S::open(parse_config(&config)?, read)?;
        Ok(exports::Reader::new(ExportedReader(RefCell::new(reader))))
    }
}

impl<R: Reader> exports::GuestReader for ExportedReader<R> {
    fn next(&self, budget: exports::PageBudget) -> Result<Step> {
        let time = Duration::from_millis(budget.deadline_ms.into());
        let budget = Budget::new(budget.max_rows as usize, budget.max_bytes as usize, time);
        self.0.borrow_mut().next(&budget)
    }

    fn committed(&self, checkpoint: String) -> Result<()> {
        self.0.borrow_mut().committed(Checkpoint::from_json(checkpoint))
    }
}
