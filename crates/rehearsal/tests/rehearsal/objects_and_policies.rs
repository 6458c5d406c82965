//! What a rehearsal says of objects, however they are written, and of policies.

use std::sync::Arc;

use rehearsal::{FailOn, Policies, Report, read};
use rstest::rstest;
use serde_json::{Value, json};

use super::host;

const KATA: &str = "
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata
scheduling: {nodeSelector: {runtime: kata}}
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: gvisor}
handler: runsc
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: plain}
handler: runc
";

fn settings() -> Policies {
    Policies::of_settings(json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata" }))
}

fn pod(name: &str) -> String {
    let spec = json!({ "containers": [{ "name": "app", "image": "registry.example/app:1" }] });
    let metadata = json!({ "name": name, "namespace": "team-a" });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec }).to_string()
}

fn input(text: &str) -> Vec<(Arc<str>, Vec<u8>)> {
    vec![(Arc::from("input"), text.as_bytes().to_vec())]
}

/// The report on a text, in a cluster with three classes.
fn report(policies: &Policies, text: &str) -> Report {
    host::rehearse_bytes(policies, &input(text), &input(KATA))
}

#[track_caller]
fn names(report: &Report) -> Vec<&str> {
    report.workloads.iter().map(|workload| workload.name.as_str()).collect()
}

#[track_caller]
fn policies(manifests: &str) -> Result<Policies, String> {
    Policies::of_objects(&read::documents(manifests.as_bytes(), "policies.yml").expect("YAML"))
}

/// A policy in YAML that mutates Pods to `fallback`.
fn policy(name: &str, fallback: &str, rest: &str) -> String {
    format!(
        "
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {{name: {name}}}
spec:
  module: registry://registry.example/pod-runtime-class-policy:v2
  mutating: true
  settings: {{allowedRuntimes: [kata, gvisor], fallbackRuntime: {fallback}}}
  rules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
  contextAwareResources: [{{apiVersion: node.k8s.io/v1, kind: RuntimeClass}}]
{rest}
---"
    )
}

#[test]
fn two_json_documents_in_a_file_are_both_judged() {
    let report = report(&settings(), &format!("{}\n{}", pod("one"), pod("two")));
    assert_eq!(names(&report), ["one", "two"]);
    assert_eq!(report.summary.outcomes.mutated, 2);
}

