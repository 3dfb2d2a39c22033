//! The command line of what can be asked of a server, made of the table.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand, value_parser};
use serde_json::Value;

use super::call::{Call, Given, Values};
use super::families::ALL;
use super::verb::{Family, Kind, Place, Take, Verb};
use crate::arguments::{Given as Fields, Server, source};
use crate::connect::SecretSource;

const LIMIT: &str = "limit";
const YES: &str = "yes";
const ITEMS: usize = 100;

/// A command of the table as it was given.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) call: Call,
    pub(crate) server: Server,
}

impl Subcommand for Words {
    fn augment_subcommands(command: Command) -> Command {
        ALL.iter().fold(command, |command, family| command.subcommand(of_family(family)))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        ALL.iter().any(|family| family.name == name)
    }
}

impl FromArgMatches for Words {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // Who builds the command line refuses what is not in the table before this.
        let missing = || clap::Error::new(ErrorKind::MissingSubcommand);
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let family = ALL.iter().find(|family| family.name == name).ok_or_else(missing)?;
        let (name, matches) = matches.subcommand().ok_or_else(missing)?;
        let verb = family.verbs.iter().find(|verb| verb.name == name).ok_or_else(missing)?;
        let values = verb.takes.iter().filter_map(|take| Some((take.name, given(take, matches)?)));
        let values: Values = values.collect();
        let is_confirmed = verb.may_ask() && matches.get_flag(YES);
        let limit = if verb.is_list() { matches.get_one(LIMIT).copied() } else { None };
        let call = Call { verb, values, is_confirmed, limit: limit.unwrap_or(ITEMS) };
        Ok(Self { call, server: Server::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn of_family(family: &Family) -> Command {
    let command = Command::new(family.name).about(family.about);
    let command = command.subcommand_required(true).arg_required_else_help(true);
    family.verbs.iter().fold(command, |command, verb| command.subcommand(of_verb(verb)))
}

fn of_verb(verb: &Verb) -> Command {
    let mut command = Command::new(verb.name);
    for take in verb.takes {
        command = match take.kind {
            Kind::Fields => Fields::augment_args(command),
            Kind::Again(_) => command,
            _ => command.arg(of_take(take)),
        };
    }
    if verb.is_list() {
        let limit =
            Arg::new(LIMIT).short('n').long(LIMIT).value_name("N").help("At most so many [default: 100]");
        command = command.arg(limit.value_parser(value_parser!(usize)));
    }
    if verb.may_ask() {
        command = command.arg(Arg::new(YES).long(YES).action(ArgAction::SetTrue).help("Do not ask"));
    }
    // What is put to it brings words of its own.
    Server::augment_args(command).about(verb.about)
}

fn of_take(take: &'static Take) -> Arg {
    let mut arg = Arg::new(take.name)
        .help(take.help)
        .required(take.is_needed && !matches!(take.kind, Kind::Secret | Kind::Flag));
    let mut value = take.option().to_uppercase();
    arg = match take.kind {
        Kind::Text => arg,
        Kind::Number => arg.value_parser(value_parser!(u64)),
        Kind::Texts => arg.value_delimiter(',').action(ArgAction::Append),
        Kind::Flag => arg.action(ArgAction::SetTrue),
        Kind::Fields | Kind::Again(_) => arg,
        Kind::Document | Kind::Rights | Kind::File => {
            value = "FILE".to_owned();
            arg.value_parser(value_parser!(PathBuf))
        }
        Kind::Word(words) => arg.value_parser(words.to_vec()),
        Kind::Words(words) => arg.value_parser(words.to_vec()).value_delimiter(',').action(ArgAction::Append),
        Kind::Secret => {
            value = "SOURCE".to_owned();
            arg.value_parser(source)
        }
    };
    if take.kind != Kind::Flag {
        arg = arg.value_name(value);
    }
    if matches!(take.place, Place::Path | Place::Whole) { arg } else { arg.long(take.option()) }
}

/// None: it was not said.
fn given(take: &Take, matches: &ArgMatches) -> Option<Given> {
    let texts = || {
        let all = matches.get_many::<String>(take.name)?;
        Some(Value::from(all.cloned().collect::<Vec<String>>()))
    };
    match take.kind {
        Kind::Text | Kind::Word(_) => Some(matches.get_one::<String>(take.name)?.clone().into()),
        Kind::Number => Some(Given::Value(Value::from(*matches.get_one::<u64>(take.name)?))),
        Kind::Texts | Kind::Words(_) => Some(Given::Value(texts()?)),
        Kind::Flag => matches.get_flag(take.name).then_some(Given::Value(Value::from(true))),
        Kind::Document | Kind::Rights | Kind::File => {
            Some(Given::File(matches.get_one::<PathBuf>(take.name)?.clone()))
        }
        Kind::Fields => Some(Given::Fields(Fields::from_arg_matches(matches).ok()?)),
        Kind::Again(_) => None,
        Kind::Secret => Some(Given::Secret(matches.get_one::<SecretSource>(take.name)?.clone())),
    }
}
