//! The module is the same bytes wherever it is built.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use kubectl_runtime_class::MODULE;
use tempfile::TempDir;
use tests::workspace;

#[test]
fn the_module_names_no_folder_of_the_machine() {
    for folder in [cargo_home(), workspace::root().to_owned(), env::home_dir().expect("a home")] {
        let folder = folder.to_str().expect("a name in UTF-8");
        assert!(!MODULE.windows(folder.len()).any(|bytes| bytes == folder.as_bytes()), "it names {folder}");
    }
}

#[test]
fn a_build_in_another_folder_with_another_home_of_cargo_is_the_same_bytes() {
    let scratch = TempDir::new().expect("a folder");
    let (checkout, home) = (scratch.path().join("checkout"), scratch.path().join("home"));
    copy_checkout(&checkout);
    fs::create_dir(&home).expect("a folder");
    link_folder(&cargo_home().join("registry"), &home.join("registry"));

    let target = scratch.path().join("target");
    let build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--target=wasm32-wasip1", "--release", "--locked", "--offline", "--target-dir"])
        .arg(&target)
        .current_dir(&checkout)
        .env("CARGO_HOME", &home)
        .output()
        .expect("cargo runs");
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let other = target.join("wasm32-wasip1/release/pod_runtime_class_policy.wasm");
    assert!(MODULE == fs::read(other).expect("a module"), "the two builds differ");
}

fn cargo_home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(|| env::home_dir().expect("a home").join(".cargo"), PathBuf::from)
}

/// Copies the files that are, or can be, under version control.
fn copy_checkout(to: &Path) {
    let files = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace::root())
        .output()
        .expect("git runs");
    for file in String::from_utf8(files.stdout).expect("names in UTF-8").split_terminator('\0') {
        let (from, to) = (workspace::root().join(file), to.join(file));
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        if from.exists() {
            fs::copy(&from, &to).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}

#[cfg(unix)]
fn link_folder(from: &Path, to: &Path) {
    std::os::unix::fs::symlink(from, to).expect("a link");
}

#[cfg(windows)]
fn link_folder(from: &Path, to: &Path) {
    std::os::windows::fs::symlink_dir(from, to).expect("a link");
}
