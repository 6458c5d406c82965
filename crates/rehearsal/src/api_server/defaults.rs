//! The defaults of the API, of Kubernetes 1.36.

use super::fields::{Fill::*, Row, at_mut, each, fill, items, object_mut, set_missing, text};
use super::image::pull_policy;
use super::kinds::kind_of;
use super::quantity::Quantity;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Makes an object of one of [`KINDS`](super::KINDS) what the API server reads in it: empty fields are left out,
/// quantities have their canonical form, and the defaults of the API are filled in. Once made, it stays as it is.
pub fn set_defaults(group: &str, kind: &str, object: &mut Value) {
    let Some(known) = kind_of(group, kind) else { return };
    leave_out_empty(object);
    set_workload_defaults(group, kind, object);
    fill(object, known.defaults);
    if kind == "Pod" {
        if let Some(spec) = object.get_mut("spec") {
            set_spec_defaults(spec);
            set_pod_defaults(spec);
        }
        return;
    }
    each(object, known.template, &mut |template| {
        set_missing(template, "metadata", Object);
        if let Some(spec) = template.get_mut("spec") {
            set_spec_defaults(spec);
        }
    });
}

/// The fields that the API server does not write where they are empty, `false` or 0: it can't tell them from missing
/// ones. Any other field may mean something when it is empty (`emptyDir: {}`, `runtimeClassName: ""`, `replicas: 0`).
#[rustfmt::skip]
const OMITTED_WHEN_EMPTY: &[&str] = &[
    // metadata
    "annotations", "finalizers", "generateName", "labels", "matchExpressions", "matchLabels", "namespace", "ownerReferences",
    // workloads
    "concurrencyPolicy", "minReadySeconds", "paused", "podManagementPolicy", "serviceName", "volumeClaimTemplates",
    "whenDeleted", "whenScaled",
    // Pods
    "dnsPolicy", "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "hostnames",
    "imagePullSecrets", "initContainers", "nameservers", "nodeName", "nodeSelector", "options", "overhead",
    "priorityClassName", "readinessGates", "resourceClaims", "restartPolicy", "schedulerName", "schedulingGates",
    "searches", "serviceAccount", "serviceAccountName", "subdomain", "supplementalGroups", "sysctls", "tolerations",
    "topologySpreadConstraints", "volumes",
    // affinity and tolerations
    "effect", "matchFields", "matchLabelKeys", "mismatchLabelKeys", "namespaces", "operator", "podAffinityTerms",
    "preferredDuringSchedulingIgnoredDuringExecution", "values",
    // containers
    "add", "args", "claims", "command", "drop", "env", "envFrom", "failureThreshold", "hostIP", "hostPort", "httpHeaders",
    "image", "imagePullPolicy", "initialDelaySeconds", "limits", "periodSeconds", "ports", "prefix", "protocol",
    "readOnly", "requests", "resizePolicy", "restartPolicyRules", "scheme", "stdin", "stdinOnce", "subPath", "subPathExpr",
    "successThreshold", "terminationMessagePath", "terminationMessagePolicy", "timeoutSeconds", "tty", "value",
    "volumeDevices", "volumeMounts", "workingDir",
    // volumes
    "accessModes", "fsType", "items", "medium", "pullPolicy", "secretName", "volumeAttributes", "volumeName",
];

/// Maps of the user's own keys, and what is not the user's.
const OPAQUE: &[&str] = &[
    "annotations",
    "csi",
    "labels",
    "limits",
    "managedFields",
    "matchLabels",
    "nodeSelector",
    "options",
    "overhead",
    "requests",
];

fn leave_out_empty(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|key, value| {
                !(value.is_null() || is_empty(value) && OMITTED_WHEN_EMPTY.contains(&key.as_str()))
            });
            object
                .iter_mut()
                .filter(|(key, _)| !OPAQUE.contains(&key.as_str()))
                .for_each(|(_, value)| leave_out_empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_empty),
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}

