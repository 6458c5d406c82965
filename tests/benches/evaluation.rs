//! The wall time of an evaluation in a fresh instance, as policy-server makes it, divided by that of
//! an empty policy of the same SDK: `make bench`.
//!
//! Both are timed in turn, so that the ratio holds on a busy machine.
use std::{
    cell::RefCell,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{
    Criterion,
    measurement::{Measurement, ValueFormatter},
};
use kubectl_runtime_class::{Capabilities, Policy};
use serde_json::{Value, json};
use tests::*;

fn main() {
    let mut criterion = Criterion::default().with_measurement(Ratio).sample_size(50).configure_from_args();
    let empty = empty_policy();
    let mut table = Vec::new();
    for (name, request, settings, cluster) in cases() {
        table.extend(bench(&mut criterion, &empty, name, &request, &settings, cluster));
    }
    criterion.final_summary();
    print(&table);
}

/// The empty policy, built in a target folder of its own: the workflow takes the one module in ours.
fn empty_policy() -> Policy {
    let target = workspace::root().join("target/empty-policy");
    let build = ["build", "--release", "--locked", "--target=wasm32-wasip1", "--manifest-path"];
    let manifest = workspace::root().join("tests/benches/empty-policy/Cargo.toml");
    let built = Command::new(env!("CARGO")).args(build).arg(manifest).arg("--target-dir").arg(&target).status();
    assert!(built.expect("cargo runs").success(), "the empty policy can't be built");
    Policy::load(Some(&target.join("wasm32-wasip1/release/empty_policy.wasm"))).expect("the empty policy")
}

/// A name, a request, settings, and the cluster.
type Case = (String, Value, Value, fn() -> Capabilities);

/// Each outcome for each size, with and without RuntimeClasses.
fn cases() -> Vec<Case> {
    let sizes = [
        ("2.3 KB", recorded("pod-create-gvisor")),
        ("129 KB", large_pod(129_000, PLAIN)),
        ("2 MB", large_pod(2_000_000, PLAIN)),
    ];
    let reserved = |entry: &str| json!({ "reservedRuntimes": [entry] });
    let to_kata = |entry: &str| json!({ "reservedRuntimes": [entry], "fallbackRuntime": "kata" });
    let names_alone = |mut settings: Value| {
        settings["matchHandlers"] = json!(false);
        settings
    };
    let granted: fn() -> Capabilities = cluster;
    let outcomes = [
        ("accept by name", names_alone(reserved("runC")), Capabilities::not_granted as fn() -> _),
        ("accept by handler", reserved("runC"), granted),
        ("reject by name", names_alone(reserved("gvisor")), Capabilities::not_granted),
        ("reject by handler", reserved("runsc"), granted),
        ("mutate by name", names_alone(to_kata("gvisor")), Capabilities::not_granted),
        ("mutate by handler", to_kata("runsc"), granted),
    ];
    let mut cases = vec![
        ("accept another kind".to_owned(), recorded("service-create"), reserved("runC"), granted),
        ("mutate, and undo scheduling".to_owned(), recorded("pod-create-runc-plain"), to_kata("runC"), granted),
    ];
    for (size, request) in &sizes {
        for (outcome, settings, cluster) in &outcomes {
            cases.push((format!("{outcome}, {size}"), request.clone(), settings.clone(), *cluster));
        }
    }
    cases
}

struct Row {
    name: String,
    bytes: usize,
    policy: Duration,
    empty: Duration,
    ratio: f64,
}

fn bench(
    criterion: &mut Criterion<Ratio>,
    empty: &Policy,
    name: String,
    request: &Value,
    settings: &Value,
    cluster: fn() -> Capabilities,
) -> Option<Row> {
    let payload = json!({ "request": request, "settings": settings }).to_string();
    let cluster = Arc::new(cluster());
    let time = |policy: &Policy| {
        let start = Instant::now();
        policy.call("validate", payload.as_bytes(), &cluster).expect("an answer");
        start.elapsed()
    };
    let samples = RefCell::new(Vec::new());
    criterion.bench_function(&name, |bencher| {
        bencher.iter_custom(|rounds| {
            let pairs: Vec<_> = (0..rounds).map(|_| (time(policy()), time(empty))).collect();
            let ratio = median(pairs.iter().map(|(policy, empty)| policy.as_secs_f64() / empty.as_secs_f64()));
            samples.borrow_mut().extend(pairs);
            ratio * rounds as f64
        });
    });
    let samples = samples.into_inner();
    (!samples.is_empty()).then(|| Row {
        name,
        bytes: payload.len(),
        policy: median(samples.iter().map(|(policy, _)| *policy)),
        empty: median(samples.iter().map(|(_, empty)| *empty)),
        ratio: median(samples.iter().map(|(policy, empty)| policy.as_secs_f64() / empty.as_secs_f64())),
    })
}

fn median<T: PartialOrd + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<_> = values.collect();
    values.sort_by(|one, other| one.partial_cmp(other).expect("a number"));
    values[values.len() / 2]
}

fn print(table: &[Row]) {
    println!("| evaluation | payload | policy | empty policy | ratio |");
    println!("|---|--:|--:|--:|--:|");
    for Row { name, bytes, policy, empty, ratio } in table {
        let [policy, empty] = [policy, empty].map(|time| time.as_secs_f64() * 1e6);
        println!("| {name} | {bytes} bytes | {policy:.1} µs | {empty:.1} µs | {ratio:.2} |");
    }
}

/// What criterion measures here: how many times as long as the empty policy's an evaluation takes.
struct Ratio;

impl Measurement for Ratio {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        f64::NAN
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Ratio {
    fn scale_values(&self, _: f64, _: &mut [f64]) -> &'static str {
        "times the empty policy's"
    }

    fn scale_throughputs(&self, _: f64, _: &criterion::Throughput, _: &mut [f64]) -> &'static str {
        "times the empty policy's"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "times the empty policy's"
    }
}
