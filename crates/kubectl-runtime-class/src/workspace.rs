//! The policy of this workspace.
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is in crates/ of the workspace")
}

/// The module of the policy, built once as it is released.
///
/// # Panics
/// The module can't be built.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let target = root().join("target");
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = ["build", "--package=pod-runtime-class-policy", "--target=wasm32-wasip1", "--release", "--locked"];
        let built = Command::new(cargo).args(build).arg("--target-dir").arg(&target).current_dir(root()).output();
        let built = built.expect("cargo runs");
        assert!(built.status.success(), "the policy can't be built:\n{}", String::from_utf8_lossy(&built.stderr));
        target.join("wasm32-wasip1/release/pod_runtime_class_policy.wasm")
    })
}
