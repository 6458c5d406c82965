//! The policy's answer to each object, as if it were created now.
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

use super::{
    cluster::{Cluster, Made},
    conditions::Matched,
    documents::{Document, Unreadable},
    manifest::Scope,
    object::{Metadata, Object},
    sandbox,
    tally::{LeftOut, Outcome, Row, Tally, Verdict},
    workload::{Kind, POD},
};
use crate::{Capabilities, Policy, policy::ValidationResponse};

/// The class of a workload that names none, as in audit annotations.
pub const DEFAULT: &str = "(default)";
const UID: &str = "00000000-0000-0000-0000-000000000000";
const CONTROLLERS: [(&str, &str); 6] = [
    ("CronJob", "cronjob-controller"),
    ("DaemonSet", "daemon-set-controller"),
    ("Deployment", "deployment-controller"),
    ("Job", "job-controller"),
    ("ReplicaSet", "replicaset-controller"),
    ("StatefulSet", "statefulset-controller"),
];

/// Evaluates the policy.
pub struct Judge<'a> {
    pub policy: &'a Policy,
    pub scope: &'a Scope,
    pub cluster: &'a Cluster,
    pub capabilities: Arc<Capabilities>,
    /// The namespace of an object that names none.
    pub namespace: &'a str,
}

/// The subject of a request: an object of the input, or a Pod of its template.
struct Subject<'a> {
    kind: &'static Kind,
    version: &'a str,
    name: Option<&'a str>,
    namespace: &'a str,
    metadata: &'a Metadata,
    object: &'a RawValue,
    user: Value,
}

#[derive(Serialize)]
struct Payload<'a> {
    request: Request<'a>,
    settings: &'a Value,
}

/// An AdmissionRequest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    uid: &'a str,
    kind: Value,
    resource: Value,
    request_kind: Value,
    request_resource: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    namespace: &'a str,
    operation: &'a str,
    user_info: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a RawValue>,
    dry_run: bool,
}