#[test]
fn a_label_that_is_a_number_makes_an_object_unreadable() {
    let text = pod("one").replace(r#""name":"one""#, r#""labels":{"build":7},"name":"one""#);
    let report = report(&settings(), &text);
    assert_eq!(report.summary.outcomes.judged, 0);
    let [unreadable] = report.unreadable.as_slice() else { panic!("{:?}", report.unreadable) };
    assert!(unreadable.message.contains("metadata.labels"), "{}", unreadable.message);
    assert!(report.fails_on(&[FailOn::Unreadable]));
}

#[test]
fn a_broken_document_is_named_and_those_around_it_are_judged() {
    let report = report(&settings(), &format!("{}\n---\na: [\n---\n{}\n", pod("one"), pod("three")));
    assert_eq!(names(&report), ["one", "three"]);
    let [unreadable] = report.unreadable.as_slice() else { panic!("{:?}", report.unreadable) };
    assert_eq!(unreadable.place.document, 2);
}

#[test]
fn an_empty_list_is_a_report_of_nothing() {
    let report = report(&settings(), r#"{"apiVersion":"v1","kind":"List","items":[]}"#);
    assert_eq!(report.summary.outcomes.judged, 0);
    assert_eq!(report.unreadable, []);
}

#[test]
fn an_object_without_kind_is_unreadable_and_not_left_out() {
    let report = report(&settings(), &pod("one").replace(r#""kind":"Pod","#, ""));
    let [unreadable] = report.unreadable.as_slice() else { panic!("{:?}", report.unreadable) };
    assert!(unreadable.message.ends_with("kind: missing field"), "{}", unreadable.message);
}

#[rstest]
#[case("rules:", "unknown:", "ClusterAdmissionPolicy broken: spec: missing field `rules`")]
#[case("operations: [CREATE]", "operations: CREATE", "ClusterAdmissionPolicy broken: spec.rules[0].operations: ")]
#[case("mutating: true", "mutating: 'yes'", "ClusterAdmissionPolicy broken: spec.mutating: ")]
fn a_manifest_that_does_not_match_its_crd_is_an_error_that_names_the_field(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] message: &str,
) {
    let error = policies(&policy("broken", "kata", "").replace(right, wrong)).err().expect("an error");
    assert!(error.starts_with(message), "{error}");
}

#[rstest]
#[case(
    "{key: team, operator: in, values: [a]}",
    "ClusterAdmissionPolicy broken: spec.namespaceSelector.matchExpressions[0].operator: "
)]
#[case(
    "{key: team, operator: In}",
    "ClusterAdmissionPolicy broken: spec.namespaceSelector.matchExpressions: the operator In of 'team' needs values"
)]
#[case(
    "{key: team, operator: Exists, values: [a]}",
    "ClusterAdmissionPolicy broken: spec.namespaceSelector.matchExpressions: the operator Exists of"
)]
fn a_selector_that_the_api_server_refuses_is_an_error(#[case] requirement: &str, #[case] message: &str) {
    let rest = format!("  namespaceSelector: {{matchExpressions: [{requirement}]}}");
    let error = policies(&policy("broken", "kata", &rest)).err().expect("an error");
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn mutating_policies_are_asked_by_name_and_each_sees_what_the_ones_before_left() {
    let both = [policy("b", "kata", ""), policy("a", "gvisor", "")].concat();
    let report = report(&policies(&both).expect("policies"), &pod("web"));
    let [workload] = report.workloads.as_slice() else { panic!("{:?}", report.workloads) };
    // `a` comes first and moves the Pod to gvisor, which `b` allows, but gives its own fallback to nobody.
    assert_eq!((workload.verdict.to.as_deref(), workload.verdict.policy.as_deref()), (Some("gvisor"), Some("a")));
}

#[test]
fn a_pod_that_two_policies_move_to_different_classes_is_looked_at_first() {
    let first = policy("a", "gvisor", "");
    let second = policy("b", "kata", "").replace("[kata, gvisor]", "[kata]");
    let report = report(&policies(&[first, second].concat()).expect("policies"), &pod("web"));
    let [workload] = report.workloads.as_slice() else { panic!("{:?}", report.workloads) };
    assert_eq!((workload.verdict.to.as_deref(), workload.verdict.policy.as_deref()), (Some("kata"), Some("b")));
    let fields: Vec<(&str, &str)> =
        workload.verdict.fields.iter().map(|field| (field.path.as_str(), field.value.as_str())).collect();
    assert_eq!(fields, [("spec.runtimeClassName", "gvisor by a, then kata by b")]);
}

#[test]
fn validating_policies_are_asked_last_whatever_their_names() {
    let guard = policy("a-guard", "kata", "").replace("mutating: true", "mutating: false");
    let guard = guard.replace(
        "allowedRuntimes: [kata, gvisor], fallbackRuntime: kata",
        "allowedRuntimes: [kata], defaultRuntimeReserved: true",
    );
    let report = report(&policies(&[guard, policy("b", "gvisor", "")].concat()).expect("policies"), &pod("web"));
    let [workload] = report.workloads.as_slice() else { panic!("{:?}", report.workloads) };
    assert_eq!(workload.verdict.policy.as_deref(), Some("a-guard"));
    assert_eq!(workload.verdict.message.as_deref(), Some("runtime 'gvisor' is not allowed"));
    assert!(report.fails_on(&[FailOn::Rejected]));
}

#[test]
fn the_report_says_which_class_a_plain_pod_gets_in_each_namespace() {
    let of_label = |operator: &str| {
        format!("  namespaceSelector: {{matchExpressions: [{{key: sandbox, operator: {operator}, values: [gvisor]}}]}}")
    };
    let only = "  namespaceSelector: {matchExpressions: [{key: sandbox, operator: Exists}, {key: sandbox, operator: NotIn, values: [gvisor]}]}";
    let both = [policy("general", "kata", only), policy("gvisor", "gvisor", &of_label("In"))].concat();
    let namespaces = "
{apiVersion: v1, kind: Namespace, metadata: {name: team-a, labels: {sandbox: gvisor}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team-b, labels: {sandbox: kat}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team-c}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: team-d, labels: {sandbox: kata}}}
";
    let report = report(
        &policies(&both).expect("policies"),
        &format!("{namespaces}\n---\n{}", pod("web").replace("team-a", "team-c")),
    );
    let plain: Vec<Value> =
        report.namespaces.iter().map(|namespace| json!([namespace.namespace, namespace.plain_pod])).collect();
    let expected = json!([
        ["team-a", { "outcome": "mutated", "class": "gvisor", "policy": "gvisor" }],
        ["team-b", { "outcome": "mutated", "class": "kata", "policy": "general" }],
        ["team-c", null],
        ["team-d", { "outcome": "mutated", "class": "kata", "policy": "general" }],
    ]);
    assert_eq!(json!(plain), expected);
    let look_first: Vec<&[String]> =
        report.namespaces.iter().map(|namespace| namespace.look_first.as_slice()).collect();
    let unknown = ["no policy knows the value of its label sandbox=kat".to_owned()];
    let uncovered = ["no policy is asked about its Pods".to_owned()];
    assert_eq!(look_first, [&[][..], &unknown, &uncovered, &[]]);
}

