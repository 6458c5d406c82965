//! The policy of this workspace.
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The top of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the evaluator is a folder of the workspace")
}

/// The module of the policy, built as it is released; once for all who ask.
///
/// # Panics
/// It can't be built: there is nothing to test.
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
