//! Which requests are judged, and the answer to each recorded one.
use kubectl_runtime_class::Capabilities;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

/// Settings that reject a workload of the recorded cluster if it names a class of `runc`,
/// or none.
fn strict() -> Value {
    json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true })
}

/// Settings that mutate these Pods.
fn with_fallback() -> Value {
    json!({ "reservedRuntimes": ["runC"], "defaultRuntimeReserved": true, "fallbackRuntime": "kata" })
}

const DEFAULT_RESERVED: &str = "Usage of the default runtime is reserved";
const PLAIN_RESERVED: &str = "runtime 'runc-plain' is reserved: it runs on 'runc'";
const BARE_RESERVED: &str = "runtime 'runc-bare' is reserved: it runs on 'runc'";

/// Every request that was recorded from a kube-apiserver.
#[rstest]
#[case("cronjob-create-runc-plain", rejected("runc-plain", PLAIN_RESERVED))]
#[case("deployment-create-runc-plain", rejected("runc-plain", PLAIN_RESERVED))]
#[case("deployment-status-update", accepted())]
#[case("deployment-update-mended", accepted())]
#[case("job-create-runc-bare", rejected("runc-bare", BARE_RESERVED))]
#[case("job-update-label", accepted())]
#[case("pod-create-daemonset", rejected("runc-bare", BARE_RESERVED))]
#[case("pod-create-default", rejected(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-create-gvisor", accepted())]
#[case("pod-create-host-network", rejected(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-create-kata", accepted())]
#[case("pod-create-mirror-by-admin", rejected(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-create-runc-plain", rejected("runc-plain", PLAIN_RESERVED))]
#[case("pod-create-windows", rejected(DEFAULT, DEFAULT_RESERVED))]
#[case("pod-delete", accepted())]
#[case("pod-status-update", accepted())]
#[case("pod-update-default-label", accepted())]
#[case("pod-update-job-finalizer", accepted())]
#[case("replicaset-update-finalizer", accepted())]
#[case("replicaset-update-scale", accepted())]
#[case("service-create", accepted())]
fn a_recorded_request_is_judged(#[case] name: &str, #[case] answer: Value) {
    assert_eq!(ask(&recorded(name), &strict(), cluster()).0, answer);
}

#[test]
fn every_recorded_request_is_in_the_table_above() {
    let table = include_str!("requests.rs");
    let folder = workspace::root().join("test_data/requests");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("text").replace(".json", "");
        assert!(table.contains(&format!("#[case(\"{name}\", ")), "{name}");
    }
}

#[rstest]
#[case("cronjob-create-runc-plain", "CronJob", "runc-plain")]
#[case("deployment-create-runc-plain", "Deployment", "runc-plain")]
#[case("job-create-runc-bare", "Job", "runc-bare")]
fn a_recorded_template_is_accepted_with_a_warning(#[case] name: &str, #[case] kind: &str, #[case] class: &str) {
    let warning = format!("runtime '{class}' is reserved: the Pods of this {kind} will run with 'kata'");
    assert_eq!(ask(&recorded(name), &with_fallback(), cluster()), (warned(&warning), 1));
}

#[rstest]
#[case("pod-create-host-network")]
#[case("pod-create-windows")]
fn a_recorded_pod_that_names_no_class_gets_the_fallback_whatever_else_it_asks_for(#[case] name: &str) {
    let request = recorded(name);
    let mut object = request["object"].clone();
    object["spec"]["runtimeClassName"] = json!("kata");
    assert_eq!(ask(&request, &with_fallback(), cluster()), (mutated(object, DEFAULT, "kata", None), 1));
}

