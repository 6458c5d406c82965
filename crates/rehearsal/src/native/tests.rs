use rstest::rstest;
use serde_json::{Value, json};

use super::{Class, Classes, Kubernetes, NotExpressible, Options, Rendered, render};
use crate::policy::Policy;

fn class(name: &str, handler: &str) -> Class {
    Class::of(&json!({ "kind": "RuntimeClass", "metadata": { "name": name }, "handler": handler })).expect("a class")
}

fn baked() -> Options {
    Options::new(Classes::Baked(vec![class("kata", "kata-qemu"), class("runc-plain", "runc")]))
}

/// The manifest of a policy with these fields of its spec beside the usual ones.
fn policy(fields: Value) -> Policy {
    let mut manifest = json!({
        "apiVersion": "policies.kubewarden.io/v1",
        "kind": "ClusterAdmissionPolicy",
        "metadata": { "name": "runtimes" },
        "spec": {
            "module": "registry://example.com/policy:v1",
            "mutating": true,
            "settings": { "allowedRuntimes": ["kata*"], "fallbackRuntime": "kata" },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }],
            "contextAwareResources": [{ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" }],
        },
    });
    for (key, field) in fields.as_object().expect("fields") {
        manifest["spec"][key] = field.clone();
    }
    Policy::of_manifest(&manifest).expect("a policy")
}

#[track_caller]
fn rendered(policy: &Policy, options: &Options) -> Rendered {
    render(policy, options).expect("expressible")
}

/// The object of this kind, of the policy with this suffix.
#[track_caller]
fn object(rendered: &Rendered, kind: &str, suffix: &str) -> Value {
    let name = format!("runtimes-native-{suffix}");
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == *name;
    rendered.objects.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}")).clone()
}

/// The value of a variable of a policy.
#[track_caller]
fn variable(policy: &Value, name: &str) -> String {
    let variables = policy["spec"]["variables"].as_array().expect("variables");
    let variable = variables.iter().find(|variable| variable["name"] == name).expect("the variable");
    variable["expression"].as_str().expect("an expression").to_owned()
}

/// The kinds and names of what is rendered.
fn names(rendered: &Rendered) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    rendered
        .objects
        .iter()
        .map(|object| format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"])))
        .collect()
}

#[test]
fn the_decision_is_the_table_in_cel() {
    let guard = object(&rendered(&policy(json!({})), &baked()), "ValidatingAdmissionPolicy", "guard");
    assert_eq!(variable(&guard, "handlers"), "{\n  \"kata\": \"kata-qemu\",\n  \"runc-plain\": \"runc\"\n}");
    assert_eq!(
        variable(&guard, "rejection").lines().collect::<Vec<_>>(),
        [
            r#"variables.runtime == "" ? """#,
            r#": variables.runtime.matches("^(kata.*)$") ? """#,
            r#": !(variables.runtime in variables.handlers) ? "runtime '" + variables.runtime + "' is not a RuntimeClass that this policy knows: render it again with kubectl runtime-class native""#,
            r#": variables.handlers[variables.runtime].matches("^(kata.*)$") ? """#,
            r#": "runtime '" + variables.runtime + "' is not allowed""#,
        ]
    );
}

