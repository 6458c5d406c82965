//! The kinds that are Pods or make them.

use serde_json::Value;

use super::fields::{Fill, Fill::*, Row, at};

pub struct Kind {
    pub group: &'static str,
    pub name: &'static str,
    pub resource: &'static str,
    /// Where the template of its Pods is; a Pod is its own.
    pub template: &'static str,
    /// The service account of the controller that creates its Pods; none for a Pod, which its user creates, and a
    /// PodTemplate, of which nothing is created.
    pub(super) controller: Option<&'static str>,
    pub(super) defaults: &'static [Row],
}

pub fn kind_of(group: &str, kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|known| known.group == group && known.name == kind)
}

impl Kind {
    /// Whether it is the Pod.
    pub fn is_pod(&self) -> bool {
        self.template.is_empty()
    }

    /// The template of an object of this kind.
    pub fn template_of<'o>(&self, object: &'o Value) -> Option<&'o Value> {
        if self.is_pod() { None } else { at(object, self.template) }
    }

    /// The pod spec of an object of this kind.
    pub fn pod_spec_of<'o>(&self, object: &'o Value) -> Option<&'o Value> {
        if self.is_pod() { object.get("spec") } else { self.template_of(object)?.get("spec") }
    }
}

const STATUS: Row = ("", "status", Object);
/// Written even where there is none.
const SELECTOR: Row = ("spec", "selector", Null);
const ROLLING_UPDATE: Fill = Text("RollingUpdate");

#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    Kind { group: "", name: "Pod", resource: "pods", template: "", controller: None, defaults: &[STATUS] },
    Kind { group: "", name: "PodTemplate", resource: "podtemplates", template: "template", controller: None, defaults: &[] },
    Kind { group: "", name: "ReplicationController", resource: "replicationcontrollers", template: "spec.template", controller: Some("replication-controller"), defaults: &[
        ("spec", "replicas", Number(1)),
        STATUS, ("status", "replicas", Number(0)),
    ] },
    Kind { group: "apps", name: "Deployment", resource: "deployments", template: "spec.template", controller: Some("replicaset-controller"), defaults: &[
        ("spec", "replicas", Number(1)),
        SELECTOR,
        ("spec", "strategy", Object),
        ("spec.strategy", "type", ROLLING_UPDATE),
        ("spec", "revisionHistoryLimit", Number(10)),
        ("spec", "progressDeadlineSeconds", Number(600)),
        STATUS,
    ] },
    Kind { group: "apps", name: "ReplicaSet", resource: "replicasets", template: "spec.template", controller: Some("replicaset-controller"), defaults: &[
        ("spec", "replicas", Number(1)),
        SELECTOR,
        STATUS, ("status", "replicas", Number(0)),
    ] },
    Kind { group: "apps", name: "StatefulSet", resource: "statefulsets", template: "spec.template", controller: Some("statefulset-controller"), defaults: &[
        ("spec", "replicas", Number(1)),
        SELECTOR,
        ("spec", "serviceName", Text("")),
        ("spec.ordinals", "start", Number(0)),
        ("spec", "podManagementPolicy", Text("OrderedReady")),
        ("spec", "revisionHistoryLimit", Number(10)),
        ("spec", "persistentVolumeClaimRetentionPolicy", Object),
        ("spec.persistentVolumeClaimRetentionPolicy", "whenDeleted", Text("Retain")),
        ("spec.persistentVolumeClaimRetentionPolicy", "whenScaled", Text("Retain")),
        ("spec.volumeClaimTemplates[]", "apiVersion", Text("v1")),
        ("spec.volumeClaimTemplates[]", "kind", Text("PersistentVolumeClaim")),
        ("spec.volumeClaimTemplates[]", "metadata", Object),
        ("spec.volumeClaimTemplates[]", "spec", Object),
        ("spec.volumeClaimTemplates[].spec", "resources", Object),
        ("spec.volumeClaimTemplates[].spec", "volumeMode", Text("Filesystem")),
        ("spec.volumeClaimTemplates[]", "status", Object),
        ("spec.volumeClaimTemplates[].status", "phase", Text("Pending")),
        STATUS, ("status", "replicas", Number(0)), ("status", "availableReplicas", Number(0)),
    ] },
    Kind { group: "apps", name: "DaemonSet", resource: "daemonsets", template: "spec.template", controller: Some("daemon-set-controller"), defaults: &[
        SELECTOR,
        ("metadata", "annotations", Object),
        ("metadata.annotations", "deprecated.daemonset.template.generation", Text("0")),
        ("spec", "updateStrategy", Object),
        ("spec.updateStrategy", "type", ROLLING_UPDATE),
        ("spec", "revisionHistoryLimit", Number(10)),
        STATUS,
        ("status", "currentNumberScheduled", Number(0)), ("status", "desiredNumberScheduled", Number(0)),
        ("status", "numberMisscheduled", Number(0)), ("status", "numberReady", Number(0)),
    ] },
    Kind { group: "batch", name: "Job", resource: "jobs", template: "spec.template", controller: Some("job-controller"), defaults: &[
        ("spec", "parallelism", Number(1)),
        ("spec", "completionMode", Text("NonIndexed")),
        ("spec", "manualSelector", Flag(false)),
        ("spec", "suspend", Flag(false)),
        ("spec.podFailurePolicy.rules[].onPodConditions[]", "status", Text("True")),
        STATUS,
    ] },
    Kind { group: "batch", name: "CronJob", resource: "cronjobs", template: "spec.jobTemplate.spec.template", controller: Some("job-controller"), defaults: &[
        ("spec", "schedule", Text("")),
        ("spec", "concurrencyPolicy", Text("Allow")),
        ("spec", "suspend", Flag(false)),
        ("spec", "successfulJobsHistoryLimit", Number(3)),
        ("spec", "failedJobsHistoryLimit", Number(1)),
        ("spec.jobTemplate", "metadata", Object),
        ("spec.jobTemplate.spec.podFailurePolicy.rules[].onPodConditions[]", "status", Text("True")),
        STATUS,
    ] },
];
