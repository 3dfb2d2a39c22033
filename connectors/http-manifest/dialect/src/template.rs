//! Texts with `{{ … }}` in them, in Jinja's language.
//!
//! A text that is one expression gives the expression's own value; any other gives text, which is read as a literal
//! (`7`, `True`, `None`, JSON) where it is one, as the dialect does. Names are checked when the manifest is read, and each
//! evaluation is bounded.

mod arithmetic;
mod environment;
mod functions;
mod literal;
mod moment;
mod names;
mod scope;

use std::sync::Arc;

use minijinja::{ErrorKind, Expression, Value};
use serde_json::Value as Json;

pub use names::Names;
pub use scope::Scope;

use crate::{Place, words::did_you_mean};
use environment::ENVIRONMENT;

/// A text that may hold expressions.
#[derive(Clone, Default)]
pub struct Template {
    source: String,
    form: Form,
    parameters: Value,
    place: Option<Place>,
}

#[derive(Clone, Default)]
enum Form {
    /// No expression in it.
    #[default]
    Plain,
    /// One expression and nothing else.
    Expression(Arc<Expression<'static, 'static>>),
    /// Text with expressions or statements in it, rewritten for the engine.
    Text(String),
}

/// A template that cannot be evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template `{template}`{} fails: {reason}", line(.place))]
pub struct Error {
    /// Its text.
    pub template: String,
    /// Where it stands in the manifest.
    pub place: Option<Place>,
    /// Why.
    pub reason: String,
}

fn line(place: &Option<Place>) -> String {
    place.map(|place| format!(" in line {}", place.line)).unwrap_or_default()
}

impl Template {
    /// Reads a text; `names` are those that it may use. The error is a message and what would be right.
    pub(crate) fn parse(
        source: &str,
        names: Names,
        parameters: &Json,
    ) -> Result<Self, (String, Option<String>)> {
        let form = form(source).map_err(|error| (format!("is no template: {}", reason(&error)), None))?;
        let parameters = scope::of_json(parameters);
        let template = Self { source: source.to_owned(), form, parameters, place: None };
        template.check_names(names)?;
        template.check_calls()?;
        Ok(template)
    }

    /// A text without expressions.
    pub(crate) fn plain(text: &str) -> Self {
        Self { source: text.to_owned(), ..Self::default() }
    }

    pub(crate) fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where it stands in the manifest, if it was read from one.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// The value of one of the parameters that reach this template, if it is a text.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.parameters.get_attr(name).ok().and_then(|value| value.as_str().map(ToOwned::to_owned))
    }

    /// Whether evaluation could look at this name.
    pub fn uses(&self, name: &str) -> bool {
        self.undeclared().iter().any(|used| used == name)
    }

    /// The value; none for none and for nothing at all.
    pub fn value(&self, scope: &Scope) -> Result<Option<Json>, Error> {
        let value = match &self.form {
            Form::Plain => return Ok(Some(Json::String(self.source.clone()))),
            _ => self.evaluate(scope)?,
        };
        if value.is_undefined() || value.is_none() {
            return Ok(None);
        }
        if let Some(text) = value.as_str() {
            return Ok(literal::read(text));
        }
        if let Some(moment) = value.downcast_object_ref::<moment::Moment>() {
            return Ok(Some(Json::String(moment.to_string())));
        }
        serde_json::to_value(&value).map(Some).map_err(|error| self.error(error.to_string()))
    }

    /// The value as text; none for none and for an empty text.
    pub fn text(&self, scope: &Scope) -> Result<Option<String>, Error> {
        let value = match &self.form {
            Form::Plain => return Ok(Some(self.source.clone()).filter(|text| !text.is_empty())),
            _ => self.evaluate(scope)?,
        };
        Ok(environment::shown(&value).filter(|text| !text.is_empty()))
    }

    /// The texts of a value that is a list, or the one text of any other.
    pub fn texts(&self, scope: &Scope) -> Result<Vec<String>, Error> {
        let listed = match self.value(scope)? {
            Some(Json::Array(items)) => items,
            _ => return Ok(self.text(scope)?.into_iter().collect()),
        };
        Ok(listed.iter().filter_map(|item| environment::shown(&scope::of_json(item))).collect())
    }

    /// Whether the value is true. Texts that spell something empty or false are not.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        let value = match &self.form {
            Form::Plain => Value::from(self.source.as_str()),
            _ => self.evaluate(scope)?,
        };
        Ok(match value.as_str() {
            Some(text) => {
                !matches!(text.trim(), "" | "False" | "false" | "0" | "0.0" | "None" | "[]" | "{}" | "()")
            }
            None => value.is_true(),
        })
    }

    fn evaluate(&self, scope: &Scope) -> Result<Value, Error> {
        let names = scope.with_parameters(self.parameters.clone());
        let evaluated = match &self.form {
            Form::Plain => Ok(Value::from(self.source.as_str())),
            Form::Expression(expression) => expression.eval(names),
            Form::Text(text) => ENVIRONMENT.render_str(text, names).map(Value::from),
        };
        evaluated.map_err(|error| self.error(reason(&error)))
    }

    fn error(&self, reason: String) -> Error {
        Error { template: self.source.clone(), place: self.place, reason }
    }

    fn undeclared(&self) -> Vec<String> {
        let names = match &self.form {
            Form::Plain => return Vec::new(),
            Form::Expression(expression) => expression.undeclared_variables(false),
            Form::Text(text) => ENVIRONMENT
                .template_from_str(text)
                .map(|template| template.undeclared_variables(false))
                .unwrap_or_default(),
        };
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_unstable();
        names
    }

    fn check_names(&self, names: Names) -> Result<(), (String, Option<String>)> {
        for used in self.undeclared() {
            if names.holds(&used) || functions::is_known(&used) {
                continue;
            }
            let here = || names.all().chain(functions::all());
            if names::is_known_elsewhere(&used) {
                return Err((format!("`{used}` is not known in this place"), Some(names.listed())));
            }
            return Err((
                format!("there is no `{used}` in templates"),
                did_you_mean(&used, here()).or_else(|| Some(names.listed())),
            ));
        }
        Ok(())
    }

    /// Filters, tests and methods are looked up when they are reached. A dry evaluation over nothing reaches most of
    /// them; what else fails in it says nothing.
    fn check_calls(&self) -> Result<(), (String, Option<String>)> {
        let names = Scope::default().with_parameters(self.parameters.clone());
        let evaluated = match &self.form {
            Form::Plain => return Ok(()),
            Form::Expression(expression) => expression.eval(names).map(drop),
            Form::Text(text) => ENVIRONMENT.render_str(text, names).map(drop),
        };
        let unknown = |kind| {
            matches!(kind, ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction)
        };
        match evaluated {
            Err(error) if unknown(error.kind()) => Err((reason(&error), None)),
            _ => Ok(()),
        }
    }
}

fn form(source: &str) -> Result<Form, minijinja::Error> {
    if !["{{", "{%", "{#"].iter().any(|mark| source.contains(mark)) {
        return Ok(Form::Plain);
    }
    let text = arithmetic::rewrite(source);
    let trimmed = text.strip_suffix('\n').unwrap_or(&text);
    let inner = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(inner) = inner
        && let Ok(expression) =
            ENVIRONMENT.compile_expression_owned(inner.trim_matches('-').trim().to_owned())
    {
        return Ok(Form::Expression(Arc::new(expression)));
    }
    ENVIRONMENT.template_from_str(&text)?;
    Ok(Form::Text(text))
}

fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Template({:?})", self.source)
    }
}

#[cfg(test)]
mod tests;
