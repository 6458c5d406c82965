//! Builds the module of the policy, as it is released: the command has it inside. With POLICY_WASM, it takes that file.
//!
//! The module has a target folder of its own. Cargo would wait for itself in the one that it builds this package in.
use std::{
    env,
    path::Path,
    process::{Command, exit},
};

/// What the module is made of, from the root of the workspace.
const SOURCES: [&str; 4] = ["src", ".cargo", "Cargo.toml", "Cargo.lock"];

/// What Cargo sets for this build, and must not set for that of the module.
const OF_THIS_BUILD: [&str; 4] = ["CARGO_ENCODED_RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];

fn main() {
    println!("cargo:rerun-if-env-changed=POLICY_WASM");
    if let Ok(module) = env::var("POLICY_WASM") {
        println!("cargo:rustc-env=POLICY_WASM={module}");
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is in crates/");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", root.join(source).display());
    }
    let target = root.join("target/module");
    let mut build = Command::new(env::var_os("CARGO").expect("Cargo runs this"));
    build.args(["build", "--package=pod-runtime-class-policy", "--release", "--locked", "--target=wasm32-wasip1"]);
    build.arg("--target-dir").arg(&target).current_dir(root);
    OF_THIS_BUILD.iter().for_each(|name| _ = build.env_remove(name));
    if !build.status().is_ok_and(|status| status.success()) {
        eprintln!("The policy's module can't be built. Its target: rustup target add wasm32-wasip1");
        exit(1);
    }
    let module = target.join("wasm32-wasip1/release/pod_runtime_class_policy.wasm");
    println!("cargo:rustc-env=POLICY_WASM={}", module.display());
}
