//! A waPC host that counts what an evaluation costs, in instructions: the same on every machine.
use std::{fs, sync::LazyLock};

use evaluator::workspace;
use wasmtime::{Caller, Config, Engine, Extern, InstancePre, Linker, Memory, Module, Store};
use wasmtime_wasi::{WasiCtxBuilder, p1};

/// More than any evaluation takes.
const TANK: u64 = 1 << 40;
const OPERATION: &[u8] = b"validate";

struct Guest {
    wasi: p1::WasiP1Ctx,
    payload: Vec<u8>,
    /// What the host answers to a call: JSON, or an error.
    host: Result<Vec<u8>, Vec<u8>>,
    answer: Vec<u8>,
}

/// The instructions of one evaluation, from a fresh instance to the answer, and the answer.
pub fn evaluate(payload: &str, host: Result<&str, &str>) -> (u64, String) {
    static MODULE: LazyLock<(Engine, InstancePre<Guest>)> = LazyLock::new(|| {
        let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
        let bytes = fs::read(workspace::module()).expect("the module");
        let module = Module::new(&engine, bytes).expect("a module");
        let pre = linker(&engine).instantiate_pre(&module).expect("a policy");
        (engine, pre)
    });
    let (engine, module) = &*MODULE;
    let guest = Guest {
        wasi: WasiCtxBuilder::new().build_p1(),
        payload: payload.as_bytes().to_vec(),
        host: host.map(|answer| answer.as_bytes().to_vec()).map_err(|error| error.as_bytes().to_vec()),
        answer: vec![],
    };
    let mut store = Store::new(engine, guest);
    store.set_fuel(TANK).expect("fuel");
    let instance = module.instantiate(&mut store).expect("an instance");
    let init = instance.get_typed_func::<(), ()>(&mut store, "wapc_init").expect("a waPC guest");
    init.call(&mut store, ()).expect("no trap");
    let call = instance.get_typed_func::<(i32, i32), i32>(&mut store, "__guest_call").expect("a waPC guest");
    let lengths = (OPERATION.len() as i32, payload.len() as i32);
    assert_eq!(call.call(&mut store, lengths).expect("no trap"), 1, "the policy answers");
    let fuel = TANK - store.get_fuel().expect("fuel");
    (fuel, String::from_utf8(store.into_data().answer).expect("text"))
}

/// The functions of [waPC](https://wapc.io/docs/spec/) that a policy calls.
fn linker(engine: &Engine) -> Linker<Guest> {
    let mut linker = Linker::new(engine);
    link(&mut linker).expect("the functions of the host");
    linker
}

fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    p1::add_to_linker_sync(linker, |guest: &mut Guest| &mut guest.wasi)?;
    linker.func_wrap("wapc", "__guest_request", |mut guest: Caller<'_, Guest>, operation: i32, payload: i32| {
        let bytes = guest.data().payload.clone();
        write(&mut guest, operation, OPERATION);
        write(&mut guest, payload, &bytes);
    })?;
    for answer in ["__guest_response", "__guest_error"] {
        linker.func_wrap("wapc", answer, |mut guest: Caller<'_, Guest>, at: i32, length: i32| {
            guest.data_mut().answer = memory(&mut guest).data(&guest)[at as usize..][..length as usize].to_vec();
        })?;
    }
    #[rustfmt::skip]
    linker.func_wrap("wapc", "__host_call",
        |guest: Caller<'_, Guest>, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32, _: i32| {
            i32::from(guest.data().host.is_ok())
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
    Ok(())
}

/// What the host answers, be it an error or not.
fn told(guest: &Caller<'_, Guest>) -> Vec<u8> {
    match &guest.data().host {
        Ok(bytes) | Err(bytes) => bytes.clone(),
    }
}

fn memory(guest: &mut Caller<'_, Guest>) -> Memory {
    guest.get_export("memory").and_then(Extern::into_memory).expect("the guest's memory")
}

fn write(guest: &mut Caller<'_, Guest>, at: i32, bytes: &[u8]) {
    memory(guest).write(guest, at as usize, bytes).expect("room in the guest's memory");
}
