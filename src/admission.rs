//! The admission request: which kinds are judged, and which class an object asks for.
//!
//! The fields are those of an
//! [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request).
use std::borrow::Cow;

use serde::de::MapAccess;

use crate::{
    field::{Field, FieldError, Problem},
    json::{Members, Object, Opened, Path, Text, Unread, Value},
};

/// The annotation by which a kubelet marks the
/// [mirror Pod of a static Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The group of the kubelets' users.
const NODES: &str = "system:nodes";

/// The fields of an AdmissionRequest that the policy reads.
#[derive(Default)]
pub struct Request<'a> {
    kind: Field<Result<Kind<'a>, FieldError>>,
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
                let kind = Kind::of(value.read(GroupKind::default)?);
                self.pod_spec = kind.as_ref().map_or(None, |kind| kind.pod_spec);
                self.kind.set(kind);
            }
            "operation" => self.operation.set(value.keep()?),
            "userInfo" => self.user_info.set(value.keep()?),
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

/// A kind of objects.
struct Kind<'a> {
    name: Cow<'a, str>,
    /// Where they have their pod spec, or `None` if they have none.
    pod_spec: Option<Path>,
}

/// The fields that tell the kind of an object. The name alone does not: other groups have a `Job`, too.
#[derive(Default)]
struct GroupKind<'a> {
    group: Field<Value<'a>>,
    kind: Field<Value<'a>>,
}

impl<'a> Members<'a> for GroupKind<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        match key.as_ref() {
            "group" => self.group.set(value.keep()?),
            "kind" => self.kind.set(value.keep()?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

/// Where a Pod has its spec.
const POD_SPEC: Path = &["spec"];

impl<'a> Kind<'a> {
    fn of(kind: Opened<'a, GroupKind<'a>>) -> Result<Self, FieldError> {
        match kind {
            Ok(fields) => Self::read(&fields).map_err(|error| error.under("kind")),
            Err(other) if other.is_null() => Err(Self::missing()),
            Err(other) => Err(other.is_not("an object", "kind")),
        }
    }

    fn read(fields: &GroupKind<'a>) -> Result<Self, FieldError> {
        let group = fields.group.text("group")?.unwrap_or_default();
        let name = fields.kind.text("kind")?.ok_or_else(Self::missing)?;
        let pod_spec: Option<Path> = match (group.as_ref(), name.as_ref()) {
            ("", "Pod") => Some(POD_SPEC),
            ("", "PodTemplate") => Some(&["template", "spec"]),
            ("", "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch", "Job") => Some(&["spec", "template", "spec"]),
            ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
            _ => None,
        };
        Ok(Self { name, pod_spec })
    }

    fn missing() -> FieldError {
        FieldError::new("kind", Problem::Missing)
    }
}

/// An object whose container runtime is to be judged.
pub struct Workload<'a> {
    pub kind: Cow<'a, str>,
    pub form: Form,
    pub object: Object<'a>,
    /// The class that it names.
    pub class: Option<Cow<'a, str>>,
    user_info: Field<Value<'a>>,
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
    let Kind { name, pod_spec } = request.kind.take("kind")?.ok_or_else(Kind::missing)??;
    let Some(pod_spec) = pod_spec else { return Ok(None) };
    let Some(object) = request.object.into_object("object", pod_spec)? else { return Ok(None) };
    let Some(class) = class_of(&object, pod_spec).map_err(|error| error.under("object"))? else { return Ok(None) };

    if operation == "UPDATE"
        && let Some(old) = request.old_object.into_object("oldObject", pod_spec)?
        && class_of(&old, pod_spec).map_err(|error| error.under("oldObject"))?.flatten() == class
    {
        return Ok(None);
    }
    let form = if pod_spec == POD_SPEC { Form::Pod } else { Form::Template };
    Ok(Some(Workload { kind: name, form, object, class, user_info: request.user_info }))
}

/// The class that an object names, if it names one, or `None` if it has no pod spec.
fn class_of<'a>(object: &Object<'a>, pod_spec: Path) -> Result<Option<Option<Cow<'a, str>>>, FieldError> {
    let Some(spec) = object.at(pod_spec)? else { return Ok(None) };
    let class = spec.text("runtimeClassName").map_err(|error| error.under(&pod_spec.join(".")))?;
    Ok(Some(class.filter(|name| !name.is_empty())))
}

impl Workload<'_> {
    /// Whether this is a mirror Pod that a kubelet sent.
    ///
    /// # Errors
    /// A field that this depends on can't be read; the error says which.
    pub fn is_mirror_pod(&self) -> Result<bool, FieldError> {
        let is_one = || Ok(self.form == Form::Pod && self.is_sent_by_node()? && self.has_mirror_annotation()?);
        is_one().map_err(|error: FieldError| error.under("request"))
    }

    fn is_sent_by_node(&self) -> Result<bool, FieldError> {
        let Some(user) = self.user_info.get("userInfo")? else { return Ok(false) };
        let UserInfo { groups } = user.members("userInfo")?;
        let groups: Option<Vec<Text>> =
            groups.read("groups", "a list of strings").map_err(|error| error.under("userInfo"))?;
        Ok(groups.into_iter().flatten().any(|Text(group)| group == NODES))
    }

    fn has_mirror_annotation(&self) -> Result<bool, FieldError> {
        let read = || {
            let Some(metadata) = self.object.open("metadata", &["annotations"])? else { return Ok(false) };
            let annotations = metadata.at(&["annotations"]).map_err(|error| error.under("metadata"))?;
            let Some(annotations) = annotations else { return Ok(false) };
            Ok(annotations.get(MIRROR).map_err(|error| error.under("metadata.annotations"))?.is_some())
        };
        read().map_err(|error: FieldError| error.under("object"))
    }
}

/// The field of a
/// [UserInfo](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authentication-strategies) that
/// the policy reads.
#[derive(Default)]
struct UserInfo<'a> {
    groups: Field<Value<'a>>,
}

impl<'a> Members<'a> for UserInfo<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        match key.as_ref() {
            "groups" => self.groups.set(value.keep()?),
            _ => value.skip()?,
        }
        Ok(())
    }
}
