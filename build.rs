//! Makes the stack end, and the data begin, in the middle of a page of memory.
//!
//! The stack comes first in a module, and grows away from the data. It is a megabyte by default, a whole
//! number of pages, so that an evaluation touches a page of the stack and another one of data. Each costs a
//! page fault, which takes as long as some 10,000 instructions. A linker argument in `.cargo/config.toml` would
//! be lost where RUSTFLAGS is set.
use std::env;

const STACK: usize = 1024 * 1024 - 512;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo:rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