#[test]
fn a_live_pod_is_judged_as_it_would_be_made_again() {
    let live = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": "web-6d4cf56db6-x2x2x", "namespace": "team-a", "uid": "7e032740-1bfa-4c8d-af57-8f856971a953" },
        "spec": {
            "nodeName": "node-1",
            "containers": [{ "name": "app", "image": "registry.example/app:1" }],
            "ephemeralContainers": [{ "name": "debug", "image": "registry.example/debug:1" }],
        },
        "status": { "phase": "Running", "startTime": "2026-11-25T21:11:45Z" },
    });
    let report = report(&settings(), &live.to_string());
    assert_eq!(report.summary.outcomes.mutated, 1, "{:?}", report.workloads);
}

#[test]
fn a_finished_job_is_counted_apart() {
    let template = json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "app", "image": "registry.example/app:1" }] } });
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": "migrate", "namespace": "team-a" },
        "spec": { "template": template },
        "status": { "conditions": [{ "type": "Complete", "status": "True" }] },
    });
    let report = report(&settings(), &job.to_string());
    assert_eq!((report.summary.outcomes.judged, report.not_judged.finished_jobs), (0, 1));
}

#[test]
fn what_decides_on_pods_and_is_not_rehearsed_is_named() {
    let other = policy("other", "kata", "").replace("pod-runtime-class-policy", "pod-privileged-policy");
    let group = "{apiVersion: policies.kubewarden.io/v1, kind: ClusterAdmissionPolicyGroup, metadata: {name: both}}";
    let all = policies(&[policy("ours", "kata", ""), other, group.to_owned()].join("\n")).expect("policies");
    let report = report(&all, &pod("web"));
    assert_eq!(report.policies.len(), 1);
    let note = "Not rehearsed, though it decides on Pods as well: ClusterAdmissionPolicy other, ClusterAdmissionPolicyGroup both.";
    assert!(report.notes.contains(&note.to_owned()), "{:?}", report.notes);
}

#[test]
fn two_policies_of_the_same_name_are_an_error() {
    let error = policies(&[policy("twin", "kata", ""), policy("twin", "gvisor", "")].concat()).err();
    assert_eq!(error.as_deref(), Some("there are two policies twin"));
}

