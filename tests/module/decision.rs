//! What a decision says. (Every combination: see `space`; the table of the README: see `readme`.)
use rstest::rstest;
use serde_json::json;
use tests::*;

#[test]
fn a_pod_that_names_a_class_that_is_not_reserved_is_accepted_unchanged() {
    let settings = json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true, "fallbackRuntime": "kata" });
    assert_eq!(ask(&recorded("pod-create-gvisor"), &settings, cluster()).0, accepted());
}

#[test]
fn a_pod_that_names_no_class_gets_the_fallback_whether_the_default_is_reserved_or_not() {
    for reserved in [true, false] {
        let settings = json!({ "defaultRuntimeReserved": reserved, "fallbackRuntime": "kata" });
        assert_eq!(ask_names_alone(&create(pod(json!({}))), &settings), mutated(pod_of("kata"), DEFAULT, "kata", None));
    }
}

#[test]
fn an_empty_or_null_class_is_no_class() {
    for none in [json!(null), json!("")] {
        let request = create(pod(json!({ "runtimeClassName": none })));
        assert_eq!(
            ask_names_alone(&request, &json!({ "defaultRuntimeReserved": true })),
            rejected(DEFAULT, "Usage of the default runtime is reserved")
        );
        assert_eq!(
            ask_names_alone(&request, &json!({ "fallbackRuntime": "kata" })),
            mutated(pod_of("kata"), DEFAULT, "kata", None)
        );
    }
}

#[test]
fn names_are_compared_without_regard_to_case_and_told_as_they_were_written() {
    let settings = json!({ "reservedRuntimes": ["RUNC"], "matchHandlers": false });
    assert_eq!(ask_names_alone(&create(pod_of("runC")), &settings), rejected("runC", "runtime 'runC' is reserved"));
}

#[test]
fn no_settings_mean_that_every_workload_is_accepted() {
    for settings in [json!({}), json!(null)] {
        assert_eq!(ask_names_alone(&create(pod_of("runc")), &settings), accepted());
    }
    let payload = json!({ "request": create(pod_of("runc")) }).to_string();
    assert_eq!(ask_raw(&payload), accepted());
}

/// A template may name anything: the API server has not checked it yet.
#[rstest]
#[case(&"a".repeat(100), &"a".repeat(100))]
#[case(&"a".repeat(101), &format!("{}…", "a".repeat(100)))]
#[case(&format!("a{}", "ä".repeat(5_000)), &format!("a{}…", "ä".repeat(49)))]
#[case("gvisor\nruntime 'gvisor' is allowed", "gvisor…")]
fn a_class_in_messages_is_cut_at_a_hundred_bytes_and_at_a_control_character(#[case] class: &str, #[case] shown: &str) {
    let settings = json!({ "allowedRuntimes": ["kata"], "matchHandlers": false });
    let rejection = rejected(shown, &format!("runtime '{shown}' is not allowed"));
    assert_eq!(ask_names_alone(&create(pod_of(class)), &settings), rejection);

    let settings = json!({ "allowedRuntimes": ["kata"], "matchHandlers": false, "fallbackRuntime": "kata" });
    let warning = format!("runtime '{shown}' is not allowed: this Pod will run with 'kata'");
    assert_eq!(
        ask_names_alone(&create(pod_of(class)), &settings),
        mutated(pod_of("kata"), shown, "kata", Some(&warning))
    );

    let mut deployment = recorded("deployment-create-runc-plain");
    deployment["object"]["spec"]["template"]["spec"]["runtimeClassName"] = json!(class);
    let warning = format!("runtime '{shown}' is not allowed: the Pods of this Deployment will run with 'kata'");
    assert_eq!(ask_names_alone(&deployment, &settings), warned(&warning));
}

/// A rejection of the Pods of a Deployment is an event and a condition; the warning of a mutation reaches nobody.
#[test]
fn a_fallback_for_the_default_is_given_to_pods_that_name_no_class_alone() {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "fallbackFor": "default" });
    let kata = || mutated(pod_of("kata"), DEFAULT, "kata", None);
    assert_eq!(ask(&create(pod(json!({}))), &settings, cluster()), (kata(), 1));
    assert_eq!(ask(&create(pod_of("gvisor")), &settings, cluster()), (accepted(), 1));
    let rejection = rejected("runc-bare", "runtime 'runc-bare' is reserved: it runs on 'runc'");
    assert_eq!(ask(&create(pod_of("runc-bare")), &settings, cluster()), (rejection, 1));
    let rejection = rejected("runc", "runtime 'runc' is reserved");
    assert_eq!(ask(&create(pod_of("runc")), &settings, cluster()), (rejection, 0));
}

#[test]
fn with_a_fallback_for_the_default_a_template_is_rejected_if_it_names_a_class_that_its_pods_may_not_use() {
    let settings = json!({ "allowedRuntimes": ["kata"], "fallbackRuntime": "kata", "fallbackFor": "default" });
    let deployment = recorded("deployment-create-runc-plain");
    assert_eq!(
        ask(&deployment, &settings, cluster()),
        (rejected("runc-plain", "runtime 'runc-plain' is not allowed"), 1)
    );
    let mut without_a_class = deployment;
    without_a_class["object"]["spec"]["template"]["spec"]["runtimeClassName"] = json!(null);
    assert_eq!(ask(&without_a_class, &settings, cluster()), (accepted(), 0));
}

#[test]
fn a_fallback_for_all_is_given_as_one_for_nobody_in_particular() {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" });
    let mut for_all = settings.clone();
    for_all["fallbackFor"] = json!("all");
    for request in [recorded("pod-create-runc-plain"), recorded("pod-create-default"), recorded("job-create-runc-bare")]
    {
        assert_eq!(ask(&request, &for_all, cluster()), ask(&request, &settings, cluster()));
    }
}
