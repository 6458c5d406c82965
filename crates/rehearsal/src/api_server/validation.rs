//! The validation of an object, as far as a rehearsal needs it: what people get wrong in manifests, and the class.
//! Everything else is taken for valid.

use super::fields::{at, items, text};
use super::kinds::Kind;
use super::quantity::Quantity;
use serde_json::{Value, json};
use std::{collections::BTreeSet, fmt::Arguments};

/// What is wrong, in the words of the API server and in its order.
pub fn errors(kind: &Kind, object: &Value) -> Vec<String> {
    let mut errors = metadata_errors(kind, object);
    if kind.name == "CronJob" && text(object, "spec.schedule").is_empty() {
        errors.push("spec.schedule: Required value".to_owned());
    }
    let template_path = kind.template;
    let template = at(object, template_path);
    errors.extend(selector_errors(kind, object, template));
    let Some(template) = template else {
        errors.push(format!("{template_path}: Required value"));
        return errors;
    };
    let path = if template_path.is_empty() { "spec".to_owned() } else { format!("{template_path}.spec") };
    let Some(spec) = template.get("spec") else { return errors };
    // The volumes that a StatefulSet makes of its claims.
    let claims = items(object, "spec.volumeClaimTemplates").iter().map(|claim| text(claim, "metadata.name"));
    errors.extend(spec_errors(spec, &path, claims.collect()));
    errors.extend(restart_error(kind, text(spec, "restartPolicy"), &path));
    errors
}

fn metadata_errors(kind: &Kind, object: &Value) -> Vec<String> {
    let path = "metadata.name";
    match text(object, path) {
        // The API server makes a name of it.
        "" if !text(object, "metadata.generateName").is_empty() => vec![],
        "" => vec![format!("{path}: Required value: name or generateName is required")],
        name if kind.name == "StatefulSet" => label_errors(name, format_args!("{path}")),
        name => subdomain_errors(name, format_args!("{path}")),
    }
}

fn selector_errors(kind: &Kind, object: &Value, template: Option<&Value>) -> Vec<String> {
    let mut errors = Vec::new();
    let selector = at(object, "spec.selector").filter(|selector| !selector.is_null());
    let labels = template.and_then(|template| at(template, "metadata.labels")).unwrap_or(&Value::Null);
    let pairs = match (kind.group, selector) {
        ("apps", Some(selector)) => selector.get("matchLabels"),
        ("", selector) if kind.name == "ReplicationController" => selector,
        ("apps", None) => None,
        _ => return errors,
    };
    let is_empty = pairs.is_none() && selector.is_none_or(|selector| items(selector, "matchExpressions").is_empty());
    match (selector, kind.name) {
        (None, "DaemonSet") => {}
        (None, _) => errors.push("spec.selector: Required value".to_owned()),
        // The API server says so of a ReplicaSet, too.
        (Some(selector), "ReplicaSet") if is_empty => errors.push(empty_selector(selector, "deployment")),
        (Some(selector), name) if is_empty => errors.push(empty_selector(selector, &name.to_lowercase())),
        _ => {}
    }
    let matches = |(key, value)| labels.get(key) == Some(value);
    let is_matched = pairs.and_then(Value::as_object).into_iter().flatten().all(matches);
    let needs_match = template.is_some() && (kind.group == "apps" || selector.is_some());
    if needs_match && (selector.is_none() || !is_matched) {
        let path = format_args!("{}.metadata.labels", kind.template);
        errors.push(format!("{path}: Invalid value: {labels}: `selector` does not match template `labels`"));
    }
    errors
}

fn empty_selector(selector: &Value, kind: &str) -> String {
    format!("spec.selector: Invalid value: {selector}: empty selector is invalid for {kind}")
}

/// Pods of a Job have an end, those of other workloads have none.
fn restart_error(kind: &Kind, policy: &str, path: &str) -> Option<String> {
    let path = format_args!("{path}.restartPolicy");
    match (kind.group, policy) {
        ("batch", "" | "Always") => Some(format!("{path}: Required value: valid values: \"OnFailure\", \"Never\"")),
        ("batch", "OnFailure" | "Never") | (_, "Always") => None,
        ("batch", policy) => Some(not_supported(path, policy, &["OnFailure", "Never"])),
        _ if kind.controller.is_none() => None,
        (_, policy) => Some(not_supported(path, policy, &["Always"])),
    }
}

