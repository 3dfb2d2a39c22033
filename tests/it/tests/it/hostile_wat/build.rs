//! A source put together from WebAssembly text: whole and well behaved but for the parts that an attack replaces.
//!
//! Where things stand in memory when `next` returns 64: the result's case at 64, the step's case at 72, then the page:
//! batches at 76, rejects at 84, checkpoint at 92, the transaction's end at 104. What `open` returns is at 128, its reader
//! at 136.

use std::path::Path;
use wasm_encoder::{
    ComponentSection, ComponentSectionId, CustomSection, InstanceSection, ModuleArg, RawSection,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The parts of the core module. Bodies of functions answer the address of their result.
pub(crate) struct Guest<'a> {
    /// Imports beside that of the resource.
    pub(crate) imports: &'a str,
    /// The memories, of which the first is exported.
    pub(crate) memory: &'a str,
    /// Whatever else a module may have.
    pub(crate) module: &'a str,
    /// The body of the allocator; `$at` is a local of it.
    pub(crate) realloc: &'a str,
    pub(crate) check: &'a str,
    pub(crate) discover: &'a str,
    pub(crate) open: &'a str,
    pub(crate) next: &'a str,
    /// What is called once the result of `check` was read.
    pub(crate) after_check: &'a str,
    /// What is called when the reader is dropped.
    pub(crate) destructor: &'a str,
    /// How its texts are written.
    pub(crate) encoding: StringEncoding,
    /// A core module that stands beside this one, and how many instances there are of it.
    pub(crate) beside: (&'a str, usize),
}

/// Answers the next free address.
pub(crate) const ALLOCATE: &str = "
    (local.set $at (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at)";

/// Answers an empty page.
pub(crate) const EMPTY_PAGE: &str = "(i32.const 64)";

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            imports: "",
            memory: "(memory (export \"memory\") 2)",
            module: "",
            realloc: ALLOCATE,
            check: "(i32.const 64)",
            discover: "(i32.const 64)",
            open: "(i32.store (i32.const 136) (call $new (i32.const 7))) (i32.const 128)",
            next: EMPTY_PAGE,
            after_check: "",
            destructor: "",
            encoding: StringEncoding::UTF8,
            beside: ("(module)", 0),
        }
    }
}

/// The component's bytes, with contract and manifest.
pub(crate) fn component(guest: &Guest<'_>) -> Vec<u8> {
    let mut module = wat::parse_str(text(guest)).expect("the text is a module");
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    let (package, _) = resolve.push_dir(contract).expect("the contract can be read");
    let world = resolve.select_world(&[package], Some("source-connector")).expect("the world is there");
    embed_component_metadata(&mut module, &resolve, world, guest.encoding).expect("metadata fits");
    let encoder = ComponentEncoder::default().module(&module).expect("the module fits the contract");
    let mut bytes = encoder.validate(true).encode().expect("the module becomes a component");
    add_instances(&mut bytes, guest.beside);
    for (name, text) in [("cofferdam:contract", "0.1.0"), ("cofferdam:manifest", MANIFEST)] {
        let data = text.as_bytes().into();
        CustomSection { name: name.into(), data }.append_to_component(&mut bytes);
    }
    bytes
}

/// Sections may be added at the end, where all that they need is there already.
fn add_instances(bytes: &mut Vec<u8>, (text, count): (&str, usize)) {
    let is_module = |payload: &Payload<'_>| matches!(payload, Payload::ModuleSection { .. });
    let modules =
        Parser::new(0).parse_all(bytes).filter(|payload| is_module(payload.as_ref().unwrap())).count();
    let module = wat::parse_str(text).expect("the text is a module");
    RawSection { id: ComponentSectionId::CoreModule.into(), data: &module }.append_to_component(bytes);
    let mut instances = InstanceSection::new();
    for _ in 0..count {
        instances.instantiate(u32::try_from(modules).unwrap(), [] as [(&str, ModuleArg); 0]);
    }
    instances.append_to_component(bytes);
}

const MANIFEST: &str = r#"
manifest = 1
name = "hand-made"
publisher = "test"
version = "0.1.0"
contract = "0.1.0"
roles = ["source"]
title = "Hand-made"
"#;

/// The text of its core module.
pub(crate) fn text(guest: &Guest<'_>) -> String {
    let Guest {
        imports, memory, module, realloc, check, discover, open, next, after_check, destructor, ..
    } = guest;
    let role = "cofferdam:connector/source@0.1.0";
    format!(
        r#"(module
        (import "[export]{role}" "[resource-new]reader" (func $new (param i32) (result i32)))
        (import "[export]{role}" "[resource-drop]reader" (func $drop (param i32)))
        {imports}
        {memory}
        (global $free (mut i32) (i32.const 4096))
        (func (export "cabi_realloc")
            (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            {realloc})
        (func (export "{role}#check") (param i32 i32) (result i32) {check})
        (func (export "cabi_post_{role}#check") (param i32) {after_check})
        (func (export "{role}#discover") (param i32 i32) (result i32) {discover})
        (func (export "{role}#open") (param i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) {open})
        (func (export "{role}#[method]reader.next") (param i32 i32 i32 i32) (result i32) {next})
        (func (export "{role}#[method]reader.committed") (param i32 i32 i32) (result i32) (i32.const 64))
        (func (export "{role}#[dtor]reader") (param i32) {destructor})
        {module})"#
    )
}
