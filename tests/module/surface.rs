//! The module's surface: what it can reach, and how much memory it takes.
use std::sync::LazyLock;

use kubectl_runtime_class::MODULE;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;
use wasmtime::{Caller, Engine, ExternType, Instance, Linker, Module, Store};

/// All that the module can do to the world: call its host, write a panic's message, and stop. Of the
/// rest of WASI, no file, no socket and no clock.
const IMPORTS: [&str; 13] = [
    "wapc::__guest_error",
    "wapc::__guest_request",
    "wapc::__guest_response",
    "wapc::__host_call",
    "wapc::__host_error",
    "wapc::__host_error_len",
    "wapc::__host_response",
    "wapc::__host_response_len",
    "wasi_snapshot_preview1::environ_get",
    "wasi_snapshot_preview1::environ_sizes_get",
    "wasi_snapshot_preview1::fd_write",
    "wasi_snapshot_preview1::proc_exit",
    "wasi_snapshot_preview1::random_get",
];

const EXPORTS: [&str; 3] = ["__guest_call", "memory", "wapc_init"];

/// Bytes of a page.
const PAGE: u64 = 64 * 1024;

fn module() -> &'static Module {
    static COMPILED: LazyLock<Module> = LazyLock::new(|| Module::new(&Engine::default(), MODULE).expect("a module"));
    &COMPILED
}

#[test]
fn the_module_imports_wapc_and_five_functions_of_wasi() {
    let mut imports: Vec<_> = module().imports().map(|one| format!("{}::{}", one.module(), one.name())).collect();
    imports.sort();
    assert_eq!(imports, IMPORTS);
    assert!(module().imports().all(|one| matches!(one.ty(), ExternType::Func(_))), "it imports functions alone");
}

#[test]
fn the_module_exports_the_entry_points_of_wapc_and_its_memory() {
    let mut exports: Vec<_> = module().exports().map(|one| one.name()).collect();
    exports.sort_unstable();
    assert_eq!(exports, EXPORTS);
}

#[test]
fn an_instance_at_rest_has_17_pages_of_memory() {
    let memory = module().get_export("memory").expect("a memory");
    let pages = memory.memory().expect("a memory").minimum();
    println!("at rest: {pages} pages of 64 KiB");
    assert!(pages <= 17, "{pages} pages");
}

/// The same with 3 MB in one string, in many small fields, and in many escapes.
#[rstest]
#[case::a_string("a".repeat(3_000_000), 6)]
#[case::escapes("\"".repeat(1_500_000), 6)]
fn three_megabytes_take_at_most_six_times_as_much_memory(#[case] text: String, #[case] times: u64) {
    for settings in
        [json!({}), json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "matchHandlers": false })]
    {
        let mut object = pod_of("runc");
        object["metadata"]["annotations"] = json!({ "note": text });
        let payload = json!({ "request": create(object), "settings": settings }).to_string();
        let (grown, answer) = memory_for(&payload);
        println!("{} bytes: {grown} bytes of memory", payload.len());
        assert!(answer.starts_with(r#"{"accepted":true"#), "{answer:.200}");
        assert!(grown <= times * payload.len() as u64, "{grown} bytes for {}", payload.len());
    }
}

#[test]
fn three_megabytes_of_small_fields_take_at_most_six_times_as_much_memory() {
    let labels: serde_json::Map<String, Value> = (0..100_000).map(|n| (format!("label-{n:09}"), json!("x"))).collect();
    for key in ["metadata", "spec"] {
        let mut object = pod_of("runc");
        object[key].as_object_mut().expect("an object").extend(labels.clone());
        let payload = json!({ "request": create(object), "settings": {} }).to_string();
        let (grown, answer) = memory_for(&payload);
        println!("{} bytes in {key}: {grown} bytes of memory", payload.len());
        assert_eq!(answer, r#"{"accepted":true}"#);
        assert!(grown <= 6 * payload.len() as u64, "{grown} bytes for {}", payload.len());
    }
}

/// How much the memory of an instance has grown once it has judged a payload, and its answer.
fn memory_for(payload: &str) -> (u64, String) {
    let mut linker = Linker::new(module().engine());
    let request = payload.as_bytes().to_vec();
    linker
        .func_wrap("wapc", "__guest_request", move |mut guest: Caller<'_, String>, operation: i32, payload: i32| {
            let memory = guest.get_export("memory").and_then(wasmtime::Extern::into_memory).expect("a memory");
            memory.write(&mut guest, operation as usize, b"validate").expect("room");
            memory.write(&mut guest, payload as usize, &request).expect("room");
        })
        .expect("a function of the host");
    linker
        .func_wrap("wapc", "__guest_response", |mut guest: Caller<'_, String>, at: i32, length: i32| {
            let memory = guest.get_export("memory").and_then(wasmtime::Extern::into_memory).expect("a memory");
            let answer = &memory.data(&guest)[at as usize..][..length as usize];
            *guest.data_mut() = String::from_utf8(answer.to_vec()).expect("text");
        })
        .expect("a function of the host");
    let mut store = Store::new(module().engine(), String::new());
    linker.define_unknown_imports_as_default_values(&mut store, module()).expect("functions that do nothing");
    let instance = linker.instantiate(&mut store, module()).expect("an instance");
    let at_rest = memory_of(&instance, &mut store);
    instance.get_typed_func::<(), ()>(&mut store, "wapc_init").expect("it").call(&mut store, ()).expect("no trap");
    let call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "__guest_call").expect("it");
    let lengths = (8, i32::try_from(payload.len()).expect("a length"));
    assert_eq!(call.call(&mut store, lengths).expect("no trap"), 1, "an answer, no error");
    let grown = memory_of(&instance, &mut store) - at_rest;
    (grown, store.into_data())
}

fn memory_of(instance: &Instance, store: &mut Store<String>) -> u64 {
    instance.get_memory(&mut *store, "memory").expect("a memory").size(store) * PAGE
}