impl Judge<'_> {
    /// Judges an object of the input, if the manifest selects it.
    pub fn judge(&self, read: Result<Document, Unreadable>, tally: &mut Tally) {
        let read = read.and_then(|document| match Object::of(&document) {
            Ok(object) => Ok((object, document.text)),
            Err(error) => Err(document.place.unreadable(error)),
        });
        match read {
            Err(unreadable) => tally.unreadable.push(unreadable),
            Ok((object, text)) => match Kind::of(&object) {
                None => *tally.other_kinds.entry(object.kind_and_group()).or_default() += 1,
                Some(kind) => self.workload(kind, &object, &text, tally),
            },
        }
    }

    fn workload(&self, kind: &'static Kind, object: &Object, text: &RawValue, tally: &mut Tally) {
        let metadata = &object.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or(self.namespace);
        let user = user(metadata.controller().map(|owner| owner.kind.as_str()), metadata);
        let subject = Subject {
            kind,
            version: &object.version,
            name: metadata.name.as_deref(),
            namespace,
            metadata,
            object: text,
            user,
        };
        let own = self.ask(&subject, tally);
        let answer = match kind.pod_of_template(text, metadata.name(), namespace) {
            Some(pod) => own_and_pods(own, self.ask_about_pod(&object.kind, &pod, namespace, tally)),
            None => own,
        };
        match answer {
            Err(part) => *tally.left_out.entry(part).or_default() += 1,
            Ok(verdict) => {
                let Made { kind: row_kind, name } = self.cluster.workload(object);
                let namespace = namespace.to_owned();
                let row = Row { outcome: verdict.outcome, namespace, kind: row_kind, name, verdict };
                let count = tally.rows.entry(row).or_default();
                if kind.is_pod() { count.pods += 1 } else { count.templates += 1 }
            }
        }
    }

    /// Judges the Pod that the template of a `maker` creates.
    fn ask_about_pod(
        &self,
        maker: &str,
        pod: &RawValue,
        namespace: &str,
        tally: &mut Tally,
    ) -> Result<Verdict, LeftOut> {
        let maker = match maker {
            "Deployment" => "ReplicaSet",
            "CronJob" => "Job",
            other => other,
        };
        #[derive(Default, Deserialize)]
        struct Head {
            #[serde(default)]
            metadata: Metadata,
        }
        // The API server rejects labels that are not strings.
        let Head { metadata } = serde_json::from_str(pod.get()).unwrap_or_default();
        let user = user(Some(maker), &metadata);
        let subject =
            Subject { kind: &POD, version: "v1", name: None, namespace, metadata: &metadata, object: pod, user };
        self.ask(&subject, tally)
    }

    /// The policy's verdict, or the part of its manifest that leaves the subject out.
    fn ask(&self, subject: &Subject, tally: &mut Tally) -> Result<Verdict, LeftOut> {
        if let Some(failed) = self.select(subject, tally)? {
            return Ok(Verdict::failed(subject.class(), failed));
        }
        let request = subject.request(Some(subject.object));
        let payload = serde_json::to_vec(&Payload { request, settings: &self.scope.settings });
        let answer = payload
            .map_err(Into::into)
            .and_then(|payload| self.policy.call("validate", &payload, &self.capabilities))
            .and_then(|answer| Ok(serde_json::from_slice::<ValidationResponse>(&answer)?));
        Ok(match answer {
            Ok(answer) => self.verdict(subject, answer),
            Err(error) => Verdict::failed(subject.class(), format!("internal server error: {error}")),
        })
    }

    /// Whether the API server calls the policy; the message of a match condition that fails.
    fn select(&self, subject: &Subject, tally: &mut Tally) -> Result<Option<String>, LeftOut> {
        let scope = self.scope;
        if !scope.asks_for(subject.kind, subject.version) {
            return Err(LeftOut::Rules);
        }
        let name = subject.namespace;
        if scope.namespaces.needs_labels_of(name) && !self.cluster.knows_labels_of(name) {
            *tally.without_labels.entry(name.to_owned()).or_default() += 1;
        }
        if !scope.namespaces.selects(|key| self.cluster.label_of(name, key)) {
            return Err(LeftOut::NamespaceSelector);
        }
        if !scope.objects.selects(|key| subject.metadata.label(key)) {
            return Err(LeftOut::ObjectSelector);
        }
        let Some(conditions) = &scope.conditions else { return Ok(None) };
        let object: Value = serde_json::from_str(subject.object.get()).unwrap_or_default();
        let (matched, not_evaluated) = conditions.evaluate(&json!(subject.request(None)), &object);
        not_evaluated.into_iter().for_each(|condition| tally.not_evaluated(condition, 1));
        match matched {
            Matched::Yes => Ok(None),
            Matched::Failed(message) if scope.fails_closed => Ok(Some(message)),
            Matched::No | Matched::Failed(_) => Err(LeftOut::MatchConditions),
        }
    }

    fn verdict(&self, subject: &Subject, answer: ValidationResponse) -> Verdict {
        let annotation = |key| answer.audit_annotations.as_ref().and_then(|annotations| annotations.get(key)).cloned();
        let class = annotation("requested-runtime-class").unwrap_or_else(|| subject.class());
        let verdict = Verdict { class, ..Verdict::accepted() };
        match (answer.accepted, answer.mutated_object, &self.scope.validating) {
            (false, ..) => {
                let outcome = if answer.code == Some(500) { Outcome::Error } else { Outcome::Rejected };
                Verdict { outcome, code: answer.code, message: answer.message, ..verdict }
            }
            (true, None, _) => {
                let message =
                    answer.warnings.filter(|warnings| !warnings.is_empty()).map(|warnings| warnings.join("; "));
                Verdict { message, ..verdict }
            }
            (true, Some(_), Some(id)) => {
                Verdict { outcome: Outcome::Rejected, message: Some(may_not_mutate(id)), ..verdict }
            }
            (true, Some(object), None) => {
                let spec = &object["spec"];
                let to = spec["runtimeClassName"].as_str().unwrap_or_default().to_owned();
                let fields = sandbox::taken_away(spec, self.cluster.runtime_classes.get(&to));
                let message = answer.warnings.map(|warnings| warnings.join("; "));
                Verdict { outcome: Outcome::Mutated, to: Some(to), message, fields, ..verdict }
            }
        }
    }
}

