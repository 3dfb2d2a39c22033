//! Reads one stream: slice by slice, page by page, with a checkpoint after each page.

use std::rc::Rc;

use cofferdam_sdk::{Budget, Error, PageBuilder, Reader, Result, Step, StreamSchema};
use http_manifest_dialect::{Segment, Stream, template::Scope};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    answer::{self, Verdict},
    call::{self, Injected},
    catalog, changes,
    cursor::{Progress, Slice},
    exchange::exchange,
    extract, failure,
    http::{Answer, Http},
    paging::{PageRead, Paging},
    position::{NextPage, Position, Reading},
    program::Program,
    records::{Queue, Rejected},
};

/// Reads one stream.
pub(crate) struct StreamReader<H> {
    program: Rc<Program>,
    stream: String,
    schema: StreamSchema,
    http: H,
    now: i64,
    position: Position,
    queue: Queue,
    /// Whether the run is at its end.
    finished: bool,
    /// Whether the position is one that no page has said yet.
    moved: bool,
    /// Whether the page that comes next was found by an earlier reader: its token may have grown old.
    is_resumed: bool,
}

/// What is settled for one page.
struct Settled<'m> {
    stream: &'m Stream,
    progress: Option<Progress<'m>>,
    paging: Option<Paging<'m>>,
    path: Vec<extract::Step>,
    /// The configuration alone.
    scope: Scope,
}

impl<H: Http> StreamReader<H> {
    /// A reader at a position; none: at the beginning. `now` is in microseconds since 1970.
    pub(crate) fn open(
        program: Rc<Program>,
        stream: &str,
        position: Option<Position>,
        http: H,
        now: i64,
    ) -> Result<Self> {
        let schema = catalog::stream_schema(program.stream(stream)?);
        let has_cursor = program.stream(stream)?.cursor.is_some();
        let is_resumed = position.as_ref().is_some_and(|position| position.reading.is_some());
        let is_at_end = position.as_ref().is_some_and(|position| position.reading.is_none());
        let reader = Self {
            stream: stream.to_owned(),
            program,
            schema,
            http,
            now,
            position: position.unwrap_or_else(Position::start),
            queue: Queue::default(),
            // Without a cursor there is nothing to go on from: the end is the end.
            finished: is_at_end && !has_cursor,
            moved: false,
            is_resumed,
        };
        // What the configuration breaks is said before anything is sent.
        settle(&reader.program, stream, now)?;
        Ok(reader)
    }

    /// Sends the next request and takes its records; does nothing at the end of the run.
    pub(crate) fn fetch(&mut self, budget: &Budget) -> Result<()> {
        let program = Rc::clone(&self.program);
        let settled = settle(&program, &self.stream, self.now)?;
        let Some(slice) = self.slice(&settled)? else {
            self.finished = true;
            return Ok(());
        };
        let page = self.position.reading.as_ref().map(|reading| reading.page.clone()).unwrap_or_default();
        let token = page.token.clone().or_else(|| settled.paging.as_ref().and_then(Paging::first_token));
        let scope = settled.scope_of(slice, token.as_ref())?;
        let call = call::build(
            &settled.stream.retriever.requester,
            &scope,
            &settled.injected(slice, token.as_ref(), page.read > 0)?,
        )?;
        let label = call.label();
        let answer = exchange(&mut self.http, call, budget.time_left())?;
        let is_resumed = std::mem::take(&mut self.is_resumed);
        let handler = &settled.stream.retriever.requester.error_handler;
        let verdict = match answer::judge(handler, &label, &answer, &scope, self.now) {
            Err(Error::Data(reason)) if is_resumed && page.token.is_some() => {
                log::warn!("the page's token has grown old, the slice begins again: {reason}");
                return self.restart_slice();
            }
            verdict => verdict?,
        };
        let next = match verdict {
            Verdict::Ignored => None,
            Verdict::Page => {
                let page = NextPage { token, ..page };
                self.take_page(&settled, &label, &answer, &page, &scope)?
            }
        };
        self.advance(&settled, slice, next)
    }

