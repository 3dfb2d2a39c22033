//! What each who asks is answered.

use serde_json::Value;

/// The path of an organization.
const O: &str = "/v1/organizations/{organization}";

/// A route, what is sent, and what each is answered.
pub(super) type Row = (&'static str, String, Value, Expected);

/// `O/` stands for the path of an organization.
pub(super) fn row(method: &'static str, path: &str, body: Value, expected: Expected) -> Row {
    let path = if path == "O" { O.to_owned() } else { path.replace("O/", &format!("{O}/")) };
    (method, path, body, expected)
}

pub(super) fn get(path: &str, expected: Expected) -> Row {
    row("get", path, Value::Null, expected)
}

/// What each is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// Nobody, and whoever shows what does not hold any more.
    pub(super) nobody: u16,
    /// An admin of another organization.
    pub(super) foreign: u16,
    pub(super) user: u16,
    pub(super) admin: u16,
    pub(super) operator: u16,
    /// A token of an admin with a scope that opens nothing here.
    pub(super) scope: u16,
    /// An admin from outside of the organization's ranges.
    pub(super) outside: u16,
    /// A token of an admin with every scope.
    pub(super) token: u16,
}

/// Everybody is answered the same.
pub(super) const fn all(status: u16) -> Expected {
    Expected {
        nobody: status,
        foreign: status,
        user: status,
        admin: status,
        operator: status,
        scope: status,
        outside: status,
        token: status,
    }
}

/// For people, whoever they are.
pub(super) const fn people(status: u16) -> Expected {
    Expected { nobody: 401, scope: 403, token: 403, ..all(status) }
}

/// Of an organization: user, admin, operator, token of an admin.
pub(super) const fn inside(user: u16, admin: u16, operator: u16, token: u16) -> Expected {
    Expected { nobody: 401, foreign: 404, user, admin, operator, scope: 403, outside: 403, token }
}

/// Of the installation.
pub(super) const fn operators(status: u16) -> Expected {
    Expected { nobody: 401, operator: status, ..all(403) }
}
