//! What can be asked of a server, as data: one line of a table for each command. Knows neither the command line nor HTTP's
//! bytes; `words` and `fill` make those of it.

use http::Method;

/// Commands about one kind of thing.
#[derive(Debug)]
pub(crate) struct Family {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) verbs: &'static [Verb],
}

/// One command: what it takes, what it asks for, and how the answer is shown.
#[derive(Debug)]
pub(crate) struct Verb {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) method: Method,
    /// With names in braces, which are filled by what is taken; `{organization}` is the one that is meant.
    pub(super) path: &'static str,
    pub(super) takes: &'static [Take],
    pub(super) shows: Shows,
    /// What is read first: the change is made to that and nothing else.
    pub(super) reads_first: Option<&'static str>,
    /// The organization is there no more, so it is known by its id alone.
    pub(super) is_of_what_is_gone: bool,
    /// Who asks is nobody yet, and shows something in the body.
    pub(super) is_for_strangers: bool,
    /// What cannot be undone, in words with names in braces.
    pub(super) asks: Option<&'static str>,
    /// What is to be said behind it.
    pub(super) note: Option<&'static str>,
}

/// Something that is given on the command line.
#[derive(Debug)]
pub(crate) struct Take {
    /// As the API calls it.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) is_needed: bool,
    /// The list in which its name is looked up.
    pub(super) among: Option<&'static str>,
    /// The API wants it always; unsaid it is an empty list.
    pub(super) is_empty_unless_said: bool,
}

/// Where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Body,
    /// It is the body.
    Whole,
    /// The server is not told: it is for what comes behind its answer.
    Behind,
}

/// How it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Texts,
    /// Said or not.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words.
    Words(&'static [&'static str]),
    /// The name of a file with a document in it, as TOML or JSON.
    Document,
    /// The name of such a file with rights; without one the rights are shown that are asked for, and somebody agrees to them.
    Rights,
    /// The name of a file that is sent as it is.
    File,
    /// Fields of a credential: what is no secret by its value, secrets from elsewhere than the command line.
    Fields,
    /// What was said under this name, once more: the API wants to see that it is meant.
    Again(&'static str),
    /// A secret, which is typed or comes from elsewhere than the command line.
    Secret,
}

/// How an answer is shown to a person.
#[derive(Debug)]
pub(crate) enum Shows {
    /// A list that comes a page at a time, as a table; for machines under this name.
    List(&'static str, &'static [Column]),
    /// One thing, a line for each of these.
    One(&'static [Column]),
    /// A list within what is answered, as a table.
    Within(&'static str, &'static [Column]),
    /// As it comes, to standard output.
    Raw,
    /// Events, a line for each.
    Live,
    /// The page at which a user consents, whose answer is brought back.
    Consent,
    /// In words, with names in braces.
    Done(&'static str),
}

/// A part of an answer.
#[derive(Debug)]
pub(crate) struct Column {
    pub(super) heading: &'static str,
    /// Where it is in what is answered, as a JSON Pointer.
    pub(super) at: &'static str,
    pub(super) form: Form,
}

/// How a value is written for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A text as it is; several with commas between them.
    Plain,
    Count,
    Moment,
    Duration,
    YesNo,
}

pub(super) const fn plain(heading: &'static str, at: &'static str) -> Column {
    Column { heading, at, form: Form::Plain }
}

pub(super) const fn count(heading: &'static str, at: &'static str) -> Column {
    Column { heading, at, form: Form::Count }
}

pub(super) const fn moment(heading: &'static str, at: &'static str) -> Column {
    Column { heading, at, form: Form::Moment }
}

pub(super) const fn duration(heading: &'static str, at: &'static str) -> Column {
    Column { heading, at, form: Form::Duration }
}

pub(super) const fn yes_no(heading: &'static str, at: &'static str) -> Column {
    Column { heading, at, form: Form::YesNo }
}

/// A part of the path, which has no name on the command line.
pub(super) const fn of(name: &'static str, help: &'static str) -> Take {
    Take {
        name,
        help,
        place: Place::Path,
        kind: Kind::Text,
        is_needed: true,
        among: None,
        is_empty_unless_said: false,
    }
}

/// A member of the body.
pub(super) const fn member(name: &'static str, kind: Kind, help: &'static str) -> Take {
    Take { name, help, place: Place::Body, kind, is_needed: false, among: None, is_empty_unless_said: false }
}

/// A part of what stands behind the `?`.
pub(super) const fn asked(name: &'static str, kind: Kind, help: &'static str) -> Take {
    Take { place: Place::Query, ..member(name, kind, help) }
}

/// What the server is not told.
pub(super) const fn behind(name: &'static str, kind: Kind, help: &'static str) -> Take {
    Take { place: Place::Behind, ..member(name, kind, help) }
}

impl Take {
    /// By its id, or by its name in this list; where it is left out, the only one there.
    pub(super) const fn among(mut self, list: &'static str) -> Self {
        self.among = Some(list);
        self
    }

    pub(super) const fn whole(mut self) -> Self {
        self.place = Place::Whole;
        self
    }

    pub(super) const fn needed(mut self) -> Self {
        self.is_needed = true;
        self
    }

    pub(super) const fn needed_or_empty(mut self) -> Self {
        self.is_empty_unless_said = true;
        self
    }

    /// As it is called on the command line.
    pub(super) fn option(&self) -> String {
        self.name.replace('_', "-")
    }
}

impl Verb {
    pub(super) const fn new(
        name: &'static str,
        method: Method,
        path: &'static str,
        about: &'static str,
    ) -> Self {
        let (takes, shows): (&[Take], _) = (&[], Shows::Done("done"));
        Self {
            name,
            about,
            method,
            path,
            takes,
            shows,
            reads_first: None,
            is_of_what_is_gone: false,
            is_for_strangers: false,
            asks: None,
            note: None,
        }
    }

    pub(super) const fn get(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, Method::GET, path, about)
    }

    pub(super) const fn post(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, Method::POST, path, about)
    }

    pub(super) const fn delete(name: &'static str, path: &'static str, about: &'static str) -> Self {
        Self::new(name, Method::DELETE, path, about)
    }

    pub(super) const fn takes(mut self, takes: &'static [Take]) -> Self {
        self.takes = takes;
        self
    }

    pub(super) const fn shows(mut self, shows: Shows) -> Self {
        self.shows = shows;
        self
    }

    /// A change of what it reads at the same place.
    pub(super) const fn of_what_was_read(mut self) -> Self {
        self.reads_first = Some(self.path);
        self
    }

    /// A change of what is read elsewhere.
    pub(super) const fn reads_first(mut self, path: &'static str) -> Self {
        self.reads_first = Some(path);
        self
    }

    pub(super) const fn of_what_is_gone(mut self) -> Self {
        self.is_of_what_is_gone = true;
        self
    }

    pub(super) const fn for_strangers(mut self) -> Self {
        self.is_for_strangers = true;
        self
    }

    pub(super) const fn asks(mut self, what: &'static str) -> Self {
        self.asks = Some(what);
        self
    }

    pub(super) const fn note(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    /// Whether somebody may have to agree.
    pub(super) fn may_ask(&self) -> bool {
        self.asks.is_some() || self.takes.iter().any(|take| take.kind == Kind::Rights)
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.shows, Shows::List(..))
    }
}
