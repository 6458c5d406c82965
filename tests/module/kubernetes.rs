//! The policy and Kubernetes' own types agree: where each kind has its class, what a mutated Pod is, which
//! tolerations are equal.
use k8s_openapi::{
    Resource,
    api::{
        apps::v1::{
            DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec, StatefulSet,
            StatefulSetSpec,
        },
        batch::v1::{CronJob, CronJobSpec, Job, JobSpec, JobTemplateSpec},
        core::v1::{
            Container, Pod, PodSpec, PodTemplate, PodTemplateSpec, ReplicationController, ReplicationControllerSpec,
            Toleration,
        },
        node::v1::{RuntimeClass, Scheduling},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kubewarden_policy_sdk::host_capabilities::kubernetes::GetResourceRequest;
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

fn metadata(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..Default::default() }
}

fn spec(class: &str) -> PodSpec {
    let container = Container { name: "web".to_owned(), ..Default::default() };
    PodSpec { runtime_class_name: Some(class.to_owned()), containers: vec![container], ..Default::default() }
}

fn template(class: &str) -> PodTemplateSpec {
    PodTemplateSpec { spec: Some(spec(class)), ..Default::default() }
}

fn job(class: &str) -> JobSpec {
    JobSpec { template: template(class), ..Default::default() }
}

/// A request to create a typed object.
fn create_typed<T: Resource + serde::Serialize>(object: T) -> Value {
    create(json!(object))
}

#[rstest]
#[case(create_typed(Pod { spec: Some(spec("plain")), ..Default::default() }))]
#[case(create_typed(PodTemplate { template: Some(template("plain")), ..Default::default() }))]
#[case(create_typed(ReplicationController {
    spec: Some(ReplicationControllerSpec { template: Some(template("plain")), ..Default::default() }),
    ..Default::default()
}))]
#[case(create_typed(Deployment {
    spec: Some(DeploymentSpec { template: template("plain"), ..Default::default() }),
    ..Default::default()
}))]
#[case(create_typed(ReplicaSet {
    spec: Some(ReplicaSetSpec { template: Some(template("plain")), ..Default::default() }),
    ..Default::default()
}))]
#[case(create_typed(StatefulSet {
    spec: Some(StatefulSetSpec { template: template("plain"), ..Default::default() }),
    ..Default::default()
}))]
#[case(create_typed(DaemonSet {
    spec: Some(DaemonSetSpec { template: template("plain"), ..Default::default() }),
    ..Default::default()
}))]
#[case(create_typed(Job { spec: Some(job("plain")), ..Default::default() }))]
#[case(create_typed(CronJob {
    spec: CronJobSpec {
        job_template: JobTemplateSpec { spec: Some(job("plain")), ..Default::default() },
        ..Default::default()
    },
    ..Default::default()
}))]
fn the_class_of_each_kind_is_where_kubernetes_has_it(#[case] request: Value) {
    let settings = json!({ "reservedRuntimes": ["plain"] });
    assert_eq!(ask_names_alone(&request, &settings), rejected("plain", "runtime 'plain' is reserved"), "{request}");
}

fn toleration() -> Toleration {
    Toleration {
        effect: Some("NoExecute".to_owned()),
        key: Some("runtime".to_owned()),
        operator: Some("Equal".to_owned()),
        toleration_seconds: Some(300),
        value: Some("runc".to_owned()),
    }
}

/// A cluster whose class `plain`, of the handler `runc`, tolerates `toleration`.
fn cluster_with(toleration: Toleration) -> kubectl_runtime_class::Capabilities {
    let class = |name: &str, handler: &str, scheduling| RuntimeClass {
        metadata: metadata(name),
        handler: handler.to_owned(),
        scheduling,
        ..Default::default()
    };
    let scheduling = Scheduling {
        node_selector: Some([("runtime".to_owned(), "runc".to_owned())].into()),
        tolerations: Some(vec![toleration]),
    };
    kubectl_runtime_class::Capabilities::cluster(vec![
        json!(class("plain", "runc", Some(scheduling))),
        json!(class("kata", "kata", None)),
    ])
}

/// The spec of the Pod of class `plain` after its mutation, typed again.
fn mutated_spec(pod: Pod, class: Toleration) -> PodSpec {
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" });
    let (answer, _) = ask(&create_typed(pod), &settings, cluster_with(class));
    let pod: Pod = serde_json::from_value(answer["mutated_object"].clone()).expect("a Pod");
    pod.spec.expect("a spec")
}

#[test]
fn a_mutated_pod_is_a_pod_without_the_fields_of_its_old_class() {
    let own = Toleration { key: Some("own".to_owned()), ..toleration() };
    let selector = [("runtime".to_owned(), "runc".to_owned()), ("disk".to_owned(), "ssd".to_owned())];
    let pod = Pod {
        spec: Some(PodSpec {
            node_selector: Some(selector.into()),
            tolerations: Some(vec![own.clone(), toleration()]),
            overhead: Some([("cpu".to_owned(), Default::default())].into()),
            ..spec("plain")
        }),
        ..Default::default()
    };
    let expected = PodSpec {
        node_selector: Some([("disk".to_owned(), "ssd".to_owned())].into()),
        tolerations: Some(vec![own]),
        ..spec("kata")
    };
    assert_eq!(mutated_spec(pod, toleration()), expected);
}

/// The toleration of the class with one field changed is another toleration.
#[rstest]
#[case(Toleration { effect: Some("NoSchedule".to_owned()), ..toleration() })]
#[case(Toleration { key: Some("other".to_owned()), ..toleration() })]
#[case(Toleration { operator: Some("Exists".to_owned()), ..toleration() })]
#[case(Toleration { toleration_seconds: Some(301), ..toleration() })]
#[case(Toleration { value: Some("other".to_owned()), ..toleration() })]
fn every_field_of_a_toleration_counts(#[case] own: Toleration) {
    let pod =
        Pod { spec: Some(PodSpec { tolerations: Some(vec![own.clone()]), ..spec("plain") }), ..Default::default() };
    assert_eq!(mutated_spec(pod, toleration()).tolerations, Some(vec![own]));
}

/// The host of the tests answers only the call that a recording has, so the recordings hold the policy to this text.
#[test]
fn the_host_call_is_the_one_of_the_sdk() {
    let request = GetResourceRequest {
        api_version: "node.k8s.io/v1".to_owned(),
        kind: "RuntimeClass".to_owned(),
        name: "gvisor".to_owned(),
        namespace: None,
        disable_cache: false,
        field_masks: Some(["handler".to_owned(), "scheduling".to_owned()].into()),
    };
    let cluster = std::sync::Arc::new(cluster());
    let payload = json!({ "request": create(pod_of("gvisor")), "settings": { "reservedRuntimes": ["runc"] } });
    policy().call("validate", payload.to_string().as_bytes(), &cluster).expect("an answer");
    assert_eq!(cluster.requests(), [serde_json::to_string(&request).expect("JSON")]);
}
