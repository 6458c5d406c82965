//! The Pods that controllers make of templates.

use super::fields::{at, each, items, list_mut, object_mut, text};
use super::kinds::kind_of;
use serde_json::{Map, Value, json};

/// What only a cluster knows: hashes, ends of names, nodes.
const HASH: &str = "xxxxxxxxxx";
const NODE: &str = "node";
const UID: &str = "00000000-0000-0000-0000-000000000000";

/// The first Pod of a workload, as its controller sends it; its defaults are the template's. An `owner` of a kind that
/// is not known owns its Pods itself.
pub fn pod_of_template(owner: &Value, template: &Value) -> Value {
    let (group, kind) = group_and_kind(owner);
    let name = text(owner, "metadata.name");
    // A Deployment and a CronJob make another object, and that one makes the Pod.
    let controller = match (group, kind) {
        ("apps", "Deployment") => reference("apps/v1", "ReplicaSet", &format!("{name}-{HASH}"), UID),
        ("batch", "CronJob") => reference("batch/v1", "Job", &format!("{name}-00000000"), UID),
        _ => reference(text(owner, "apiVersion"), kind, name, uid_of(owner)),
    };
    let name = text(&controller, "name").to_owned();
    let mut metadata = Map::new();
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = at(template, "metadata").and_then(|metadata| metadata.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    metadata.insert("generateName".to_owned(), format!("{name}-").into());
    if let Some(namespace) = at(owner, "metadata.namespace") {
        metadata.insert("namespace".to_owned(), namespace.clone());
    }
    let spec = template.get("spec").cloned().unwrap_or_default();
    metadata.insert("ownerReferences".to_owned(), json!([controller]));
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    match (group, kind) {
        ("apps", "Deployment") => set_labels(&mut pod, &[("pod-template-hash", HASH)]),
        ("apps", "StatefulSet") => of_stateful_set(&mut pod, owner, &name),
        ("apps", "DaemonSet") => of_daemon_set(&mut pod, owner),
        ("batch", "Job") => of_job(&mut pod, &name, uid_of(owner), owner.get("spec")),
        ("batch", "CronJob") => of_job(&mut pod, &name, UID, at(owner, "spec.jobTemplate.spec")),
        _ => {}
    }
    pod
}

/// The controller that creates the Pods of a workload, as the `userInfo` of its requests. Most kinds that are not known
/// make their Pods by way of ReplicaSets.
pub fn user_of(group: &str, kind: &str) -> Value {
    let account = kind_of(group, kind).and_then(|kind| kind.controller).unwrap_or("replicaset-controller");
    json!({
        "username": format!("system:serviceaccount:kube-system:{account}"),
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
    })
}

fn group_and_kind(object: &Value) -> (&str, &str) {
    let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    (group, text(object, "kind"))
}

fn uid_of(object: &Value) -> &str {
    match text(object, "metadata.uid") {
        "" => UID,
        uid => uid,
    }
}

fn reference(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true, "blockOwnerDeletion": true})
}

fn set_labels(pod: &mut Value, labels: &[(&str, &str)]) {
    set_each(pod, "labels", labels);
}

fn set_each(pod: &mut Value, field: &str, pairs: &[(&str, &str)]) {
    each(pod, "metadata", &mut |metadata| {
        if let Some(object) = object_mut(metadata, field) {
            pairs.iter().for_each(|(key, value)| drop(object.insert((*key).to_owned(), (*value).into())));
        }
    });
}

/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity>
fn of_stateful_set(pod: &mut Value, set: &Value, name: &str) {
    let index = at(set, "spec.ordinals.start").and_then(Value::as_i64).unwrap_or(0).to_string();
    let pod_name = format!("{name}-{index}");
    each(pod, "metadata", &mut |metadata| drop(metadata.insert("name".to_owned(), pod_name.clone().into())));
    let revision = format!("{name}-{HASH}");
    set_labels(
        pod,
        &[
            ("apps.kubernetes.io/pod-index", &index),
            ("controller-revision-hash", &revision),
            ("statefulset.kubernetes.io/pod-name", &pod_name),
        ],
    );
    let claims: Vec<&str> =
        items(set, "spec.volumeClaimTemplates").iter().map(|claim| text(claim, "metadata.name")).collect();
    each(pod, "spec", &mut |spec| {
        spec.insert("hostname".to_owned(), pod_name.clone().into());
        match text(set, "spec.serviceName") {
            "" => spec.remove("subdomain"),
            service => spec.insert("subdomain".to_owned(), service.into()),
        };
        if claims.is_empty() {
            return;
        }
        let Some(volumes) = list_mut(spec, "volumes") else { return };
        volumes.retain(|volume| !claims.contains(&text(volume, "name")));
        let of_claim = |claim: &&str| json!({"name": claim, "persistentVolumeClaim": {"claimName": format!("{claim}-{pod_name}")}});
        volumes.splice(0..0, claims.iter().map(of_claim));
    });
}

