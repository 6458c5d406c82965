//! Amounts of resources: their canonical form, and what follows from limits.

use super::fields::{each, items, object_mut, set_missing, text};
use super::quantity::Quantity;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub fn canonicalize(object: &mut Map<String, Value>, field: &str) {
    if let Some(value) = object.get_mut(field)
        && let Some(quantity) = Quantity::read(value)
    {
        *value = quantity.to_string().into();
    }
}

pub fn canonicalize_all(value: &mut Value, path: &str) {
    each(value, path, &mut |resources| {
        for value in resources.values_mut() {
            if let Some(quantity) = Quantity::read(value) {
                *value = quantity.in_thousandths().to_string().into();
            }
        }
    });
}

pub fn set_requests_from_limits(resources: &mut Map<String, Value>) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let Some(requests) = object_mut(resources, "requests") else { return };
    limits.into_iter().for_each(|(name, limit)| set_missing(requests, &name, limit));
}

/// Resources of the Pod as a whole: hugepages are limited to what the containers are, and what is limited is also
/// requested, as much as the containers request if they do.
/// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification>
pub fn set_pod_resources(spec: &mut Value) {
    if spec.get("resources").is_none() {
        return;
    }
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
