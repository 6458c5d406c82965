//! The admission request: which kinds are judged, and which class an object asks for.
//!
//! The fields are those of an
//! [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request).
use std::borrow::Cow;

use serde::de::MapAccess;

use crate::{
    field::{Field, FieldError, Problem},
    json::{Members, Object, Path, Text, Unread, Value},
};

/// The annotation by which a kubelet marks the
/// [mirror Pod of a static Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The group of the kubelets' users.
const NODES: &str = "system:nodes";

/// The fields of an AdmissionRequest that the policy reads.
#[derive(Default)]
pub struct Request<'a> {
    kind: Field<Value<'a>>,
    operation: Field<Value<'a>>,
    user_info: Field<Value<'a>>,
    object: Field<Value<'a>>,
    old_object: Field<Value<'a>>,
    /// Where the objects have their pod spec, if their kind is known by now.
    pod_spec: Option<Path>,
}

impl<'a> Members<'a> for Request<'a> {
    /// The objects are opened if their kind comes before them, as it does in what policy-server sends.
    /// Otherwise they are kept as text, and opened in a second pass.
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        match key.as_ref() {
            "kind" => {
                self.kind.set(value.open(&[])?);
                self.pod_spec = Kind::of(&self.kind).ok().and_then(|kind| kind.pod_spec());
            }
            "operation" => self.operation.set(value.keep()?),
            "userInfo" => self.user_info.set(value.open(&[])?),
            "object" => self.object.set(read_object(value, self.pod_spec)?),
            "oldObject" => self.old_object.set(read_object(value, self.pod_spec)?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

fn read_object<'a, V: MapAccess<'a>>(object: Unread<V>, pod_spec: Option<Path>) -> Result<Value<'a>, V::Error> {
    match pod_spec {
        Some(path) => object.open(path),
        None => object.keep(),
    }
}

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
        find_workload(self).map_err(|error| error.under("request"))
    }
}

fn find_workload(request: Request<'_>) -> Result<Option<Workload<'_>>, FieldError> {
    let operation = request.operation.text("operation")?.unwrap_or_default();
    if matches!(operation.as_ref(), "DELETE" | "CONNECT") || request.object.get("object")?.is_none() {
        return Ok(None);
    }
    let kind = Kind::of(&request.kind)?;
    let Some(pod_spec) = kind.pod_spec() else { return Ok(None) };
    let Some(object) = request.object.into_object("object", pod_spec)? else { return Ok(None) };
    let Some(class) = class_of(&object, pod_spec).map_err(|error| error.under("object"))? else { return Ok(None) };

    if operation == "UPDATE"
        && let Some(old) = request.old_object.into_object("oldObject", pod_spec)?
        && class_of(&old, pod_spec).map_err(|error| error.under("oldObject"))?.flatten() == class
    {
        return Ok(None);
    }
    let form = kind.form();
    if form == Form::Pod
        && is_sent_by_node(request.user_info)?
        && is_mirror(&object).map_err(|error| error.under("object"))?
    {
        return Ok(None);
    }
    Ok(Some(Workload { kind: kind.name, form, object, class }))
}

impl<'a> Kind<'a> {
    /// The kind of a request's object.
    ///
    /// # Errors
    /// The request has no kind, or one that can't be read.
    fn of(field: &Field<Value<'a>>) -> Result<Self, FieldError> {
        let missing = || FieldError::new("kind", Problem::Missing);
        let kind = field.get("kind")?.ok_or_else(missing)?.object("kind")?;
        Self::read(kind).map_err(|error| error.under("kind"))
    }

    fn read(kind: &Object<'a>) -> Result<Self, FieldError> {
        let missing = || FieldError::new("kind", Problem::Missing);
        let group = kind.text("group")?.unwrap_or_default();
        let name = kind.text("kind")?.ok_or_else(missing)?;
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
fn is_sent_by_node(user: Field<Value>) -> Result<bool, FieldError> {
    let Some(user) = user.into_object("userInfo", &[])? else { return Ok(false) };
    let groups = user.read::<Vec<Text>>("groups", "a list of strings").map_err(|error| error.under("userInfo"))?;
    Ok(groups.into_iter().flatten().any(|Text(group)| group == NODES))
}

/// Whether a Pod has the annotation of a mirror Pod.
fn is_mirror(pod: &Object) -> Result<bool, FieldError> {
    let Some(metadata) = pod.open("metadata", &["annotations"])? else { return Ok(false) };
    let Some(annotations) = metadata.at(&["annotations"]).map_err(|error| error.under("metadata"))? else {
        return Ok(false);
    };
    Ok(annotations.get(MIRROR).map_err(|error| error.under("metadata.annotations"))?.is_some())
}
