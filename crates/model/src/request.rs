use serde_json::Value;

/// The object of a request, as far as the decision is concerned.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Accepted, whatever the settings.
    NotJudged,
    Judged(Workload),
    /// A field that the decision needs is of the wrong type, or missing.
    Unreadable,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    pub kind: String,
    /// The class that it names, if any.
    pub class: Option<String>,
    pub object: Value,
    /// Whether it is a mirror Pod that a kubelet sent, or `None` if a field that tells can't be read.
    pub is_mirror: Option<bool>,
}

impl Workload {
    pub fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }
}

/// A group, a kind, and the way to the pod spec of its objects.
pub(crate) type Kind = (&'static str, &'static str, &'static [&'static str]);

/// The kinds that have a pod spec.
pub(crate) const KINDS: [Kind; 9] = [
    ("", "Pod", &["spec"]),
    ("", "ReplicationController", &["spec", "template", "spec"]),
    ("", "PodTemplate", &["template", "spec"]),
    ("apps", "Deployment", &["spec", "template", "spec"]),
    ("apps", "ReplicaSet", &["spec", "template", "spec"]),
    ("apps", "StatefulSet", &["spec", "template", "spec"]),
    ("apps", "DaemonSet", &["spec", "template", "spec"]),
    ("batch", "Job", &["spec", "template", "spec"]),
    ("batch", "CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
];

/// Finds what there is to judge in a request.
pub fn subject(request: &Value) -> Subject {
    match try_subject(request) {
        Ok(Some(workload)) => Subject::Judged(workload),
        Ok(None) => Subject::NotJudged,
        Err(Unreadable) => Subject::Unreadable,
    }
}

/// A field that the decision needs can't be read.
struct Unreadable;

fn try_subject(request: &Value) -> Result<Option<Workload>, Unreadable> {
    let operation = text(&request["operation"])?.unwrap_or_default();
    let object = &request["object"];
    if operation == "DELETE" || operation == "CONNECT" || object.is_null() {
        return Ok(None);
    }
    let Some(kind) = members(&request["kind"])? else { return Err(Unreadable) };
    let Some(name) = text(kind.get("kind").unwrap_or(&Value::Null))? else { return Err(Unreadable) };
    let group = text(kind.get("group").unwrap_or(&Value::Null))?.unwrap_or_default();
    let Some((_, _, path)) = KINDS.iter().find(|(of_group, of_name, _)| *of_group == group && *of_name == name) else {
        return Ok(None);
    };
    let Some(class) = class_at(object, path)? else { return Ok(None) };

    if operation == "UPDATE" && !request["oldObject"].is_null() {
        let old_class = class_at(&request["oldObject"], path)?.unwrap_or_default();
        if old_class == class {
            return Ok(None);
        }
    }
    let is_mirror = is_mirror_of_a_node(&name, request).ok();
    Ok(Some(Workload { kind: name, class: class.name(), object: object.clone(), is_mirror }))
}

fn is_mirror_of_a_node(kind: &str, request: &Value) -> Result<bool, Unreadable> {
    Ok(kind == "Pod" && is_sent_by_a_node(request)? && is_mirror(&request["object"])?)
}

/// A class name; no name, `null` and `""` are the same.
#[derive(Default, PartialEq)]
struct Class(String);

impl Class {
    fn name(self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.0) }
    }
}

/// The class that the pod spec at `path` names; `None` if there is no pod spec.
fn class_at(object: &Value, path: &[&str]) -> Result<Option<Class>, Unreadable> {
    let mut here = object;
    for key in path {
        let Some(members) = members(here)? else { return Ok(None) };
        here = members.get(*key).unwrap_or(&Value::Null);
    }
    let Some(pod_spec) = members(here)? else { return Ok(None) };
    let name = text(pod_spec.get("runtimeClassName").unwrap_or(&Value::Null))?;
    Ok(Some(Class(name.unwrap_or_default())))
}

fn is_sent_by_a_node(request: &Value) -> Result<bool, Unreadable> {
    let Some(user) = members(&request["userInfo"])? else { return Ok(false) };
    match user.get("groups") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Array(groups)) if groups.iter().all(Value::is_string) => {
            Ok(groups.iter().any(|group| group == "system:nodes"))
        }
        Some(_) => Err(Unreadable),
    }
}

fn is_mirror(pod: &Value) -> Result<bool, Unreadable> {
    let Some(metadata) = members(&pod["metadata"])? else { return Ok(false) };
    let Some(annotations) = members(metadata.get("annotations").unwrap_or(&Value::Null))? else { return Ok(false) };
    Ok(annotations.get("kubernetes.io/config.mirror").is_some_and(|value| !value.is_null()))
}

fn text(value: &Value) -> Result<Option<String>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Unreadable),
    }
}

fn members(value: &Value) -> Result<Option<&serde_json::Map<String, Value>>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members)),
        _ => Err(Unreadable),
    }
}