/// The answer of policy-server if a validating policy mutates.
fn may_not_mutate(id: &str) -> String {
    format!(
        "Request rejected by policy {id}. The policy attempted to mutate the request, but it is currently configured to not allow mutations."
    )
}

/// The verdict of a template: its own if it is not accepted, else that of its Pods.
fn own_and_pods(own: Result<Verdict, LeftOut>, pods: Result<Verdict, LeftOut>) -> Result<Verdict, LeftOut> {
    match (own, pods) {
        (Ok(own), _) if own.outcome != Outcome::Accepted => Ok(own),
        // The warning names the owner of the Pods.
        (Ok(own), Ok(pods)) if own.message.is_some() && pods.outcome == Outcome::Mutated => {
            Ok(Verdict { message: own.message, ..pods })
        }
        (Ok(own), Err(_)) => Ok(own),
        (_, pods) => pods,
    }
}

/// The user of the request: the controller of a Pod, the node of a mirror Pod, or another user.
fn user(maker: Option<&str>, metadata: &Metadata) -> Value {
    let controller = CONTROLLERS.iter().find(|(kind, _)| Some(*kind) == maker);
    if let Some((_, controller)) = controller {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
        return json!({ "username": format!("system:serviceaccount:kube-system:{controller}"), "groups": groups });
    }
    let node = metadata.controller().filter(|owner| owner.kind == "Node");
    match node.filter(|_| metadata.annotation("kubernetes.io/config.mirror").is_some()) {
        Some(node) => {
            let username = format!("system:node:{}", node.name);
            json!({ "username": username, "groups": ["system:nodes", "system:authenticated"] })
        }
        None => json!({ "username": "rehearsal", "groups": ["system:authenticated"] }),
    }
}

impl<'a> Subject<'a> {
    fn request(&'a self, object: Option<&'a RawValue>) -> Request<'a> {
        let Kind { group, kind, resource, .. } = *self.kind;
        let kind = json!({ "group": group, "version": self.version, "kind": kind });
        let resource = json!({ "group": group, "version": self.version, "resource": resource });
        Request {
            uid: UID,
            request_kind: kind.clone(),
            request_resource: resource.clone(),
            kind,
            resource,
            name: self.name,
            namespace: self.namespace,
            operation: "CREATE",
            user_info: &self.user,
            object,
            dry_run: true,
        }
    }

    /// The class that its pod spec names.
    fn class(&self) -> String {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct PodSpec {
            runtime_class_name: Option<Value>,
        }
        let spec = self.kind.pod_spec(self.object).map(RawValue::get).unwrap_or_default();
        let spec: PodSpec = serde_json::from_str(spec).unwrap_or_default();
        match spec.runtime_class_name {
            None | Some(Value::Null) => DEFAULT.to_owned(),
            Some(Value::String(name)) if name.is_empty() => DEFAULT.to_owned(),
            Some(Value::String(name)) => name,
            Some(other) => other.to_string(),
        }
    }
}

impl Verdict {
    fn accepted() -> Self {
        Self { outcome: Outcome::Accepted, class: String::new(), to: None, code: None, message: None, fields: vec![] }
    }

    fn failed(class: String, message: String) -> Self {
        Self { outcome: Outcome::Error, class, code: Some(500), message: Some(message), ..Self::accepted() }
    }
}
