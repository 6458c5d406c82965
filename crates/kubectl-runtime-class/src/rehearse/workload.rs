//! The objects that have a pod spec, and the Pods that they create.
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

use super::object::Object;

/// A kind that has a pod spec.
#[derive(Debug, PartialEq)]
pub struct Kind {
    pub group: &'static str,
    pub kind: &'static str,
    pub resource: &'static str,
    /// The path of its template; none for a Pod.
    template: Option<&'static [&'static str]>,
}

const fn kind(
    group: &'static str,
    kind: &'static str,
    resource: &'static str,
    template: Option<&'static [&'static str]>,
) -> Kind {
    Kind { group, kind, resource, template }
}

const TEMPLATE: Option<&[&str]> = Some(&["spec", "template"]);

/// Pods.
pub const POD: Kind = kind("", "Pod", "pods", None);

const KINDS: [Kind; 9] = [
    POD,
    kind("", "ReplicationController", "replicationcontrollers", TEMPLATE),
    kind("", "PodTemplate", "podtemplates", Some(&["template"])),
    kind("apps", "Deployment", "deployments", TEMPLATE),
    kind("apps", "ReplicaSet", "replicasets", TEMPLATE),
    kind("apps", "StatefulSet", "statefulsets", TEMPLATE),
    kind("apps", "DaemonSet", "daemonsets", TEMPLATE),
    kind("batch", "Job", "jobs", TEMPLATE),
    kind("batch", "CronJob", "cronjobs", Some(&["spec", "jobTemplate", "spec", "template"])),
];

impl Kind {
    /// The kind of an object, if it has a pod spec.
    pub fn of(object: &Object) -> Option<&'static Self> {
        KINDS.iter().find(|known| known.group == object.group && known.kind == object.kind)
    }

    pub fn is_pod(&self) -> bool {
        self.template.is_none()
    }

    /// The pod spec of an object of this kind.
    pub fn pod_spec<'a>(&self, object: &'a RawValue) -> Option<&'a RawValue> {
        at(object, self.template.unwrap_or_default().iter().chain(&["spec"]))
    }

    /// The Pod of the template of such an object, as its controller would create it.
    pub fn pod_of_template(&self, object: &RawValue, name: &str, namespace: &str) -> Option<Box<RawValue>> {
        let path = self.template?;
        let spec = self.pod_spec(object)?;
        let part = |key| at(object, path.iter().chain(&["metadata", key]));
        let metadata = PodMetadata {
            generate_name: format!("{name}-"),
            namespace,
            labels: part("labels"),
            annotations: part("annotations"),
        };
        to_raw_value(&Pod { api_version: "v1", kind: POD.kind, metadata, spec }).ok()
    }
}

/// The value at a path, as text.
fn at<'a, 'p>(value: &'a RawValue, path: impl IntoIterator<Item = &'p &'p str>) -> Option<&'a RawValue> {
    path.into_iter().try_fold(value, |value, key| {
        let members: BTreeMap<String, &'a RawValue> = serde_json::from_str(value.get()).ok()?;
        members.get(*key).copied()
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pod<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: PodMetadata<'a>,
    spec: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PodMetadata<'a> {
    generate_name: String,
    namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a RawValue>,
}
