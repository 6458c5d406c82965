//! A policy as its host sees it: a guest of the protocol [waPC](https://wapc.io/docs/spec/).
//!
//! policy-server uses the crates `wapc` and `wasmtime-provider` for this. They bring the parts of the engine that a
//! server needs (a cache, profilers, components, threads of tokio), build for twice as long, and prepare each instance
//! twice. The engine below is the same.
use std::{error::Error, fmt, str, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use wasmtime::{
    AsContextMut, Caller, Engine, Extern, InstancePre, Linker, Memory, Module, ModuleExport, Store, Trap, TypedFunc,
};

use crate::wasi;

/// What a host answers in place of a result.
pub type HostError = Box<dyn Error + Send + Sync>;

/// Answers the calls of a guest: binding, namespace, operation and payload.
pub type Host = dyn Fn(&str, &str, &str, &[u8]) -> Result<Vec<u8>, HostError> + Send + Sync;

/// More instructions than a call takes, for an engine that counts them.
const FUEL: u64 = 1 << 40;

/// The functions that a guest may export to be called first, in this order.
const STARTS: [&str; 2] = ["_start", "wapc_init"];

/// The state of a call.
pub(crate) struct State {
    host: Arc<Host>,
    memory: Option<Memory>,
    operation: String,
    payload: Vec<u8>,
    response: Option<Vec<u8>>,
    error: Option<String>,
    /// The host's answer to the last call of the guest, or its error.
    reply: Result<Vec<u8>, Vec<u8>>,
}

/// A module that is a guest, compiled.
pub struct Guest {
    module: InstancePre<State>,
    memory: Option<ModuleExport>,
    call: Option<ModuleExport>,
    starts: Vec<(&'static str, ModuleExport)>,
}

/// An instance of a guest.
pub struct Instance {
    store: Store<State>,
    call: TypedFunc<(i32, i32), i32>,
}

/// A call that failed, in the words of `wapc`.
#[derive(Debug)]
pub struct CallFailure(String);

impl fmt::Display for CallFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "Guest call failure: {}", self.0)
    }
}

impl Error for CallFailure {}

impl Guest {
    /// Compiles a module.
    ///
    /// # Errors
    /// The bytes are no module, or it imports what no host has.
    pub fn new(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Self> {
        let module = Module::new(engine, bytes)?;
        let mut linker = Linker::new(engine);
        wasi::add_to_linker(&mut linker, &module)?;
        add_to_linker(&mut linker)?;
        // An instance finds them faster than by their names.
        let export = |name| module.get_export_index(name);
        Ok(Self {
            memory: export("memory"),
            call: export("__guest_call"),
            starts: STARTS.into_iter().filter_map(|name| Some((name, export(name)?))).collect(),
            module: linker.instantiate_pre(&module)?,
        })
    }

    /// A fresh instance.
    ///
    /// # Errors
    /// The module is no guest, or it traps when it starts.
    pub fn instance(&self, host: Arc<Host>) -> Result<Instance> {
        let state = State {
            host,
            memory: None,
            operation: String::new(),
            payload: vec![],
            response: None,
            error: None,
            reply: Ok(vec![]),
        };
        let mut store = Store::new(self.module.module().engine(), state);
        // An error says that the engine counts no instructions.
        let _ = store.set_fuel(FUEL);
        let instance = self.module.instantiate(&mut store).map_err(|error| anyhow!("{error}"))?;
        let memory = self.memory.and_then(|memory| instance.get_module_export(&mut store, &memory));
        store.data_mut().memory = memory.and_then(Extern::into_memory);
        let call = self.call.and_then(|call| instance.get_module_export(&mut store, &call)?.into_func());
        let call = call.and_then(|call| call.typed(&store).ok());
        let call = call.context("it does not export the function __guest_call")?;
        for (start, export) in &self.starts {
            let function = instance.get_module_export(&mut store, export).and_then(Extern::into_func);
            let Some(function) = function else { continue };
            let started = function.typed::<(), ()>(&store).and_then(|function| function.call(&mut store, ()));
            match started {
                Err(error) if !wasi::is_successful_exit(&error) => bail!("{start} fails: {}", cause(&error)),
                _ => {}
            }
        }
        Ok(Instance { store, call })
    }
}

impl Instance {
    /// Calls `operation`.
    ///
    /// # Errors
    /// The guest returns an error, or it traps.
    pub fn call(&mut self, operation: &str, payload: &[u8]) -> Result<Vec<u8>, CallFailure> {
        let failure = |message: &str| CallFailure(message.to_owned());
        let length = |bytes: &[u8]| i32::try_from(bytes.len()).map_err(|_| failure("the payload is too large"));
        let lengths = (length(operation.as_bytes())?, length(payload)?);
        let state = self.store.data_mut();
        operation.clone_into(&mut state.operation);
        payload.clone_into(&mut state.payload);
        (state.response, state.error) = (None, None);
        let succeeds = self.call.call(&mut self.store, lengths).map_err(|error| CallFailure(cause(&error)))?;
        let state = self.store.data_mut();
        match (state.response.take(), state.error.take()) {
            (Some(response), _) if succeeds != 0 => Ok(response),
            (_, Some(error)) => Err(CallFailure(error)),
            _ => Err(failure("No error message set for call failure")),
        }
    }

