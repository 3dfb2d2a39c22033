//! The rows of syncs and of runs that wait or are under way.

use super::expected::{Expected, Row, get, inside, row};
use crate::tests::world::HOUR_MS;
use serde_json::{Value, json};

pub(super) fn of_syncs() -> Vec<Row> {
    let sync = || json!({"name": "n", "source": "{source}", "destination": "{destination}"});
    vec![
        get("O/syncs", inside(200, 200, 403, 200)),
        row("post", "O/syncs", sync(), inside(201, 201, 403, 201)),
        row("post", "O/syncs/validate", sync(), inside(200, 200, 403, 200)),
        get("O/syncs/{sync}", inside(200, 200, 403, 200)),
        row("put", "O/syncs/{sync}", sync(), inside(200, 200, 403, 200)),
        row("post", "O/syncs/{sync}/start", Value::Null, runs(200)),
        row("post", "O/syncs/{sync}/pause", Value::Null, runs(200)),
        row("post", "O/syncs/{sync}/stop", Value::Null, runs(200)),
        row("post", "O/syncs/{sync}/runs", Value::Null, runs(202)),
        get("O/queue", inside(200, 200, 403, 200)),
        get("O/live", inside(200, 200, 403, 200)),
        row("post", "O/runs/{run}/cancel", Value::Null, runs(202)),
        row("delete", "O/syncs/{sync}", Value::Null, inside(409, 409, 403, 409)),
        row(
            "post",
            "O/schedules/preview",
            json!({"schedule": {"when": {"every": {"interval_ms": HOUR_MS, "from_ms": 0}}}}),
            inside(200, 200, 403, 200),
        ),
    ]
}

/// The token of another scope is one for runs.
const fn runs(status: u16) -> Expected {
    Expected { scope: status, ..inside(status, status, 403, status) }
}