fn spec_errors(spec: &Value, path: &str, claims: BTreeSet<&str>) -> Vec<String> {
    let mut errors = Vec::new();
    let mut volumes = claims.clone();
    for (index, volume) in items(spec, "volumes").iter().enumerate() {
        let name = text(volume, "name");
        let path = format_args!("{path}.volumes[{index}].name");
        let wrong = label_errors(name, path);
        if wrong.is_empty() && !volumes.insert(name) && !claims.contains(name) {
            errors.push(duplicate(path, name));
        }
        errors.extend(wrong);
    }
    let mut names = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        let containers = items(spec, list);
        if containers.is_empty() && list == "containers" {
            errors.push(format!("{path}.containers: Required value"));
        }
        for (index, container) in containers.iter().enumerate() {
            let path = format_args!("{path}.{list}[{index}]");
            container_errors(container, path, &volumes, &mut errors);
            let name = text(container, "name");
            if !names.insert(name) && !name.is_empty() {
                errors.push(duplicate(format_args!("{path}.name"), name));
            }
        }
    }
    for (field, choices) in [("restartPolicy", RESTART_POLICIES), ("dnsPolicy", DNS_POLICIES)] {
        errors.extend(choice_error(text(spec, field), format_args!("{path}.{field}"), choices));
    }
    if let Some(class) = spec.get("runtimeClassName").and_then(Value::as_str) {
        errors.extend(subdomain_errors(class, format_args!("{path}.runtimeClassName")));
    }
    errors
}

const RESTART_POLICIES: &[&str] = &["Always", "OnFailure", "Never"];
const DNS_POLICIES: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: &[&str] = &["File", "FallbackToLogsOnError"];

fn container_errors(container: &Value, path: Arguments, volumes: &BTreeSet<&str>, errors: &mut Vec<String>) {
    errors.extend(label_errors(text(container, "name"), format_args!("{path}.name")));
    if text(container, "image").is_empty() {
        errors.push(format!("{path}.image: Required value"));
    }
    let policy = "terminationMessagePolicy";
    errors.extend(choice_error(text(container, policy), format_args!("{path}.{policy}"), MESSAGE_POLICIES));
    let mut mount_paths = BTreeSet::new();
    for (index, mount) in items(container, "volumeMounts").iter().enumerate() {
        let path = format_args!("{path}.volumeMounts[{index}]");
        let [name, mount_path] = ["name", "mountPath"].map(|field| text(mount, field));
        if name.is_empty() {
            errors.push(format!("{path}.name: Required value"));
        }
        if !volumes.contains(name) {
            errors.push(format!("{path}.name: Not found: {name:?}"));
        }
        if mount_path.is_empty() {
            errors.push(format!("{path}.mountPath: Required value"));
        }
        if !mount_paths.insert(mount_path) {
            errors.push(format!("{path}.mountPath: Invalid value: {mount_path:?}: must be unique"));
        }
    }
    errors.extend(choice_error(
        text(container, "imagePullPolicy"),
        format_args!("{path}.imagePullPolicy"),
        PULL_POLICIES,
    ));
    let requests = at(container, "resources.requests").and_then(Value::as_object);
    for (name, request) in requests.into_iter().flatten() {
        let limit = at(container, "resources.limits").and_then(|limits| limits.get(name)).and_then(Quantity::read);
        if let (Some(request), Some(limit)) = (Quantity::read(request), limit)
            && request > limit
        {
            let value = json!(request.to_string());
            let why = format!("must be less than or equal to {name} limit of {limit}");
            errors.push(format!("{path}.resources.requests: Invalid value: {value}: {why}"));
        }
    }
}

fn duplicate(path: Arguments, name: &str) -> String {
    format!("{path}: Duplicate value: {name:?}")
}

/// A value that is left out has its default.
fn choice_error(value: &str, path: Arguments, choices: &[&str]) -> Option<String> {
    (!value.is_empty() && !choices.contains(&value)).then(|| not_supported(path, value, choices))
}

fn not_supported(path: Arguments, value: &str, choices: &[&str]) -> String {
    let choices: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
    format!("{path}: Unsupported value: {value:?}: supported values: {}", choices.join(", "))
}

fn label_errors(name: &str, path: Arguments) -> Vec<String> {
    match name {
        "" => vec![format!("{path}: Required value")],
        name if is_label(name) => name_errors(name, path, 63, None),
        name if is_subdomain(name) => name_errors(name, path, 63, Some("must not contain dots")),
        name => name_errors(name, path, 63, Some(LABEL)),
    }
}

fn subdomain_errors(name: &str, path: Arguments) -> Vec<String> {
    name_errors(name, path, 253, if is_subdomain(name) { None } else { Some(SUBDOMAIN) })
}

fn name_errors(name: &str, path: Arguments, longest: usize, why: Option<&str>) -> Vec<String> {
    let too_long = (name.len() > longest).then(|| format!("must be no more than {longest} characters"));
    let reasons = too_long.into_iter().chain(why.map(str::to_owned));
    reasons.map(|why| format!("{path}: Invalid value: {name:?}: {why}")).collect()
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end \
    with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start \
    and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn is_subdomain(name: &str) -> bool {
    name.split('.').all(is_label)
}

fn is_label(part: &str) -> bool {
    let part = part.as_bytes();
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    part.first().is_some_and(is_alphanumeric)
        && part.last().is_some_and(is_alphanumeric)
        && part.iter().all(|byte| is_alphanumeric(byte) || *byte == b'-')
}
