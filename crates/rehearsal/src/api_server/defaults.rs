//! The defaults of the API, of Kubernetes 1.36.

use super::empty::{is_empty, leave_out_empty};
use super::fields::{Fill, Fill::*, Row, at, each, fill, items_mut, make, object_mut, set_missing};
use super::image::pull_policy;
use super::kinds::{Kind, kind_of};
use super::resources::{canonicalize, canonicalize_all, set_pod_resources, set_requests_from_limits};
use serde_json::{Map, Value, json};

/// Makes an object of one of [`KINDS`](super::KINDS) what the API server reads in it: empty fields are left out,
/// quantities have their canonical form, and the defaults of the API are filled in. Once made, it stays as it is.
pub fn set_defaults(group: &str, kind: &str, object: &mut Value) {
    let Some(known) = kind_of(group, kind).filter(|_| object.is_object()) else { return };
    leave_out_empty(object);
    make_parts(known, object);
    set_workload_defaults(group, kind, object);
    fill(object, known.defaults);
    canonicalize_all(object, "spec.volumeClaimTemplates[].spec.resources.limits");
    canonicalize_all(object, "spec.volumeClaimTemplates[].spec.resources.requests");
    each(object, known.template, &mut |template| {
        if let Some(spec) = template.get_mut("spec") {
            set_spec_defaults(spec);
        }
    });
    if known.is_pod()
        && let Some(spec) = object.get_mut("spec")
    {
        set_pod_defaults(spec);
    }
}

/// Makes the parts that every object of a kind has, down to the pod spec.
fn make_parts(kind: &Kind, object: &mut Value) {
    make(object, "metadata");
    each(object, "metadata", &mut |metadata| metadata.retain(|field, value| field != "name" || !is_empty(value)));
    match kind.name {
        // The one kind that may have no template.
        "ReplicationController" => make(object, "spec"),
        _ => make(object, kind.template),
    }
    each(object, kind.template, &mut |template| {
        set_missing(template, "metadata", Object);
        set_missing(template, "spec", Object);
    });
}

/// What depends on another field, and so has no row in a table.
fn set_workload_defaults(group: &str, kind: &str, object: &mut Value) {
    let template_labels = at(object, "spec.template.metadata.labels").filter(|labels| !is_empty(labels)).cloned();
    let Some(fields) = object.as_object_mut() else { return };
    if let (Some(labels), "ReplicationController" | "Job") = (&template_labels, kind)
        && let Some(metadata) = object_mut(fields, "metadata")
    {
        set_missing(metadata, "labels", labels.clone());
    }
    let Some(spec) = fields.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match (group, kind) {
        ("", "ReplicationController") => {
            spec.retain(|field, value| field != "selector" || !is_empty(value));
            if let Some(labels) = template_labels {
                set_missing(spec, "selector", labels);
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
    ("", "containers", Null),
    ("", "restartPolicy", Text("Always")),
    ("", "terminationGracePeriodSeconds", Number(30)),
    ("", "dnsPolicy", Text("ClusterFirst")),
    ("", "securityContext", Object),
    ("", "schedulerName", Text("default-scheduler")),
];

#[rustfmt::skip]
const VOLUME: &[Row] = &[
    ("", "name", Text("")),
    ("hostPath", "type", Text("")),
    ("secret", "defaultMode", MODE),
    ("configMap", "defaultMode", MODE),
    ("downwardAPI", "defaultMode", MODE),
    ("downwardAPI.items[].fieldRef", "apiVersion", Text("v1")),
    ("downwardAPI.items[].resourceFieldRef", "divisor", Text("0")),
    ("projected", "defaultMode", MODE),
    ("projected.sources[].downwardAPI.items[].fieldRef", "apiVersion", Text("v1")),
    ("projected.sources[].downwardAPI.items[].resourceFieldRef", "divisor", Text("0")),
    ("projected.sources[].serviceAccountToken", "expirationSeconds", Number(3600)),
    ("iscsi", "iscsiInterface", Text("default")),
    ("rbd", "pool", Text("rbd")),
    ("rbd", "user", Text("admin")),
    ("rbd", "keyring", Text("/etc/ceph/keyring")),
    ("azureDisk", "cachingMode", Text("ReadWrite")),
    ("azureDisk", "fsType", Text("ext4")),
    ("azureDisk", "readOnly", Flag(false)),
    ("azureDisk", "kind", Text("Shared")),
    ("scaleIO", "storageMode", Text("ThinProvisioned")),
    ("scaleIO", "fsType", Text("xfs")),
    ("ephemeral.volumeClaimTemplate", "metadata", Object),
    ("ephemeral.volumeClaimTemplate", "spec", Object),
    ("ephemeral.volumeClaimTemplate.spec", "resources", Object),
    ("ephemeral.volumeClaimTemplate.spec", "volumeMode", Text("Filesystem")),
];

/// 0644.
const MODE: Fill = Number(0o644);

#[rustfmt::skip]
const CONTAINER: &[Row] = &[
    // Required fields are written even where they are missing; the object is refused after webhooks.
    ("", "name", Text("")),
    ("", "resources", Object),
    ("", "terminationMessagePath", Text("/dev/termination-log")),
    ("", "terminationMessagePolicy", Text("File")),
    ("ports[]", "containerPort", Number(0)),
    ("ports[]", "protocol", Text("TCP")),
    ("env[]", "name", Text("")),
    ("env[].valueFrom.fieldRef", "apiVersion", Text("v1")),
    ("env[].valueFrom.resourceFieldRef", "divisor", Text("0")),
    ("env[].valueFrom.fileKeyRef", "optional", Flag(false)),
    ("volumeMounts[]", "name", Text("")),
    ("volumeMounts[]", "mountPath", Text("")),
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
        // Two names of one field: the API server writes both.
        if let Some(name) = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).cloned() {
            spec.insert("serviceAccountName".to_owned(), name.clone());
            spec.insert("serviceAccount".to_owned(), name);
        }
    });
    fill(spec, SPEC);
    for resources in ["resources.limits", "resources.requests", "overhead"] {
        canonicalize_all(spec, resources);
    }
    items_mut(spec, "volumes").for_each(set_volume_defaults);
    for containers in CONTAINERS {
        items_mut(spec, containers).for_each(set_container_defaults);
    }
}