    /// The number of instructions that ran, if the engine counts them.
    pub fn instructions(&self) -> Option<u64> {
        self.store.get_fuel().ok().and_then(|left| FUEL.checked_sub(left))
    }
}

/// Why a call of WebAssembly failed, without the frames of the guest.
fn cause(error: &wasmtime::Error) -> String {
    error.downcast_ref::<Trap>().map_or_else(|| error.root_cause().to_string(), ToString::to_string)
}

/// The functions of the host.
fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    const WAPC: &str = "wapc";
    linker.func_wrap(WAPC, "__guest_request", |mut guest: Caller<'_, State>, operation: i32, payload: i32| {
        let (memory, state) = memory(&mut guest)?;
        write(memory, operation, state.operation.as_bytes())?;
        write(memory, payload, &state.payload)
    })?;
    linker.func_wrap(WAPC, "__guest_response", |mut guest: Caller<'_, State>, at: i32, length: i32| {
        let (memory, state) = memory(&mut guest)?;
        state.response = Some(read(memory, at, length)?.to_vec());
        wasmtime::Result::Ok(())
    })?;
    linker.func_wrap(WAPC, "__guest_error", |mut guest: Caller<'_, State>, at: i32, length: i32| {
        let (memory, state) = memory(&mut guest)?;
        state.error = Some(text(memory, at, length)?.to_owned());
        wasmtime::Result::Ok(())
    })?;
    #[rustfmt::skip]
    linker.func_wrap(WAPC, "__host_call", |mut guest: Caller<'_, State>,
        binding: i32, binding_length: i32, namespace: i32, namespace_length: i32,
        operation: i32, operation_length: i32, payload: i32, payload_length: i32| {
            let (memory, state) = memory(&mut guest)?;
            let reply = (state.host)(
                text(memory, binding, binding_length)?,
                text(memory, namespace, namespace_length)?,
                text(memory, operation, operation_length)?,
                read(memory, payload, payload_length)?,
            );
            state.reply = reply.map_err(|error| error.to_string().into_bytes());
            wasmtime::Result::Ok(i32::from(state.reply.is_ok()))
        },
    )?;
    for length in ["__host_response_len", "__host_error_len"] {
        linker.func_wrap(WAPC, length, |guest: Caller<'_, State>| guest.data().reply().len() as i32)?;
    }
    for copy in ["__host_response", "__host_error"] {
        linker.func_wrap(WAPC, copy, |mut guest: Caller<'_, State>, at: i32| {
            let (memory, state) = memory(&mut guest)?;
            write(memory, at, state.reply())
        })?;
    }
    linker.func_wrap(WAPC, "__console_log", |mut guest: Caller<'_, State>, at: i32, length: i32| {
        let (memory, _) = memory(&mut guest)?;
        eprintln!("{}", text(memory, at, length)?);
        wasmtime::Result::Ok(())
    })?;
    Ok(())
}

impl State {
    fn reply(&self) -> &[u8] {
        match &self.reply {
            Ok(bytes) | Err(bytes) => bytes,
        }
    }
}

/// The memory of a guest, and its state.
pub(crate) fn memory<'a>(guest: &'a mut Caller<'_, State>) -> wasmtime::Result<(&'a mut [u8], &'a mut State)> {
    let memory = guest.data().memory.ok_or_else(|| wasmtime::Error::msg("the guest has no memory"))?;
    Ok(memory.data_and_store_mut(guest.as_context_mut()))
}

fn range(at: i32, length: usize) -> std::ops::Range<usize> {
    // Addresses of WebAssembly are unsigned.
    let at = at.cast_unsigned() as usize;
    at..at.saturating_add(length)
}

pub(crate) fn read(memory: &[u8], at: i32, length: i32) -> wasmtime::Result<&[u8]> {
    memory.get(range(at, length.cast_unsigned() as usize)).ok_or_else(|| Trap::MemoryOutOfBounds.into())
}

fn text(memory: &[u8], at: i32, length: i32) -> wasmtime::Result<&str> {
    Ok(str::from_utf8(read(memory, at, length)?)?)
}

pub(crate) fn write(memory: &mut [u8], at: i32, bytes: &[u8]) -> wasmtime::Result<()> {
    memory.get_mut(range(at, bytes.len())).ok_or(Trap::MemoryOutOfBounds)?.copy_from_slice(bytes);
    Ok(())
}