/// What depends on another field, and so has no row in a table.
fn set_workload_defaults(group: &str, kind: &str, object: &mut Value) {
    let template_labels = object.pointer("/spec/template/metadata/labels").filter(|labels| !is_empty(labels)).cloned();
    let Some(fields) = object.as_object_mut() else { return };
    if let (Some(labels), "ReplicationController" | "Job") = (&template_labels, kind)
        && let Some(metadata) = object_mut(fields, "metadata")
    {
        set_missing(metadata, "labels", labels.clone());
    }
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match (group, kind) {
        ("", "ReplicationController") => {
            if let Some(labels) = template_labels
                && spec.get("selector").is_none_or(is_empty)
            {
                spec.insert("selector".to_owned(), labels);
            }
        }
        ("apps", "Deployment") => {
            set_rolling_update(spec, "strategy", &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))]);
        }
        ("apps", "DaemonSet") => {
            set_rolling_update(spec, "updateStrategy", &[("maxUnavailable", json!(1)), ("maxSurge", json!(0))])
        }
        ("apps", "StatefulSet") => {
            let Some(strategy) = object_mut(spec, "updateStrategy") else { return };
            let is_new = strategy.get("type").is_none_or(is_empty);
            if is_new {
                strategy.insert("type".to_owned(), json!("RollingUpdate"));
            }
            // A strategy that names its type gets no `rollingUpdate` of its own.
            if strategy.get("type") == Some(&json!("RollingUpdate"))
                && (is_new || strategy.contains_key("rollingUpdate"))
                && let Some(update) = object_mut(strategy, "rollingUpdate")
            {
                set_missing(update, "partition", 0);
            }
        }
        ("batch", "Job") => {
            if !spec.contains_key("parallelism") {
                set_missing(spec, "completions", 1);
            }
            let per_index = spec.contains_key("backoffLimitPerIndex");
            set_missing(spec, "backoffLimit", if per_index { i32::MAX } else { 6 });
            let replaced_when = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
            set_missing(spec, "podReplacementPolicy", replaced_when);
        }
        _ => {}
    }
}

fn set_rolling_update(spec: &mut Map<String, Value>, strategy: &str, defaults: &[(&str, Value)]) {
    let Some(strategy) = object_mut(spec, strategy) else { return };
    if strategy.get("type").is_none_or(|kind| is_empty(kind) || kind == "RollingUpdate") {
        strategy.insert("type".to_owned(), json!("RollingUpdate"));
        let Some(update) = object_mut(strategy, "rollingUpdate") else { return };
        defaults.iter().for_each(|(field, value)| set_missing(update, field, value.clone()));
    }
}

#[rustfmt::skip]
const SPEC: &[Row] = &[
    ("", "restartPolicy", Text("Always")),
    ("", "terminationGracePeriodSeconds", Number(30)),
    ("", "dnsPolicy", Text("ClusterFirst")),
    ("", "securityContext", Object),
    ("", "schedulerName", Text("default-scheduler")),
    ("volumes[].hostPath", "type", Text("")),
    ("volumes[].secret", "defaultMode", MODE),
    ("volumes[].configMap", "defaultMode", MODE),
    ("volumes[].downwardAPI", "defaultMode", MODE),
    ("volumes[].downwardAPI.items[].fieldRef", "apiVersion", Text("v1")),
    ("volumes[].downwardAPI.items[].resourceFieldRef", "divisor", Text("0")),
    ("volumes[].projected", "defaultMode", MODE),
    ("volumes[].projected.sources[].downwardAPI.items[].fieldRef", "apiVersion", Text("v1")),
    ("volumes[].projected.sources[].downwardAPI.items[].resourceFieldRef", "divisor", Text("0")),
    ("volumes[].projected.sources[].serviceAccountToken", "expirationSeconds", Number(3600)),
    ("volumes[].projected.sources[].podCertificate", "maxExpirationSeconds", Number(86400)),
    ("volumes[].iscsi", "iscsiInterface", Text("default")),
    ("volumes[].rbd", "pool", Text("rbd")),
    ("volumes[].rbd", "user", Text("admin")),
    ("volumes[].rbd", "keyring", Text("/etc/ceph/keyring")),
    ("volumes[].azureDisk", "cachingMode", Text("ReadWrite")),
    ("volumes[].azureDisk", "fsType", Text("ext4")),
    ("volumes[].azureDisk", "readOnly", Flag(false)),
    ("volumes[].azureDisk", "kind", Text("Shared")),
    ("volumes[].scaleIO", "storageMode", Text("ThinProvisioned")),
    ("volumes[].scaleIO", "fsType", Text("xfs")),
    ("volumes[].ephemeral.volumeClaimTemplate", "metadata", Object),
    ("volumes[].ephemeral.volumeClaimTemplate", "spec", Object),
    ("volumes[].ephemeral.volumeClaimTemplate.spec", "resources", Object),
    ("volumes[].ephemeral.volumeClaimTemplate.spec", "volumeMode", Text("Filesystem")),
];