#[test]
fn everything_in_the_manifest_is_taken_over() {
    let namespaces = json!({ "matchExpressions": [{ "key": "team", "operator": "Exists" }] });
    let pods = json!({ "matchLabels": { "app": "web" } });
    let policy = policy(json!({
        "namespaceSelector": namespaces,
        "objectSelector": pods,
        "matchConditions": [{ "name": "mine", "expression": "request.dryRun == false" }],
        "matchPolicy": "Exact",
        "failurePolicy": "Ignore",
        "mode": "monitor",
        "message": "ask team-a",
    }));
    let rendered = rendered(&policy, &baked());
    let spec = object(&rendered, "ValidatingAdmissionPolicy", "guard")["spec"].take();
    let not_kubewarden = json!({ "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kubewarden", "cattle-kubewarden-system"] });
    let constraints = &spec["matchConstraints"];
    assert_eq!(
        constraints["namespaceSelector"],
        json!({ "matchExpressions": [namespaces["matchExpressions"][0], not_kubewarden] })
    );
    assert_eq!(constraints["objectSelector"], pods);
    assert_eq!(constraints["matchPolicy"], "Exact");
    assert_eq!(
        constraints["resourceRules"],
        json!([{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }])
    );
    assert_eq!(spec["matchConditions"][0]["name"], "not-a-mirror-pod");
    assert_eq!(spec["matchConditions"][1], json!({ "name": "mine", "expression": "request.dryRun == false" }));
    assert_eq!(spec["failurePolicy"], "Ignore");
    assert_eq!(
        spec["validations"],
        json!([{ "expression": "variables.rejection == \"\"", "message": "ask team-a", "reason": "Forbidden" }])
    );
    let binding = object(&rendered, "ValidatingAdmissionPolicyBinding", "guard")["spec"].take();
    assert_eq!(binding, json!({ "policyName": "runtimes-native-guard", "validationActions": ["Audit"] }));
}

#[test]
fn what_a_manifest_leaves_out_is_explicit() {
    let rendered = rendered(&policy(json!({})), &baked());
    let spec = object(&rendered, "ValidatingAdmissionPolicy", "guard")["spec"].take();
    assert_eq!(
        (&spec["failurePolicy"], &spec["matchConstraints"]["matchPolicy"]),
        (&json!("Fail"), &json!("Equivalent"))
    );
    let binding = object(&rendered, "ValidatingAdmissionPolicyBinding", "guard")["spec"].take();
    assert_eq!(binding["validationActions"], json!(["Deny"]));
}

