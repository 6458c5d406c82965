//! What admission plugins do to a Pod before mutating webhooks are called, in their order.
//! <https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/>

use super::fields::{at, each, items, object_mut, push, set_missing, text};
use super::quantity::Quantity;
use super::refusals::Refused;
use super::{Classes, refusals};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Makes of a Pod with its defaults what mutating webhooks see. What is as the plugins left it stays as it is.
pub fn admit_pod(pod: &mut Value, classes: Classes) -> Result<(), Refused> {
    // The API server gives no service account to a Pod that stands for one of a node's own.
    if at(pod, "metadata.annotations").is_none_or(|all| all.get("kubernetes.io/config.mirror").is_none()) {
        each(pod, "spec", &mut set_service_account);
    }
    set_priority(pod)?;
    each(pod, "spec", &mut tolerate_unready_nodes);
    apply_runtime_class(pod, classes)
}

const TOKEN_VOLUME: &str = "kube-api-access-";
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn set_service_account(spec: &mut Map<String, Value>) {
    set_missing(spec, "serviceAccountName", "default");
    let name = spec.get("serviceAccountName").cloned();
    set_missing(spec, "serviceAccount", name.unwrap_or_default());
    if spec.get("automountServiceAccountToken") == Some(&json!(false)) {
        return;
    }
    let volumes = spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
    let existing =
        volumes.map(|volume| text(volume, "name")).find(|name| name.starts_with(TOKEN_VOLUME)).map(str::to_owned);
    let volume = existing.clone().unwrap_or_else(|| format!("{TOKEN_VOLUME}xxxxx"));
    let mut is_mounted = false;
    for containers in ["initContainers", "containers"] {
        for container in spec.get_mut(containers).and_then(Value::as_array_mut).into_iter().flatten() {
            is_mounted |= mount_token(container, &volume);
        }
    }
    if is_mounted && existing.is_none() {
        push(spec, "volumes", token_volume(&volume));
    }
}

/// Whether the container had nothing at the token's path before.
fn mount_token(container: &mut Value, volume: &str) -> bool {
    let is_taken = items(container, "volumeMounts").iter().any(|mount| text(mount, "mountPath") == TOKEN_PATH);
    let Some(container) = container.as_object_mut().filter(|_| !is_taken) else { return false };
    push(container, "volumeMounts", json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH}))
}

fn token_volume(name: &str) -> Value {
    static PROJECTED: LazyLock<Value> = LazyLock::new(|| {
        json!({"defaultMode": 0o644, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]})
    });
    let mut volume = json!({"name": name});
    volume["projected"] = PROJECTED.clone();
    volume
}

/// A class of the cluster's own is not known here: its Pods get no priority.
fn set_priority(pod: &mut Value) -> Result<(), Refused> {
    let priority = match text(pod, "spec.priorityClassName") {
        "" => 0,
        "system-cluster-critical" => 2_000_000_000,
        "system-node-critical" => 2_000_001_000,
        _ => return Ok(()),
    };
    if let Some(own) = at(pod, "spec.priority").and_then(Value::as_i64).filter(|own| *own != priority) {
        return Err(Refused::forbidden(
            pod,
            format!(
                "the integer value of priority ({own}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
            ),
        ));
    }
    each(pod, "spec", &mut |spec| {
        set_missing(spec, "priority", priority);
        set_missing(spec, "preemptionPolicy", "PreemptLowerPriority");
    });
    Ok(())
}

fn tolerate_unready_nodes(spec: &mut Map<String, Value>) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerations = spec.get("tolerations").and_then(Value::as_array).into_iter().flatten();
        let is_tolerated = tolerations.into_iter().any(|toleration| {
            ["", key].contains(&text(toleration, "key")) && ["", "NoExecute"].contains(&text(toleration, "effect"))
        });
        if !is_tolerated {
            let toleration = json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
            push(spec, "tolerations", toleration);
        }
    }
}

fn apply_runtime_class(pod: &mut Value, classes: Classes) -> Result<(), Refused> {
    let class = match (at(pod, "spec.runtimeClassName").and_then(Value::as_str), classes) {
        (None, _) | (_, None) => return Ok(()),
        (Some(name), Some(classes)) => {
            refusals::class_name(name)?;
            classes
                .get(name)
                .ok_or_else(|| Refused::forbidden(pod, format!("pod rejected: RuntimeClass {name:?} not found")))?
        }
    };
    set_overhead(pod, class)?;
    set_scheduling(pod, class)
}