/// <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations>
fn of_daemon_set(pod: &mut Value, set: &Value) {
    let annotation =
        at(set, "metadata.annotations").and_then(|all| all.get("deprecated.daemonset.template.generation"));
    let generation =
        annotation.and_then(Value::as_str).filter(|generation| !matches!(*generation, "" | "0")).unwrap_or("1");
    set_labels(pod, &[("controller-revision-hash", HASH), ("pod-template-generation", generation)]);
    each(pod, "spec", &mut |spec| {
        let on_host_network = spec.get("hostNetwork") == Some(&json!(true));
        let taints = [
            ("not-ready", "NoExecute"),
            ("unreachable", "NoExecute"),
            ("disk-pressure", "NoSchedule"),
            ("memory-pressure", "NoSchedule"),
            ("pid-pressure", "NoSchedule"),
            ("unschedulable", "NoSchedule"),
            ("network-unavailable", "NoSchedule"),
        ];
        for (taint, effect) in taints.into_iter().take(if on_host_network { 7 } else { 6 }) {
            tolerate(
                spec,
                json!({"key": format!("node.kubernetes.io/{taint}"), "operator": "Exists", "effect": effect}),
            );
        }
        let this_node = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [NODE]}]}]);
        if let Some(affinity) = object_mut(spec, "affinity").and_then(|affinity| object_mut(affinity, "nodeAffinity"))
            && let Some(required) = object_mut(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
        {
            // The controller has looked at the terms of the template, and chosen the node.
            required.insert("nodeSelectorTerms".to_owned(), this_node);
        }
    });
}

/// In place of one that differs in `tolerationSeconds` alone.
fn tolerate(spec: &mut Map<String, Value>, toleration: Value) {
    let Some(tolerations) = list_mut(spec, "tolerations") else { return };
    let is_same = |other: &&mut Value| {
        ["key", "operator", "value", "effect"].iter().all(|field| text(other, field) == text(&toleration, field))
    };
    match tolerations.iter_mut().find(is_same) {
        Some(other) => *other = toleration,
        None => tolerations.push(toleration),
    }
}

/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode>
fn of_job(pod: &mut Value, name: &str, uid: &str, spec: Option<&Value>) {
    const INDEX: &str = "batch.kubernetes.io/job-completion-index";
    let field = |field: &str| spec.and_then(|spec| spec.get(field));
    if field("manualSelector") != Some(&json!(true)) {
        set_labels(
            pod,
            &[
                ("batch.kubernetes.io/controller-uid", uid),
                ("batch.kubernetes.io/job-name", name),
                ("controller-uid", uid),
                ("job-name", name),
            ],
        );
    }
    each(pod, "metadata", &mut |metadata| {
        let Some(finalizers) = list_mut(metadata, "finalizers") else { return };
        let tracking = json!("batch.kubernetes.io/job-tracking");
        if !finalizers.contains(&tracking) {
            finalizers.push(tracking);
        }
    });
    if field("completionMode") != Some(&json!("Indexed")) {
        return;
    }
    set_labels(pod, &[(INDEX, "0")]);
    set_each(pod, "annotations", &[(INDEX, "0")]);
    if field("backoffLimitPerIndex").is_some() {
        set_each(pod, "annotations", &[("batch.kubernetes.io/job-index-failure-count", "0")]);
    }
    each(pod, "metadata", &mut |metadata| {
        drop(metadata.insert("generateName".to_owned(), format!("{name}-0-").into()))
    });
    each(pod, "spec", &mut |spec| drop(spec.insert("hostname".to_owned(), format!("{name}-0").into())));
    for containers in ["spec.initContainers[]", "spec.containers[]"] {
        each(pod, containers, &mut |container| {
            let Some(env) = list_mut(container, "env") else { return };
            if env.iter().all(|variable| text(variable, "name") != "JOB_COMPLETION_INDEX") {
                let field = json!({"fieldRef": {"fieldPath": format!("metadata.labels['{INDEX}']")}});
                env.push(json!({"name": "JOB_COMPLETION_INDEX", "valueFrom": field}));
            }
        });
    }
}