#[test]
fn a_rule_is_for_the_workloads_that_it_selects() {
    let rules = json!([
        { "apiGroups": ["*"], "apiVersions": ["v1"], "resources": ["pods", "pods/exec", "services"], "operations": ["*"] },
        { "apiGroups": ["apps", "batch"], "apiVersions": ["v1"], "resources": ["*"], "operations": ["CREATE", "DELETE"], "scope": "Namespaced" },
        { "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["DELETE"] },
    ]);
    let rendered = rendered(&policy(json!({ "rules": rules })), &baked());
    let rules = |suffix| {
        object(&rendered, "ValidatingAdmissionPolicy", suffix)["spec"]["matchConstraints"]["resourceRules"].take()
    };
    assert_eq!(
        rules("guard"),
        json!([{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"] }])
    );
    let of_group = |group: &str, resources: &[&str]| json!({ "apiGroups": [group], "apiVersions": ["v1"], "resources": resources, "operations": ["CREATE"], "scope": "Namespaced" });
    assert_eq!(
        rules("templates"),
        json!([
            of_group("apps", &["deployments", "replicasets", "statefulsets", "daemonsets"]),
            of_group("batch", &["jobs", "cronjobs"]),
        ])
    );
    assert!(rendered.notes.iter().any(|note| note.starts_with("The policy accepts all else")), "{:?}", rendered.notes);
}

#[test]
fn the_options_say_which_policies_there_are() {
    let with = |change: fn(&mut Options)| {
        let mut options = baked();
        change(&mut options);
        names(&rendered(&policy(json!({})), &options))
    };
    let both = |kind: &str, suffix: &str| {
        [format!("{kind} runtimes-native-{suffix}"), format!("{kind}Binding runtimes-native-{suffix}")]
    };
    let validating = |suffix| both("ValidatingAdmissionPolicy", suffix);
    let guard = validating("guard");
    assert_eq!(with(|_| {}), guard);
    assert_eq!(with(|options| options.lock = true), [guard.clone(), validating("lock")].concat());
    assert_eq!(
        with(|options| options.mutate = true),
        [guard.clone(), both("MutatingAdmissionPolicy", "mutation")].concat()
    );
    assert_eq!(
        with(|options| options.templates = true),
        [guard.clone(), validating("templates"), validating("template-warnings")].concat()
    );
    assert_eq!(
        with(|options| (options.classes, options.mutate) = (Classes::Live, true)),
        [
            validating("guard-handlers"),
            both("MutatingAdmissionPolicy", "mutation"),
            both("MutatingAdmissionPolicy", "mutation-handlers"),
        ]
        .concat()
    );
}

#[test]
fn classes_as_parameters_reject_nothing_in_a_cluster_without_classes() {
    let options = Options { mutate: true, ..Options::new(Classes::Live) };
    let settings = json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "defaultRuntimeReserved": true });
    let rendered = rendered(&policy(json!({ "settings": settings })), &options);
    for kind in ["ValidatingAdmissionPolicy guard", "MutatingAdmissionPolicy mutation"] {
        let (kind, suffix) = kind.split_once(' ').expect("a suffix");
        let with_params = format!("{suffix}-handlers");
        let param_kind = json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass" });
        assert_eq!(object(&rendered, kind, &with_params)["spec"]["paramKind"], param_kind);
        assert_eq!(object(&rendered, kind, suffix)["spec"]["paramKind"], Value::Null);
        let binding = object(&rendered, &format!("{kind}Binding"), &with_params);
        assert_eq!(binding["spec"]["paramRef"], json!({ "selector": {}, "parameterNotFoundAction": "Allow" }));
    }
}

#[rstest]
#[case(36, "v1")]
#[case(37, "v1")]
#[case(35, "v1beta1")]
#[case(34, "v1beta1")]
fn the_version_of_kubernetes_chooses_that_of_the_mutating_policy(#[case] minor: u32, #[case] version: &str) {
    let options = Options { mutate: true, kubernetes: Kubernetes(minor), ..baked() };
    let rendered = rendered(&policy(json!({})), &options);
    for kind in ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"] {
        let api_version = object(&rendered, kind, "mutation")["apiVersion"].take();
        assert_eq!(api_version, format!("admissionregistration.k8s.io/{version}"));
    }
    let guard = object(&rendered, "ValidatingAdmissionPolicy", "guard");
    assert_eq!(guard["apiVersion"], "admissionregistration.k8s.io/v1");
}

#[test]
fn a_mutating_policy_is_never_asked_again() {
    let options = Options { mutate: true, ..baked() };
    let mutation = object(&rendered(&policy(json!({})), &options), "MutatingAdmissionPolicy", "mutation");
    assert_eq!(mutation["spec"]["reinvocationPolicy"], "Never");
    assert_eq!(mutation["spec"]["failurePolicy"], "Fail");
}

#[test]
fn monitor_mode_mutates_nothing() {
    let options = Options { mutate: true, ..baked() };
    let rendered = rendered(&policy(json!({ "mode": "monitor" })), &options);
    let names = names(&rendered);
    assert!(names.contains(&"MutatingAdmissionPolicy runtimes-native-mutation".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("MutatingAdmissionPolicyBinding")), "{names:?}");
    assert!(rendered.notes.iter().any(|note| note.contains("has no binding")), "{:?}", rendered.notes);
}

#[test]
fn a_fault_of_a_warning_is_no_rejection() {
    let options = Options { templates: true, ..baked() };
    let rendered = rendered(&policy(json!({ "message": "ask team-a" })), &options);
    let warnings = object(&rendered, "ValidatingAdmissionPolicy", "template-warnings");
    assert_eq!(warnings["spec"]["failurePolicy"], "Ignore");
    assert_eq!(warnings["spec"]["validations"][0]["messageExpression"], "variables.warning");
    let binding = object(&rendered, "ValidatingAdmissionPolicyBinding", "template-warnings");
    assert_eq!(binding["spec"]["validationActions"], json!(["Warn"]));
}

/// It is about nothing in the request that is other for a template.
const CONDITION: &str =
    "request.namespace != 'a' && object.spec.containers.all(container, !has(container.resources.requests))";

#[test]
fn a_condition_on_pods_is_about_the_pod_that_a_template_makes() {
    let options = Options { templates: true, ..baked() };
    let conditions = json!([{ "name": "small", "expression": CONDITION }]);
    let rendered = rendered(&policy(json!({ "matchConditions": conditions })), &options);
    let templates = object(&rendered, "ValidatingAdmissionPolicy", "templates");
    let expected = r#"[request.kind.kind == "PodTemplate" ? dyn(object).template
: request.kind.kind == "CronJob" ? dyn(object).spec.jobTemplate.spec.template
: dyn(object).spec.template].all(object, "#
        .to_owned()
        + CONDITION
        + ")";
    assert_eq!(templates["spec"]["matchConditions"], json!([{ "name": "small", "expression": expected }]));
}

#[test]
fn settings_alone_are_for_all_pods_but_those_of_the_cluster() {
    let settings = json!({ "reservedRuntimes": ["runc"] });
    let rendered = rendered(&Policy::of_settings(settings), &baked());
    let spec = &rendered.objects[0]["spec"];
    assert_eq!(rendered.objects[0]["metadata"]["name"], "pod-runtime-class-native-guard");
    assert_eq!(
        spec["matchConstraints"],
        json!({
            "matchPolicy": "Equivalent",
            "namespaceSelector": { "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"] }] },
            "resourceRules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }],
        })
    );
    assert!(rendered.notes.iter().any(|note| note.contains("kube-system")), "{:?}", rendered.notes);
}

