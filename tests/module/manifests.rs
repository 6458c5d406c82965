//! The manifests of the repository are safe to apply as they stand.
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use k8s_openapi::{
    Metadata, NamespaceResourceScope, Resource,
    api::{
        admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
        apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
        batch::v1::{CronJob, Job},
        core::v1::{PodTemplate, ReplicationController},
        rbac::v1::{ClusterRole, ClusterRoleBinding},
    },
};
use kubectl_runtime_class::Capabilities;
use kubewarden_policy_sdk::crd::policies::{
    admission_policy::AdmissionPolicySpec, cluster_admission_policy::ClusterAdmissionPolicySpec,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tests::*;

use crate::cel::holds;

/// An object to apply.
pub struct Manifest {
    /// Where it stands, for the messages of the tests.
    pub source: String,
    pub object: Value,
}

impl Manifest {
    fn kind(&self) -> String {
        format!("{} {}", text(&self.object["apiVersion"]), text(&self.object["kind"]))
    }

    /// Whether it is a policy that runs the module.
    fn is_policy(&self) -> bool {
        self.object["apiVersion"] == "policies.kubewarden.io/v1"
    }

    pub fn spec(&self) -> &Value {
        &self.object["spec"]
    }

    pub fn settings(&self) -> &Value {
        &self.spec()["settings"]
    }

    pub fn fallback(&self) -> Option<&str> {
        self.settings()["fallbackRuntime"].as_str()
    }

    fn is_enforced(&self) -> bool {
        self.spec()["mode"] == "protect"
    }

    /// Whether a Pod that names no class gets the fallback, and one that names a rejected class does not.
    pub fn moves_only_the_default(&self) -> bool {
        self.settings()["fallbackFor"] == "default"
    }

    /// Whether all match conditions hold for the creation of this Pod, so that the policy is asked.
    pub fn is_asked_about(&self, pod: &Value) -> bool {
        let mut request = create(pod.clone());
        if let Some(namespace) = pod["metadata"].get("namespace") {
            request["namespace"] = namespace.clone();
        }
        let conditions = self.spec()["matchConditions"].as_array();
        conditions.into_iter().flatten().all(|condition| holds(condition, &[("object", pod), ("request", &request)]))
    }

    /// What the policy answers when this Pod is created.
    pub fn answer(&self, pod: &Value) -> Value {
        self.answer_in(pod, classes())
    }

    /// What the policy answers when this Pod is created in a cluster with these classes.
    pub fn answer_in(&self, pod: &Value, classes: Vec<Value>) -> Value {
        let cluster = if self.reads_classes() { Capabilities::cluster(classes) } else { Capabilities::not_granted() };
        ask(&create(pod.clone()), self.settings(), cluster).0
    }

    fn reads_classes(&self) -> bool {
        self.spec()["contextAwareResources"] == json!([{ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" }])
    }

    fn rules(&self) -> Vec<Value> {
        let rules = [&self.spec()["rules"], &self.spec()["matchConstraints"]["resourceRules"]];
        rules.into_iter().flat_map(Value::as_array).flatten().cloned().collect()
    }

    fn judges(&self, resource: &str) -> bool {
        self.rules().iter().any(|rule| rule["resources"].as_array().expect("resources").contains(&json!(resource)))
    }

    /// Which namespaces it covers.
    pub fn namespace_selector(&self) -> &Value {
        let spec = self.spec();
        spec.get("namespaceSelector").unwrap_or_else(|| &spec["matchConstraints"]["namespaceSelector"])
    }

    /// Whether it covers all namespaces but some, and so also ones that nobody has thought of.
    fn covers_unnamed_namespaces(&self) -> bool {
        self.namespace_selector()["matchExpressions"][0]["operator"] == "NotIn"
    }

    /// Whether it covers a namespace with this name and these labels.
    pub fn covers(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        let label = |key: &Value| match key.as_str() {
            Some("kubernetes.io/metadata.name") => Some(name),
            key => labels.iter().find(|(label, _)| Some(*label) == key).map(|(_, value)| *value),
        };
        let expressions = self.namespace_selector()["matchExpressions"].as_array().expect("matchExpressions");
        expressions.iter().all(|expression| {
            let values = expression["values"].as_array().expect("values");
            let is_listed = label(&expression["key"]).is_some_and(|value| values.contains(&json!(value)));
            match text(&expression["operator"]).as_str() {
                "In" => is_listed,
                "NotIn" => !is_listed,
                operator => panic!("{}: {operator}", self.source),
            }
        })
    }
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The files below `folder` that have this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path, extension));
        } else if path.extension() == Some(OsStr::new(extension)) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The objects of `deploy/`, but for what Helm and Prometheus read.
fn deployed() -> Vec<Manifest> {
    let root = workspace::root();
    let others = ["deploy/helm", "deploy/monitoring"].map(|folder| root.join(folder));
    let mut manifests = vec![];
    let is_manifest = |path: &PathBuf| !others.iter().any(|folder| path.starts_with(folder));
    for path in files(&root.join("deploy"), "yml").into_iter().filter(is_manifest) {
        let source = path.strip_prefix(root).expect("a file of the checkout").display().to_string();
        let objects = examples::documents(&file(&source)).unwrap_or_else(|error| panic!("{source}: {error}"));
        manifests.extend(objects.into_iter().map(|object| Manifest { source: source.clone(), object }));
    }
    manifests
}

/// The objects in the YAML blocks of the README and of `docs/`.
fn documented() -> Vec<Manifest> {
    let root = workspace::root();
    let mut manifests = vec![];
    for path in files(&root.join("docs"), "md").into_iter().chain([root.join("README.md")]) {
        let source = path.strip_prefix(root).expect("a file of the checkout").display().to_string();
        let page = file(&source);
        let blocks = page.split("\n```yaml").skip(1).filter_map(|rest| rest.split_once('\n'));
        for block in blocks.filter_map(|(_, rest)| rest.split("\n```").next()) {
            let objects = examples::documents(block).unwrap_or_else(|error| panic!("{source}: {error}\n{block}"));
            let policies = objects.into_iter().map(|object| Manifest { source: source.clone(), object });
            manifests.extend(policies.filter(Manifest::is_policy));
        }
    }
    manifests
}

fn manifests() -> Vec<Manifest> {
    deployed().into_iter().chain(documented()).collect()
}

/// The manifests that run the module.
pub fn policies() -> Vec<Manifest> {
    manifests().into_iter().filter(Manifest::is_policy).collect()
}

/// The object of this kind in a file of `deploy/`.
#[track_caller]
pub fn manifest(source: &str, kind: &str) -> Manifest {
    let found = deployed().into_iter().find(|manifest| manifest.source == source && manifest.object["kind"] == kind);
    found.unwrap_or_else(|| panic!("{source} has a {kind}"))
}

/// A cluster with sandboxes, plain runtimes, and NVIDIA's class, which runs plain runc as well.
fn classes() -> Vec<Value> {
    [("kata", "kata-qemu"), ("gvisor", "runsc"), ("plain", "runc"), ("crun", "crun"), ("nvidia", "nvidia")]
        .map(|(name, handler)| class(name, handler))
        .to_vec()
}

/// A Pod of each class and of none, each for no operating system, Linux and Windows.
fn pods() -> Vec<Value> {
    let named = classes().into_iter().map(|class| json!({ "runtimeClassName": class["metadata"]["name"] }));
    let specs: Vec<Value> = named.chain([json!({}), json!({ "runtimeClassName": "" })]).collect();
    let on = |system: &str| {
        let mut specs = specs.clone();
        specs.iter_mut().for_each(|spec| spec["os"] = json!({ "name": system }));
        specs
    };
    [on("linux"), on("windows"), specs.clone()].concat().into_iter().map(pod).collect()
}

fn is_for_windows(pod: &Value) -> bool {
    pod["spec"]["os"]["name"] == "windows"
}

/// Typed and back: a field that the type does not know is lost on the way.
fn round_trip<T: DeserializeOwned + Serialize>(object: &Value) -> Value {
    json!(serde_json::from_value::<T>(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}")))
}

#[test]
fn every_manifest_is_one_that_the_api_server_knows() {
    for manifest in manifests() {
        let Manifest { source, object } = &manifest;
        let known = match manifest.kind().as_str() {
            // their types take no unknown field
            "policies.kubewarden.io/v1 ClusterAdmissionPolicy" => {
                round_trip::<ClusterAdmissionPolicySpec>(manifest.spec());
                continue;
            }
            "policies.kubewarden.io/v1 AdmissionPolicy" => {
                round_trip::<AdmissionPolicySpec>(manifest.spec());
                continue;
            }
            "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy" => {
                round_trip::<ValidatingAdmissionPolicy>(object)
            }
            "admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding" => {
                round_trip::<ValidatingAdmissionPolicyBinding>(object)
            }
            "rbac.authorization.k8s.io/v1 ClusterRole" => round_trip::<ClusterRole>(object),
            "rbac.authorization.k8s.io/v1 ClusterRoleBinding" => round_trip::<ClusterRoleBinding>(object),
            kind => panic!("{source}: {kind}"),
        };
        assert_eq!(known, *object, "{source}");
    }
}

#[test]
fn no_two_manifests_have_one_name() {
    let names: Vec<_> =
        deployed().iter().map(|manifest| (manifest.kind(), text(&manifest.object["metadata"]["name"]))).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn every_policy_has_settings_that_the_policy_accepts() {
    for policy in policies() {
        assert_eq!(fault(policy.settings()), None, "{}", policy.source);
        assert_eq!(
            policy.spec()["mutating"],
            json!(policy.fallback().is_some()),
            "{}: only a fallback mutates",
            policy.source
        );
    }
}

/// It runs plain runc. The recipe for GPUs allows it, and is asked about Pods with a GPU alone.
#[test]
fn no_policy_that_does_not_name_it_lets_the_class_of_nvidia_pass() {
    let names_it = |policy: &Manifest| policy.settings()["allowedRuntimes"][0] == "nvidia";
    let (naming, others): (Vec<_>, Vec<_>) = policies().into_iter().partition(names_it);
    assert_eq!(naming.iter().map(|policy| policy.source.as_str()).collect::<Vec<_>>(), ["deploy/recipes/gpu.yml"]);
    for policy in others {
        let answer = policy.answer(&pod_of("nvidia"));
        assert_ne!(answer, accepted(), "{}", policy.source);
        let moves = policy.fallback().is_some() && !policy.moves_only_the_default();
        assert_eq!(answer["accepted"], json!(moves), "{}: {answer}", policy.source);
    }
}

#[test]
fn a_policy_with_a_fallback_gives_it_to_pods_that_name_no_class() {
    for policy in policies() {
        let Some(fallback) = policy.fallback() else { continue };
        let answer = policy.answer(&pod(json!({})));
        assert_eq!(answer["mutated_object"]["spec"]["runtimeClassName"], fallback, "{}: {answer}", policy.source);
    }
}

/// Nobody can change the class of a Pod, and while a webhook for UPDATE is down no Job completes.
#[test]
fn pods_are_judged_when_they_are_created_and_not_later() {
    let metadata = Manifest { source: "metadata.yml".to_owned(), object: json!({ "spec": yaml("metadata.yml") }) };
    let judges_pods: Vec<_> =
        manifests().into_iter().chain([metadata]).filter(|manifest| manifest.judges("pods")).collect();
    assert!(judges_pods.iter().any(|manifest| manifest.source == "metadata.yml"));
    for manifest in judges_pods {
        let pods = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] });
        assert_eq!(manifest.rules(), [pods], "{}", manifest.source);
    }
}

#[test]
fn the_policy_for_templates_names_every_kind_that_has_one() {
    fn resource<T: Metadata + Resource<Scope = NamespaceResourceScope>>() -> (String, String) {
        (T::GROUP.to_owned(), T::URL_PATH_SEGMENT.to_owned())
    }
    let mut named = vec![];
    for rule in manifest("deploy/recipes/templates.yml", "ClusterAdmissionPolicy").rules() {
        for name in rule["resources"].as_array().expect("resources") {
            named.push((text(&rule["apiGroups"][0]), text(name)));
        }
    }
    named.sort();
    let mut kinds = [
        resource::<CronJob>(),
        resource::<DaemonSet>(),
        resource::<Deployment>(),
        resource::<Job>(),
        resource::<PodTemplate>(),
        resource::<ReplicaSet>(),
        resource::<ReplicationController>(),
        resource::<StatefulSet>(),
    ];
    kinds.sort();
    assert_eq!(named, kinds);
}

/// A template is never mutated: with a fallback, a policy that judges it changes nothing.
#[test]
fn only_policies_without_a_fallback_judge_templates() {
    for policy in policies().into_iter().filter(|policy| !policy.judges("pods")) {
        assert_eq!(policy.fallback(), None, "{}", policy.source);
    }
}

#[test]
fn policies_read_runtime_classes_where_they_can() {
    let metadata = yaml("metadata.yml");
    for policy in policies() {
        match policy.kind().as_str() {
            "policies.kubewarden.io/v1 AdmissionPolicy" => {
                assert_eq!(policy.settings()["matchHandlers"], json!(false), "{}", policy.source);
                assert_eq!(policy.spec().get("contextAwareResources"), None, "{}", policy.source);
            }
            _ => assert_eq!(
                policy.spec()["contextAwareResources"],
                metadata["contextAwareResources"],
                "{}",
                policy.source
            ),
        }
    }
}

/// Kubewarden's controller silently drops `matchLabels`, and the policy covers every namespace. A label of one's own
/// is safe only with the guard that `tenants/` has.
#[test]
fn namespaces_are_selected_by_match_expressions_on_their_names() {
    for manifest in manifests() {
        let selector = match text(&manifest.object["kind"]).as_str() {
            "ClusterAdmissionPolicy" => manifest.namespace_selector(),
            _ => continue,
        };
        let is_for_tenants =
            ["deploy/recipes/tenants/", "docs/tenants.md"].iter().any(|path| manifest.source.starts_with(path));
        if is_for_tenants {
            continue;
        }
        let fields: Vec<_> = selector.as_object().expect("a namespaceSelector").keys().collect();
        assert_eq!(fields, ["matchExpressions"], "{}", manifest.source);
        let [expression] = selector["matchExpressions"].as_array().expect("a list").as_slice() else {
            panic!("{}: one expression", manifest.source)
        };
        assert_eq!(expression["key"], "kubernetes.io/metadata.name", "{}", manifest.source);
    }
}

#[test]
fn a_policy_for_all_namespaces_changes_nothing_until_somebody_says_so() {
    for policy in policies().into_iter().filter(Manifest::covers_unnamed_namespaces) {
        assert_eq!(policy.spec()["mode"], "monitor", "{}", policy.source);
        assert_eq!(policy.spec()["failurePolicy"], "Ignore", "{}: an outage rejects no Pod", policy.source);
    }
    let policy = manifest("deploy/native-guard.yml", "ValidatingAdmissionPolicy");
    let binding = manifest("deploy/native-guard.yml", "ValidatingAdmissionPolicyBinding");
    assert_eq!(policy.spec()["failurePolicy"], "Ignore");
    assert_eq!(binding.spec()["validationActions"], json!(["Audit"]));
}

#[test]
fn a_policy_that_is_enforced_fails_closed() {
    let enforced: Vec<_> = policies().into_iter().filter(Manifest::is_enforced).collect();
    assert!(!enforced.is_empty());
    for policy in enforced {
        // the Pods of a template are judged again
        let expected = if policy.judges("pods") { "Fail" } else { "Ignore" };
        assert_eq!(policy.spec()["failurePolicy"], expected, "{}", policy.source);
    }
}

/// A guard in protect beside a policy in monitor rejects every Pod that the policy would mutate.
#[test]
fn the_guards_say_what_the_policy_says() {
    let policy = manifest("deploy/cluster.yml", "ClusterAdmissionPolicy");
    let guard = manifest("deploy/guard.yml", "ClusterAdmissionPolicy");
    assert_eq!(guard.spec()["mode"], policy.spec()["mode"]);
    assert_eq!(guard.namespace_selector(), policy.namespace_selector());
    let mut settings = policy.settings().clone();
    settings.as_object_mut().expect("settings").remove("fallbackRuntime");
    assert_eq!(*guard.settings(), settings);

    let native = manifest("deploy/native-guard.yml", "ValidatingAdmissionPolicyBinding");
    let denies = native.spec()["validationActions"].as_array().expect("actions").contains(&json!("Deny"));
    assert_eq!(denies, policy.is_enforced());
}

/// The policies of each file.
fn policies_by_file() -> BTreeMap<String, Vec<Manifest>> {
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for policy in policies() {
        files.entry(policy.source.clone()).or_default().push(policy);
    }
    files
}

#[test]
fn match_conditions_spare_only_pods_that_a_policy_of_the_file_accepts_and_pods_for_windows() {
    for (source, policies) in policies_by_file() {
        let is_spared = |pod: &Value| policies.iter().all(|policy| !policy.is_asked_about(pod));
        for pod in pods().into_iter().filter(|pod| is_spared(pod) && !is_for_windows(pod)) {
            assert!(policies.iter().any(|policy| policy.answer(&pod) == accepted()), "{source}: {}", pod["spec"]);
        }
    }
}

#[test]
fn a_policy_with_a_fallback_is_not_asked_about_pods_that_name_it_unless_it_judges_by_handlers() {
    for policy in policies() {
        let Some(fallback) = policy.fallback() else { continue };
        let judges_by_handlers = policy.settings()["matchHandlers"] == true;
        assert_eq!(policy.is_asked_about(&pod_of(fallback)), judges_by_handlers, "{}", policy.source);
    }
}

/// It is there to check what the policy made of the Pod, the fallback included.
#[test]
fn a_policy_without_a_fallback_is_asked_about_every_pod() {
    for (source, policies) in policies_by_file() {
        let [policy] = policies.as_slice() else { continue };
        for pod in pods().into_iter().filter(|_| policy.fallback().is_none()) {
            assert!(policy.is_asked_about(&pod), "{source}: {}", pod["spec"]);
        }
    }
}

#[test]
fn on_mixed_clusters_pods_for_windows_are_spared_and_no_others() {
    let policy = manifest("deploy/recipes/windows.yml", "ClusterAdmissionPolicy");
    for mut pod in pods() {
        pod["spec"]["runtimeClassName"] = json!("plain");
        assert_eq!(policy.is_asked_about(&pod), !is_for_windows(&pod), "{}", pod["spec"]);
    }
}

#[test]
fn the_guard_rejects_what_another_webhook_puts_back() {
    let guard = manifest("deploy/guard.yml", "ClusterAdmissionPolicy");
    assert_eq!(guard.answer(&pod_of("plain")), rejected("plain", "runtime 'plain' is not allowed"));
    assert_eq!(guard.answer(&pod(json!({}))), rejected(DEFAULT, "Usage of the default runtime is reserved"));
    assert_eq!(guard.answer(&pod_of("kata")), accepted());
    assert_eq!(guard.answer(&pod_of("gvisor")), accepted());
}

#[test]
fn policy_server_may_get_runtime_classes_and_nothing_else() {
    let role = manifest("deploy/rbac.yml", "ClusterRole").object;
    let binding = manifest("deploy/rbac.yml", "ClusterRoleBinding").object;
    assert_eq!(
        role["rules"],
        json!([{ "apiGroups": ["node.k8s.io"], "resources": ["runtimeclasses"], "verbs": ["get"] }])
    );
    assert_eq!(binding["roleRef"]["kind"], role["kind"]);
    assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);

    let [subject] = binding["subjects"].as_array().expect("subjects").as_slice() else { panic!("one subject") };
    let account = format!("system:serviceaccount:{}:{}", text(&subject["namespace"]), text(&subject["name"]));
    assert!(file("deploy/rbac.yml").contains(&format!("--as={account}\n")), "the command checks {account}");

    let values = yaml("deploy/helm/admission-controller-values.yml");
    let permission = json!({ "apiGroup": "node.k8s.io", "resources": ["runtimeclasses"], "verbs": ["get"] });
    assert!(values["policyServer"]["permissions"].as_array().expect("permissions").contains(&permission));
}
