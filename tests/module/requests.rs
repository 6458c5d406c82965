//! Which requests are judged, and the answer to each recorded one.
use module_tests::*;
use rstest::rstest;
use serde_json::{Value, json};

/// Settings under which a workload of the recorded cluster is refused if it names a class of `runc`,
/// or none.
fn strict() -> Value {
    json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true })
}

/// Settings under which the same is changed.
fn with_fallback() -> Value {
    json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true, "fallbackRuntime": "kata" })
}

const DEFAULT_RESERVED: &str = "Usage of the default runtime is reserved";
const PLAIN_RESERVED: &str = "runtime 'runc-plain' is reserved: it runs on 'runc'";
const BARE_RESERVED: &str = "runtime 'runc-bare' is reserved: it runs on 'runc'";

#[rstest]
#[case("cronjob-create-runc-plain", refused("runc-plain", PLAIN_RESERVED))]
#[case("deployment-create-runc-plain", refused("runc-plain", PLAIN_RESERVED))]
#[case("job-create-runc-bare", refused("runc-bare", BARE_RESERVED))]
#[case("job-update-label", accepted())]
#[case("pod-create-default", refused(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-create-gvisor", accepted())]
#[case("pod-create-kata", accepted())]
#[case("pod-create-mirror-by-admin", refused(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-create-runc-plain", refused("runc-plain", PLAIN_RESERVED))]
#[case("pod-delete", accepted())]
#[case("pod-update-default-label", accepted())]
#[case("service-create", accepted())]
fn a_recorded_request_is_judged(#[case] name: &str, #[case] answer: Value) {
    assert_eq!(ask(&recorded(name), &strict(), recorded_cluster()).0, answer);
}

#[rstest]
#[case("cronjob-create-runc-plain", "/spec/jobTemplate/spec/template/spec", "CronJob", "runc-plain")]
#[case("deployment-create-runc-plain", "/spec/template/spec", "Deployment", "runc-plain")]
#[case("job-create-runc-bare", "/spec/template/spec", "Job", "runc-bare")]
fn a_recorded_template_is_changed_and_keeps_its_scheduling(
    #[case] name: &str,
    #[case] pod_spec: &str,
    #[case] kind: &str,
    #[case] class: &str,
) {
    let request = recorded(name);
    let mut object = request["object"].clone();
    object.pointer_mut(pod_spec).expect("a pod spec")["runtimeClassName"] = json!("kata");
    let warning = format!("runtime '{class}' is reserved: this {kind} will run with 'kata'");
    assert_eq!(ask(&request, &with_fallback(), recorded_cluster()).0, changed(object, class, "kata", Some(&warning)));
}

#[test]
fn a_recorded_pod_without_a_class_gets_the_fallback_and_nothing_else() {
    let request = recorded("pod-create-default");
    let mut object = request["object"].clone();
    object["spec"]["runtimeClassName"] = json!("kata");
    assert_eq!(ask(&request, &with_fallback(), recorded_cluster()).0, changed(object, DEFAULT, "kata", None));
}

#[test]
fn a_recorded_pod_of_a_reserved_class_loses_what_the_class_gave_it() {
    let request = recorded("pod-create-runc-plain");
    let mut object = request["object"].clone();
    let spec = object["spec"].as_object_mut().expect("a pod spec");
    spec.insert("runtimeClassName".into(), json!("kata"));
    spec.remove("overhead");
    spec.insert("nodeSelector".into(), json!({ "disk": "ssd" }));
    spec["tolerations"].as_array_mut().expect("tolerations").retain(|toleration| toleration["key"] != "runc");
    assert_eq!(
        ask(&request, &with_fallback(), recorded_cluster()).0,
        changed(object, "runc-plain", "kata", Some("runtime 'runc-plain' is reserved: this Pod will run with 'kata'"))
    );
}

