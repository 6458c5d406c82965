//! Reading the cluster's RuntimeClasses. (Access, and how often it is asked: see `decision`.)
use evaluator::Capabilities;
use module_tests::*;
use rstest::rstest;
use serde_json::{Value, json};

fn containerd() -> Capabilities {
    Capabilities::cluster(vec![class("containerd-runc", "runc"), class("containerd-kata", "kata")])
}

#[test]
fn the_third_example_of_the_readme_is_changed() {
    let settings =
        json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "containerd-kata", "defaultRuntimeReserved": true });
    assert_eq!(
        ask(&create(pod_of("containerd-runc")), &settings, containerd()).0,
        changed(
            pod_of("containerd-kata"),
            "containerd-runc",
            "containerd-kata",
            Some("runtime 'containerd-runc' is reserved: this Pod will run with 'containerd-kata'")
        )
    );
}

#[test]
fn a_class_is_spelled_as_the_workload_and_a_handler_as_the_cluster_spells_it() {
    let settings = json!({ "reservedRuntimes": ["RUNC"] });
    assert_eq!(
        ask(&create(pod_of("containerd-runc")), &settings, containerd()).0,
        refused("containerd-runc", "runtime 'containerd-runc' is reserved: it runs on 'runc'")
    );
}

#[rstest]
#[case(json!({ "fallbackRuntime": "ghost" }), "fallbackRuntime 'ghost' is not a RuntimeClass of this cluster")]
#[case(
    json!({ "fallbackRuntime": "containerd-runc", "reservedRuntimes": ["runC"] }),
    "fallbackRuntime 'containerd-runc' runs on 'runc', which is reserved"
)]
#[case(
    json!({ "fallbackRuntime": "containerd-runc", "allowedRuntimes": ["kata"] }),
    "fallbackRuntime 'containerd-runc' runs on 'runc', which is not allowed"
)]
fn a_fallback_that_workloads_may_not_have_is_not_given_to_any(#[case] settings: Value, #[case] message: &str) {
    assert_eq!(fault(&settings), None);
    assert_eq!(ask(&create(pod(json!({}))), &settings, containerd()), (failed(DEFAULT, 500, message), 1));
}

#[test]
fn a_fallback_that_is_allowed_by_its_handler_is_given() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" });
    assert_eq!(
        ask(&create(pod(json!({}))), &settings, containerd()).0,
        changed(pod_of("containerd-kata"), DEFAULT, "containerd-kata", None)
    );
}

#[test]
fn a_fallback_that_is_not_allowed_by_name_is_not_given_where_names_alone_are_compared() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" });
    let message = "fallbackRuntime 'containerd-kata' is not allowed by its name, and its handler is not known";
    assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), failed(DEFAULT, 500, message));
}

#[rstest]
#[case("{}")]
#[case("not JSON")]
#[case("")]
#[case(r#"{"items": 5}"#)]
#[case(r#"{"items": [{"metadata": {"name": "a"}}]}"#)]
#[case(r#"{"items": [{"handler": "a"}]}"#)]
fn an_answer_that_is_no_list_of_classes_lets_nothing_through(#[case] payload: &str) {
    let answer = ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), replaying(payload)).0;
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("RuntimeClasses can't be read: the host's answer: "), "{answer}");
    assert_eq!(answer, failed("gvisor", 503, message));
}

#[test]
fn a_cluster_without_runtime_classes_has_no_handlers() {
    let empty = r#"{"apiVersion":"node.k8s.io/v1","kind":"RuntimeClassList","metadata":{},"items":[]}"#;
    let answer = ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), replaying(empty));
    assert_eq!(answer, (accepted(), 1));
}

#[test]
fn only_the_first_line_of_an_error_is_told() {
    let cluster = Capabilities::failure("client error (Connect)\n\nStack backtrace:\n   0: anyhow::error");
    let settings = json!({ "reservedRuntimes": ["runC"] });
    let message = "RuntimeClasses can't be read: Callback evaluation failure: client error (Connect)";
    assert_eq!(ask(&create(pod_of("gvisor")), &settings, cluster), (failed("gvisor", 503, message), 1));
}

#[test]
fn a_failure_does_not_pass_for_access_that_is_not_granted() {
    let cluster = Capabilities::failure("connection refused\n0: policy has not been granted access::report");
    let message = "RuntimeClasses can't be read: Callback evaluation failure: connection refused";
    let answer = ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), cluster);
    assert_eq!(answer, (failed("gvisor", 503, message), 1));
}

#[test]
fn the_call_is_the_recorded_one() {
    let recording = recorded_cluster();
    let settings = json!({ "reservedRuntimes": ["runC"] });
    let request = create(pod_of("runc-plain"));
    let refusal = refused("runc-plain", "runtime 'runc-plain' is reserved: it runs on 'runc'");
    assert_eq!(ask(&request, &settings, recording), (refusal, 1));
}

/// A cluster that answers one call, with `payload`.
fn replaying(payload: &str) -> Capabilities {
    let mut recording = yaml("test_data/runtimeclasses.replay.yml");
    recording[0]["response"]["payload"] = json!(payload);
    Capabilities::replay(&recording.to_string()).expect("a recording")
}
