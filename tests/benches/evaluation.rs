//! What an evaluation takes in time, a fresh instance each, as in policy-server: cargo bench -p tests
//!
//! Times are good for comparing runs on one machine. The budgets are instructions: `tests/module/budget.rs`.
use std::sync::Arc;

use divan::Bencher;
use evaluator::Capabilities;
use serde_json::{Value, json};
use tests::*;

fn main() {
    divan::main();
}

fn evaluate(bencher: Bencher, request: &str, settings: Value, cluster: fn() -> Capabilities) {
    let payload = json!({ "request": recorded(request), "settings": settings }).to_string();
    let cluster = Arc::new(cluster());
    bencher.bench(|| policy().call("validate", payload.as_bytes(), &cluster).expect("an answer"));
}

#[divan::bench]
fn accept(bencher: Bencher) {
    let settings = json!({ "reservedRuntimes": ["runC"], "matchHandlers": false });
    evaluate(bencher, "pod-create-gvisor", settings, Capabilities::not_granted);
}

#[divan::bench]
fn accept_by_handler(bencher: Bencher) {
    evaluate(bencher, "pod-create-gvisor", json!({ "reservedRuntimes": ["runC"] }), cluster);
}

#[divan::bench]
fn refuse(bencher: Bencher) {
    evaluate(bencher, "pod-create-default", json!({ "defaultRuntimeReserved": true }), cluster);
}

#[divan::bench]
fn change(bencher: Bencher) {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    evaluate(bencher, "pod-create-runc-plain", settings, cluster);
}

#[divan::bench]
fn pass_what_is_not_ours(bencher: Bencher) {
    evaluate(bencher, "service-create", json!({ "reservedRuntimes": ["runC"] }), cluster);
}
