//! The macro that makes a connector of its parts.

/// Exports the roles that a connector has, and puts its manifest inside.
///
/// The roles stand in this order, each at most once; the manifest's path is relative to the folder of `Cargo.toml`.
/// The component carries the manifest in a custom section `cofferdam:manifest` and the contract's version in
/// `cofferdam:contract`, so that a host can judge it before a line of it runs.
///
/// ```
/// # use cofferdam_sdk::{Budget, Capabilities, Catalog, CommitReport, Destination, Incoming, OpenRead, OpenWrite, Reader};
/// # use cofferdam_sdk::{Result, Source, Step, StreamPlan, StreamVerdict, WriteReport, Writer};
/// # struct Queue;
/// # impl Source for Queue {
/// #     type Config = ();
/// #     type Reader = Queue;
/// #     fn check(_: &()) -> Result<()> { Ok(()) }
/// #     fn discover(_: &()) -> Result<Catalog> { Ok(Catalog::new([])) }
/// #     fn open(_: (), _: OpenRead) -> Result<Queue> { Ok(Queue) }
/// # }
/// # impl Reader for Queue { fn next(&mut self, _: &Budget) -> Result<Step> { Ok(Step::End) } }
/// # impl Destination for Queue {
/// #     type Config = ();
/// #     type Writer = Queue;
/// #     fn check(_: &()) -> Result<()> { Ok(()) }
/// #     fn open(_: (), _: OpenWrite) -> Result<Queue> { Ok(Queue) }
/// # }
/// # impl Writer for Queue {
/// #     fn capabilities(&self) -> Capabilities { unreachable!() }
/// #     fn prepare(&mut self, _: &[StreamPlan], _: bool) -> Result<Vec<StreamVerdict>> { Ok(Vec::new()) }
/// #     fn write(&mut self, _: u64, _: Incoming<'_>) -> Result<WriteReport> { Ok(WriteReport::all_taken()) }
/// #     fn commit(&mut self, _: &str, _: bool) -> Result<CommitReport> { unreachable!() }
/// # }
/// // `Queue` implements `Source` and `Destination`.
/// cofferdam_sdk::export!(source = Queue, destination = Queue, manifest = "template/connector.toml");
/// ```
#[macro_export]
macro_rules! export {
    (
        $(source = $source:ty,)?
        $(destination = $destination:ty,)?
        $(transform = $transform:ty,)?
        $(webhook = $webhook:ty,)?
        manifest = $manifest:literal $(,)?
    ) => {
        $($crate::__export_role!(Source, source, __export_source, $source);)?
        $($crate::__export_role!(Destination, destination, __export_destination, $destination);)?
        $($crate::__export_role!(Transform, transform, __export_transform, $transform);)?
        $($crate::__export_role!(Webhook, webhook, __export_webhook, $webhook);)?

        const _: () = {
            const MANIFEST: &[u8] =
                ::std::include_bytes!(::std::concat!(::std::env!("CARGO_MANIFEST_DIR"), "/", $manifest));
            $crate::__export_section!("cofferdam:manifest", MANIFEST);
            $crate::__export_section!("cofferdam:contract", $crate::CONTRACT_VERSION.as_bytes());
        };
    };
}

/// Exports one role. The functions exist in a component only; elsewhere the type is checked and nothing more.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    ($trait:ident, $role:ident, $export:ident, $type:ty) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            type Exported = $crate::exported::$trait<$type>;
            #[cfg(target_arch = "wasm32")]
    $crate::bindings::$role::$export!(Exported with_types_in $crate::bindings::$role);

            const fn implements<T: $crate::$trait>() {}
            implements::<$type>();
        };
    };
}

/// Puts bytes into a custom section of the component's core module.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_section {
    ($name:literal, $bytes:expr) => {
        const _: () = {
            const BYTES: &[u8] = $bytes;
            #[cfg_attr(target_arch = "wasm32", unsafe(link_section = $name), used)]
            static SECTION: [u8; BYTES.len()] = match BYTES.first_chunk() {
                Some(bytes) => *bytes,
                None => [0; BYTES.len()],
            };
            // Elsewhere than in a component nothing else would use it.
            let _ = &SECTION;
        };
    };
}
