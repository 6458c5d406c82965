//! The kinds that have Pods, and where they keep their pod spec.
use serde_json::Value;

/// A resource of the API, as rules select it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub resource: String,
    /// Empty for the resource itself.
    pub subresource: String,
}

/// A kind of Kubernetes that has a pod spec.
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

/// Kinds of other groups that make Pods which their objects do not show. `*`: all kinds of the group.
const UNSEEN: [(&str, &[&str]); 18] = [
    ("argoproj.io", &["Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "Application", "ApplicationSet"]),
    ("kubevirt.io", &["*"]),
    ("pool.kubevirt.io", &["*"]),
    ("cdi.kubevirt.io", &["DataVolume"]),
    ("tekton.dev", &["*"]),
    ("build.openshift.io", &["BuildConfig", "Build"]),
    ("sparkoperator.k8s.io", &["SparkApplication", "ScheduledSparkApplication"]),
    ("monitoring.coreos.com", &["Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler"]),
    ("kafka.strimzi.io", &["*"]),
    ("postgresql.cnpg.io", &["Cluster", "Pooler"]),
    ("acid.zalan.do", &["postgresql"]),
    ("k8s.elastic.co", &["*"]),
    ("elasticsearch.k8s.elastic.co", &["*"]),
    ("kibana.k8s.elastic.co", &["*"]),
    ("helm.cattle.io", &["HelmChart"]),
    ("helm.toolkit.fluxcd.io", &["HelmRelease"]),
    ("kustomize.toolkit.fluxcd.io", &["Kustomization"]),
    ("upgrade.cattle.io", &["Plan"]),
];

/// Groups whose objects are about Pods, and make none.
const NO_WORKLOADS: [&str; 7] = [
    "kyverno.io",
    "policies.kyverno.io",
    "policies.kubewarden.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "mutations.gatekeeper.sh",
    "templates.gatekeeper.sh",
];

impl Resource {
    /// Whether an entry of a rule's `resources` matches it.
    pub fn is_matched_by(&self, entry: &str) -> bool {
        let (resource, subresource) = entry.split_once('/').unwrap_or((entry, ""));
        (resource == "*" || resource == self.resource) && (subresource == "*" || subresource == self.subresource)
    }
}

impl Kind {
    /// The kind of this name in this group.
    pub fn of(group: &str, kind: &str) -> Option<&'static Self> {
        KINDS.iter().find(|known| known.group == group && known.kind == kind)
    }

    /// Whether it is the Pod.
    pub fn is_pod(&self) -> bool {
        self.template.is_none()
    }

    /// Its resource in this version.
    pub fn resource(&self, version: &str) -> Resource {
        Resource {
            group: self.group.to_owned(),
            version: version.to_owned(),
            resource: self.resource.to_owned(),
            subresource: String::new(),
        }
    }

    /// The template of an object of this kind.
    pub fn template<'o>(&self, object: &'o Value) -> Option<&'o Value> {
        at(object, self.template?)
    }

    /// The pod spec of an object of this kind.
    pub fn pod_spec<'o>(&self, object: &'o Value) -> Option<&'o Value> {
        at(object, self.template.unwrap_or_default())?.get("spec")
    }
}

fn at<'o>(object: &'o Value, path: &[&str]) -> Option<&'o Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// Whether this kind is known to make Pods that its objects do not show.
pub fn makes_unseen_pods(group: &str, kind: &str) -> bool {
    UNSEEN.iter().any(|(known, kinds)| *known == group && (*kinds == ["*"] || kinds.contains(&kind)))
}

/// The pod templates in an object of a kind that Kubernetes does not have, in the order of the object: whatever has a
/// `spec` with containers, each with an image. A container of Knative has no name.
pub fn templates_by_shape<'o>(group: &str, object: &'o Value) -> Vec<&'o Value> {
    let mut found = vec![];
    if !NO_WORKLOADS.contains(&group) {
        let parts = object.as_object().into_iter().flatten();
        let parts = parts.filter(|(key, _)| !["metadata", "status"].contains(&key.as_str()));
        parts.for_each(|(key, part)| find_templates(if key == "spec" { object } else { part }, part, &mut found));
    }
    found
}

/// Adds the templates in `value`, whose parent is `parent`.
fn find_templates<'o>(parent: &'o Value, value: &'o Value, found: &mut Vec<&'o Value>) {
    if is_pod_spec(value) && parent.get("spec").is_some_and(|spec| std::ptr::eq(spec, value)) {
        return found.push(parent);
    }
    match value {
        Value::Object(members) => members.values().for_each(|member| find_templates(value, member, found)),
        Value::Array(items) => items.iter().for_each(|item| find_templates(value, item, found)),
        _ => {}
    }
}

fn is_pod_spec(value: &Value) -> bool {
    let containers = value.get("containers").and_then(Value::as_array);
    containers.is_some_and(|list| !list.is_empty() && list.iter().all(|container| container["image"].is_string()))
}