#[test]
fn the_policies_of_two_namespaces_have_names_of_their_own() {
    let manifest = json!({
        "apiVersion": "policies.kubewarden.io/v1",
        "kind": "AdmissionPolicy",
        "metadata": { "name": "runtimes", "namespace": "team-a" },
        "spec": {
            "module": "m",
            "mutating": false,
            "settings": { "reservedRuntimes": ["runc"] },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }],
        },
    });
    let rendered = rendered(&Policy::of_manifest(&manifest).expect("a policy"), &baked());
    let guard = &rendered.objects[0];
    assert_eq!(guard["metadata"]["name"], "namespaced-team-a-runtimes-native-guard");
    let labels = &guard["spec"]["matchConstraints"]["namespaceSelector"]["matchLabels"];
    assert_eq!(*labels, json!({ "kubernetes.io/metadata.name": "team-a" }));
    assert!(!variable(guard, "rejection").contains("handlers"), "an AdmissionPolicy may not read classes");
}

/// Changes options.
type Change = fn(&mut Options);

#[rstest]
#[case::no_workloads(json!({ "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["DELETE"] }] }), |_: &mut Options| {}, "spec.rules: ")]
#[case::nothing_to_reject(json!({ "settings": {} }), |_: &mut Options| {}, "settings: ")]
#[case::no_access(json!({ "settings": { "reservedRuntimes": ["runc"], "matchHandlers": true }, "contextAwareResources": [] }), |_: &mut Options| {}, "settings.matchHandlers: ")]
#[case::not_mutating(json!({ "mutating": false }), |_: &mut Options| {}, "spec.mutating: ")]
#[case::line_break(json!({ "message": "ask\nteam-a" }), |_: &mut Options| {}, "spec.message: ")]
#[case::reserved_name(json!({ "matchConditions": [{ "name": "not-a-mirror-pod", "expression": "true" }] }), |_: &mut Options| {}, "spec.matchConditions: rename 'not-a-mirror-pod'")]
#[case::no_fallback(json!({ "settings": { "reservedRuntimes": ["runc"] } }), |options: &mut Options| options.mutate = true, "--mutate: ")]
#[case::before_mutation(json!({}), |options: &mut Options| (options.mutate, options.kubernetes) = (true, Kubernetes(33)), "--kubernetes 1.33: MutatingAdmissionPolicy")]
#[case::before_validation(json!({}), |options: &mut Options| options.kubernetes = Kubernetes(29), "--kubernetes 1.29: ValidatingAdmissionPolicy")]
#[case::lock_of_live(json!({}), |options: &mut Options| (options.lock, options.classes) = (true, Classes::Live), "--lock: ")]
#[case::lock_of_names(json!({ "contextAwareResources": [] }), |options: &mut Options| options.lock = true, "--lock: ")]
#[case::templates_twice(json!({ "rules": [{ "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"] }] }), |options: &mut Options| options.templates = true, "--templates: ")]
#[case::templates_of_live(json!({}), |options: &mut Options| (options.templates, options.classes) = (true, Classes::Live), "--classes live: ")]
#[case::templates_by_label(json!({ "objectSelector": { "matchLabels": { "app": "web" } } }), |options: &mut Options| options.templates = true, "--templates: spec.objectSelector")]
#[case::template_condition(json!({ "matchConditions": [{ "name": "mine", "expression": "request.dryRun" }] }), |options: &mut Options| options.templates = true, "--templates: matchCondition 'mine'")]
#[case::too_long(json!({ "settings": { "reservedRuntimes": vec!["a".repeat(200); 600] } }), |_: &mut Options| {}, "runtimes-native-guard: an expression has 24")]
fn what_cannot_be_expressed_is_refused_by_name(#[case] spec: Value, #[case] change: Change, #[case] start: &str) {
    let mut options = baked();
    change(&mut options);
    let errors = render(&policy(spec), &options).expect_err("not expressible");
    let [error] = <[NotExpressible; 1]>::try_from(errors).expect("one cause");
    assert!(error.to_string().starts_with(start), "{error}");
}

