//! Reading the cluster's RuntimeClasses. (Access, and how often it is asked: see `decision`.)
use kubectl_runtime_class::Capabilities;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

fn containerd() -> Capabilities {
    Capabilities::cluster(vec![class("containerd-runc", "runc"), class("containerd-kata", "kata")])
}

#[test]
fn the_third_example_of_the_readme_is_changed() {
    let settings =
        json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "containerd-kata", "defaultRuntimeReserved": true });
    assert_eq!(
        ask(&create(pod_of("containerd-runc")), &settings, containerd()).0,
        mutated(
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
        rejected("containerd-runc", "runtime 'containerd-runc' is reserved: it runs on 'runc'")
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
fn a_fallback_that_pods_may_not_have_is_given_to_none(#[case] settings: Value, #[case] message: &str) {
    assert_eq!(fault(&settings), None);
    assert_eq!(ask(&create(pod(json!({}))), &settings, containerd()), (failed(DEFAULT, message), 1));
}

#[test]
fn a_class_that_is_the_fallback_itself_is_looked_up_once() {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "containerd-runc" });
    let message = "fallbackRuntime 'containerd-runc' runs on 'runc', which is reserved";
    let answer = ask(&create(pod_of("containerd-runc")), &settings, containerd());
    assert_eq!(answer, (failed("containerd-runc", message), 1));
}

#[test]
fn a_fallback_that_is_allowed_by_its_handler_is_given() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" });
    assert_eq!(
        ask(&create(pod(json!({}))), &settings, containerd()).0,
        mutated(pod_of("containerd-kata"), DEFAULT, "containerd-kata", None)
    );
}

#[test]
fn without_access_a_fallback_that_is_not_allowed_by_name_is_given_to_none() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "containerd-kata" });
    let message = "fallbackRuntime 'containerd-kata' is not allowed by name, and its handler is unknown because the \
                   policy has no access to RuntimeClasses";
    assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), failed(DEFAULT, message));
}

/// What the policy answers on a Pod of the class `gvisor` when the host's first answer is `response`.
fn told(response: Value) -> (Value, usize) {
    let mut recording = yaml("test_data/replay/gvisor.replay.yml");
    recording[0]["response"] = response;
    let cluster = Capabilities::replay(&recording.to_string()).expect("a recording");
    ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), cluster)
}

#[rstest]
#[case("{}", "missing field `handler`")]
#[case("not JSON", "invalid JSON: expected ident")]
#[case("", "invalid JSON: EOF while parsing a value")]
#[case("[]", "invalid type: sequence, expected an object")]
#[case(r#"{"handler": 5}"#, "invalid type: integer `5`, expected a string")]
#[case(r#"{"handler": "runsc", "handler": "runc"}"#, "duplicate field `handler`")]
fn an_answer_that_is_not_a_runtime_class_lets_nothing_through(#[case] payload: &str, #[case] words: &str) {
    let message = format!("RuntimeClass 'gvisor' can't be read: the host's answer is not a RuntimeClass: {words}");
    assert_eq!(told(json!({ "type": "Success", "payload": payload })), (failed("gvisor", &message), 1));
}

/// The scheduling of a class is read if it is to be undone.
#[rstest]
#[case("5", "scheduling: invalid type: integer `5`, expected an object")]
#[case(r#"{"nodeSelector": []}"#, "scheduling: invalid type: sequence, expected a map")]
#[case(r#"{"tolerations": {}}"#, "scheduling: invalid type: map, expected a sequence")]
fn unreadable_scheduling_stops_only_a_mutation(#[case] scheduling: &str, #[case] words: &str) {
    let mut recording = yaml("test_data/replay/gvisor.replay.yml");
    let class = format!(r#"{{"handler": "runsc", "scheduling": {scheduling}}}"#);
    recording[0]["response"] = json!({ "type": "Success", "payload": class });
    let cluster = || Capabilities::replay(&recording.to_string()).expect("a recording");
    assert_eq!(ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), cluster()), (accepted(), 1));
    let settings = json!({ "reservedRuntimes": ["runsc"], "fallbackRuntime": "kata" });
    let message = format!("RuntimeClass 'gvisor' can't be read: the host's answer is not a RuntimeClass: {words}");
    assert_eq!(ask(&create(pod_of("gvisor")), &settings, cluster()), (failed("gvisor", &message), 1));
}

