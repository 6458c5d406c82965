//! The admission request: which kinds are judged, and which class an object asks for.
//!
//! The fields are those of an
//! [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request).
use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::object::{self, FieldError, FromObject, Text, Value};

/// The annotation by which a kubelet marks the
/// [mirror Pod of a static Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The group of the kubelets' users.
const NODES: &str = "system:nodes";

/// The payload of a
/// [validation request](https://docs.kubewarden.io/reference/spec/validating-policies).
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    request: Option<FromObject<Request<'a>>>,
    #[serde(default, deserialize_with = "object::shallow")]
    settings: Value<'a>,
}

/// The fields of an AdmissionRequest that the policy reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    #[serde(borrow, default)]
    kind: Value<'a>,
    /// No `Value`: that would not keep the text of a string.
    operation: Option<&'a RawValue>,
    #[serde(default)]
    user_info: Value<'a>,
    #[serde(default)]
    object: Value<'a>,
    #[serde(default)]
    old_object: Value<'a>,
}

/// An object whose container runtime is to be judged.
pub struct Workload<'a> {
    pub kind: Cow<'a, str>,
    /// Otherwise it creates Pods from a template.
    pub is_pod: bool,
    pub object: Value<'a>,
    /// The class that it names.
    pub class: Option<Cow<'a, str>>,
    user_info: Value<'a>,
}

/// The keys that lead from an object to its pod spec, outermost first.
type Path = &'static [&'static str];

/// Where a Pod has its spec.
const POD_SPEC: Path = &["spec"];

/// Where the objects of a kind have their pod spec, or `None` if they have none. The name alone does not tell the kind:
/// other groups have a `Job`, too.
fn pod_spec_of(group: &str, kind: &str) -> Option<Path> {
    match (group, kind) {
        ("", "Pod") => Some(POD_SPEC),
        ("", "PodTemplate") => Some(&["template", "spec"]),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some(&["spec", "template", "spec"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

/// Reads the payload of `validate`, in one pass: the request, and the settings of the policy.
///
/// # Errors
/// It is not JSON, or not an object with a request.
pub fn read(payload: &[u8]) -> Result<(Request<'_>, Value<'_>), FieldError> {
    let payload = object::read("", payload).map_err(|error| with_path(error, payload));
    let FromObject(Payload { request, settings }) = payload?;
    let FromObject(request) = request.ok_or_else(|| FieldError::new("missing field").under("request"))?;
    Ok((request, settings))
}

/// Serde names a duplicate, but neither its place nor the place of a value that should be an object. The tests of bad
/// input notice if its words change.
#[cold]
fn with_path(error: FieldError, payload: &[u8]) -> FieldError {
    let name = error.problem.strip_prefix("duplicate field `").and_then(|name| name.strip_suffix('`'));
    let duplicate = || FieldError::new("duplicate field");
    let is_object = payload.trim_ascii_start().starts_with(b"{");
    match name {
        Some(name @ ("request" | "settings")) => duplicate().under(name),
        Some(name) => duplicate().under(name).under("request"),
        None if is_object && error.problem.starts_with("invalid type") => error.under("request"),
        None => error.under("payload"),
    }
}

impl<'a> Request<'a> {
    /// The workload to judge, or `None` if the request has none.
    ///
    /// # Errors
    /// A field that this depends on can't be read; the error says which.
    pub fn workload(self) -> Result<Option<Workload<'a>>, FieldError> {
        let operation = self.operation.map_or(Value::Null, |json| Value::Raw(Cow::Borrowed(json)));
        let operation = operation.at("request.operation", &[], Value::string)?.unwrap_or_default();
        if matches!(operation.as_ref(), "DELETE" | "CONNECT") || matches!(self.object, Value::Null) {
            return Ok(None);
        }
        let kind = |key| self.kind.at("request.kind", &[key], Value::string);
        let group = kind("group")?.unwrap_or_default();
        let kind = kind("kind")?.ok_or_else(|| FieldError::new("missing field").under("request.kind.kind"))?;
        let Some(pod_spec) = pod_spec_of(&group, &kind) else { return Ok(None) };
        let Some(class) = class_of("request.object", &self.object, pod_spec)? else { return Ok(None) };
        if operation == "UPDATE" && !matches!(self.old_object, Value::Null) {
            let old = class_of("request.oldObject", &self.old_object, pod_spec)?;
            if old.flatten() == class {
                return Ok(None);
            }
        }
        let is_pod = pod_spec == POD_SPEC;
        Ok(Some(Workload { kind, is_pod, object: self.object, class, user_info: self.user_info }))
    }
}

/// The class that an object names: the outer `None` if it has no pod spec, the inner if that names no class.
fn class_of<'a>(name: &str, object: &Value<'a>, pod_spec: Path) -> Result<Option<Option<Cow<'a, str>>>, FieldError> {
    let of_spec = |spec: &Value<'a>| spec.at("", &["runtimeClassName"], Value::string);
    let class = object.at(name, pod_spec, of_spec)?;
    Ok(class.map(|class| class.filter(|name| !name.is_empty())))
}

impl Workload<'_> {
    /// Whether this is a mirror Pod that a kubelet sent.
    ///
    /// # Errors
    /// A field that this depends on can't be read; the error says which.
    pub fn is_mirror_pod(&self) -> Result<bool, FieldError> {
        if !self.is_pod {
            return Ok(false);
        }
        let groups = self.user_info.at("request.userInfo", &["groups"], Value::strings)?;
        let is_node = groups.is_some_and(|groups| groups.iter().any(|Text(group)| group == NODES));
        let annotation = || self.object.at("request.object", &["metadata", "annotations", MIRROR], |_| Ok(()));
        Ok(is_node && annotation()?.is_some())
    }
}
