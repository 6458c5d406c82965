//! What the API server asks: which kind of object, where its pod spec is, which class it names.
//!
//! The shape is that of an
//! [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request).
use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Error, value::RawValue};

use crate::json::{Object, Open, OptionalText, Path, Place, Reader, Text};

/// Where a kubelet marks a Pod as the
/// [mirror of a static Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: Path = &["annotations", "kubernetes.io/config.mirror"];

/// The group that the kubelets' users are in.
const NODES: &str = "system:nodes";

const OPERATION: Place = Place { root: "request", path: &["operation"] };
const OBJECT: &str = "request.object";
const OLD_OBJECT: &str = "request.oldObject";

/// The parts of an AdmissionRequest that matter here.
#[derive(Default)]
pub struct Request<'a> {
    kind: Option<Kind<'a>>,
    operation: Option<Cow<'a, str>>,
    user: Option<User<'a>>,
    object: Option<Body<'a>>,
    old_object: Option<Body<'a>>,
}

/// Who sent the request.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct User<'a> {
    #[serde(borrow)]
    groups: Option<Vec<Text<'a>>>,
}

/// An object of a request: opened in the pass that reads the request if its kind is known by then,
/// as it is when policy-server sends it.
enum Body<'a> {
    Unopened(&'a RawValue),
    Opened(Option<Object<'a>>),
}

/// The group and kind of an object. The group says whose kind it is: others have a `Job`, too.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Kind<'a> {
    #[serde(borrow, default)]
    group: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

/// An object whose choice of a container runtime is to be judged.
pub struct Workload<'a> {
    pub kind: Cow<'a, str>,
    pub object: Object<'a>,
    /// Where the object names its class.
    pub path: Path<'static>,
    /// The class that it names, if it names one.
    pub runtime_class: Option<Cow<'a, str>>,
    /// Whether the API server has merged the scheduling of that class into the pod spec. It does so
    /// with Pods alone, before the policy sees them.
    pub has_scheduling_merged: bool,
}

impl Kind<'_> {
    /// Where the objects of this kind name the class of their Pods; `None` for one that has no Pods.
    fn runtime_class_name(&self) -> Option<Path<'static>> {
        Some(match (self.group.as_ref(), self.kind.as_ref()) {
            ("", "Pod") => &["spec", "runtimeClassName"],
            ("", "PodTemplate") => &["template", "spec", "runtimeClassName"],
            ("", "ReplicationController")
            | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch", "Job") => &["spec", "template", "spec", "runtimeClassName"],
            ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec", "runtimeClassName"],
            _ => return None,
        })
    }

    fn is_pod(&self) -> bool {
        self.group.is_empty() && self.kind == "Pod"
    }

    /// Whether the API server lets nobody change the class of an object that is there.
    fn keeps_its_class(&self) -> bool {
        self.is_pod() || (self.group == "batch" && self.kind == "Job")
    }
}

impl User<'_> {
    fn is_node(&self) -> bool {
        self.groups.iter().flatten().any(|Text(group)| group == NODES)
    }
}