/// Where each kind has its pod spec, and what its warning calls it.
#[rstest]
#[case("v1", "Pod", "/spec")]
#[case("v1", "ReplicationController", "/spec/template/spec")]
#[case("v1", "PodTemplate", "/template/spec")]
#[case("apps/v1", "Deployment", "/spec/template/spec")]
#[case("apps/v1", "ReplicaSet", "/spec/template/spec")]
#[case("apps/v1", "StatefulSet", "/spec/template/spec")]
#[case("apps/v1", "DaemonSet", "/spec/template/spec")]
#[case("batch/v1", "Job", "/spec/template/spec")]
#[case("batch/v1", "CronJob", "/spec/jobTemplate/spec/template/spec")]
fn a_workload_is_found_by_group_and_kind(#[case] api_version: &str, #[case] kind: &str, #[case] place: &str) {
    let settings = json!({ "reservedRuntimes": ["runc"], "matchHandlers": false });
    let refusal = refused("runc", "runtime 'runc' is reserved");
    let object = workload(api_version, kind, place, "runc");
    assert_eq!(ask_names_alone(&create(object.clone()), &settings), refusal);

    let mut with_fallback = settings.clone();
    with_fallback["fallbackRuntime"] = json!("kata");
    let warning = format!("runtime 'runc' is reserved: this {kind} will run with 'kata'");
    assert_eq!(
        ask_names_alone(&create(object.clone()), &with_fallback),
        changed(workload(api_version, kind, place, "kata"), "runc", "kata", Some(&warning))
    );

    for group in ["example.com", "batch.volcano.sh", "extensions"] {
        let mut request = create(object.clone());
        request["kind"]["group"] = json!(group);
        assert_eq!(ask_names_alone(&request, &settings), accepted(), "{group} has a {kind} of its own");
    }
}

#[test]
fn the_group_may_be_left_out_as_it_is_empty_for_the_core() {
    let mut request = create(pod_of("runc"));
    request["kind"].as_object_mut().expect("a kind").remove("group");
    let settings = json!({ "reservedRuntimes": ["runc"], "matchHandlers": false });
    assert_eq!(ask_names_alone(&request, &settings), refused("runc", "runtime 'runc' is reserved"));
}

#[rstest]
#[case("v1", "Service")]
#[case("policy/v1", "Eviction")]
#[case("v1", "Binding")]
#[case("autoscaling/v1", "Scale")]
#[case("batch.volcano.sh/v1alpha1", "Job")]
#[case("example.com/v1", "Pod")]
#[case("apps/v1", "Job")]
#[case("batch/v1", "Deployment")]
fn what_is_not_ours_passes_whatever_it_contains(#[case] api_version: &str, #[case] kind: &str) {
    for spec in [json!({ "runtimeClassName": "runc-plain" }), json!({ "template": 5 }), json!("runc"), json!([[]])] {
        let request = create(json!({ "apiVersion": api_version, "kind": kind, "metadata": 7, "spec": spec }));
        assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
    }
}

#[rstest]
#[case("DELETE")]
#[case("CONNECT")]
fn what_creates_nothing_is_accepted(#[case] operation: &str) {
    let mut request = recorded("pod-create-runc-plain");
    request["operation"] = json!(operation);
    assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
}

#[test]
fn a_request_without_an_object_is_accepted() {
    let mut request = recorded("pod-create-runc-plain");
    request["object"] = json!(null);
    assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
    request.as_object_mut().expect("a request").remove("object");
    assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
}

#[rstest]
#[case(json!({ "apiVersion": "v1", "kind": "Pod" }))]
#[case(json!({ "apiVersion": "v1", "kind": "Pod", "spec": null }))]
#[case(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": {} }))]
#[case(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "template": { "spec": null } } }))]
#[case(json!({ "apiVersion": "v1", "kind": "PodTemplate" }))]
#[case(json!({ "apiVersion": "batch/v1", "kind": "CronJob", "spec": { "jobTemplate": null } }))]
fn a_workload_without_a_pod_spec_is_accepted(#[case] object: Value) {
    assert_eq!(ask(&create(object), &strict(), cluster()), (accepted(), 0));
}

mod updates {
    use super::*;

    const POD: (&str, &str, &str) = ("v1", "Pod", "/spec");
    const JOB: (&str, &str, &str) = ("batch/v1", "Job", "/spec/template/spec");
    const DEPLOYMENT: (&str, &str, &str) = ("apps/v1", "Deployment", "/spec/template/spec");

    fn of((api_version, kind, place): (&str, &str, &str), class: &str) -> Value {
        workload(api_version, kind, place, class)
    }

    #[rstest]
    #[case(POD)]
    #[case(JOB)]
    fn a_class_that_does_not_change_is_accepted(#[case] kind: (&str, &str, &str)) {
        for settings in [strict(), with_fallback()] {
            for class in ["runc-plain", ""] {
                let mut labelled = of(kind, class);
                labelled["metadata"]["labels"] = json!({ "a": "b" });
                let request = update(of(kind, class), labelled);
                assert_eq!(ask(&request, &settings, cluster()), (accepted(), 0));
            }
        }
    }

    #[test]
    fn no_class_is_the_same_however_it_is_written() {
        let request = update(pod(json!({ "runtimeClassName": null })), pod(json!({})));
        assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
    }

