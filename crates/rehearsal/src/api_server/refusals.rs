//! What the API server refuses, in its words.

use super::Classes;
use super::fields::{at, items, text};
use super::kinds::kind_of;
use super::plugins::{apply_runtime_class, overhead_of, same_resources};
use super::quantity::Quantity;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// The words of the API server, as kubectl prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

pub(super) const OTHER_OVERHEAD: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OVERHEAD_WITHOUT_CLASS: &str =
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

impl Refused {
    /// By an admission plugin.
    pub(super) fn forbidden(pod: &Value, why: impl fmt::Display) -> Self {
        let name = ["metadata.name", "metadata.generateName"].map(|field| text(pod, field));
        let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or("Unknown");
        Self(format!("pods {name:?} is forbidden: {why}"))
    }

    /// By the validation of the object.
    fn invalid(kind: &str, object: &Value, errors: &[String]) -> Self {
        let errors = match errors {
            [error] => error.clone(),
            errors => format!("[{}]", errors.join(", ")),
        };
        Self(format!("The {kind} {:?} is invalid: {errors}", text(object, "metadata.name")))
    }
}

/// A name that the plugin can't even ask for.
pub(super) fn class_name(name: &str) -> Result<(), Refused> {
    let not_allowed = match name {
        "" => return Err(Refused("resource name may not be empty".to_owned())),
        "." | ".." => format!("may not be '{name}'"),
        name if name.contains('/') => "may not contain '/'".to_owned(),
        name if name.contains('%') => "may not contain '%'".to_owned(),
        _ => return Ok(()),
    };
    Err(Refused(format!("invalid resource name {name:?}: [{not_allowed}]")))
}

/// What the API server does with an object after mutating webhooks: the RuntimeClass plugin runs again, then the object
/// is validated, as far as a rehearsal can do so.
pub fn validate(group: &str, kind: &str, object: &mut Value, classes: Classes) -> Result<(), Refused> {
    let Some(known) = kind_of(group, kind) else { return Ok(()) };
    if kind == "Pod" {
        apply_runtime_class(object, classes)?;
    }
    let path = if known.template.is_empty() { "spec".to_owned() } else { format!("{}.spec", known.template) };
    if let Some(spec) = at(object, &path) {
        let mut errors = spec_errors(spec, &path);
        if group == "batch" && text(spec, "restartPolicy") == "Always" {
            errors.push(format!("{path}.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""));
        }
        if !errors.is_empty() {
            return Err(Refused::invalid(kind, object, &errors));
        }
    }
    if kind == "Pod" { overhead(object, classes) } else { Ok(()) }
}

fn overhead(pod: &Value, classes: Classes) -> Result<(), Refused> {
    let overhead = pod.pointer("/spec/overhead");
    let expected = match (pod.pointer("/spec/runtimeClassName").and_then(Value::as_str), classes) {
        (Some(_), None) => return Ok(()),
        (Some(name), Some(classes)) => classes.get(name).and_then(overhead_of),
        (None, _) => None,
    };
    match (overhead, expected) {
        (Some(_), None) => Err(Refused::forbidden(pod, OVERHEAD_WITHOUT_CLASS)),
        (overhead, Some(expected)) if !overhead.is_some_and(|own| same_resources(own, &expected)) => {
            Err(Refused::forbidden(pod, OTHER_OVERHEAD))
        }
        _ => Ok(()),
    }
}

fn spec_errors(spec: &Value, path: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let mut volumes = BTreeSet::new();
    for (index, volume) in items(spec, "volumes").iter().enumerate() {
        let name = text(volume, "name");
        errors.extend(label_error(name, &format!("{path}.volumes[{index}].name")));
        if !name.is_empty() && !volumes.insert(name) {
            errors.push(format!("{path}.volumes[{index}].name: Duplicate value: {name:?}"));
        }
    }
    let mut names = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        let containers = items(spec, list);
        if containers.is_empty() && list == "containers" {
            errors.push(format!("{path}.containers: Required value"));
        }
        for (index, container) in containers.iter().enumerate() {
            let path = format!("{path}.{list}[{index}]");
            container_errors(container, &path, &volumes, &mut errors);
            let name = text(container, "name");
            if !name.is_empty() && !names.insert(name) {
                errors.push(format!("{path}.name: Duplicate value: {name:?}"));
            }
        }
    }
    errors.extend(choice_error(spec, path, "restartPolicy", &["Always", "Never", "OnFailure"]));
    errors.extend(choice_error(
        spec,
        path,
        "dnsPolicy",
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    ));
    if let Some(class) = spec.get("runtimeClassName").and_then(Value::as_str) {
        errors.extend(
            subdomain_error(class).map(|why| format!("{path}.runtimeClassName: Invalid value: {class:?}: {why}")),
        );
    }
    errors
}

fn container_errors(container: &Value, path: &str, volumes: &BTreeSet<&str>, errors: &mut Vec<String>) {
    errors.extend(label_error(text(container, "name"), &format!("{path}.name")));
    if text(container, "image").is_empty() {
        errors.push(format!("{path}.image: Required value"));
    }
    for (index, mount) in items(container, "volumeMounts").iter().enumerate() {
        match text(mount, "name") {
            "" => errors.push(format!("{path}.volumeMounts[{index}].name: Required value")),
            name if !volumes.contains(name) => {
                errors.push(format!("{path}.volumeMounts[{index}].name: Not found: {name:?}"))
            }
            _ => {}
        }
    }
    let requests = at(container, "resources.requests").and_then(Value::as_object);
    for (name, request) in requests.into_iter().flatten() {
        let limit = at(container, "resources.limits").and_then(|limits| limits.get(name)).and_then(Quantity::read);
        if let (Some(request), Some(limit)) = (Quantity::read(request), limit)
            && request > limit
        {
            let request = format!("{:?}", request.to_string());
            errors.push(format!("{path}.resources.requests: Invalid value: {request}: must be less than or equal to {name} limit of {limit}"));
        }
    }
}

fn choice_error(spec: &Value, path: &str, field: &str, choices: &[&str]) -> Option<String> {
    let value = spec.get(field)?.as_str()?;
    let supported: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
    (!choices.contains(&value))
        .then(|| format!("{path}.{field}: Unsupported value: {value:?}: supported values: {}", supported.join(", ")))
}

fn label_error(name: &str, path: &str) -> Option<String> {
    match name {
        "" => Some(format!("{path}: Required value")),
        name if name.len() > 63 => Some(format!("{path}: Invalid value: {name:?}: must be no more than 63 bytes")),
        name if !is_label(name) => Some(format!(
            "{path}: Invalid value: {name:?}: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
             start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        )),
        _ => None,
    }
}

fn subdomain_error(name: &str) -> Option<&'static str> {
    if name.len() > 253 {
        return Some("must be no more than 253 bytes");
    }
    (!name.split('.').all(is_label)).then_some(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an \
         alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    )
}

fn is_label(part: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(is_alphanumeric)
        && part.ends_with(is_alphanumeric)
        && part.chars().all(|c| is_alphanumeric(c) || c == '-')
}
