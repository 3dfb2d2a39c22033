//! A sync of which a transform rejects rows, for the tests of what becomes of them.

use crate::world::World;

/// Stands in the rejected rows and nowhere else.
pub(crate) const CANARY: &str = "canary-of-a-rejected-row";

const SYNC: &str = r#"
sync = 1
name = "orders"

[source]
connector = "components/files.wasm"
config = { path = "/data/orders.csv", infer_rows = 0 }
grants = { directories = { data = { path = "data" } } }

[[transforms]]
name = "amounts"
connector = "components/transform.wasm"
config = { steps = [{ cast = { field = "amount", to = "int64" } }] }

[destination]
connector = "components/files.wasm"
config = { directory = "/out" }
grants = { directories = { out = { path = "out", access = "write" } } }
"#;

/// Four rows, of which two have an amount that is no number.
pub(crate) fn orders() -> World {
    let world = World::with(SYNC);
    world.folder("out");
    let rows = format!("id,customer,amount\n1,ada,10\n2,{CANARY},ten\n3,carol,30\n4,dan,{CANARY}\n");
    world.file("data/orders.csv", rows);
    world
}

/// The same after a run that rejects them.
pub(crate) fn rejected() -> World {
    let world = orders();
    world.run(&["run", "sync.toml"]).succeeded();
    world
}