    #[rstest]
    #[case(POD)]
    #[case(JOB)]
    fn a_change_of_class_is_judged(#[case] kind: (&str, &str, &str)) {
        let request = update(of(kind, "gvisor"), of(kind, "runc-bare"));
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
        let request = update(of(kind, "runc-bare"), of(kind, "gvisor"));
        assert_eq!(ask(&request, &strict(), cluster()).0, accepted());
        let request = update(of(kind, "gvisor"), of(kind, ""));
        assert_eq!(ask(&request, &strict(), cluster()).0, refused(DEFAULT, DEFAULT_RESERVED));
    }

    #[test]
    fn other_templates_are_judged_on_every_write() {
        let request = update(of(DEPLOYMENT, "runc-bare"), of(DEPLOYMENT, "runc-bare"));
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
    }

    #[rstest]
    #[case(POD)]
    #[case(JOB)]
    fn without_an_old_object_it_is_judged(#[case] kind: (&str, &str, &str)) {
        let mut request = update(json!(null), of(kind, "runc-bare"));
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
        request.as_object_mut().expect("a request").remove("oldObject");
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
    }

    #[test]
    fn an_old_object_is_of_no_account_when_one_is_created() {
        let mut request = update(of(POD, "runc-bare"), of(POD, "runc-bare"));
        request["operation"] = json!("CREATE");
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
    }
}

mod mirror_pods {
    use super::*;

    fn sent_by(groups: Value, annotations: Value) -> Value {
        let mut request = recorded("pod-create-mirror-by-admin");
        request["object"]["metadata"]["annotations"] = annotations;
        request["userInfo"] = json!({ "username": "system:node:node-1", "groups": groups });
        request
    }

    #[test]
    fn that_a_kubelet_reports_are_accepted() {
        let request = sent_by(
            json!(["system:nodes", "system:authenticated"]),
            json!({ "kubernetes.io/config.mirror": "fcf1b6" }),
        );
        for settings in [strict(), with_fallback()] {
            assert_eq!(ask(&request, &settings, cluster()), (accepted(), 0));
        }
    }

    #[rstest]
    #[case(json!(["system:masters"]), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(["system:node", "system:nodes2"]), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(null), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(["system:nodes"]), json!({ "kubernetes.io/config.source": "file" }))]
    #[case(json!(["system:nodes"]), json!({ "kubernetes.io/config.mirror": null }))]
    #[case(json!(["system:nodes"]), json!(null))]
    fn of_anyone_else_are_ordinary_pods(#[case] groups: Value, #[case] annotations: Value) {
        assert_eq!(ask(&sent_by(groups, annotations), &strict(), cluster()).0, refused(DEFAULT, DEFAULT_RESERVED));
    }

    #[test]
    fn of_a_user_that_is_not_told_are_ordinary_pods() {
        let mut request = recorded("pod-create-mirror-by-admin");
        request.as_object_mut().expect("a request").remove("userInfo");
        assert_eq!(ask(&request, &strict(), cluster()).0, refused(DEFAULT, DEFAULT_RESERVED));
    }

    #[test]
    fn are_pods_and_not_what_has_their_annotation() {
        let mut deployment = workload("apps/v1", "Deployment", "/spec/template/spec", "runc-bare");
        deployment["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "fcf1b6" });
        let mut request = create(deployment);
        request["userInfo"] = json!({ "groups": ["system:nodes"] });
        assert_eq!(ask(&request, &strict(), cluster()).0, refused("runc-bare", BARE_RESERVED));
    }
}

/// A workload that names `class` in the pod spec at `place`.
fn workload(api_version: &str, kind: &str, place: &str, class: &str) -> Value {
    let mut object = json!({ "runtimeClassName": class, "containers": [] });
    for key in place.rsplit('/').filter(|key| !key.is_empty()) {
        object = json!({ key: object });
    }
    object["apiVersion"] = json!(api_version);
    object["kind"] = json!(kind);
    object["metadata"] = json!({ "name": "web" });
    object
}

#[test]
fn the_members_of_a_request_may_come_in_any_order() {
    let payload = r#"{"settings": {"reservedRuntimes": ["runc"], "fallbackRuntime": "kata"}, "request": {
        "oldObject": {"spec": {}}, "object": {"spec": {"runtimeClassName": "runc"}},
        "operation": "UPDATE", "kind": {"kind": "Pod"}}}"#;
    assert_eq!(
        ask_raw(payload),
        changed(
            json!({ "spec": { "runtimeClassName": "kata" } }),
            "runc",
            "kata",
            Some("runtime 'runc' is reserved: this Pod will run with 'kata'")
        )
    );
}