#[test]
fn every_cause_is_named() {
    let options = Options { lock: true, mutate: true, ..Options::new(Classes::Live) };
    let policy = policy(json!({ "settings": { "reservedRuntimes": ["runc"] }, "message": "a\nb" }));
    let errors = render(&policy, &options).expect_err("not expressible");
    assert_eq!(errors, [NotExpressible::NoFallback, NotExpressible::LockOfLive, NotExpressible::LineBreakInMessage]);
}

#[rstest]
#[case(json!({ "kind": "Pod" }), "expected a RuntimeClass, got Pod")]
#[case(json!({}), "expected a RuntimeClass, got an object without a kind")]
#[case(json!({ "kind": "RuntimeClass", "metadata": { "name": "kata" } }), "RuntimeClass kata: missing field `handler`")]
#[case(json!({ "kind": "RuntimeClass", "metadata": { "name": "kata" }, "handler": "kata", "scheduling": { "tolerations": [{ "new": 1 }] } }), "RuntimeClass kata: unknown field `new`")]
fn what_is_no_class_is_named(#[case] object: Value, #[case] start: &str) {
    let error = Class::of(&object).expect_err("no class");
    assert!(error.starts_with(start), "{error}");
}

#[rstest]
#[case("1.36", Ok(Kubernetes(36)))]
#[case("v1.34.2", Ok(Kubernetes(34)))]
#[case("2.0", Err("'2.0' is no version, such as 1.36".to_owned()))]
#[case("1.x", Err("'1.x' is no version, such as 1.36".to_owned()))]
fn a_version_is_read(#[case] text: &str, #[case] version: Result<Kubernetes, String>) {
    assert_eq!(Kubernetes::parse(text), version);
}

#[test]
fn yaml_is_the_same_objects_in_an_order_to_read() {
    let rendered = rendered(&policy(json!({})), &Options { mutate: true, lock: true, templates: true, ..baked() });
    let text = rendered.to_yaml().expect("YAML");
    let documents = serde_yaml_ng::Deserializer::from_str(&text).map(serde::Deserialize::deserialize);
    assert_eq!(documents.collect::<Result<Vec<Value>, _>>().expect("YAML"), rendered.objects);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
    assert!(at("# ") < at("apiVersion:") && at("variables:") < at("validations:"), "{text}");
    assert!(
        text.contains("  - name: handlers\n    expression: |-\n      {\n        \"kata\": \"kata-qemu\","),
        "{text}"
    );
}