#[rstest]
#[case(
    "client error (Connect)\n\nStack backtrace:\n   0: anyhow::error",
    "RuntimeClass 'gvisor' can't be read: client error (Connect)"
)]
#[case(
    "connection refused\n0: policy has not been granted access::report\n1: Cannot find node.k8s.io/v1/RuntimeClass named",
    "RuntimeClass 'gvisor' can't be read: connection refused"
)]
#[case("", "RuntimeClass 'gvisor' can't be read: ")]
fn an_error_is_shown_in_one_line_and_passes_for_no_other(#[case] error: &str, #[case] message: &str) {
    assert_eq!(told(json!({ "type": "Error", "message": error })), (failed("gvisor", message), 1));
}

#[test]
fn a_missing_permission_is_told_without_the_debug_dump() {
    let message = "RuntimeClass 'ghost' can't be read: ApiError: runtimeclasses.node.k8s.io \"ghost\" is forbidden: \
                   User \"jane\" cannot get resource \"runtimeclasses\" in API group \"node.k8s.io\" at the cluster \
                   scope: Forbidden";
    let answer = ask(&create(pod_of("ghost")), &json!({ "reservedRuntimes": ["runC"] }), replay("forbidden"));
    assert_eq!(answer, (failed("ghost", message), 1));
}

#[test]
fn a_host_capability_that_is_not_granted_is_answered_with_what_works_without_it() {
    let told = "Policy has not been granted access to the 'kubernetes/get_resource' host capability. The violation \
                has been reported.";
    let mut recording = yaml("test_data/replay/gvisor.replay.yml");
    recording[0]["response"] = json!({ "type": "Error", "message": told });
    let cluster = || Capabilities::replay(&recording.to_string()).expect("a recording");
    let names_alone = json!({ "reservedRuntimes": ["runC"] });
    assert_eq!(ask(&create(pod_of("gvisor")), &names_alone, cluster()), (accepted(), 1));
    let strict = json!({ "reservedRuntimes": ["runC"], "matchHandlers": true });
    let message = format!(
        "matchHandlers is true, but RuntimeClass 'gvisor' can't be read: {told} Use a ClusterAdmissionPolicy, or set \
         matchHandlers to false."
    );
    assert_eq!(ask(&create(pod_of("gvisor")), &strict, cluster()), (failed("gvisor", &message), 1));
}

/// kwctl's replay files, which name the calls that they answer.
mod recorded_calls {
    use super::*;

    #[test]
    fn two_recorded_calls_are_made_for_a_pod_that_is_mutated() {
        let settings = json!({ "reservedRuntimes": ["runC"], "fallbackRuntime": "kata" });
        let (answer, calls) = ask(&recorded("pod-create-runc-plain"), &settings, replay("runc-plain-to-kata"));
        assert_eq!(ask(&recorded("pod-create-runc-plain"), &settings, cluster()), (answer.clone(), calls));
        assert_eq!((&answer["mutated_object"]["spec"]["runtimeClassName"], calls), (&json!("kata"), 2));
    }

    #[test]
    fn one_recorded_call_is_made_for_a_pod_that_is_accepted() {
        let answer = ask(&create(pod_of("gvisor")), &json!({ "reservedRuntimes": ["runC"] }), replay("gvisor"));
        assert_eq!(answer, (accepted(), 1));
    }

    #[test]
    fn a_recorded_call_finds_no_class_that_the_cluster_does_not_have() {
        let answer = ask(&create(pod_of("ghost")), &json!({ "reservedRuntimes": ["runC"] }), replay("ghost"));
        assert_eq!(answer, (rejected("ghost", "runtime 'ghost' is not a RuntimeClass of this cluster"), 1));
    }
}