#[test]
fn a_recorded_pod_without_a_class_gets_the_fallback_and_nothing_else() {
    let request = recorded("pod-create-default");
    let mut object = request["object"].clone();
    object["spec"]["runtimeClassName"] = json!("kata");
    assert_eq!(ask(&request, &with_fallback(), cluster()).0, mutated(object, DEFAULT, "kata", None));
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
        ask(&request, &with_fallback(), cluster()).0,
        mutated(object, "runc-plain", "kata", Some("runtime 'runc-plain' is reserved: this Pod will run with 'kata'"))
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
    let refusal = rejected("runc", "runtime 'runc' is reserved");
    let object = workload(api_version, kind, place, "runc");
    assert_eq!(ask_names_alone(&create(object.clone()), &settings), refusal);

    let mut with_fallback = settings.clone();
    with_fallback["fallbackRuntime"] = json!("kata");
    let warning = format!("runtime 'runc' is reserved: the Pods of this {kind} will run with 'kata'");
    let answer = match kind {
        "Pod" => mutated(
            workload(api_version, kind, place, "kata"),
            "runc",
            "kata",
            Some("runtime 'runc' is reserved: this Pod will run with 'kata'"),
        ),
        _ => warned(&warning),
    };
    assert_eq!(ask_names_alone(&create(object.clone()), &with_fallback), answer);

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
    assert_eq!(ask_names_alone(&request, &settings), rejected("runc", "runtime 'runc' is reserved"));
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

    type Kind = (&'static str, &'static str, &'static str);

    const POD: Kind = ("v1", "Pod", "/spec");
    const KINDS: [Kind; 9] = [
        POD,
        ("v1", "ReplicationController", "/spec/template/spec"),
        ("v1", "PodTemplate", "/template/spec"),
        ("apps/v1", "Deployment", "/spec/template/spec"),
        ("apps/v1", "ReplicaSet", "/spec/template/spec"),
        ("apps/v1", "StatefulSet", "/spec/template/spec"),
        ("apps/v1", "DaemonSet", "/spec/template/spec"),
        ("batch/v1", "Job", "/spec/template/spec"),
        ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template/spec"),
    ];

    fn of((api_version, kind, place): Kind, class: &str) -> Value {
        workload(api_version, kind, place, class)
    }

    /// Otherwise nobody could repair it, scale it down or delete it.
    #[test]
    fn updates_that_keep_the_class_are_accepted_for_every_kind() {
        for kind in KINDS {
            for settings in [strict(), with_fallback()] {
                for class in ["runc-plain", "ghost", ""] {
                    let mut labelled = of(kind, class);
                    labelled["metadata"]["labels"] = json!({ "a": "b" });
                    let request = update(of(kind, class), labelled);
                    assert_eq!(ask(&request, &settings, cluster()), (accepted(), 0), "{request}");
                }
            }
        }
    }

    #[test]
    fn no_class_is_the_same_however_it_is_written() {
        let request = update(pod(json!({ "runtimeClassName": null })), pod(json!({})));
        assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
    }

    #[test]
    fn updates_that_change_the_class_are_judged() {
        for kind in KINDS {
            let request = update(of(kind, "gvisor"), of(kind, "runc-bare"));
            assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
            let request = update(of(kind, "runc-bare"), of(kind, "gvisor"));
            assert_eq!(ask(&request, &strict(), cluster()).0, accepted());
            let request = update(of(kind, "gvisor"), of(kind, ""));
            assert_eq!(ask(&request, &strict(), cluster()).0, rejected(DEFAULT, DEFAULT_RESERVED));
        }
    }

    #[test]
    fn updates_that_add_the_pod_spec_are_judged_by_the_class_it_names() {
        let request = update(json!({ "spec": {} }), of(KINDS[3], "runc-bare"));
        assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
    }

    #[test]
    fn updates_without_an_old_object_are_judged() {
        for kind in KINDS {
            let mut request = update(json!(null), of(kind, "runc-bare"));
            assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
            request.as_object_mut().expect("a request").remove("oldObject");
            assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
        }
    }

    #[test]
    fn requests_that_are_no_updates_are_judged_whatever_the_old_object_is() {
        let mut request = update(of(POD, "runc-bare"), of(POD, "runc-bare"));
        request["operation"] = json!("CREATE");
        assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
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
    fn mirror_pods_that_a_kubelet_reports_are_accepted() {
        let request = sent_by(
            json!(["system:nodes", "system:authenticated"]),
            json!({ "kubernetes.io/config.mirror": "fcf1b6" }),
        );
        let refused = || Capabilities::failure("connection refused");
        for cluster in [cluster as fn() -> Capabilities, Capabilities::not_granted, refused] {
            for settings in [strict(), with_fallback()] {
                assert_eq!(ask(&request, &settings, cluster()).0, accepted());
            }
        }
    }

    /// The policy asks who sent a Pod only when it would not accept it.
    #[test]
    fn mirror_pods_can_cost_a_lookup_of_the_fallback() {
        let request = sent_by(json!(["system:nodes"]), json!({ "kubernetes.io/config.mirror": "fcf1b6" }));
        assert_eq!(ask(&request, &strict(), cluster()), (accepted(), 0));
        assert_eq!(ask(&request, &with_fallback(), cluster()), (accepted(), 1));
    }

    #[rstest]
    #[case(json!(["system:masters"]), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(["system:node", "system:nodes2"]), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(null), json!({ "kubernetes.io/config.mirror": "fcf1b6" }))]
    #[case(json!(["system:nodes"]), json!({ "kubernetes.io/config.source": "file" }))]
    #[case(json!(["system:nodes"]), json!({ "kubernetes.io/config.mirror": null }))]
    #[case(json!(["system:nodes"]), json!(null))]
    fn mirror_pods_of_anyone_else_are_ordinary_pods(#[case] groups: Value, #[case] annotations: Value) {
        assert_eq!(ask(&sent_by(groups, annotations), &strict(), cluster()).0, rejected(DEFAULT, DEFAULT_RESERVED));
    }

    #[test]
    fn mirror_pods_of_a_user_that_is_not_told_are_ordinary_pods() {
        let mut request = recorded("pod-create-mirror-by-admin");
        request.as_object_mut().expect("a request").remove("userInfo");
        assert_eq!(ask(&request, &strict(), cluster()).0, rejected(DEFAULT, DEFAULT_RESERVED));
    }

    #[test]
    fn mirror_pods_are_pods_and_not_what_has_their_annotation() {
        let mut deployment = workload("apps/v1", "Deployment", "/spec/template/spec", "runc-bare");
        deployment["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "fcf1b6" });
        let mut request = create(deployment);
        request["userInfo"] = json!({ "groups": ["system:nodes"] });
        assert_eq!(ask(&request, &strict(), cluster()).0, rejected("runc-bare", BARE_RESERVED));
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
        mutated(
            json!({ "spec": { "runtimeClassName": "kata" } }),
            "runc",
            "kata",
            Some("runtime 'runc' is reserved: this Pod will run with 'kata'")
        )
    );
}
