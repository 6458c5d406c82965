//! The manifests of `deploy/`, rehearsed as their operator would.
use std::{fs, sync::Arc};

use rehearsal::{Policies, Report, read};
use rstest::rstest;
use serde_json::{Value, json};

use super::host;

const CLASSES: &str = "
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: kata}, handler: kata}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: gvisor}, handler: runsc}
";

/// The policies of files below `deploy/`.
fn policies(files: &[&str]) -> Policies {
    let of_file = |file: &&str| {
        let text = fs::read(host::root().join("deploy").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        read::documents(text.as_slice(), file).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let objects: Vec<Value> = files.iter().flat_map(of_file).collect();
    Policies::of_objects(&objects).expect("policies")
}

fn report(policies: &Policies, input: &str) -> Report {
    let inputs = |text: &str| vec![(Arc::from("input"), text.as_bytes().to_vec())];
    host::rehearse_bytes(policies, &inputs(input), &inputs(CLASSES))
}

const TENANTS: [&str; 3] =
    ["recipes/tenants/all-others.yml", "recipes/tenants/gvisor.yml", "recipes/tenants/label.yml"];

/// A namespace, its label if it has one, and a Pod of this class in it.
fn tenant(name: &str, label: Option<&str>, class: Option<&str>) -> String {
    let labels = label.map(|class| json!({ "example.com/runtime-class": class }));
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    let mut spec = json!({ "containers": [{ "name": "app", "image": "registry.example/app:1" }] });
    spec["runtimeClassName"] = json!(class);
    let metadata = json!({ "name": "web", "namespace": name });
    format!(
        "{namespace}\n---\n{}\n---\n",
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
    )
}

/// Asserts that a document shows the table of namespaces of a report.
#[track_caller]
fn is_shown_in(document: &str, report: &Report) {
    let page = fs::read_to_string(host::root().join(document)).expect("a document");
    let mut sections = rehearsal::layout::sections(report);
    let table = sections.find(|section| section.title == "Namespaces").and_then(|section| section.table);
    let table = table.expect("a table of namespaces");
    let head = table.head.iter().map(ToString::to_string).collect();
    for row in [&head].into_iter().chain(&table.rows) {
        let line = format!("| {} |", row.join(" | "));
        assert!(page.contains(&line), "{document} has to show\n{line}");
    }
}

#[test]
fn the_recipe_for_tenants_gives_each_namespace_one_class_and_shows_it_in_one_table() {
    let input = [
        tenant("team-a", None, None),
        tenant("team-b", Some("gvisor"), None),
        tenant("team-c", Some("gvisor"), Some("kata")),
        tenant("kube-system", None, None),
    ];
    let report = report(&policies(&TENANTS), &input.concat());
    let namespaces = report.namespaces.iter().map(|namespace| json!([namespace.namespace, namespace.plain_pod]));
    let expected = json!([
        ["kube-system", null],
        ["team-a", { "outcome": "mutated", "class": "kata", "policy": "pod-runtime-class-others" }],
        ["team-b", { "outcome": "mutated", "class": "gvisor", "policy": "pod-runtime-class-gvisor" }],
        ["team-c", { "outcome": "mutated", "class": "gvisor", "policy": "pod-runtime-class-gvisor" }],
    ]);
    assert_eq!(namespaces.collect::<Value>(), expected);
    let rejected = report.workloads.iter().find(|workload| workload.namespace == "team-c").expect("its Pod");
    assert_eq!(rejected.verdict.message.as_deref(), Some("runtime 'kata' is not allowed"));
    is_shown_in("docs/tenants.md", &report);
}

/// The first one moves a Pod, and the second one rejects what it has become.
#[test]
fn a_policy_for_the_cluster_beside_one_of_the_recipe_for_tenants_stops_the_pods_of_the_tenant() {
    let both = policies(&["cluster.yml", "recipes/tenants/gvisor.yml"]);
    let report = report(&both, &[tenant("team-a", None, None), tenant("team-b", Some("gvisor"), None)].concat());
    let rejected = report.workloads.iter().find(|workload| workload.namespace == "team-b").expect("its Pod");
    assert_eq!(rejected.verdict.message.as_deref(), Some("runtime 'kata' is not allowed"));
    assert_eq!(rejected.verdict.policy.as_deref(), Some("pod-runtime-class-gvisor"));
    is_shown_in("docs/operating.md", &report);
}

#[rstest]
#[case::rancher("50-rancher.json")]
#[case::rke2_and_k3s("50-rke2-k3s.json")]
fn on_rancher_rke2_and_k3s_only_the_pods_of_users_are_moved(#[case] cluster: &str) {
    let input = fs::read_to_string(host::root().join("test_data/field").join(cluster)).expect("a file");
    let report = report(&policies(&["cluster.yml"]), &input);
    let moved: Vec<_> =
        report.workloads.iter().map(|workload| (&*workload.namespace, workload.verdict.to.as_deref())).collect();
    assert_eq!(moved, [("team-a", Some("kata"))]);
}

/// As the comment in the manifest says.
#[test]
fn on_openshift_two_uncommented_lines_leave_only_the_pods_of_users() {
    let manifest = fs::read_to_string(host::root().join("deploy/cluster.yml")).expect("a file");
    let comment = "    # - name: not-openshift\n    #   expression";
    assert_eq!(manifest.matches(comment).count(), 1);
    let manifest = manifest.replace(comment, "    - name: not-openshift\n      expression");
    let objects = read::documents(manifest.as_bytes(), "cluster.yml").expect("YAML");
    let input = fs::read_to_string(host::root().join("test_data/field/50-openshift.json")).expect("a file");
    let report = report(&Policies::of_objects(&objects).expect("a policy"), &input);
    let moved: Vec<_> =
        report.workloads.iter().map(|workload| (&*workload.namespace, workload.verdict.to.as_deref())).collect();
    assert_eq!(moved, [("team-a", Some("kata"))]);
}