/// 0644.
const MODE: super::fields::Fill = Number(0o644);

#[rustfmt::skip]
const CONTAINER: &[Row] = &[
    ("", "resources", Object),
    ("", "terminationMessagePath", Text("/dev/termination-log")),
    ("", "terminationMessagePolicy", Text("File")),
    ("ports[]", "protocol", Text("TCP")),
    ("env[].valueFrom.fieldRef", "apiVersion", Text("v1")),
    ("env[].valueFrom.resourceFieldRef", "divisor", Text("0")),
    ("env[].valueFrom.fileKeyRef", "optional", Flag(false)),
    ("lifecycle.postStart.httpGet", "path", Text("/")),
    ("lifecycle.postStart.httpGet", "scheme", Text("HTTP")),
    ("lifecycle.preStop.httpGet", "path", Text("/")),
    ("lifecycle.preStop.httpGet", "scheme", Text("HTTP")),
];

#[rustfmt::skip]
const PROBE: &[Row] = &[
    ("", "timeoutSeconds", Number(1)),
    ("", "periodSeconds", Number(10)),
    ("", "successThreshold", Number(1)),
    ("", "failureThreshold", Number(3)),
    ("httpGet", "path", Text("/")),
    ("httpGet", "scheme", Text("HTTP")),
    ("grpc", "service", Text("")),
];

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

fn set_spec_defaults(spec: &mut Value) {
    each(spec, "", &mut |spec| {
        // Two names of one field; the API server writes both.
        for (from, to) in [("serviceAccount", "serviceAccountName"), ("serviceAccountName", "serviceAccount")] {
            if let Some(name) = spec.get(from).cloned() {
                if from == "serviceAccountName" {
                    spec.insert(to.to_owned(), name);
                } else {
                    set_missing(spec, to, name);
                }
            }
        }
    });
    each(spec, "volumes[]", &mut |volume| {
        if volume.keys().all(|key| key == "name") {
            volume.insert("emptyDir".to_owned(), Object.into());
        }
    });
    each(spec, "volumes[].image", &mut |image| set_pull_policy(image, "reference", "pullPolicy"));
    fill(spec, SPEC);
    each(spec, "volumes[].emptyDir", &mut |volume| canonicalize(volume, "sizeLimit", false));
    each(spec, "volumes[].downwardAPI.items[].resourceFieldRef", &mut |field| canonicalize(field, "divisor", false));
    for list in ["limits", "requests"] {
        canonicalize_all(spec, &format!("resources.{list}"));
        canonicalize_all(spec, &format!("volumes[].ephemeral.volumeClaimTemplate.spec.resources.{list}"));
    }
    canonicalize_all(spec, "overhead");
    for containers in CONTAINERS {
        for container in at_mut(spec, containers).and_then(Value::as_array_mut).into_iter().flatten() {
            set_container_defaults(container);
        }
    }
}

fn set_container_defaults(container: &mut Value) {
    each(container, "", &mut |container| set_pull_policy(container, "image", "imagePullPolicy"));
    fill(container, CONTAINER);
    for probe in PROBES {
        if let Some(probe) = container.get_mut(probe) {
            fill(probe, PROBE);
        }
    }
    each(container, "env[].valueFrom.resourceFieldRef", &mut |field| canonicalize(field, "divisor", false));
    canonicalize_all(container, "resources.limits");
    canonicalize_all(container, "resources.requests");
}

fn set_pull_policy(object: &mut Map<String, Value>, image: &str, policy: &str) {
    let default = pull_policy(object.get(image).and_then(Value::as_str).unwrap_or_default());
    set_missing(object, policy, default);
}