    /// The slice at hand; the run is begun if it has not been yet.
    fn slice(&mut self, settled: &Settled<'_>) -> Result<Option<Slice>> {
        let Some(progress) = &settled.progress else {
            self.position.reading.get_or_insert_with(|| Reading::new(0, 0));
            return Ok(Some(Slice { start: 0, end: 0, next: None }));
        };
        let reading = match &mut self.position.reading {
            Some(reading) => reading,
            none => none.insert(Reading::new(progress.begin(self.position.cursor)?, progress.end)),
        };
        progress.slice(reading.slice, reading.until)
    }

    fn restart_slice(&mut self) -> Result<()> {
        if let Some(reading) = &mut self.position.reading {
            reading.page = NextPage::default();
        }
        Ok(())
    }

    /// Takes the records of a page and finds the next one.
    fn take_page(
        &mut self,
        settled: &Settled<'_>,
        label: &str,
        answer: &Answer,
        page: &NextPage,
        scope: &Scope,
    ) -> Result<Option<NextPage>> {
        let records = extract::records(label, answer, &settled.path)?;
        for record in &records {
            self.take(settled, record, scope)?;
        }
        log::debug!("{label} has {} records", records.len());
        let Some(paging) = &settled.paging else { return Ok(None) };
        let is_feed = settled.progress.as_ref().is_some_and(Progress::is_data_feed);
        let last = records.last().filter(|_| is_feed || paging.wants_last_record());
        let last_record: Option<Value> = last.and_then(|record| serde_json::from_str(record.get()).ok());
        if let (true, Some(progress), Some(Value::Object(record))) =
            (is_feed, &settled.progress, &last_record)
            && progress.of_record(record).is_some_and(|micros| self.is_old(progress, micros))
        {
            return Ok(None);
        }
        let read = PageRead { answer, records: records.len() as u64, last_record };
        paging.next(page, &read, scope).map_err(|error| error.context(label))
    }

    /// Takes one record: rejects it, leaves it out, or queues it.
    fn take(&mut self, settled: &Settled<'_>, record: &RawValue, scope: &Scope) -> Result<()> {
        let text = record.get();
        if !text.starts_with('{') {
            self.reject(text, "record_not_object", "the record is no JSON object".to_owned());
            return Ok(());
        }
        let Stream { retriever, transformations, .. } = settled.stream;
        if retriever.selector.filter.is_none() && transformations.is_empty() && settled.progress.is_none() {
            self.queue.push(record.to_owned());
            return Ok(());
        }
        let mut members: Map<String, Value> = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(fault) => {
                self.reject(text, "record_unreadable", fault.to_string());
                return Ok(());
            }
        };
        let transform_first = retriever.selector.transform_before_filtering;
        if transform_first {
            changes::apply(transformations, &mut members, scope)?;
        }
        if let Some(filter) = &retriever.selector.filter {
            let scope = scope.clone().with("record", &Value::Object(members.clone()));
            if !filter.holds(&scope).map_err(failure::template)? {
                return Ok(());
            }
        }
        if !transform_first {
            changes::apply(transformations, &mut members, scope)?;
        }
        if settled.progress.as_ref().is_some_and(|progress| !self.is_new(progress, &members, text)) {
            return Ok(());
        }
        let row = if transformations.is_empty() {
            record.to_owned()
        } else {
            serde_json::value::to_raw_value(&members)?
        };
        self.queue.push(row);
        Ok(())
    }

    fn reject(&mut self, text: &str, code: &'static str, message: String) {
        self.queue.reject(Rejected { raw: text.to_owned(), code, message });
    }

    /// Whether a record is to be given, by its cursor; what is near the cursor is remembered.
    fn is_new(&mut self, progress: &Progress<'_>, record: &Map<String, Value>, text: &str) -> bool {
        // One without a date cannot be placed: better twice than never.
        let Some(micros) = progress.of_record(record) else { return true };
        let is_beyond = progress.last.is_some_and(|last| micros > last);
        if progress.leaves_out() && (is_beyond || self.is_old(progress, micros)) {
            return false;
        }
        let is_known = self.position.known.take(micros, text);
        if let Some(reading) = &mut self.position.reading {
            reading.highest = reading.highest.max(Some(micros));
            reading.seen.add(micros, text);
        }
        !is_known
    }

    /// Whether earlier runs have read everything around this moment.
    fn is_old(&self, progress: &Progress<'_>, micros: i64) -> bool {
        progress.begin(self.position.cursor).is_ok_and(|begin| micros < begin)
    }

    /// Moves on to the next page, the next slice or the end.
    fn advance(&mut self, settled: &Settled<'_>, slice: Slice, next: Option<NextPage>) -> Result<()> {
        self.moved = true;
        let Some(reading) = &mut self.position.reading else { return Ok(()) };
        if let Some(progress) = &settled.progress
            && let Some(reached) = reading.reaches(self.position.cursor)
        {
            reading.seen.forget_before(progress.begin(Some(reached))?);
        }
        match (next, slice.next) {
            (Some(page), _) => reading.page = page,
            (None, Some(start)) => {
                reading.slice = start;
                reading.page = NextPage::default();
            }
            (None, None) => {
                self.position.cursor = reading.reaches(self.position.cursor);
                self.position.known = std::mem::take(&mut reading.seen);
                self.position.reading = None;
                self.finished = true;
            }
        }
        Ok(())
    }
}

