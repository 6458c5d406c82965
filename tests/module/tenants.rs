//! The recipe for tenants gives each namespace one class, and its guard lets no tenant choose it.
use rstest::rstest;
use serde_json::{Value, json};
use tests::*;

use crate::{
    cel::{evaluate, holds},
    manifests::{Manifest, manifest, policies, text},
};

const LABEL: &str = "example.com/runtime-class";
const AUTHORIZED: &str = "authorizer.group('node.k8s.io').resource('runtimeclasses').check('create').allowed()";

fn policy_of(name: &str) -> Manifest {
    manifest(&format!("deploy/recipes/tenants/{name}.yml"), "ClusterAdmissionPolicy")
}

/// The policies of the recipe that cover a namespace.
fn covering(name: &str, labels: &[(&str, &str)]) -> Vec<Manifest> {
    let all = policies().into_iter().filter(|policy| policy.source.starts_with("deploy/recipes/tenants/"));
    all.filter(|policy| policy.covers(name, labels)).collect()
}

#[rstest]
#[case(&[], "kata")]
#[case(&[(LABEL, "kata")], "kata")]
#[case(&[(LABEL, "gvisor")], "gvisor")]
#[case(&[(LABEL, "")], "kata")]
fn a_namespace_has_one_policy_which_gives_its_class(#[case] labels: &[(&str, &str)], #[case] class: &str) {
    let policies = covering("team-a", labels);
    let [policy] = policies.as_slice() else { panic!("{} policies", policies.len()) };
    let answer = policy.answer(&pod(json!({})));
    assert_eq!(answer["mutated_object"]["spec"]["runtimeClassName"], class, "{answer}");
    let other = if class == "kata" { "gvisor" } else { "kata" };
    for rejected in [other, "plain"] {
        let message = format!("runtime '{rejected}' is not allowed");
        assert_eq!(policy.answer(&pod_of(rejected)), tests::rejected(rejected, &message));
    }
    assert_eq!(policy.answer(&pod_of(class)), accepted());
}

#[test]
fn no_policy_covers_a_namespace_of_the_cluster_unless_it_is_labelled() {
    assert!(covering("kube-system", &[]).is_empty());
    assert_eq!(covering("kube-system", &[(LABEL, "gvisor")]).len(), 1, "whoever sets the label decides");
}

#[test]
fn the_policy_for_all_others_is_the_policy_for_the_cluster_with_a_line_and_the_default_alone() {
    let mut others = policy_of("all-others").object["spec"].take();
    let mut cluster = manifest("deploy/cluster.yml", "ClusterAdmissionPolicy").object["spec"].take();
    let expressions = others["namespaceSelector"]["matchExpressions"].as_array_mut().expect("expressions");
    let line = expressions.pop().expect("the line for tenants");
    assert_eq!(line, json!({ "key": LABEL, "operator": "NotIn", "values": ["gvisor"] }));
    for spec in [&mut others, &mut cluster] {
        spec["settings"].take();
    }
    assert_eq!(others, cluster);
}

/// The guard of the label, with `variables.allowed` in place of the authorizer.
fn guard() -> Value {
    let manifest = file("deploy/recipes/tenants/label.yml");
    assert_eq!(manifest.matches(AUTHORIZED).count(), 1);
    examples::documents(&manifest.replace(AUTHORIZED, "variables.allowed")).expect("YAML").remove(0)
}

fn namespace(label: Option<&str>) -> Value {
    let labels = label.map_or_else(|| json!({}), |class| json!({ LABEL: class }));
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team-a", "labels": labels } })
}

/// The message with which the API server rejects the change of a namespace, if it does.
fn rejection(old: Option<Value>, new: &Value, allowed: bool) -> Option<String> {
    let (guard, old) = (guard(), old.unwrap_or_default());
    let mut variables = json!({ "allowed": allowed });
    for variable in guard["spec"]["variables"].as_array().expect("variables") {
        let input = [("object", new), ("oldObject", &old)];
        variables[text(&variable["name"])] = evaluate(&text(&variable["expression"]), &input);
    }
    let validations = guard["spec"]["validations"].as_array().expect("validations");
    let broken = validations.iter().find(|validation| !holds(validation, &[("variables", &variables)]))?;
    Some(text(&broken["message"]))
}

#[rstest]
#[case::created_without(None, None, None)]
#[case::created_with(None, Some("gvisor"), Some("only those"))]
#[case::set(Some(None), Some("gvisor"), Some("only those"))]
#[case::changed(Some(Some("gvisor")), Some("kata"), Some("only those"))]
#[case::removed(Some(Some("gvisor")), None, Some("only those"))]
#[case::emptied(Some(Some("gvisor")), Some(""), Some("only those"))]
#[case::kept(Some(Some("gvisor")), Some("gvisor"), None)]
#[case::kept_though_unknown(Some(Some("runc")), Some("runc"), None)]
#[case::none_kept(Some(None), None, None)]
fn a_tenant_keeps_the_label_as_it_is(
    #[case] old: Option<Option<&str>>,
    #[case] new: Option<&str>,
    #[case] message: Option<&str>,
) {
    let rejection = rejection(old.map(namespace), &namespace(new), false);
    let expected = message.map(|start| format!("{start} who may create RuntimeClasses may change the label {LABEL}"));
    assert_eq!(rejection, expected);
}

#[rstest]
#[case(Some("gvisor"), true)]
#[case(Some("kata"), true)]
#[case(None, true)]
#[case(Some("runc"), false)]
fn who_may_create_runtime_classes_chooses_among_those_that_have_a_policy(
    #[case] new: Option<&str>,
    #[case] known: bool,
) {
    let expected = format!("the label {LABEL} must be kata or gvisor");
    assert_eq!(rejection(Some(namespace(None)), &namespace(new), true), (!known).then_some(expected));
}

#[test]
fn a_namespace_without_labels_is_one_without_the_label() {
    let mut bare = namespace(None);
    bare["metadata"].as_object_mut().expect("metadata").remove("labels");
    assert_eq!(rejection(Some(bare.clone()), &bare, false), None);
    assert_eq!(rejection(None, &bare, false), None);
}

#[test]
fn the_guard_covers_every_way_to_change_a_label() {
    let guard = manifest("deploy/recipes/tenants/label.yml", "ValidatingAdmissionPolicy");
    let binding = manifest("deploy/recipes/tenants/label.yml", "ValidatingAdmissionPolicyBinding");
    let rules = &guard.spec()["matchConstraints"]["resourceRules"];
    assert_eq!(rules[0]["resources"], json!(["namespaces", "namespaces/finalize", "namespaces/status"]));
    assert_eq!(rules[0]["operations"], json!(["CREATE", "UPDATE"]));
    assert_eq!(guard.spec()["failurePolicy"], "Fail");
    let expected = json!({ "policyName": guard.object["metadata"]["name"], "validationActions": ["Deny"] });
    assert_eq!(*binding.spec(), expected, "for all namespaces");
}
