//! Single objects, reviewed: the requests about them, what policies are asked, and what they answer.
use std::sync::Arc;

use rehearsal::{
    Judge, Operation, Outcome, Policies, read,
    review::{Details, Input, Review, Reviewed, Reviews, read_cluster},
};
use serde_json::{Value, json};

use super::host::Native;

const CLASSES: &str = r#"
{"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "plain"}, "handler": "runc"}
{"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"}, "handler": "kata"}
"#;

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  runtimeClassName: plain
  containers: [{name: web, image: nginx}]
";

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: shop}]}
";

const SETTINGS: &str = "{reservedRuntimes: [runc], fallbackRuntime: kata, defaultRuntimeReserved: true}";

fn manifest(name: &str, settings: &str, rule: &str, rest: &str) -> String {
    format!(
        "
apiVersion: policies.kubewarden.io/v1
kind: ClusterAdmissionPolicy
metadata: {{name: {name}}}
spec:
  module: registry://registry.example/pod-runtime-class-policy:v2.0.0
  mutating: true
  contextAwareResources: [{{apiVersion: node.k8s.io/v1, kind: RuntimeClass}}]
  settings: {settings}
  rules: [{{apiGroups: ['*'], apiVersions: ['*'], {rule}}}]
{rest}
---"
    )
}

const PODS: &str = "resources: [pods], operations: [CREATE]";

fn review(policies: &str, input: &Input) -> Reviews {
    let documents = read::documents(policies.as_bytes(), "policies").expect("policies");
    let policies = match documents.as_slice() {
        [settings] if settings.get("kind").is_none() => Policies::of_settings(settings.clone()),
        documents => Policies::of_objects(documents).expect("policies"),
    };
    let (cluster, unreadable) = read_cluster(CLASSES);
    assert_eq!(unreadable, []);
    let host = Native(Arc::new(cluster.runtime_classes.clone()));
    let judge = Judge { policies: &policies, cluster: &cluster, host: &host, namespace: "default" };
    Reviews::new(&judge, input)
}

fn details(operation: Operation) -> Details {
    Details { operation, username: "jane".to_owned(), ..Details::default() }
}

fn input(objects: &str, operation: Operation) -> Input {
    Input { objects: objects.to_owned(), details: details(operation), ..Input::default() }
}

#[track_caller]
fn only(reviews: Reviews) -> Review {
    let [review] = <[Review; 1]>::try_from(reviews.reviews).expect("one review");
    review
}

fn outcome(reviewed: &Reviewed) -> Option<Outcome> {
    reviewed.verdict.as_ref().map(|verdict| verdict.outcome)
}

#[test]
fn a_created_pod_is_asked_about_with_its_defaults_and_its_user() {
    let Review { own, pods, .. } = only(review(SETTINGS, &input(POD, Operation::Create)));
    let [question] = own.questions.as_slice() else { panic!("one question, got {:?}", own.questions) };
    let request = &question.payload["request"];
    assert_eq!(request["userInfo"]["username"], "jane");
    assert_eq!(request["object"]["spec"]["schedulerName"], "default-scheduler");
    assert_eq!(question.payload["settings"]["fallbackRuntime"], "kata");
    assert_eq!(question.answer.as_ref().expect("an answer")["mutated_object"]["spec"]["runtimeClassName"], "kata");
    assert_eq!((outcome(&own), pods.len()), (Some(Outcome::Mutated), 0));
}

#[test]
fn a_deployment_is_asked_about_and_so_are_its_pods_as_their_controller_makes_them() {
    let Review { own, pods, .. } = only(review(SETTINGS, &input(DEPLOYMENT, Operation::Create)));
    assert_eq!((outcome(&own), own.resource.as_str()), (Some(Outcome::Accepted), "deployments"));
    let [pod] = pods.as_slice() else { panic!("Pods of one template, got {pods:?}") };
    assert_eq!((outcome(pod), pod.resource.as_str()), (Some(Outcome::Mutated), "pods"));
    let user = &pod.questions[0].payload["request"]["userInfo"]["username"];
    assert_eq!(user, "system:serviceaccount:kube-system:replicaset-controller");
}

#[test]
fn an_update_or_a_deletion_of_a_deployment_makes_no_pods() {
    for operation in [Operation::Update, Operation::Delete] {
        let Review { own, pods, .. } = only(review(SETTINGS, &input(DEPLOYMENT, operation)));
        assert_eq!((outcome(&own), pods.len()), (Some(Outcome::Accepted), 0), "{operation:?}");
    }
}

#[test]
fn a_deleted_pod_is_the_old_object() {
    let own = only(review(SETTINGS, &input(POD, Operation::Delete))).own;
    let request = &own.questions[0].payload["request"];
    assert_eq!((&request["object"], &request["oldObject"]["metadata"]["name"]), (&Value::Null, &json!("web")));
    assert_eq!((outcome(&own), own.operation), (Some(Outcome::Accepted), "DELETE"));
}

#[test]
fn an_update_has_the_object_before_it() {
    let before = |name: &str, class: &str| POD.replace("web,", &format!("{name},")).replace("plain", class) + "---";
    let updated = |before: String| {
        let update = Input { before, ..input(POD, Operation::Update) };
        outcome(&only(review("{reservedRuntimes: [runc]}", &update)).own)
    };
    assert_eq!(updated(before("web", "plain")), Some(Outcome::Accepted));
    assert_eq!(updated(before("other", "plain")), Some(Outcome::Accepted), "the only one");
    assert_eq!(updated(before("other", "plain") + &before("web", "kata")), Some(Outcome::Rejected));
    assert_eq!(updated(String::new()), Some(Outcome::Rejected));
}

