//! The rows of people, organizations and audit logs.

use super::expected::{Expected, Row, all, get, inside, operators, people, row};
use crate::tests::world::PASSWORD;
use serde_json::{Value, json};

pub(super) fn of_people() -> Vec<Row> {
    let login = json!({"email": "bob@acme.example", "password": PASSWORD, "keep": "token"});
    vec![
        get("/healthz", all(200)),
        get("/readyz", all(200)),
        get("/v1/openapi.json", all(200)),
        row("post", "/v1/setup", json!({"token": "x", "email": "a@b.example", "password": "x"}), all(403)),
        row("post", "/v1/login", login, all(200)),
        row("post", "/v1/join", json!({"token": "x", "password": "x"}), all(404)),
        get("/v1/oauth/callback?state=x&code=x", all(404)),
        get("/v1/me", Expected { nobody: 401, ..all(200) }),
        get("/v1/sessions", people(200)),
        row("delete", "/v1/sessions/{session}", Value::Null, people(404)),
        row("post", "/v1/second-factor", Value::Null, people(200)),
        row("post", "/v1/second-factor/enable", json!({"code": "x"}), people(422)),
        row("post", "/v1/second-factor/disable", json!({"password": PASSWORD}), people(409)),
        row("post", "/v1/invitations/accept", json!({"token": "x"}), people(404)),
        get("/v1/operators", operators(200)),
        get("/v1/operators/invitations", operators(200)),
        row("post", "/v1/operators/invitations", json!({"email": "ops@host.example"}), operators(201)),
        row("delete", "/v1/operators/invitations/{invitation}", Value::Null, operators(204)),
        // Who is none cannot be dismissed.
        row("delete", "/v1/operators/{user}", Value::Null, operators(404)),
    ]
}

pub(super) fn of_organizations() -> Vec<Row> {
    vec![
        get("/v1/organizations", Expected { nobody: 401, ..all(200) }),
        row("post", "/v1/organizations", json!({"name": "N", "admin_email": "n@n.example"}), operators(201)),
        get("O", inside(200, 200, 200, 200)),
        row("patch", "O", json!({"name": "Acme 2"}), inside(403, 200, 403, 200)),
        get("O/members", inside(200, 200, 403, 200)),
        get("O/members/{user}", inside(200, 200, 403, 200)),
        row("patch", "O/members/{user}", json!({"role": "user"}), inside(403, 200, 403, 200)),
        get("O/invitations", inside(403, 200, 403, 200)),
        row(
            "post",
            "O/invitations",
            json!({"email": "n@n.example", "role": "user"}),
            inside(403, 201, 403, 201),
        ),
        row("delete", "O/invitations/{invitation}", Value::Null, inside(403, 204, 403, 204)),
        get("O/tokens", inside(200, 200, 403, 403)),
        row(
            "post",
            "O/tokens",
            json!({"name": "n", "scopes": ["read"], "days": 1}),
            inside(201, 201, 403, 403),
        ),
        row("delete", "O/tokens/{token}", Value::Null, inside(403, 204, 403, 403)),
        get("O/zones", inside(403, 200, 403, 200)),
        row("put", "O/zones", json!({"api": ["192.0.2.0/24"], "events": []}), inside(403, 200, 403, 200)),
        get("O/break-glass", inside(403, 200, 200, 403)),
        row("post", "O/break-glass", json!({"reason": "ticket"}), inside(403, 403, 201, 403)),
        get("O/break-glass/{glass}", inside(404, 200, 200, 403)),
        row(
            "post",
            "O/break-glass/{glass}/approve",
            json!({"minutes": 5, "selected": ["read_run_logs"]}),
            inside(403, 204, 403, 403),
        ),
        row("delete", "O/break-glass/{glass}", Value::Null, inside(403, 204, 204, 403)),
    ]
}

pub(super) fn of_audit_logs() -> Vec<Row> {
    vec![
        get("O/audit", inside(403, 200, 403, 200)),
        get("O/audit/export", inside(403, 200, 403, 200)),
        get("O/audit/checkpoint", inside(403, 200, 403, 200)),
        get("O/audit/inclusion?number=0&size=1", inside(403, 200, 403, 200)),
        get("O/audit/consistency?earlier=1&size=1", inside(403, 200, 403, 200)),
        row("post", "O/audit/compare", json!({"checkpoint": "x"}), inside(403, 422, 403, 422)),
        get("/v1/audit", operators(200)),
        get("/v1/audit/export", operators(200)),
        get("/v1/audit/checkpoint", operators(200)),
        row("post", "/v1/audit/compare", json!({"checkpoint": "x"}), operators(422)),
    ]
}

/// What takes something away from whoever asks.
pub(super) fn of_ends() -> Vec<Row> {
    vec![
        get("O/deletion", inside(200, 200, 403, 200)),
        row("post", "O/deletion", json!({"name": "Acme 2"}), inside(403, 202, 403, 403)),
        row("post", "O/deletion/confirm", json!({"name": "Acme 2"}), inside(403, 409, 403, 403)),
        row("delete", "O/deletion", Value::Null, inside(403, 204, 403, 403)),
        get("/v1/deletions/{organization}", operators(404)),
        row("delete", "O/members/{user}", Value::Null, inside(403, 204, 403, 204)),
        row("delete", "/v1/people/{user}", json!({"password": PASSWORD}), operators(204)),
        row("post", "/v1/password", json!({"old": PASSWORD, "new": "another canary in a mine"}), people(204)),
        row("delete", "/v1/me", json!({"password": "no canary in any mine"}), people(401)),
        row("delete", "/v1/sessions", Value::Null, people(200)),
        row("post", "/v1/logout", Value::Null, people(204)),
    ]
}