fn set_volume_defaults(volume: &mut Value) {
    each(volume, "", &mut |volume| {
        if volume.keys().all(|key| key == "name") {
            volume.insert("emptyDir".to_owned(), Object.into());
        }
    });
    each(volume, "image", &mut |image| set_pull_policy(image, "reference", "pullPolicy"));
    fill(volume, VOLUME);
    each(volume, "emptyDir", &mut |volume| canonicalize(volume, "sizeLimit"));
    each(volume, "downwardAPI.items[].resourceFieldRef", &mut |field| canonicalize(field, "divisor"));
    canonicalize_all(volume, "ephemeral.volumeClaimTemplate.spec.resources.limits");
    canonicalize_all(volume, "ephemeral.volumeClaimTemplate.spec.resources.requests");
}

fn set_container_defaults(container: &mut Value) {
    each(container, "", &mut |container| set_pull_policy(container, "image", "imagePullPolicy"));
    fill(container, CONTAINER);
    for probe in PROBES {
        if let Some(probe) = container.get_mut(probe) {
            fill(probe, PROBE);
        }
    }
    each(container, "env[].valueFrom.resourceFieldRef", &mut |field| canonicalize(field, "divisor"));
    canonicalize_all(container, "resources.limits");
    canonicalize_all(container, "resources.requests");
}

fn set_pull_policy(object: &mut Map<String, Value>, image: &str, policy: &str) {
    let default = pull_policy(object.get(image).and_then(Value::as_str).unwrap_or_default());
    set_missing(object, policy, default);
}

/// What only Pods get, and templates do not.
fn set_pod_defaults(spec: &mut Value) {
    for resources in ["containers[].resources", "initContainers[].resources"] {
        each(spec, resources, &mut set_requests_from_limits);
    }
    set_pod_resources(spec);
    each(spec, "", &mut |spec| {
        set_missing(spec, "enableServiceLinks", true);
        if spec.get("terminationGracePeriodSeconds").and_then(Value::as_i64).is_some_and(|seconds| seconds < 0) {
            spec.insert("terminationGracePeriodSeconds".to_owned(), json!(1));
        }
    });
    if spec.get("hostNetwork") == Some(&json!(true)) {
        for ports in ["containers[].ports[]", "initContainers[].ports[]"] {
            each(spec, ports, &mut |port| {
                if let Some(number) = port.get("containerPort").filter(|number| !is_empty(number)).cloned() {
                    set_missing(port, "hostPort", number);
                }
            });
        }
    }
}
