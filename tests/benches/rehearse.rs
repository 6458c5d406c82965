//! What a rehearsal takes in time, for 1,000 Pods as the API server has them: cargo bench -p tests --bench rehearse
use std::{env, fs, path::PathBuf};

use divan::{Bencher, counter::ItemsCount};
use kubectl_runtime_class::rehearse::{Rehearsal, Scope};
use serde_json::json;
use tests::*;

const PODS: usize = 1000;

fn main() {
    divan::main();
}

/// A dump as kubectl writes it, of the recorded Pod of 2 KB under many names.
fn dump() -> PathBuf {
    let pods = (0..PODS).map(|number| {
        let mut pod = recorded("pod-create-runc-plain")["object"].clone();
        pod["metadata"]["name"] = json!(format!("web-{number}"));
        pod
    });
    let list = json!({ "apiVersion": "v1", "items": pods.collect::<Vec<_>>(), "kind": "List" });
    let path = env::temp_dir().join(format!("rehearse-{}.json", std::process::id()));
    fs::write(&path, list.to_string()).expect("a file to write");
    path
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn pods(bencher: Bencher) {
    let dump = dump();
    let classes = kubectl_runtime_class::workspace::root().join("test_data/runtimeclasses.yml");
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    bencher.counter(ItemsCount::new(PODS)).bench(|| {
        let scope = Scope::everything(settings.clone());
        let (paths, runtime_classes) = (std::slice::from_ref(&dump), std::slice::from_ref(&classes));
        Rehearsal { policy: policy(), scope, paths, runtime_classes, namespace: "default" }.run().expect("a report")
    });
    fs::remove_file(dump).expect("the file");
}
