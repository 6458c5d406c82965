//! Pod templates in kinds that Kubernetes does not have.
use serde_json::Value;

/// Kinds of other groups that make Pods which their objects do not show. `*`: all kinds of the group.
const UNSEEN: [(&str, &[&str]); 18] = [
    (
        "argoproj.io",
        &["Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "Application", "ApplicationSet"],
    ),
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

/// A template whose containers have names. Knative and others name the containers that have none.
pub fn with_names(template: &Value) -> Value {
    let mut template = template.clone();
    for list in ["containers", "initContainers"] {
        let containers = template.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for (number, container) in containers.into_iter().flatten().enumerate() {
            if let Some(container) = container.as_object_mut() {
                container.entry("name").or_insert_with(|| format!("container-{number}").into());
            }
        }
    }
    template
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
