//! Binds the names of an expression: each field that it mentions becomes a number, so that no name is looked for while
//! rows flow, and each name that is neither a field nor a function is found before.

use std::collections::HashSet;

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators},
};
use cofferdam_sdk::Field;

use super::functions::{FUNCTIONS, TYPE_NAMES, compile};
use crate::faults::unknown;

/// The name by which any field can be said: `row.title`, `row["IMDB Rating"]`, `has(row.title)`.
const ROW: &str = "row";

/// The field at this place of those mentioned.
pub(super) fn value_name(place: usize) -> String {
    place.to_string()
}

/// Whether that field is part of the row. No name that a person writes looks like it.
fn presence_name(place: usize) -> String {
    format!("?{place}")
}

/// What a bound name stands for: the place of a field among those mentioned, and whether only its presence is asked for.
pub(super) fn meaning(name: &str) -> Option<(usize, bool)> {
    match name.strip_prefix('?') {
        Some(place) => Some((place.parse().ok()?, true)),
        None => Some((name.parse().ok()?, false)),
    }
}

/// Bind all names; the places of the fields mentioned, or each fault.
pub(super) fn bind(tree: &mut IdedExpr, fields: &[Field]) -> Result<Vec<usize>, Vec<String>> {
    let mut binder = Binder { fields, mentioned: Vec::new(), scope: Vec::new(), faults: Vec::new() };
    binder.bind(tree);
    if binder.faults.is_empty() { Ok(binder.mentioned) } else { Err(binder.faults) }
}

struct Binder<'f> {
    fields: &'f [Field],
    mentioned: Vec<usize>,
    /// Names that macros such as `all` and `map` bring along.
    scope: Vec<String>,
    faults: Vec<String>,
}

impl Binder<'_> {
    fn bind(&mut self, node: &mut IdedExpr) {
        if let Some(bound) = self.field_of_row(&node.expr) {
            node.expr = bound;
            return;
        }
        match &mut node.expr {
            Expr::Ident(name) => self.bind_name(name),
            Expr::Select(select) => self.bind(&mut select.operand),
            Expr::Call(call) => self.bind_call(call),
            Expr::Comprehension(comprehension) => self.bind_comprehension(comprehension),
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.bind(element)),
            Expr::Map(map) => map.entries.iter_mut().for_each(|entry| self.bind_entry(&mut entry.expr)),
            Expr::Struct(message) => {
                self.fault(format!("there are no messages such as `{}`", message.type_name))
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// `row.name`, `row["name"]` or `has(row.name)` as the bound field.
    fn field_of_row(&mut self, expression: &Expr) -> Option<Expr> {
        match expression {
            Expr::Select(SelectExpr { operand, field, test }) if self.is_row(operand) => {
                Some(self.field(field, *test))
            }
            Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::INDEX => {
                match args.as_slice() {
                    [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }]
                        if self.is_row(operand) =>
                    {
                        Some(self.field(name.inner(), false))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn is_row(&self, node: &IdedExpr) -> bool {
        matches!(&node.expr, Expr::Ident(name) if name == ROW) && !self.is_in_scope(ROW)
    }

    fn is_in_scope(&self, name: &str) -> bool {
        self.scope.iter().any(|bound| bound == name)
    }

    fn field(&mut self, name: &str, presence: bool) -> Expr {
        let Some(index) = self.fields.iter().position(|field| field.name == name) else {
            self.unknown_field(name);
            return Expr::Unspecified;
        };
        let place = self.mentioned.iter().position(|mentioned| *mentioned == index).unwrap_or_else(|| {
            self.mentioned.push(index);
            self.mentioned.len() - 1
        });
        Expr::Ident(if presence { presence_name(place) } else { value_name(place) })
    }

    fn bind_name(&mut self, name: &mut String) {
        if self.is_in_scope(name) {
            return;
        }
        if self.fields.iter().any(|field| field.name == *name) {
            if let Expr::Ident(bound) = self.field(&name.clone(), false) {
                *name = bound;
            }
        } else if name == ROW {
            self.fault("`row` is only understood with a field: `row.name` or `row[\"name\"]`".to_owned());
        } else if !TYPE_NAMES.contains(&name.as_str()) {
            self.unknown_field(&name.clone());
        }
    }

    fn bind_call(&mut self, call: &mut CallExpr) {
        let is_operator = !call.func_name.starts_with(|first: char| first.is_ascii_alphabetic());
        let namespace = call.target.as_ref().and_then(|target| match &target.expr {
            Expr::Ident(name) if !self.is_in_scope(name) => Some(format!("{name}.{}", call.func_name)),
            _ => None,
        });
        let is_qualified = namespace.is_some_and(|name| FUNCTIONS.contains(&name.as_str()));
        if !is_operator && !is_qualified && !FUNCTIONS.contains(&call.func_name.as_str()) {
            self.fault(unknown("function", &call.func_name, FUNCTIONS));
        }
        if call.func_name == "matches"
            && let Some(Expr::Literal(LiteralValue::String(pattern))) =
                call.args.last().map(|last| &last.expr)
            && let Err(message) = compile(pattern.inner())
        {
            self.fault(message);
        }
        if let Some(target) = call.target.as_mut().filter(|_| !is_qualified) {
            self.bind(target);
        }
        call.args.iter_mut().for_each(|argument| self.bind(argument));
    }

    fn bind_comprehension(&mut self, comprehension: &mut ComprehensionExpr) {
        self.bind(&mut comprehension.iter_range);
        self.bind(&mut comprehension.accu_init);
        let outer = self.scope.len();
        self.scope.push(comprehension.iter_var.clone());
        self.scope.extend(comprehension.iter_var2.clone());
        self.scope.push(comprehension.accu_var.clone());
        self.bind(&mut comprehension.loop_cond);
        self.bind(&mut comprehension.loop_step);
        self.bind(&mut comprehension.result);
        self.scope.truncate(outer);
    }

    fn bind_entry(&mut self, entry: &mut EntryExpr) {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.bind(&mut entry.key);
                self.bind(&mut entry.value);
            }
            EntryExpr::StructField(field) => self.bind(&mut field.value),
        }
    }

    fn unknown_field(&mut self, name: &str) {
        let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        self.fault(unknown("field", name, names));
    }

    fn fault(&mut self, message: String) {
        let known: HashSet<&String> = self.faults.iter().collect();
        if !known.contains(&message) {
            self.faults.push(message);
        }
    }
}

/// How deep a tree is; a chain of `+` is as deep as it is long. Without recursion, since that is what it protects.
pub(super) fn depth(tree: &IdedExpr) -> usize {
    let (mut deepest, mut open) = (0, vec![(tree, 1)]);
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(children(&node.expr).into_iter().map(|child| (child, depth + 1)));
    }
    deepest
}

fn children(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| values(&entry.expr)).collect(),
        Expr::Struct(message) => message.entries.iter().flat_map(|entry| values(&entry.expr)).collect(),
        Expr::Comprehension(comprehension) => vec![
            &comprehension.iter_range,
            &comprehension.accu_init,
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn values(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}
