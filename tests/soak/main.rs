//! Load: evaluations from several threads, each in a fresh instance. `make soak` runs a million.
use std::{env, fs, sync::Arc, thread, time::Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use kubectl_runtime_class::Capabilities;
use memory_stats::memory_stats;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

/// How many evaluations a run of all tests has.
const EVALUATIONS: usize = 10_000;

/// How much the host's memory may grow: less than 17 bytes for each of a million evaluations.
const GROWTH: usize = 16 << 20;

/// A payload, and the answer to it.
struct Case {
    payload: String,
    answer: Vec<u8>,
}

#[test]
fn answers_stay_the_same_and_memory_flat() {
    let evaluations = env::var("EVALUATIONS").map_or(EVALUATIONS, |count| count.parse().expect("a number"));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let cases = cases();
    let bar = ProgressBar::new(evaluations as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} {per_sec} {eta}").expect("a style"));

    let warm_up = evaluations / 10;
    run(&cases, 0..warm_up, threads, &bar);
    let (before, start) = (resident(), Instant::now());
    run(&cases, warm_up..evaluations, threads, &bar);
    let (after, seconds) = (resident(), start.elapsed().as_secs_f64());
    bar.finish();

    println!(
        "{} evaluations of {} payloads from {threads} threads, each in a fresh instance: all answered alike; {:.0}/s, \
         memory of the host {:.1} MiB, then {:.1} MiB",
        HumanCount(evaluations as u64),
        cases.len(),
        (evaluations - warm_up) as f64 / seconds,
        mebibytes(before),
        mebibytes(after),
    );
    assert!(after <= before + GROWTH, "the host's memory grew from {before} to {after} bytes");
}

#[rstest]
#[case::the_limit_of_policy_server(2 << 20)]
#[case::more_than_that(3 << 20)]
fn a_large_request_is_decided(#[case] size: usize) {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let mut large = recorded("pod-create-runc-plain");
    large["object"]["metadata"]["annotations"] = json!({ "note": "" });
    let small = ask(&large, &settings, cluster()).0;
    let note = "n".repeat(size - large.to_string().len());
    large["object"]["metadata"]["annotations"]["note"] = json!(note);
    assert_eq!(large.to_string().len(), size);

    let mut expected = small;
    expected["mutated_object"]["metadata"]["annotations"]["note"] = json!(note);
    assert_eq!(ask(&large, &settings, cluster()), (expected, 2));
}

#[test]
fn a_thousand_classes_cost_what_one_costs() {
    let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
    let few = vec![class("plain", "runc"), class("kata", "kata")];
    let many = few.iter().cloned().chain((0..1_000).map(|n| class(&format!("class-{n}"), "runsc"))).collect();
    let request = create(pod_of("plain"));
    let (answer, calls) = ask(&request, &settings, Capabilities::cluster(few));
    assert_eq!(ask(&request, &settings, Capabilities::cluster(many)), (answer, calls));
    // The policy is told of as many classes as it asks for.
    assert_eq!(calls, 2);
}

/// The recorded requests, with settings that lead to every kind of answer.
fn cases() -> Vec<Case> {
    let settings = [
        json!({}),
        json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true }),
        json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" }),
        json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "ghost", "matchHandlers": true }),
    ];
    let payload = |request: &Value, settings: &Value| json!({ "request": request, "settings": settings }).to_string();
    let requests = requests();
    let mut payloads: Vec<_> =
        settings.iter().flat_map(|settings| requests.iter().map(|request| payload(request, settings))).collect();
    payloads.push(r#"{"request":"#.to_owned());
    let capabilities = Arc::new(cluster());
    let answer = |payload: &str| policy().call("validate", payload.as_bytes(), &capabilities).expect("an answer");
    payloads.into_iter().map(|payload| Case { answer: answer(&payload), payload }).collect()
}

fn requests() -> Vec<Value> {
    let folder = workspace::root().join("test_data/requests");
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("recorded requests")
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.iter().map(|name| recorded(name)).collect()
}

/// Evaluates, and compares each answer with the first one to the same payload.
fn run(cases: &[Case], evaluations: std::ops::Range<usize>, threads: usize, bar: &ProgressBar) {
    thread::scope(|scope| {
        for worker in 0..threads {
            let evaluations = evaluations.clone();
            scope.spawn(move || {
                let capabilities = Arc::new(cluster());
                for number in evaluations.skip(worker).step_by(threads) {
                    let Case { payload, answer } = &cases[number % cases.len()];
                    let again = policy().call("validate", payload.as_bytes(), &capabilities).expect("an answer");
                    assert!(again == *answer, "{payload}");
                    bar.inc(1);
                }
            });
        }
    });
}

/// The bytes of memory that this process has.
fn resident() -> usize {
    memory_stats().expect("the memory of a process").physical_mem
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