/// In a template, the API server has not checked the name when it calls webhooks, and the host puts it into a path.
#[rstest]
#[case("../../../../metrics")]
#[case("..")]
#[case("gvisor/status")]
#[case("gvisor?watch=true")]
#[case("gvisor%2Fstatus")]
#[case("Gvisor")]
#[case("gvisor.")]
#[case("-gvisor")]
#[case("gvisor kata")]
#[case("gvisor\n")]
#[case("gvis\u{f6}r")]
#[case(&"a".repeat(254))]
fn a_class_that_is_no_name_of_any_class_is_rejected_without_a_call_of_the_host(#[case] class: &str) {
    let template = |class: &str| {
        let mut request = recorded("deployment-create-runc-plain");
        request["object"]["spec"]["template"]["spec"]["runtimeClassName"] = json!(class);
        request
    };
    let shown: String = if class.len() > 100 { format!("{}…", &class[..100]) } else { class.replace('\n', "…") };
    let rejection = rejected(&shown, &format!("runtime '{shown}' is not a RuntimeClass of this cluster"));
    for restriction in [json!({ "reservedRuntimes": ["runc"] }), json!({ "allowedRuntimes": ["runsc"] })] {
        for (key, value) in
            [("matchHandlers", json!(true)), ("matchHandlers", json!(null)), ("fallbackRuntime", json!("kata"))]
        {
            let mut settings = restriction.clone();
            settings[key] = value;
            assert_eq!(ask(&template(class), &settings, cluster()), (rejection.clone(), 0), "{settings}");
            assert_eq!(ask(&create(pod_of(class)), &settings, cluster()), (rejection.clone(), 0), "{settings}");
        }
    }
    let names_alone = json!({ "reservedRuntimes": ["runc"], "matchHandlers": false });
    assert_eq!(ask(&template(class), &names_alone, cluster()), (accepted(), 0));
}

#[test]
fn a_class_that_is_no_name_is_reserved_by_a_pattern_without_a_call_of_the_host() {
    let settings = json!({ "reservedRuntimes": ["*"] });
    let rejection = rejected("../metrics", "runtime '../metrics' is reserved");
    assert_eq!(ask(&create(pod_of("../metrics")), &settings, cluster()), (rejection, 0));
    let settings = json!({ "reservedRuntimes": ["*metrics"], "fallbackRuntime": "kata" });
    let warning = "runtime '../metrics' is reserved: this Pod will run with 'kata'";
    let mutation = mutated(pod_of("kata"), "../metrics", "kata", Some(warning));
    assert_eq!(ask(&create(pod_of("../metrics")), &settings, cluster()), (mutation, 1), "the fallback is read alone");
}

#[test]
fn a_handler_in_a_message_is_cut_at_a_hundred_bytes() {
    let cluster = Capabilities::cluster(vec![class("long", &format!("runc{}", "c".repeat(1_000)))]);
    let message = format!("runtime 'long' is reserved: it runs on 'runc{}…'", "c".repeat(96));
    let answer = ask(&create(pod_of("long")), &json!({ "reservedRuntimes": ["runc*"] }), cluster);
    assert_eq!(answer, (rejected("long", &message), 1));
}

#[test]
fn an_error_of_the_host_is_cut_at_a_thousand_bytes() {
    let error = "ä".repeat(1_000);
    let message = format!("RuntimeClass 'gvisor' can't be read: {}…", "ä".repeat(500));
    assert_eq!(told(json!({ "type": "Error", "message": error })), (failed("gvisor", &message), 1));
}

/// A class whose name settles that it is not permitted need not exist.
#[test]
fn a_missing_class_that_is_reserved_by_name_is_replaced_with_nothing_to_undo() {
    let spec =
        json!({ "runtimeClassName": "ghost", "nodeSelector": { "runtime": "runc" }, "overhead": { "cpu": "1" } });
    let settings = json!({ "reservedRuntimes": ["gho*"], "fallbackRuntime": "kata" });
    let warning = "runtime 'ghost' is reserved: this Pod will run with 'kata'";
    let after = pod(json!({ "runtimeClassName": "kata", "nodeSelector": { "runtime": "runc" } }));
    assert_eq!(ask(&create(pod(spec)), &settings, cluster()), (mutated(after, "ghost", "kata", Some(warning)), 2));
    let without = json!({ "reservedRuntimes": ["gho*"] });
    let rejection = rejected("ghost", "runtime 'ghost' is reserved");
    assert_eq!(ask(&create(pod_of("ghost")), &without, cluster()), (rejection, 0));
}
