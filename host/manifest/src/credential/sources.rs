//! Secrets of the configuration and fields of credentials meet one to one: what a schema marks as secret is entered as
//! the field of one credential, and nowhere else.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::asks::Asks;
use crate::config::Secrets;
use crate::fault::Code;
use crate::reader::Node;
use crate::text::{did_you_mean, quoted};

/// The member of a connector's configuration in which the host says which credentials there are.
pub(crate) const HOST_MEMBER: &str = "credentials";

/// Reports every secret that is not the source of exactly one field, and everything that would take one from the
/// configuration.
pub(crate) fn check_secrets(document: &Node<'_>, asks: &Asks, schema: Option<&Value>) {
    let secrets = schema.map(Secrets::of).unwrap_or_default();
    let config = |at: &str| document.at_pointer(&format!("/config{at}"));
    for at in &secrets.without_place {
        let message = "a secret stands in a place of its own: not in a list, and not under any name";
        config(at).fault(Code::WrongSecret, message);
    }
    for at in &secrets.with_default {
        config(at)
            .fault(Code::WrongSecret, "a secret has no default: whoever reads the manifest would know it");
    }
    let declares =
        |name: &str| schema.is_some_and(|schema| schema.pointer(&format!("/properties/{name}")).is_some());
    if !asks.credentials.is_empty() && declares(HOST_MEMBER) {
        let message =
            "the host says in `credentials` which credentials there are: call the property otherwise";
        config(&format!("/properties/{HOST_MEMBER}")).fault(Code::WrongSchema, message);
    }
    check_fields(document, asks, &secrets);
    check_substitutions(document, asks, &secrets);
}

fn check_fields(document: &Node<'_>, asks: &Asks, secrets: &Secrets) {
    let mut sources: BTreeMap<&str, String> = BTreeMap::new();
    for (index, ask) in asks.credentials.iter().enumerate() {
        for (field, pointer) in &ask.fields {
            let place = document.at_pointer(&format!("/asks/credentials/{index}/fields/{field}"));
            if !secrets.places.contains_key(pointer) {
                let message = format!("the configuration has no secret at {}", quoted(pointer));
                let hint =
                    did_you_mean(pointer, secrets.places.keys().map(String::as_str)).unwrap_or_else(|| {
                        "declare the property under `[config.properties]` with `secret = true`".to_owned()
                    });
                place.fault_with(Code::WrongSecret, message, Some(hint));
            } else if let Some(other) = sources.insert(pointer, place.path().to_owned()) {
                let message =
                    format!("the secret {} is the source of {} already", quoted(pointer), quoted(&other));
                place.fault(Code::WrongSecret, message);
            }
        }
    }
    for (pointer, at) in secrets.places.iter().filter(|(pointer, _)| !sources.contains_key(pointer.as_str()))
    {
        let message = format!("the secret {} is the source of no credential", quoted(pointer));
        let hint = format!(
            "name it in the credential that it belongs to, such as `fields = {{ token = {} }}`; the host enters it for the \
             connector",
            quoted(pointer).replace('`', "\"")
        );
        document.at_pointer(&format!("/config{at}")).fault_with(Code::WrongSecret, message, Some(hint));
    }
}

/// A host, a path or a setting that is made of a secret would show it.
fn check_substitutions(document: &Node<'_>, asks: &Asks, secrets: &Secrets) {
    let hosts = asks.hosts.iter().enumerate();
    let hosts = hosts.map(|(index, ask)| (format!("/asks/hosts/{index}/url"), ask.pattern.pointers()));
    let credentials = asks.credentials.iter().enumerate();
    let credentials = credentials.map(|(index, ask)| (format!("/asks/credentials/{index}"), ask.pointers()));
    for (place, pointers) in hosts.chain(credentials) {
        for pointer in pointers.iter().filter(|pointer| secrets.touch(pointer)) {
            let message = format!("{} is a secret, which no URL and no setting is made of", quoted(pointer));
            document.at_pointer(&place).fault(Code::WrongSecret, message);
        }
    }
}