#[test]
fn rules_select_subresources_by_name() {
    let status = Input {
        details: Details { sub_resource: "status".to_owned(), ..details(Operation::Update) },
        ..input(DEPLOYMENT, Operation::Update)
    };
    let left_out = |resources: &str| {
        let rule = format!("resources: [{resources}], operations: [UPDATE]");
        let own = only(review(&manifest("p", SETTINGS, &rule, ""), &status)).own;
        assert_eq!(own.resource, "deployments/status");
        json!(own.left_out_by)
    };
    assert_eq!(left_out("deployments"), "rules");
    assert_eq!(left_out("deployments/status"), Value::Null);
    assert_eq!(left_out("deployments/*"), Value::Null);
}

#[test]
fn the_part_of_a_manifest_that_leaves_a_request_out_is_named() {
    let left_out = |rule: &str, rest: &str| {
        let own = only(review(&manifest("p", SETTINGS, rule, rest), &input(POD, Operation::Create))).own;
        assert_eq!(own.questions.len(), usize::from(own.left_out_by.is_none()));
        json!(own.left_out_by)
    };
    assert_eq!(left_out(PODS, ""), Value::Null);
    assert_eq!(left_out("resources: [jobs], operations: [CREATE]", ""), "rules");
    let namespaces = "  namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [default]}]}";
    assert_eq!(left_out(PODS, namespaces), "namespaceSelector");
    assert_eq!(left_out(PODS, "  objectSelector: {matchLabels: {app: other}}"), "objectSelector");
    assert_eq!(left_out(PODS, "  matchConditions: [{name: none, expression: 'false'}]"), "matchConditions");
}

#[test]
fn each_policy_that_is_asked_is_a_question_and_sees_what_the_one_before_left() {
    let policies = manifest("b", "{reservedRuntimes: [kata]}", PODS, "") + &manifest("a", SETTINGS, PODS, "");
    let own = only(review(&policies, &input(POD, Operation::Create))).own;
    let asked = |at: usize| {
        let question = &own.questions[at];
        (question.policy.as_deref(), question.payload["request"]["object"]["spec"]["runtimeClassName"].as_str())
    };
    assert_eq!([asked(0), asked(1)], [(Some("a"), Some("plain")), (Some("b"), Some("kata"))]);
    assert_eq!(own.verdict.expect("a verdict").message.as_deref(), Some("runtime 'kata' is reserved"));
}

#[test]
fn a_recorded_request_is_passed_on_as_it_is() {
    let request = json!({
        "uid": "7",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "operation": "CREATE",
        "namespace": "team-b",
        "userInfo": {"username": "admin"},
        "object": {"metadata": {"name": "a"}, "spec": {"runtimeClassName": "plain"}},
        "oldObject": null,
        "other": 1,
    });
    for text in [request.to_string(), json!({"kind": "AdmissionReview", "request": request}).to_string()] {
        let Review { own, is_recorded, .. } = only(review(SETTINGS, &input(&text, Operation::Delete)));
        assert!(is_recorded);
        assert_eq!((own.operation, own.namespace.as_str(), own.name.as_str()), ("CREATE", "team-b", "a"));
        let mut passed_on = request.clone();
        let members = passed_on.as_object_mut().expect("an object");
        members.retain(|member, _| member != "oldObject" && member != "other");
        assert_eq!(own.questions[0].payload["request"], passed_on);
    }
}

#[test]
fn a_recorded_request_that_is_none_is_named_with_its_field() {
    let text =
        r#"{"kind": "AdmissionReview", "request": {"kind": {"version": "v1", "kind": 5}, "operation": "CREATE"}}"#;
    let reviews = review(SETTINGS, &input(text, Operation::Create));
    let messages: Vec<&str> = reviews.unreadable.iter().map(|unreadable| unreadable.message.as_str()).collect();
    assert_eq!(messages, ["request.kind.kind: invalid type: integer `5`, expected a string"]);
}

#[test]
fn an_object_of_a_kind_that_is_not_known_is_asked_about_by_its_plural() {
    let resource = |kind: &str| {
        let text = format!("apiVersion: example.com/v1\nkind: {kind}\nmetadata: {{name: a}}\n");
        only(review(SETTINGS, &input(&text, Operation::Create))).own.resource
    };
    let found: Vec<String> = ["Widget", "Policy", "Gateway", "Ingress", "Box"].map(resource).into();
    assert_eq!(found, ["widgets", "policies", "gateways", "ingresses", "boxes"]);
}

#[test]
fn what_says_nothing_of_a_cluster_is_named() {
    let text = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: a}\n---\nhandler: runc\n";
    let (cluster, unreadable) = read_cluster(text);
    let messages: Vec<(usize, &str)> = unreadable.iter().map(|each| (each.place.line, each.message.as_str())).collect();
    assert_eq!(
        messages,
        [(1, "Pod is not a RuntimeClass: ignored"), (5, "handler: expected a string"), (9, "kind: missing field")]
    );
    assert!(cluster.runtime_classes.is_empty());
}
