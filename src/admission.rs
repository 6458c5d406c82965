//! The admission request: which kinds are judged, and which class an object asks for.
//!
//! The fields are those of an
//! [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request).
use std::borrow::Cow;

use crate::json::{FieldError, Object, Outline, Path, Problem, Text};

/// The annotation by which a kubelet marks the
/// [mirror Pod of a static Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The group of the kubelets' users.
const NODES: &str = "system:nodes";

/// An AdmissionRequest.
pub struct Request<'a>(pub Object<'a>);

/// The group and kind of an object. The kind alone does not tell: other groups have a `Job`, too.
pub struct Kind<'a> {
    group: Cow<'a, str>,
    name: Cow<'a, str>,
}

/// An object whose container runtime is to be judged.
pub struct Workload<'a> {
    pub kind: Cow<'a, str>,
    pub form: Form,
    pub object: Object<'a>,
    /// The class that it names.
    pub class: Option<Cow<'a, str>>,
}

/// Whether a workload is a Pod, or an object that creates Pods from a template.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Pod,
    Template,
}

impl<'a> Request<'a> {
    /// The workload to judge, or `None` if the request has none.
    ///
    /// # Errors
    /// A field that this depends on can't be read; the error says which.
    pub fn workload(self) -> Result<Option<Workload<'a>>, FieldError> {
        find_workload(self.0).map_err(|error| error.under("request"))
    }
}

fn find_workload(mut request: Object<'_>) -> Result<Option<Workload<'_>>, FieldError> {
    let operation = request.text("operation")?.unwrap_or_default();
    if matches!(operation.as_ref(), "DELETE" | "CONNECT") || request.get("object")?.is_none() {
        return Ok(None);
    }
    let kind = Kind::of(&request)?;
    let Some(pod_spec) = kind.pod_spec() else { return Ok(None) };
    let Some(object) = request.take_object("object", Outline::Path(pod_spec))? else { return Ok(None) };
    let Some(class) = class_of(&object, pod_spec).map_err(|error| error.under("object"))? else { return Ok(None) };

    if operation == "UPDATE"
        && let Some(old) = request.take_object("oldObject", Outline::Path(pod_spec))?
        && class_of(&old, pod_spec).map_err(|error| error.under("oldObject"))?.flatten() == class
    {
        return Ok(None);
    }
    let form = kind.form();
    if form == Form::Pod && is_sent_by_node(&request)? && is_mirror(&object).map_err(|error| error.under("object"))? {
        return Ok(None);
    }
    Ok(Some(Workload { kind: kind.name, form, object, class }))
}

impl<'a> Kind<'a> {
    /// The kind of a request's object.
    ///
    /// # Errors
    /// The request has no kind, or one that can't be read.
    pub fn of(request: &Object<'a>) -> Result<Self, FieldError> {
        let missing = || FieldError::new("kind", Problem::Missing);
        let kind = request.at(&["kind"])?.ok_or_else(missing)?;
        let group = kind.text("group").map_err(|error| error.under("kind"))?.unwrap_or_default();
        let name = kind.text("kind").and_then(|name| name.ok_or_else(missing)).map_err(|error| error.under("kind"))?;
        Ok(Self { group, name })
    }

    /// Where objects of this kind have their pod spec, or `None` if they have none.
    pub fn pod_spec(&self) -> Option<Path> {
        Some(match (self.group.as_ref(), self.name.as_ref()) {
            ("", "Pod") => &["spec"],
            ("", "PodTemplate") => &["template", "spec"],
            ("", "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch", "Job") => &["spec", "template", "spec"],
            ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
            _ => return None,
        })
    }

    fn form(&self) -> Form {
        if self.group.is_empty() && self.name == "Pod" { Form::Pod } else { Form::Template }
    }
}

/// The class that an object names, if it names one, or `None` if it has no pod spec.
fn class_of<'a>(object: &Object<'a>, pod_spec: Path) -> Result<Option<Option<Cow<'a, str>>>, FieldError> {
    let Some(spec) = object.at(pod_spec)? else { return Ok(None) };
    let class = spec.text("runtimeClassName").map_err(|error| error.under(&pod_spec.join(".")))?;
    Ok(Some(class.filter(|name| !name.is_empty())))
}

/// Whether a kubelet sent the request.
fn is_sent_by_node(request: &Object) -> Result<bool, FieldError> {
    let Some(user) = request.at(&["userInfo"])? else { return Ok(false) };
    let groups = user.read::<Vec<Text>>("groups", "a list of strings").map_err(|error| error.under("userInfo"))?;
    Ok(groups.into_iter().flatten().any(|Text(group)| group == NODES))
}

/// Whether a Pod has the annotation of a mirror Pod.
fn is_mirror(pod: &Object) -> Result<bool, FieldError> {
    let Some(metadata) = pod.open("metadata", Outline::Path(&["annotations"]))? else { return Ok(false) };
    let Some(annotations) = metadata.at(&["annotations"]).map_err(|error| error.under("metadata"))? else {
        return Ok(false);
    };
    Ok(annotations.get(MIRROR).map_err(|error| error.under("metadata.annotations"))?.is_some())
}
