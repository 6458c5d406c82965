//! The functions of [WASI](https://github.com/WebAssembly/WASI/tree/wasi-0.1) that a policy can use: no arguments,
//! no environment, no file; a clock, random bytes, and standard error for the message of a panic.
use std::{
    fmt,
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use wasmtime::{Caller, ExternType, Linker, Module, Val};

use crate::guest::{State, memory, read, write};

const SUCCESS: i32 = 0;
/// `badf`.
const NO_SUCH_FILE: i32 = 8;

/// The guest ends itself.
#[derive(Debug)]
struct Exit(i32);

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "the policy exits with code {}", self.0)
    }
}

impl std::error::Error for Exit {}

/// Whether the guest has ended itself without an error, as the `main` of TinyGo does.
pub(crate) fn is_successful_exit(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Exit>().is_some_and(|exit| exit.0 == 0)
}

/// Adds the functions. Those that `module` imports and that are not here find no file.
pub(crate) fn add_to_linker(linker: &mut Linker<State>, module: &Module) -> wasmtime::Result<()> {
    const WASI: &str = "wasi_snapshot_preview1";
    linker.allow_shadowing(true);
    for import in module.imports().filter(|import| import.module() == WASI) {
        if let ExternType::Func(signature) = import.ty() {
            linker.func_new(WASI, import.name(), signature, |_, _, results| {
                results.fill(Val::I32(NO_SUCH_FILE));
                Ok(())
            })?;
        }
    }
    for list in ["args", "environ"] {
        linker.func_wrap(WASI, &format!("{list}_get"), |_: i32, _: i32| SUCCESS)?;
        linker.func_wrap(
            WASI,
            &format!("{list}_sizes_get"),
            |mut guest: Caller<'_, State>, count: i32, bytes: i32| {
                let (memory, _) = memory(&mut guest)?;
                write(memory, count, &0_u32.to_le_bytes())?;
                write(memory, bytes, &0_u32.to_le_bytes())?;
                wasmtime::Result::Ok(SUCCESS)
            },
        )?;
    }
    linker.func_wrap(WASI, "clock_time_get", |mut guest: Caller<'_, State>, _: i32, _: i64, at: i32| {
        let (memory, _) = memory(&mut guest)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        write(memory, at, &now.to_le_bytes())?;
        wasmtime::Result::Ok(SUCCESS)
    })?;
    linker.func_wrap(WASI, "random_get", |mut guest: Caller<'_, State>, at: i32, length: i32| {
        let (memory, _) = memory(&mut guest)?;
        let mut bytes = read(memory, at, length)?.to_vec();
        // It seeds hash maps. The kernel's numbers would be a system call for each instance.
        fastrand::fill(&mut bytes);
        write(memory, at, &bytes)?;
        wasmtime::Result::Ok(SUCCESS)
    })?;
    linker.func_wrap(
        WASI,
        "fd_write",
        |mut guest: Caller<'_, State>, _: i32, vectors: i32, count: i32, written: i32| {
            let (memory, _) = memory(&mut guest)?;
            let mut text = vec![];
            for vector in read(memory, vectors, count.saturating_mul(8))?.chunks_exact(8) {
                let (at, length) = vector.split_at(4);
                let number = |bytes: &[u8]| bytes.try_into().map(i32::from_le_bytes);
                text.extend_from_slice(read(memory, number(at)?, number(length)?)?);
            }
            io::stderr().write_all(&text)?;
            write(memory, written, &(text.len() as u32).to_le_bytes())?;
            wasmtime::Result::Ok(SUCCESS)
        },
    )?;
    linker.func_wrap(WASI, "proc_exit", |code: i32| -> wasmtime::Result<()> { Err(Exit(code).into()) })?;
    Ok(())
}
