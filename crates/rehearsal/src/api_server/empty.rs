//! What the API server does not tell from a field that is missing.

use serde_json::{Map, Value, json};

/// The fields that the API server does not write where they are empty, `false` or 0: it can't tell them from missing
/// ones. Any other field may mean something when it is empty (`emptyDir: {}`, `runtimeClassName: ""`, `replicas: 0`).
#[rustfmt::skip]
const OMITTED_WHEN_EMPTY: &[&str] = &[
    // metadata
    "annotations", "finalizers", "generateName", "labels", "matchExpressions", "matchLabels", "namespace", "ownerReferences",
    // workloads
    "concurrencyPolicy", "minReadySeconds", "onPodConditions", "paused", "podManagementPolicy", "volumeClaimTemplates",
    "whenDeleted", "whenScaled",
    // Pods
    "dnsPolicy", "ephemeralContainers", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostname", "hostnames",
    "imagePullSecrets", "initContainers", "nameservers", "nodeName", "nodeSelector", "options", "overhead",
    "priorityClassName", "readinessGates", "resourceClaims", "restartPolicy", "schedulerName", "schedulingGates",
    "searches", "serviceAccount", "serviceAccountName", "subdomain", "supplementalGroups", "sysctls", "tolerations",
    "topologySpreadConstraints", "volumes",
    // affinity and tolerations
    "effect", "key", "matchFields", "matchLabelKeys", "mismatchLabelKeys", "namespaces", "operator",
    "preferredDuringSchedulingIgnoredDuringExecution", "requiredDuringSchedulingIgnoredDuringExecution", "values",
    // containers
    "add", "apiVersion", "args", "claims", "command", "drop", "env", "envFrom", "failureThreshold", "host", "hostIP",
    "hostPort", "httpHeaders", "image", "imagePullPolicy", "initialDelaySeconds", "limits", "path", "periodSeconds",
    "ports", "prefix", "protocol", "readOnly", "request", "requests", "resizePolicy", "restartPolicyRules", "scheme",
    "stdin", "stdinOnce", "subPath", "subPathExpr", "successThreshold", "targetContainerName", "terminationMessagePath",
    "terminationMessagePolicy", "timeoutSeconds", "tty", "value", "volumeDevices", "volumeMounts", "workingDir",
    // volumes
    "accessModes", "audience", "fsType", "iscsiInterface", "items", "keyring", "medium", "pool", "portals", "pullPolicy",
    "reference", "secretName", "storageMode", "user", "volumeName",
];

/// Maps of the user's own keys.
const MAPS: &[&str] =
    &["annotations", "labels", "limits", "matchLabels", "nodeSelector", "options", "overhead", "requests"];

/// Where the rule does not hold: drivers and headers may be given something empty, and the rest is not the user's.
const LEFT_ALONE: &[&str] = &["csi", "httpHeaders", "managedFields", "status", "sysctls"];

pub fn leave_out_empty(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let mut is_any_left_out = false;
            for (key, value) in object.iter_mut() {
                match value {
                    value if is_left_out(key, value) => is_any_left_out = true,
                    Value::Object(map) if MAPS.contains(&key.as_str()) => leave_out_null(map),
                    Value::Object(_) | Value::Array(_) if !LEFT_ALONE.contains(&key.as_str()) => leave_out_empty(value),
                    _ => {}
                }
            }
            // To take a map apart is far more work than to look at it.
            if is_any_left_out {
                object.retain(|key, value| !is_left_out(key, value));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_empty),
        _ => {}
    }
}

fn is_left_out(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        // An object that is no map has its own meaning when it is empty.
        Value::Object(object) => object.is_empty() && MAPS.contains(&key) && OMITTED_WHEN_EMPTY.contains(&key),
        value => is_empty(value) && OMITTED_WHEN_EMPTY.contains(&key),
    }
}

/// In a map, null is the empty text.
fn leave_out_null(map: &mut Map<String, Value>) {
    map.values_mut().filter(|value| value.is_null()).for_each(|value| *value = json!(""));
}

pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}
