//! The policy, its guards and the recipes leave the same namespaces alone: those that the cluster needs to start.
use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

use crate::manifests::{Manifest, manifest, policies, text};

/// The policy whose list of namespaces the others repeat.
fn policy() -> Manifest {
    manifest("deploy/cluster.yml", "ClusterAdmissionPolicy")
}

/// The policy and its guards.
fn policy_and_guards() -> [Manifest; 3] {
    [
        policy(),
        manifest("deploy/guard.yml", "ClusterAdmissionPolicy"),
        manifest("deploy/native-guard.yml", "ValidatingAdmissionPolicy"),
    ]
}

/// The names of the first expression of a namespaceSelector.
fn left_out(manifest: &Manifest) -> &[Value] {
    manifest.namespace_selector()["matchExpressions"][0]["values"].as_array().expect("names")
}

/// The objects of this kind in a file of `test_data/field/`.
fn field(name: &str, kind: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(&file(&format!("test_data/field/{name}"))).expect("JSON");
    list["items"].as_array().expect("items").iter().filter(|item| item["kind"] == kind).cloned().collect()
}

/// A manifest with the lines for OpenShift uncommented, as its comment says.
fn on_openshift(source: &str) -> Manifest {
    let is_for_openshift =
        |line: &str| ["# matchConditions:", "not-openshift", "'openshift-'"].iter().any(|part| line.contains(part));
    let lines = file(source);
    let lines =
        lines.lines().map(|line| if is_for_openshift(line) { line.replacen("# ", "", 1) } else { line.to_owned() });
    let manifest = lines.collect::<Vec<_>>().join("\n");
    let mut objects = examples::documents(&manifest).unwrap_or_else(|error| panic!("{source}: {error}"));
    Manifest { source: source.to_owned(), object: objects.remove(0) }
}

/// Whether the API server asks the policy about this Pod.
fn judges(policy: &Manifest, pod: &Value) -> bool {
    policy.covers(&text(&pod["metadata"]["namespace"]), &[]) && policy.is_asked_about(pod)
}

#[test]
fn every_policy_for_all_namespaces_leaves_out_those_of_the_policy() {
    let policy = policy();
    let [expression] = policy.namespace_selector()["matchExpressions"].as_array().expect("a list").as_slice() else {
        panic!("one expression")
    };
    assert_eq!(expression["operator"], "NotIn");
    let others = policies().into_iter().chain(policy_and_guards()).filter(|other| {
        let operator = &other.namespace_selector()["matchExpressions"][0]["operator"];
        operator == "NotIn"
    });
    let others: Vec<_> = others.collect();
    assert!(others.len() >= 3, "the policy and its guards");
    for other in others {
        assert_eq!(other.namespace_selector()["matchExpressions"][0], *expression, "{}", other.source);
    }
}

#[test]
fn no_namespace_is_left_out_twice() {
    let policy = policy();
    let names: BTreeSet<_> = left_out(&policy).iter().map(text).collect();
    assert_eq!(names.len(), left_out(&policy).len());
}

#[test]
fn the_namespaces_of_nodes_network_and_policy_server_are_left_out() {
    for manifest in policy_and_guards() {
        for name in
            ["kube-system", "kube-flannel", "calico-system", "kubewarden", "cattle-kubewarden-system", "cattle-system"]
        {
            assert!(!manifest.covers(name, &[]), "{}: {name}", manifest.source);
        }
        assert!(manifest.covers("team-a", &[]), "{}", manifest.source);
    }
}

#[rstest]
#[case::rancher("50-rancher.json", 6)]
#[case::rke2_and_k3s("50-rke2-k3s.json", 6)]
fn on_rancher_rke2_and_k3s_only_the_pods_of_users_are_judged(#[case] cluster: &str, #[case] own: usize) {
    let (users, platform): (Vec<_>, Vec<_>) =
        field(cluster, "Pod").into_iter().partition(|pod| pod["metadata"]["namespace"] == "team-a");
    assert_eq!((users.len(), platform.len()), (1, own));
    for manifest in policy_and_guards() {
        for pod in &platform {
            assert!(!manifest.covers(&text(&pod["metadata"]["namespace"]), &[]), "{}: {pod}", manifest.source);
        }
        assert!(manifest.covers("team-a", &[]), "{}", manifest.source);
    }
    assert!(judges(&policy(), &users[0]));
}

#[test]
fn on_openshift_a_match_condition_leaves_out_the_pods_of_the_platform() {
    let pods = field("50-openshift.json", "Pod");
    assert_eq!(pods.len(), 8);
    for source in ["deploy/cluster.yml", "deploy/guard.yml"] {
        let policy = on_openshift(source);
        for pod in &pods {
            let namespace = text(&pod["metadata"]["namespace"]);
            assert_eq!(judges(&policy, pod), namespace == "team-a", "{source}: {namespace}");
        }
    }
}

/// Elsewhere, a tenant could create a namespace with such a name.
#[test]
fn the_match_condition_for_openshift_is_a_comment() {
    for source in ["deploy/cluster.yml", "deploy/guard.yml"] {
        let policy = manifest(source, "ClusterAdmissionPolicy");
        assert!(policy.is_asked_about(&field("50-openshift.json", "Pod")[0]), "{source}");
    }
}

/// kata-deploy creates kata-qemu, kata-clh, …, and none called kata.
#[test]
fn a_fallback_that_the_installer_does_not_make_is_named_and_one_that_it_makes_is_given() {
    let (pods, classes) = (field("13-kata-deploy.json", "Pod"), field("13-kata-deploy.json", "RuntimeClass"));
    let mut policy = policy();
    let answer = policy.answer_in(&pods[0], classes.clone());
    assert_eq!(answer, failed(DEFAULT, "fallbackRuntime 'kata' is not a RuntimeClass of this cluster"));

    policy.object["spec"]["settings"]["fallbackRuntime"] = json!("kata-qemu");
    let answer = policy.answer_in(&pods[0], classes.clone());
    assert_eq!(answer["mutated_object"]["spec"]["runtimeClassName"], "kata-qemu", "{answer}");
    assert_eq!(policy.answer_in(&pods[1], classes), accepted());
}

/// The names in the first column that follow a platform's name in a list of YAML.
#[test]
fn the_namespaces_that_the_platforms_add_are_new_and_are_names() {
    let policy = policy();
    let page = file("docs/platforms.md");
    let blocks = examples::blocks(&page).into_iter().filter(|block| block.info == "yaml namespaces");
    let mut platforms = BTreeSet::new();
    for block in blocks {
        let names: Vec<String> = serde_yaml_ng::from_str(&block.text).expect("a list of names");
        for name in names {
            assert!(!left_out(&policy).contains(&json!(name)), "{}: {name} is there already", block.title);
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{name}"
            );
        }
        platforms.insert(block.title);
    }
    let expected = ["AKS", "EKS", "GKE", "OpenShift"].map(str::to_owned);
    assert_eq!(platforms, BTreeSet::from(expected));
}
