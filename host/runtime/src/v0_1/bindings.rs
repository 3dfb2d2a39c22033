//! What the WIT folder of contract 0.1.0 says, as Rust. One world with every role in it, so that all roles share their types;
//! each role is loaded on its own by its interface's indices.

wasmtime::component::bindgen!({
    path: "../../wit/0.1.0",
    inline: "
        package cofferdam:host;
        world every-role {
            import cofferdam:connector/logging@0.1.0;
            import cofferdam:connector/run@0.1.0;
            export cofferdam:connector/source@0.1.0;
            export cofferdam:connector/destination@0.1.0;
            export cofferdam:connector/transform@0.1.0;
            export cofferdam:connector/webhook@0.1.0;
        }
    ",
    world: "cofferdam:host/every-role",
    imports: { default: trappable },
    exports: { default: async },
    ownership: Borrowing { duplicate_if_necessary: true },
    with: { "wasi:io": wasmtime_wasi::p2::bindings::io },
});

pub(crate) use cofferdam::connector::{logging, run, streams, types};
pub(crate) use exports::cofferdam::connector::{destination, source, transform, webhook};