fn canonicalize(object: &mut Map<String, Value>, field: &str, in_thousandths: bool) {
    if let Some(value) = object.get_mut(field)
        && let Some(quantity) = Quantity::read(value)
    {
        *value = if in_thousandths { quantity.in_thousandths() } else { quantity }.to_string().into();
    }
}

fn canonicalize_all(value: &mut Value, path: &str) {
    each(value, path, &mut |resources| {
        let names: Vec<String> = resources.keys().cloned().collect();
        names.iter().for_each(|name| canonicalize(resources, name, true));
    });
}

/// What only Pods get, and templates do not.
fn set_pod_defaults(spec: &mut Value) {
    for containers in ["containers[]", "initContainers[]"] {
        each(spec, &format!("{containers}.resources"), &mut set_requests_from_limits);
    }
    set_pod_resources(spec);
    each(spec, "", &mut |spec| set_missing(spec, "enableServiceLinks", true));
    if spec.get("hostNetwork") == Some(&json!(true)) {
        for containers in ["containers[]", "initContainers[]"] {
            each(spec, &format!("{containers}.ports[]"), &mut |port| {
                if let Some(number) = port.get("containerPort").cloned() {
                    set_missing(port, "hostPort", number);
                }
            });
        }
    }
}

fn set_requests_from_limits(resources: &mut Map<String, Value>) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let Some(requests) = object_mut(resources, "requests") else { return };
    limits.into_iter().for_each(|(name, limit)| set_missing(requests, &name, limit));
}

/// Resources of the Pod as a whole: hugepages are limited to what the containers are, and what is limited is also
/// requested, as much as the containers request if they do.
/// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification>
fn set_pod_resources(spec: &mut Value) {
    let [requests, limits] = ["requests", "limits"].map(|list| of_all_containers(spec, list));
    let Some(resources) =
        spec.get_mut("resources").and_then(Value::as_object_mut).filter(|resources| !resources.is_empty())
    else {
        return;
    };
    for (name, limit) in limits.iter().filter(|(name, _)| name.starts_with("hugepages-")) {
        if resources.get("requests").is_none_or(|requests| requests.get(name).is_none())
            && let Some(limits) = object_mut(resources, "limits")
        {
            set_missing(limits, name, limit.to_string());
        }
    }
    let Some(limits) = resources.get("limits").and_then(Value::as_object).filter(|limits| !limits.is_empty()).cloned()
    else {
        return;
    };
    let Some(requested) = object_mut(resources, "requests") else { return };
    for (name, request) in requests.iter().filter(|(name, _)| matches!(name.as_str(), "cpu" | "memory")) {
        set_missing(requested, name, request.to_string());
    }
    for (name, limit) in limits {
        if matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-") {
            set_missing(requested, &name, limit);
        }
    }
}

/// What all containers need at once: those that stay add up, and each of the others runs alone beside the sidecars
/// that were started before it.
/// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers>
fn of_all_containers(spec: &Value, list: &str) -> BTreeMap<String, Quantity> {
    type Resources = BTreeMap<String, Quantity>;
    let of = |container: &Value| -> Resources {
        let resources = container.get("resources").and_then(|resources| resources.get(list)).and_then(Value::as_object);
        resources
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), Quantity::read(value)?)))
            .collect()
    };
    let add = |sum: &mut Resources, more: &Resources| {
        for (name, quantity) in more {
            sum.entry(name.clone()).and_modify(|sum| *sum = sum.plus(*quantity)).or_insert(*quantity);
        }
    };
    let [mut all, mut sidecars, mut starting] = [Resources::new(), Resources::new(), Resources::new()];
    items(spec, "containers").iter().for_each(|container| add(&mut all, &of(container)));
    for container in items(spec, "initContainers") {
        let mut needed = of(container);
        if text(container, "restartPolicy") == "Always" {
            add(&mut all, &needed);
            add(&mut sidecars, &needed);
            needed.clone_from(&sidecars);
        } else {
            add(&mut needed, &sidecars);
        }
        raise(&mut starting, needed);
    }
    raise(&mut all, starting);
    all
}

fn raise(to: &mut BTreeMap<String, Quantity>, other: BTreeMap<String, Quantity>) {
    for (name, quantity) in other {
        to.entry(name).and_modify(|most| *most = if quantity > *most { quantity } else { *most }).or_insert(quantity);
    }
}