impl<'a> Body<'a> {
    fn open(self, root: &'static str, path: Path) -> Result<Option<Object<'a>>, Error> {
        match self {
            Body::Unopened(raw) => Open::new(root, path).read(raw.get()),
            Body::Opened(object) => Ok(object),
        }
    }
}

impl<'a> Request<'a> {
    /// Reads one of the objects, opened if it is known by now where.
    fn body<A: MapAccess<'a>>(&self, root: &'static str, map: &mut A) -> Result<Body<'a>, A::Error> {
        Ok(match self.kind.as_ref().and_then(Kind::runtime_class_name) {
            Some(path) => Body::Opened(map.next_value_seed(Open::new(root, path))?),
            None => Body::Unopened(map.next_value()?),
        })
    }

    /// The workload that is to be judged, if this request has one.
    ///
    /// # Errors
    /// What has to be read to know that can't be; the error says where it is.
    pub fn workload(self) -> Result<Option<Workload<'a>>, Error> {
        let operation = self.operation.as_deref().unwrap_or_default();
        let Some(object) = self.object else { return Ok(None) };
        if matches!(operation, "DELETE" | "CONNECT") {
            return Ok(None);
        }
        let Some(kind) = self.kind else { return Err(Error::missing_field("request.kind")) };
        let Some(path) = kind.runtime_class_name() else { return Ok(None) };
        let Some(object) = object.open(OBJECT, path)? else { return Ok(None) };
        let Some(pod_spec) = object.parent(path)? else { return Ok(None) };
        let runtime_class = class_of(pod_spec, Place { root: OBJECT, path })?;

        if operation == "UPDATE"
            && kind.keeps_its_class()
            && let Some(old) = self.old_object
            && let Some(old) = old.open(OLD_OBJECT, path)?
        {
            let old_class = match old.parent(path)? {
                Some(pod_spec) => class_of(pod_spec, Place { root: OLD_OBJECT, path })?,
                None => None,
            };
            if old_class == runtime_class {
                return Ok(None);
            }
        }
        if kind.is_pod() && self.user.is_some_and(|user| user.is_node()) && is_mirror(&object)? {
            return Ok(None);
        }
        let has_scheduling_merged = kind.is_pod();
        Ok(Some(Workload { kind: kind.kind, object, path, runtime_class, has_scheduling_merged }))
    }
}

/// The class that a pod spec names, which it does at `place`.
fn class_of<'a>(pod_spec: &Object<'a>, place: Place) -> Result<Option<Cow<'a, str>>, Error> {
    Ok(pod_spec.text("runtimeClassName", place)?.filter(|name| !name.is_empty()))
}

/// Whether a Pod says of itself that it shows a static Pod.
fn is_mirror(pod: &Object) -> Result<bool, Error> {
    let Some(metadata) = pod.raw("metadata")? else { return Ok(false) };
    let Some(metadata) = Open::new("request.object.metadata", MIRROR).read(metadata.get())? else { return Ok(false) };
    Ok(match metadata.parent(MIRROR)? {
        Some(annotations) => annotations.raw("kubernetes.io/config.mirror")?.is_some(),
        None => false,
    })
}

impl<'de: 'a, 'a> Deserialize<'de> for Request<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RequestVisitor)
    }
}

/// Says where an error is.
fn at<E: serde::de::Error>(place: &str) -> impl Fn(E) -> E {
    move |error| E::custom(format_args!("{place}: {error}"))
}

/// Keeps a value that is to be there once: which of two counts is up to the reader.
fn once<T, E: serde::de::Error>(kept: &mut Option<T>, place: &'static str, value: Option<T>) -> Result<(), E> {
    match kept {
        Some(_) => Err(E::duplicate_field(place)),
        None => {
            *kept = value;
            Ok(())
        }
    }
}

/// The members of a request, by their keys.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Part {
    Kind,
    Operation,
    UserInfo,
    Object,
    OldObject,
    #[serde(other)]
    Other,
}

struct RequestVisitor;

impl<'a> Visitor<'a> for RequestVisitor {
    type Value = Request<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request to be an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut request = Request::default();
        while let Some(part) = map.next_key()? {
            match part {
                Part::Kind => {
                    let kind = map.next_value().map_err(at("request.kind"))?;
                    once(&mut request.kind, "request.kind", kind)?;
                }
                Part::Operation => {
                    let operation = map.next_value_seed(OptionalText(OPERATION))?;
                    once(&mut request.operation, "request.operation", operation)?;
                }
                Part::UserInfo => {
                    let user = map.next_value().map_err(at("request.userInfo"))?;
                    once(&mut request.user, "request.userInfo", user)?;
                }
                Part::Object => {
                    let object = request.body(OBJECT, &mut map)?;
                    once(&mut request.object, OBJECT, Some(object))?;
                }
                Part::OldObject => {
                    let old_object = request.body(OLD_OBJECT, &mut map)?;
                    once(&mut request.old_object, OLD_OBJECT, Some(old_object))?;
                }
                Part::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(request)
    }
}
