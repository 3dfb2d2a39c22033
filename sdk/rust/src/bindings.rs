//! Generated bindings of the contract: the types and imports that all roles share, and one module of exports per role.
//! Nothing else lives here: the rest of the crate wraps it, authors never see it.
//!
//! A connector's component type is put together from the modules whose `export_…!` macro it uses, so a connector
//! exports exactly the roles that it implements.

/// The types, and the imports that contract 0.1.0 adds to WASI.
pub mod shared {
    wit_bindgen::generate!({
        inline: "package cofferdam:guest-shared; world shared {
            import cofferdam:connector/types@0.1.0;
            import cofferdam:connector/streams@0.1.0;
            import cofferdam:connector/logging@0.1.0;
            import cofferdam:connector/run@0.1.0;
        }",
        path: "../../wit/0.1.0",
        with: {
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "cofferdam:connector/types@0.1.0/error": crate::Error,
            "cofferdam:connector/types@0.1.0": generate,
            "cofferdam:connector/streams@0.1.0": generate,
            "cofferdam:connector/logging@0.1.0": generate,
            "cofferdam:connector/run@0.1.0": generate,
        },
        additional_derives: [PartialEq, Clone],
        generate_unused_types: true,
    });
}

/// The exports of a source.
pub mod source {
    wit_bindgen::generate!({
        inline: "package cofferdam:guest-source; world source { export cofferdam:connector/source@0.1.0; }",
        path: "../../wit/0.1.0",
        with: {
            "cofferdam:connector/types@0.1.0/error": crate::Error,
            "cofferdam:connector/types@0.1.0": super::shared::cofferdam::connector::types,
            "cofferdam:connector/streams@0.1.0": super::shared::cofferdam::connector::streams,
        },
        additional_derives: [PartialEq, Clone],
        pub_export_macro: true,
        export_macro_name: "__export_source",
        default_bindings_module: "cofferdam_sdk::bindings::source",
    });
}

/// The exports of a destination.
pub mod destination {
    wit_bindgen::generate!({
        inline: "package cofferdam:guest-destination; world destination { export cofferdam:connector/destination@0.1.0; }",
        path: "../../wit/0.1.0",
        with: {
            "cofferdam:connector/types@0.1.0/error": crate::Error,
            "cofferdam:connector/types@0.1.0": super::shared::cofferdam::connector::types,
        },
        additional_derives: [PartialEq, Clone],
        pub_export_macro: true,
        export_macro_name: "__export_destination",
        default_bindings_module: "cofferdam_sdk::bindings::destination",
    });
}

/// The exports of a transform.
pub mod transform {
    wit_bindgen::generate!({
        inline: "package cofferdam:guest-transform; world transform { export cofferdam:connector/transform@0.1.0; }",
        path: "../../wit/0.1.0",
        with: {
            "cofferdam:connector/types@0.1.0/error": crate::Error,
            "cofferdam:connector/types@0.1.0": super::shared::cofferdam::connector::types,
        },
        additional_derives: [PartialEq, Clone],
        pub_export_macro: true,
        export_macro_name: "__export_transform",
        default_bindings_module: "cofferdam_sdk::bindings::transform",
    });
}

/// The exports of a webhook.
pub mod webhook {
    wit_bindgen::generate!({
        inline: "package cofferdam:guest-webhook; world webhook { export cofferdam:connector/webhook@0.1.0; }",
        path: "../../wit/0.1.0",
        with: {
            "cofferdam:connector/types@0.1.0/error": crate::Error,
            "cofferdam:connector/types@0.1.0": super::shared::cofferdam::connector::types,
            "cofferdam:connector/streams@0.1.0": super::shared::cofferdam::connector::streams,
        },
        additional_derives: [PartialEq, Clone],
        pub_export_macro: true,
        export_macro_name: "__export_webhook",
        default_bindings_module: "cofferdam_sdk::bindings::webhook",
    });
}
