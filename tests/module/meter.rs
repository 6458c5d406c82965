//! A waPC host that counts what an evaluation costs, in instructions: the same on every machine.
use std::{fs, sync::LazyLock};

use kubectl_runtime_class::{Capabilities, workspace};
use wasmtime::{Caller, Config, Engine, Extern, InstancePre, Linker, Memory, Module, OperatorCost, Store};
use wasmtime_wasi::{WasiCtxBuilder, p1};

/// More than any evaluation takes.
const TANK: u64 = 1 << 40;
const OPERATION: &[u8] = b"validate";

struct Guest {
    wasi: p1::WasiP1Ctx,
    payload: Vec<u8>,
    capabilities: Capabilities,
    /// The host's answer to the last call, or its error.
    told: Result<Vec<u8>, Vec<u8>>,
    answer: Vec<u8>,
}

/// The instructions of one evaluation, from a fresh instance to the answer, and the answer.
pub fn evaluate(payload: &str, capabilities: Capabilities) -> (u64, String) {
    static MODULE: LazyLock<(Engine, InstancePre<Guest>)> = LazyLock::new(|| {
        let engine = Engine::new(Config::new().consume_fuel(true).operator_cost(cost())).expect("an engine");
        let bytes = fs::read(workspace::module()).expect("the module");
        let module = Module::new(&engine, bytes).expect("a module");
        let pre = linker(&engine).expect("the functions of the host").instantiate_pre(&module).expect("a policy");
        (engine, pre)
    });
    let (engine, module) = &*MODULE;
    let wasi = WasiCtxBuilder::new().build_p1();
    let payload = payload.as_bytes().to_vec();
    let lengths = (OPERATION.len() as i32, payload.len() as i32);
    let mut store = Store::new(engine, Guest { wasi, payload, capabilities, told: Ok(vec![]), answer: vec![] });
    store.set_fuel(TANK).expect("fuel");
    let instance = module.instantiate(&mut store).expect("an instance");
    let init = instance.get_typed_func::<(), ()>(&mut store, "wapc_init").expect("a waPC guest");
    init.call(&mut store, ()).expect("no trap");
    let call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "__guest_call").expect("a waPC guest");
    assert_eq!(call.call(&mut store, lengths).expect("no trap"), 1, "the policy answers");
    let fuel = TANK - store.get_fuel().expect("fuel");
    (fuel, String::from_utf8(store.into_data().answer).expect("text"))
}

/// Each instruction costs 1, whatever it copies: engines before 48 count no bytes.
fn cost() -> OperatorCost {
    let mut cost = OperatorCost::default();
    cost.variable.memory_copy_per_byte = 0;
    cost.variable.memory_fill_per_byte = 0;
    cost
}

/// The functions of [waPC](https://wapc.io/docs/spec/) that a policy calls.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |guest: &mut Guest| &mut guest.wasi)?;
    linker.func_wrap("wapc", "__guest_request", |mut guest: Caller<'_, Guest>, operation: i32, payload: i32| {
        let bytes = guest.data().payload.clone();
        write(&mut guest, operation, OPERATION);
        write(&mut guest, payload, &bytes);
    })?;
    for answer in ["__guest_response", "__guest_error"] {
        linker.func_wrap("wapc", answer, |mut guest: Caller<'_, Guest>, at: i32, length: i32| {
            guest.data_mut().answer = read(&mut guest, at, length);
        })?;
    }
    #[rustfmt::skip]
    linker.func_wrap("wapc", "__host_call", |mut guest: Caller<'_, Guest>,
        binding: i32, binding_length: i32, namespace: i32, namespace_length: i32,
        operation: i32, operation_length: i32, payload: i32, payload_length: i32| -> i32 {
            let mut text = |at, length| String::from_utf8(read(&mut guest, at, length)).expect("text");
            let binding = text(binding, binding_length);
            let namespace = text(namespace, namespace_length);
            let operation = text(operation, operation_length);
            let payload = text(payload, payload_length);
            let told = guest.data().capabilities.answer(&binding, &namespace, &operation, payload.as_bytes());
            let granted = told.is_ok();
            guest.data_mut().told = told.map_err(|error| error.to_string().into_bytes());
            granted.into()
        },
    )?;
    for length in ["__host_response_len", "__host_error_len"] {
        linker.func_wrap("wapc", length, |guest: Caller<'_, Guest>| told(&guest).len() as i32)?;
    }
    for copy in ["__host_response", "__host_error"] {
        linker.func_wrap("wapc", copy, |mut guest: Caller<'_, Guest>, at: i32| {
            let bytes = told(&guest);
            write(&mut guest, at, &bytes);
        })?;
    }
    linker.func_wrap("wapc", "__console_log", |_: Caller<'_, Guest>, _: i32, _: i32| {})?;
    Ok(linker)
}

/// What the host answers, be it an error or not.
fn told(guest: &Caller<'_, Guest>) -> Vec<u8> {
    match &guest.data().told {
        Ok(bytes) | Err(bytes) => bytes.clone(),
    }
}

fn memory(guest: &mut Caller<'_, Guest>) -> Memory {
    guest.get_export("memory").and_then(Extern::into_memory).expect("the guest's memory")
}

fn read(guest: &mut Caller<'_, Guest>, at: i32, length: i32) -> Vec<u8> {
    memory(guest).data(guest)[at as usize..][..length as usize].to_vec()
}

fn write(guest: &mut Caller<'_, Guest>, at: i32, bytes: &[u8]) {
    memory(guest).write(guest, at as usize, bytes).expect("room in the guest's memory");
}
