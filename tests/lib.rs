//! One-line set-up for the tests: requests, clusters, and what the policy is expected to answer.
pub mod examples;
pub mod workspace;

use std::{
    fs,
    sync::{Arc, LazyLock},
};

use kubectl_runtime_class::{AdmissionRequest, Capabilities, Policy};
use serde_json::{Value, json};

/// The policy's module.
pub fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::load(None).expect("the module is a policy"));
    &POLICY
}

/// The path of the command, where Cargo runs the tests of its package. `env!` does not know it: the wrapper of rustc is
/// a shell, which drops variables with a hyphen.
#[track_caller]
pub fn command() -> String {
    std::env::var("CARGO_BIN_EXE_kubectl-runtime_class").expect("the command is built for its tests")
}

/// The text of a file of the checkout.
#[track_caller]
pub fn file(path: &str) -> String {
    fs::read_to_string(workspace::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file of the checkout that is in YAML.
#[track_caller]
pub fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The request of a recorded AdmissionReview.
#[track_caller]
pub fn recorded(name: &str) -> Value {
    let request = AdmissionRequest::parse(&file(&format!("test_data/requests/{name}.json")));
    json!(request.unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// A value of an environment variable.
pub const PLAIN: &str = "postgres://db.team-a.svc.cluster.local:5432/shop";

/// One that JSON writes with escapes.
pub const ESCAPES: &str = "a \"quoted\" value\nof an environment\\variable";

/// The recorded request for a Pod of the class `gvisor`, with environment variables of this value
/// until it has about so many bytes.
pub fn large_pod(bytes: usize, value: &str) -> Value {
    let mut request = recorded("pod-create-gvisor");
    let variable = |number| json!({ "name": format!("VARIABLE_{number:06}"), "value": value });
    let missing = bytes.saturating_sub(request.to_string().len());
    let variables: Vec<_> = (0..missing / variable(0).to_string().len()).map(variable).collect();
    request["object"]["spec"]["containers"][0]["env"] = json!(variables);
    request
}

/// A request to create `object`.
#[track_caller]
pub fn create(object: Value) -> Value {
    json!(AdmissionRequest::create(object).expect("an object"))
}

/// A request to change `old` to `new`.
#[track_caller]
pub fn update(old: Value, new: Value) -> Value {
    let mut request = create(new);
    request["operation"] = json!("UPDATE");
    request["oldObject"] = old;
    request
}

/// A Pod with this pod spec, and a container.
pub fn pod(mut spec: Value) -> Value {
    spec["containers"] = json!([{ "name": "web", "image": "nginx" }]);
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web" }, "spec": spec })
}

/// A Pod that names the class `name`.
pub fn pod_of(name: &str) -> Value {
    pod(json!({ "runtimeClassName": name }))
}

/// A RuntimeClass.
pub fn class(name: &str, handler: &str) -> Value {
    json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": name }, "handler": handler })
}

/// The cluster that the requests were recorded from.
pub fn cluster() -> Capabilities {
    Capabilities::cluster(examples::documents(&file("test_data/runtimeclasses.yml")).expect("RuntimeClasses"))
}

/// Host calls that kwctl recorded from it.
#[track_caller]
pub fn replay(name: &str) -> Capabilities {
    Capabilities::replay(&file(&format!("test_data/replay/{name}.replay.yml"))).expect("a recording")
}

/// What the policy answers, and how often it calls the host.
#[track_caller]
pub fn ask(request: &Value, settings: &Value, cluster: Capabilities) -> (Value, usize) {
    let cluster = Arc::new(cluster);
    let payload = json!({ "request": request, "settings": settings }).to_string();
    let answer = policy().call("validate", payload.as_bytes(), &cluster).expect("an answer");
    (serde_json::from_slice(&answer).expect("an answer in JSON"), cluster.calls())
}

/// What the policy answers without access to RuntimeClasses.
#[track_caller]
pub fn ask_names_alone(request: &Value, settings: &Value) -> Value {
    ask(request, settings, Capabilities::not_granted()).0
}

/// What the policy answers to a payload that may be anything.
#[track_caller]
pub fn ask_raw(payload: &str) -> Value {
    let answer = policy().call("validate", payload.as_bytes(), &Arc::default()).expect("an answer, no trap");
    serde_json::from_slice(&answer).expect("an answer in JSON")
}

/// What is wrong with these settings, if something is.
#[track_caller]
pub fn fault(settings: &Value) -> Option<String> {
    let answer = policy().call("validate_settings", settings.to_string().as_bytes(), &Arc::default());
    let answer: Value = serde_json::from_slice(&answer.expect("an answer, no trap")).expect("an answer in JSON");
    match (answer["valid"].as_bool(), answer["message"].as_str()) {
        (Some(true), None) => None,
        (Some(false), Some(message)) => Some(message.to_owned()),
        _ => panic!("no answer on settings: {answer}"),
    }
}

/// The answer that accepts a request as it is.
pub fn accepted() -> Value {
    json!({ "accepted": true })
}

/// The answer that rejects a workload that names `class`.
pub fn rejected(class: &str, message: &str) -> Value {
    json!({ "accepted": false, "message": message, "audit_annotations": { "requested-runtime-class": class } })
}

/// The answer that rejects a workload because the policy can't decide.
pub fn failed(class: &str, message: &str) -> Value {
    let mut answer = rejected(class, message);
    answer["code"] = json!(500);
    answer
}

/// The answer that mutates a Pod that names `class` to `object`, of the class `to`.
pub fn mutated(object: Value, class: &str, to: &str, warning: Option<&str>) -> Value {
    let mut answer = json!({
        "accepted": true,
        "mutated_object": object,
        "audit_annotations": { "requested-runtime-class": class, "enforced-runtime-class": to },
    });
    if let Some(warning) = warning {
        answer["warnings"] = json!([warning]);
    }
    answer
}

/// The answer that accepts a template as it is, with a warning.
pub fn warned(warning: &str) -> Value {
    json!({ "accepted": true, "warnings": [warning] })
}

/// The class of workloads that name none, as the audit annotations have it.
pub const DEFAULT: &str = "(default)";