impl<H: Http + 'static> Reader for StreamReader<H> {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if self.queue.is_empty() && !self.finished && !budget.is_over() {
            self.fetch(budget).map_err(|error| error.context(format!("stream `{}`", self.stream)))?;
        }
        if self.finished && self.queue.is_empty() && !self.moved {
            return Ok(Step::End);
        }
        let mut page = PageBuilder::new(budget);
        self.queue.fill(&mut page, budget, &self.schema)?;
        if self.queue.is_empty() && self.moved {
            page.checkpoint(&self.position)?;
            self.moved = false;
        }
        Ok(page.finish())
    }
}

impl<'m> Settled<'m> {
    /// What the templates of a request see.
    fn scope_of(&self, slice: Slice, token: Option<&Value>) -> Result<Scope> {
        let interval = match &self.progress {
            Some(progress) => progress.interval(slice)?,
            None => json!({}),
        };
        let token = token.map_or(Value::Null, |token| json!({ "next_page_token": token }));
        let scope = self.scope.clone().with("stream_interval", &interval).with("stream_slice", &interval);
        Ok(scope.with("stream_partition", &json!({})).with("next_page_token", &token))
    }

    fn injected(&self, slice: Slice, token: Option<&Value>, is_later_page: bool) -> Result<Injected<'m>> {
        let mut injected = Injected::default();
        let without_slice = is_later_page && self.stream.retriever.slice_on_first_page_only;
        if let Some(progress) = self.progress.as_ref().filter(|_| !without_slice) {
            injected.values = progress.injected(slice)?;
        }
        if let Some(paging) = &self.paging {
            paging.inject(token, &mut injected);
        }
        Ok(injected)
    }
}

/// Evaluates what depends on the configuration alone.
fn settle<'m>(program: &'m Program, stream: &str, now: i64) -> Result<Settled<'m>> {
    let stream = program.stream(stream)?;
    let scope = Scope::new(&program.config, now);
    let segment = |segment: &Segment| match segment {
        Segment::Each => Ok(extract::Step::Each),
        Segment::Key(template) => call::text(template, &scope).map(extract::Step::Key),
    };
    Ok(Settled {
        stream,
        progress: stream.cursor.as_ref().map(|cursor| Progress::new(cursor, &scope, now)).transpose()?,
        paging: stream
            .retriever
            .paginator
            .as_ref()
            .map(|paginator| Paging::new(paginator, &scope))
            .transpose()?,
        path: stream.retriever.selector.path.iter().map(segment).collect::<Result<_>>()?,
        scope,
    })
}