fn set_overhead(pod: &mut Value, class: &Value) -> Result<(), Refused> {
    let Some(overhead) = overhead_of(class) else { return Ok(()) };
    if at(pod, "spec.overhead").is_some_and(|own| !same_resources(own, &overhead)) {
        return Err(Refused::forbidden(pod, refusals::OTHER_OVERHEAD));
    }
    each(pod, "spec", &mut |spec| {
        spec.insert("overhead".to_owned(), overhead.clone());
    });
    Ok(())
}

/// What Pods of a class get as `overhead`.
pub(super) fn overhead_of(class: &Value) -> Option<Value> {
    let fixed = at(class, "overhead.podFixed")?.as_object()?;
    let canonical =
        |value: &Value| Quantity::read(value).map_or_else(|| value.clone(), |quantity| quantity.to_string().into());
    Some(fixed.iter().map(|(name, value)| (name.clone(), canonical(value))).collect::<Map<_, _>>().into())
}

pub(super) fn same_resources(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else { return false };
    let is_same =
        |a: &Value, b: &Value| a == b || matches!((Quantity::read(a), Quantity::read(b)), (Some(a), Some(b)) if a == b);
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| is_same(value, other)))
}

fn set_scheduling(pod: &mut Value, class: &Value) -> Result<(), Refused> {
    let Some(scheduling) = class.get("scheduling").filter(|scheduling| scheduling.is_object()) else { return Ok(()) };
    let selector = scheduling.get("nodeSelector").and_then(Value::as_object);
    for (key, value) in selector.into_iter().flatten() {
        let own = at(pod, "spec.nodeSelector").and_then(|own| own.get(key)).filter(|own| *own != value);
        if let (Some(own), Some(value)) = (own.and_then(Value::as_str), value.as_str()) {
            let sides = [("runtimeClass.scheduling", value), ("pod.spec", own)];
            let [class, pod_side] = sides.map(|(side, value)| format!("{side}.nodeSelector[{key}] = {value}"));
            return Err(Refused::forbidden(pod, format!("conflict: {class}; {pod_side}")));
        }
    }
    each(pod, "spec", &mut |spec| {
        if let Some(selector) = selector.filter(|selector| !selector.is_empty())
            && let Some(own) = object_mut(spec, "nodeSelector")
        {
            own.extend(selector.clone());
        }
        let own = spec.get("tolerations").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let merged = merge_tolerations(own, items(scheduling, "tolerations"));
        if !merged.iter().copied().eq(own) {
            let merged: Vec<Value> = merged.into_iter().cloned().collect();
            spec.insert("tolerations".to_owned(), merged.into());
        }
    });
    Ok(())
}

/// Both lists, without what another toleration covers. Of equal ones the first stays.
fn merge_tolerations<'a>(own: &'a [Value], of_class: &'a [Value]) -> Vec<&'a Value> {
    let all: Vec<&Value> = own.iter().chain(of_class).collect();
    let mut merged: Vec<&Value> = Vec::new();
    for (index, toleration) in all.iter().enumerate() {
        let mut later = all.iter().skip(index + 1).filter(|later| covers(later, toleration));
        if !merged.iter().any(|kept| covers(kept, toleration)) && later.all(|later| later == toleration) {
            merged.push(toleration);
        }
    }
    merged
}

fn covers(wide: &Value, narrow: &Value) -> bool {
    let same = |field: &str| text(wide, field) == text(narrow, field);
    let seconds = |toleration: &Value| toleration.get("tolerationSeconds").and_then(Value::as_i64);
    let covers_key = || same("key") || (text(wide, "key").is_empty() && text(wide, "operator") == "Exists");
    let covers_effect = || text(wide, "effect").is_empty() || same("effect");
    let is_for_as_long = || match seconds(wide).filter(|_| text(wide, "effect") == "NoExecute") {
        Some(longest) => seconds(narrow).is_some_and(|seconds| seconds <= longest),
        None => true,
    };
    let covers_value = || match text(wide, "operator") {
        "Exists" => true,
        "" | "Equal" => text(narrow, "operator") == "Equal" && same("value"),
        _ => false,
    };
    (covers_key() && covers_effect() && is_for_as_long() && covers_value()) || wide == narrow
}