/// A native guard against classes other than `names`, with its binding.
fn guard(names: &str, action: &str) -> String {
    format!(
        "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: native}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE]}}]
  variables:
  - {{name: class, expression: \"has(object.spec.runtimeClassName) ? object.spec.runtimeClassName : ''\"}}
  validations:
  - expression: variables.class in {names}
    messageExpression: \"'runtime \\\\'' + variables.class + '\\\\' is not allowed'\"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: native-binding}}
spec: {{policyName: native, validationActions: [{action}]}}
---"
    )
}

#[test]
fn a_native_guard_is_asked_last_and_rejects_in_the_words_of_the_api_server() {
    let all = [policy("a", "gvisor", ""), guard("['kata']", "Deny")].concat();
    let report = report(&policies(&all).expect("policies"), &pod("web"));
    let [workload] = report.workloads.as_slice() else { panic!("{:?}", report.workloads) };
    let message = "ValidatingAdmissionPolicy 'native' with binding 'native-binding' denied request: runtime 'gvisor' is not allowed";
    assert_eq!(
        (workload.verdict.policy.as_deref(), workload.verdict.message.as_deref()),
        (Some("native"), Some(message))
    );
    assert_eq!(report.summary.outcomes.rejected, 1);
}

#[test]
fn a_native_guard_is_rehearsed_alone_and_with_deny_whatever_its_binding_does() {
    let report = report(&policies(&guard("['kata']", "Audit")).expect("policies"), &pod("web"));
    assert_eq!(report.summary.outcomes.rejected, 1);
    assert!(report.notes[0].contains("'native' does not deny"), "{:?}", report.notes);
}

#[test]
fn a_native_guard_with_parameters_is_evaluated_for_each_class_that_it_selects() {
    let each = guard("['']", "Deny")
        .replace(
            "spec:\n  matchConstraints",
            "spec:\n  paramKind: {apiVersion: node.k8s.io/v1, kind: RuntimeClass}\n  matchConstraints",
        )
        .replace("variables.class in ['']", "params.handler != 'runc'")
        .replace(
            "validationActions: [Deny]",
            "validationActions: [Deny], paramRef: {selector: {}, parameterNotFoundAction: Allow}",
        );
    let report = report(&policies(&each).expect("policies"), &pod("web"));
    assert_eq!(report.summary.outcomes.rejected, 1, "one of the three classes runs on runc");
}

#[test]
fn match_conditions_of_a_native_guard_see_its_parameters() {
    let each = guard("['']", "Deny")
        .replace("spec:\n  matchConstraints", "spec:\n  paramKind: {apiVersion: node.k8s.io/v1, kind: RuntimeClass}\n  matchConditions: [{name: other, expression: \"params.handler != 'runc'\"}]\n  matchConstraints")
        .replace("variables.class in ['']", "params.handler != 'runc'")
        .replace("validationActions: [Deny]", "validationActions: [Deny], paramRef: {selector: {}, parameterNotFoundAction: Allow}");
    let report = report(&policies(&each).expect("policies"), &pod("web"));
    assert_eq!(report.summary.outcomes.accepted, 1, "{:?}", report.notes);
}

#[test]
fn an_expression_that_can_not_be_evaluated_here_is_taken_as_true_and_named() {
    let guard = guard("['kata']", "Deny").replace("variables.class in ['kata']", "authorizer.group('').allowed()");
    let report = report(&policies(&guard).expect("policies"), &pod("web"));
    assert_eq!(report.summary.outcomes.accepted, 1);
    assert!(
        report.notes[0].contains("'authorizer.group('').allowed()' is not evaluated for 1 request"),
        "{:?}",
        report.notes
    );
}

#[test]
fn an_expression_that_does_not_compile_is_an_error_that_names_its_binding() {
    let error = policies(&guard("[", "Deny")).err().expect("an error");
    assert!(error.starts_with("ValidatingAdmissionPolicyBinding native-binding: "), "{error}");
}

#[test]
fn refused_pods_of_a_workload_are_one_row_and_a_pod_of_its_own_is_named() {
    let owner =
        json!([{ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "1", "controller": true }]);
    let pod = |name: &str, owners: &Value| {
        let spec = json!({ "runtimeClassName": "ghost", "containers": [{ "name": "app", "image": "registry.example/app:1" }] });
        let metadata = json!({ "name": name, "namespace": "team-a", "ownerReferences": owners });
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec }).to_string()
    };
    let text = [pod("db-0", &owner), pod("db-1", &owner), pod("alone", &json!([]))].join("\n");
    let report = report(&settings(), &text);
    let rows: Vec<(&str, usize, Option<&str>)> =
        report.workloads.iter().map(|row| (row.name.as_str(), row.pods, row.verdict.message.as_deref())).collect();
    assert_eq!(
        rows,
        [
            ("alone", 1, Some("pods \"alone\" is forbidden: pod rejected: RuntimeClass \"ghost\" not found")),
            ("db", 2, Some("pod rejected: RuntimeClass \"ghost\" not found")),
        ]
    );
}
