//! The rows of what is kept of a sync that has run once.

use super::expected::{Row, get, inside, row};
use crate::tests::world::{DAY_MS, HOUR_MS};
use serde_json::{Value, json};

pub(super) fn of_records() -> Vec<Row> {
    vec![
        get("O/retention", inside(200, 200, 403, 200)),
        row("put", "O/retention", retention(), inside(403, 200, 403, 200)),
        get("O/syncs/{sync}/runs", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/runs/{number}", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/runs/{number}/report", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/runs/{number}/log", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/errors", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/errors/counts", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/errors/export", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/errors/{error}", inside(200, 200, 403, 200)),
        row("post", "O/syncs/{sync}/reprocess", json!({"codes": ["none"]}), inside(409, 409, 403, 409)),
        row("post", "O/syncs/{sync}/preview", json!({"rows": 1}), inside(201, 201, 403, 201)),
        get("O/syncs/{sync}/previews", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/checkpoints", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/checkpoints/changes", inside(200, 200, 403, 200)),
        get("O/syncs/{sync}/checkpoints/groups/{group}", inside(200, 200, 403, 200)),
        row(
            "put",
            "O/syncs/{sync}/checkpoints/groups/{group}",
            json!({"position": "1", "confirm": "{sync}"}),
            inside(200, 200, 403, 200),
        ),
        row(
            "post",
            "O/syncs/{sync}/checkpoints/reset",
            json!({"all": true, "confirm": "{sync}"}),
            inside(200, 200, 403, 200),
        ),
        row("delete", "O/syncs/{sync}/errors?code=none", Value::Null, inside(200, 200, 403, 200)),
    ]
}

fn retention() -> Value {
    json!({
        "row_errors_ms": DAY_MS, "run_logs_ms": DAY_MS, "previews_ms": HOUR_MS, "events_ms": HOUR_MS,
        "success_logs": false,
    })
}
