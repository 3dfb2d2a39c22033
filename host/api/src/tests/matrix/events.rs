//! The rows of event endpoints.

use super::expected::{Row, all, get, inside, row};
use serde_json::{Value, json};

pub(super) fn of_events() -> Vec<Row> {
    let key = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"});
    vec![
        get("/v1/events/{token}", all(404)),
        row("post", "/v1/events/{token}", json!({}), all(404)),
        row("post", "O/syncs/{sync}/endpoint", Value::Null, inside(409, 409, 403, 409)),
        get("O/syncs/{sync}/endpoint", inside(200, 200, 403, 200)),
        row("post", "O/syncs/{sync}/endpoint/signing-secret", key, inside(204, 204, 403, 204)),
        row("delete", "O/syncs/{sync}/endpoint/signing-secret", Value::Null, inside(204, 204, 403, 204)),
        row("post", "O/syncs/{sync}/endpoint/rotate", json!({}), inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/endpoint/queue", inside(200, 200, 403, 200)),
        row("delete", "O/syncs/{sync}/endpoint/queue", Value::Null, inside(200, 200, 403, 200)),
        row("delete", "O/syncs/{sync}/endpoint", Value::Null, inside(204, 204, 403, 204)),
    ]
}
