//! The commands of the README print what it shows.
#![cfg(unix)]
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use serde_json::{Value, json};
use tests::{examples::blocks, file, workspace::root};

const OUTPUT: &str = " output";

#[test]
fn every_command_of_the_readme_prints_what_it_shows() {
    let blocks = blocks(&file("README.md"));
    let kubectl = kubectl();
    let mut shown = 0;
    for [command, output] in blocks.array_windows().filter(|[_, output]| output.info.ends_with(OUTPUT)) {
        assert_eq!(printed(&command.text, &kubectl), output.text, "{}", command.text);
        shown += 1;
    }
    assert_eq!(shown, 1);
}

/// A folder with a kubectl of a cluster that has the objects of a recorded dump. As kubectl does, it runs the command as
/// a plugin.
fn kubectl() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(&folder).expect("a folder");
    let dump: Value = serde_json::from_str(&file("test_data/rehearse/readme.json")).expect("JSON");
    let items = dump["items"].as_array().expect("items");
    let all = ["pods", "replicasets", "jobs", "namespaces", "nodes", "runtimeclasses"];
    for kinds in all.into_iter().chain(["pods,runtimeclasses"]) {
        let is_listed = |item: &&Value| {
            let kind = item["kind"].as_str().expect("a kind").to_lowercase();
            kinds.split(',').any(|plural| plural.starts_with(&kind))
        };
        let items: Vec<&Value> = items.iter().filter(is_listed).collect();
        let list = json!({ "apiVersion": "v1", "items": items, "kind": "List" });
        fs::write(folder.join(kinds), list.to_string()).expect("a file");
    }
    let script = format!(
        "#!/bin/sh\ncase $1 in\nruntime-class) shift && exec '{}' \"$@\" ;;\nget) exec cat '{}'/\"$2\" ;;\nesac\n",
        &tests::command(),
        folder.display()
    );
    let kubectl = folder.join("kubectl");
    fs::write(&kubectl, script).expect("a file");
    fs::set_permissions(kubectl, fs::Permissions::from_mode(0o755)).expect("a script");
    folder
}

/// What a command prints.
fn printed(command: &str, kubectl: &std::path::Path) -> String {
    let command = command.replace("target/debug/kubectl-runtime_class", &tests::command());
    let path = format!("{}:{}", kubectl.display(), std::env::var("PATH").expect("a PATH"));
    let output = Command::new("bash").args(["-c", &command]).env("PATH", path).current_dir(root()).output();
    let output = output.expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
}
