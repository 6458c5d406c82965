//! What comes of an object if it were created now: the API server, the policies, and the API server again.
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    api_server::{self, Kind},
    cluster::Cluster,
    guards::Guard,
    kustomize,
    look_first::{self, Move},
    object::{Header, Metadata, Workload},
    outcome::{Matched, NotAsked, Outcome, Verdict},
    policies::{Asked, Policies},
    policy::{FailurePolicy, Manifest},
    read::{Document, Found, Place},
    request::{Resource, Subject},
    tally::{NotJudged, Objects, Row, Tally, Unreadable},
    templates,
};

/// The class of a workload that names none, as in audit annotations.
pub const DEFAULT: &str = "(default)";

/// Pods.
pub(crate) const POD: &Kind = &api_server::KINDS[0];

/// The annotation of a [mirror Pod](https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/).
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The module of the policy, in whatever runs it.
pub trait Host: Sync {
    /// The module's answer to `validate`, in a fresh instance.
    ///
    /// # Errors
    /// It has none. The text is what the host says.
    fn validate(&self, payload: &[u8], reads_classes: bool) -> Result<Vec<u8>, String>;
}

/// Judges objects, once the whole input is known.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    pub policies: &'a Policies,
    pub cluster: &'a Cluster,
    pub host: &'a dyn Host,
    /// The namespace of an object that names none.
    pub namespace: &'a str,
}

/// The answer of a policy to `validate`: the
/// [ValidationResponse](https://docs.kubewarden.io/reference/spec/validating-policies).
#[derive(Debug, Deserialize)]
pub struct Answer {
    pub accepted: bool,
    pub message: Option<String>,
    pub code: Option<u16>,
    pub mutated_object: Option<Value>,
    pub audit_annotations: Option<std::collections::BTreeMap<String, String>>,
    pub warnings: Option<Vec<String>>,
}

/// What the API server and the policies did to an object.
pub struct Passage {
    /// The object as they left it.
    pub subject: Subject,
    pub verdict: Verdict,
    /// The Pod as it was before the first policy moved it.
    pub before: Option<Value>,
    /// The questions to policies, and their answers.
    pub questions: Vec<Question>,
    /// Who moved it, and where to.
    moves: Vec<(Option<String>, String)>,
    was_asked: bool,
}

/// A question to a policy.
pub struct Question {
    /// The name of its policy; none for settings alone.
    pub policy: Option<String>,
    pub payload: Vec<u8>,
    /// Its answer, or what the host says.
    pub answer: Result<Vec<u8>, String>,
}

impl Judge<'_> {
    /// Judges what was found in the input, and counts what comes of it.
    pub fn judge(&self, found: Found, tally: &mut Tally) {
        match found {
            Found::Object(document) if self.is_patch(&document.place) => tally.leave(NotJudged::Patch),
            Found::Object(document) => {
                if let Err(message) = self.judge_object(&document, tally) {
                    tally.unreadable.push(Unreadable { place: document.place, message });
                }
            }
            Found::NotAnObject(document) if self.is_patch(&document.place) => tally.leave(NotJudged::Patch),
            Found::NotAnObject(_) => tally.leave(NotJudged::NotAnObject),
            Found::Unreadable { place, message } => tally.unreadable.push(Unreadable { place, message }),
        }
    }

    fn is_patch(&self, place: &Place) -> bool {
        !self.cluster.patches.is_empty() && self.cluster.patches.contains(&kustomize::normalized(&place.file))
    }

    fn judge_object(&self, document: &Document, tally: &mut Tally) -> Result<(), String> {
        let (object, duplicate_keys) = document.value()?;
        let header = Header::of(&object)?;
        if !duplicate_keys.is_empty() {
            tally.duplicate_keys.insert(document.place.clone(), duplicate_keys);
        }
        match api_server::kind_of(&header.group, &header.kind) {
            Some(kind) => self.judge_workload(kind, &header, object, &document.place, tally),
            None => self.judge_templates(&header, &object, &document.place, tally),
        }
    }

    fn judge_workload(
        &self,
        kind: &'static Kind,
        header: &Header,
        object: Value,
        place: &Place,
        tally: &mut Tally,
    ) -> Result<(), String> {
        if let Some(why) = makes_no_pods_anymore(header, &object) {
            tally.leave(why);
            return Ok(());
        }
        let namespace = self.namespace_of(header);
        if let Err(refused) = api_server::decode(kind, &object) {
            let verdict = Verdict::refused(class_of(kind, &object), refused.to_string());
            self.count(Ok(verdict), header, kind.is_pod(), place, tally);
            return Ok(());
        }
        let pod = kind.template_of(&object).map(|template| api_server::pod_of_template(&object, template));
        let user = sender(&header.metadata);
        let subject = Subject::creation(header, Resource::of(kind, &header.version), namespace, object, user);
        let own = self.pass(subject, Some(kind), tally).map(|passage| passage.verdict);
        let verdict = match pod {
            Some(pod) => own_and_pods(own, self.judge_pod_of(header, pod, tally)?),
            None => own,
        };
        self.count(verdict, header, kind.is_pod(), place, tally);
        Ok(())
    }

    /// Judges an object of a kind that Kubernetes does not have by the Pods that it makes.
    fn judge_templates(&self, header: &Header, object: &Value, place: &Place, tally: &mut Tally) -> Result<(), String> {
        if templates::makes_unseen_pods(&header.group, &header.kind) {
            tally.leave(NotJudged::UnseenPods(header.kind_and_group()));
            return Ok(());
        }
        let templates = templates::templates_by_shape(&header.group, object);
        if templates.is_empty() {
            tally.leave(NotJudged::Kind(header.kind_and_group()));
        }
        for template in templates {
            let pod = api_server::pod_of_template(object, &templates::with_names(template));
            let verdict = match api_server::decode(POD, &pod) {
                Ok(()) => self.judge_pod_of(header, pod, tally)?,
                Err(refused) => Ok(Verdict::refused(class_of(POD, &pod), refused.to_string())),
            };
            self.count(verdict, header, false, place, tally);
        }
        Ok(())
    }

    /// Judges the Pod that a template of `owner` makes.
    fn judge_pod_of(&self, owner: &Header, pod: Value, tally: &mut Tally) -> Result<Result<Verdict, NotAsked>, String> {
        let header = Header::of(&pod).map_err(|error| format!("template: {error}"))?;
        let user = api_server::user_of(&owner.group, &owner.kind);
        let subject = Subject::creation(&header, Resource::of(POD, "v1"), self.namespace_of(owner), pod, user);
        Ok(self.pass(subject, Some(POD), tally).map(|passage| passage.verdict))
    }

    fn count(
        &self,
        verdict: Result<Verdict, NotAsked>,
        header: &Header,
        is_pod: bool,
        place: &Place,
        tally: &mut Tally,
    ) {
        let namespace = self.namespace_of(header).to_owned();
        match verdict {
            Err(part) => {
                tally.leave(NotJudged::NotAsked(part));
                *tally.uncovered.entry(namespace).or_default() += 1;
            }
            Ok(mut verdict) => {
                let Workload { kind, name } = self.cluster.workload_of(header);
                if is_pod && name != header.metadata.name() {
                    verdict.message = verdict.message.map(|message| without_name(message, header.metadata.name()));
                }
                let objects = Objects { pods: is_pod.into(), templates: (!is_pod).into(), place: place.clone() };
                let row = Row { outcome: verdict.outcome, namespace, kind, name, verdict: tally.shared(verdict) };
                tally.add(row, objects);
            }
        }
    }

    fn namespace_of<'h>(&'h self, header: &'h Header) -> &'h str {
        header.metadata.namespace.as_deref().unwrap_or(self.namespace)
    }

    /// What comes of a Pod in this namespace that names no class, and uses nothing else.
    pub fn plain_pod(&self, namespace: &str) -> Option<Verdict> {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": { "name": "plain", "namespace": namespace },
            "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] },
        });
        let header = Header::of(&pod).ok()?;
        let user = sender(&header.metadata);
        let subject = Subject::creation(&header, Resource::of(POD, "v1"), namespace, pod, user);
        self.pass(subject, Some(POD), &mut Tally::default()).map(|passage| passage.verdict).ok()
    }

    /// What the API server and the policies make of a request, or the part of the manifests by which no policy is
    /// asked.
    ///
    /// Mutating webhooks are called one after the other, and see what the ones before left. Then the API server checks
    /// the object, and calls the validating ones.
    pub fn pass(&self, mut subject: Subject, kind: Option<&Kind>, tally: &mut Tally) -> Result<Passage, NotAsked> {
        let (selecting, guards) = self.selecting(&subject, tally)?;
        let class = kind.map_or_else(|| DEFAULT.to_owned(), |kind| class_of(kind, &subject.object));
        let classes = self.cluster.classes();
        // A request that was recorded has passed the API server.
        let kind = kind.filter(|_| subject.recorded.is_none());
        if let Some(kind) = kind {
            api_server::set_defaults(kind.group, kind.name, &mut subject.object);
            api_server::set_defaults(kind.group, kind.name, &mut subject.old_object);
        }
        let checked = kind.filter(|kind| subject.is_creation() || !(kind.is_pod() || subject.object.is_null()));
        let mut passage = Passage::new(subject, Verdict::accepted(class));
        if checked.is_some_and(Kind::is_pod)
            && let Err(refused) = api_server::admit_pod(&mut passage.subject.object, classes)
        {
            return Ok(passage.refused(refused.to_string()));
        }
        for asked in selecting.iter().filter(|asked| asked.policy.mutates()) {
            if !self.ask(asked, &mut passage, tally) {
                return Ok(passage);
            }
        }
        if let Some(kind) = checked {
            let is_changed = passage.before.is_some();
            let object = &mut passage.subject.object;
            let read = if is_changed { api_server::read_again(kind, object, classes) } else { Ok(()) };
            if let Err(refused) = read.and_then(|()| api_server::validate(kind, object, classes)) {
                return Ok(passage.refused(refused.to_string()));
            }
        }
        for asked in selecting.iter().filter(|asked| !asked.policy.mutates()) {
            if !self.ask(asked, &mut passage, tally) {
                return Ok(passage);
            }
        }
        for guard in &guards {
            passage.was_asked = true;
            if let Some(message) = guard.rejection(&passage.subject, self.cluster, tally) {
                return Ok(passage.rejected_by(guard, message));
            }
        }
        if !passage.was_asked {
            return Err(NotAsked::MatchConditions);
        }
        self.look_first(&mut passage);
        Ok(passage)
    }

    /// The policies, and the guards, whose rules and selectors select a request.
    fn selecting(&self, subject: &Subject, tally: &mut Tally) -> Result<(Vec<&Asked>, Vec<&Guard>), NotAsked> {
        let (mut policies, mut guards) = (vec![], vec![]);
        let mut not_asked = NotAsked::Rules;
        for asked in self.policies.iter() {
            let selected = asked.policy.manifest.as_ref().map_or(Ok(()), |one| self.selects(one, subject, tally));
            match selected {
                Ok(()) => policies.push(asked),
                Err(part) => not_asked = not_asked.max(part),
            }
        }
        for guard in &self.policies.guards {
            match self.selects(&guard.manifest, subject, tally) {
                Ok(()) => guards.push(guard),
                Err(part) => not_asked = not_asked.max(part),
            }
        }
        if policies.is_empty() && guards.is_empty() { Err(not_asked) } else { Ok((policies, guards)) }
    }

    /// Whether rules and selectors select a request.
    fn selects(&self, manifest: &Manifest, subject: &Subject, tally: &mut Tally) -> Result<(), NotAsked> {
        if !manifest.selects(subject.operation.as_str(), &subject.resource) {
            return Err(NotAsked::Rules);
        }
        let (name, selector) = (subject.namespace.as_str(), &manifest.namespace_selector);
        if selector.needs_labels_of(name) && !self.cluster.knows_labels_of(name) {
            *tally.without_labels.entry(name.to_owned()).or_default() += 1;
        }
        if !selector.selects(|key| self.cluster.label_of(name, key)) {
            return Err(NotAsked::NamespaceSelector);
        }
        if !manifest.object_selector.selects(|key| subject.metadata.label(key)) {
            return Err(NotAsked::ObjectSelector);
        }
        Ok(())
    }

    /// Asks a policy, and returns whether the request goes on.
    fn ask(&self, asked: &Asked, passage: &mut Passage, tally: &mut Tally) -> bool {
        let Passage { subject, verdict, was_asked, .. } = &mut *passage;
        let policy = asked.policy.name().map(str::to_owned);
        if let Some(conditions) = &asked.conditions {
            let request = subject.request_for_conditions();
            let (matched, not_evaluated) = conditions.evaluate(&request, &subject.object, &subject.old_object);
            not_evaluated.into_iter().for_each(|condition| tally.not_evaluated(condition, 1));
            match (matched, asked.policy.failure_policy()) {
                (Matched::Yes, _) => {}
                (Matched::Failed(message), FailurePolicy::Fail) => {
                    *was_asked = true;
                    *verdict = Verdict { policy, ..Verdict::failed(verdict.class.clone(), message) };
                    return false;
                }
                (Matched::No | Matched::Failed(_), _) => return true,
            }
        }
        *was_asked = true;
        let reads_classes = asked.policy.reads_classes() && self.cluster.classes().is_some();
        let payload = subject.payload(&asked.policy.settings);
        let answer = self.host.validate(&payload, reads_classes);
        let read = answer.as_ref().map_err(String::clone).and_then(|answer| {
            let answer = str::from_utf8(answer).map_err(|error| error.to_string());
            let answer =
                answer.and_then(|text| serde_json::from_str::<Answer>(text).map_err(|error| error.to_string()));
            answer.map_err(|error| format!("the answer can't be read: {error}"))
        });
        passage.questions.push(Question { policy: policy.clone(), payload, answer });
        match read {
            Ok(answer) => passage.take(asked, answer),
            Err(error) => {
                let class = passage.verdict.class.clone();
                let failed = Verdict::failed(class, format!("internal server error: {error}"));
                passage.verdict = Verdict { policy, ..failed };
                false
            }
        }
    }

    /// Adds what to look at first.
    fn look_first(&self, passage: &mut Passage) {
        let Passage { subject, verdict, before, moves, .. } = passage;
        let (Some(before), Some(to)) = (before, verdict.to.as_deref()) else { return };
        let class = |name: &str| self.cluster.runtime_classes.get(name);
        let movement = Move {
            pod: before,
            owner: subject.metadata.controller().map(|owner| owner.kind.as_str()),
            from: class(&verdict.class),
            from_name: &verdict.class,
            to: class(to),
            to_name: to,
            nodes: &self.cluster.nodes,
        };
        let mut fields = look_first::fields(&movement);
        fields.extend(look_first::several_moves(moves));
        verdict.fields = fields;
    }
}

impl Passage {
    fn new(subject: Subject, verdict: Verdict) -> Self {
        Self { subject, verdict, before: None, questions: vec![], moves: vec![], was_asked: false }
    }

    /// A guard rejects the object.
    fn rejected_by(mut self, guard: &Guard, message: String) -> Self {
        let accepted = Verdict::accepted(self.verdict.class);
        let (message, policy) = (Some(message), Some(guard.manifest.name.clone()));
        self.verdict = Verdict { outcome: Outcome::Rejected, message, policy, ..accepted };
        self
    }

    /// The API server refuses the object.
    fn refused(mut self, message: String) -> Self {
        let Verdict { class, to, policy, .. } = self.verdict;
        self.verdict = Verdict { to, policy, ..Verdict::refused(class, message) };
        self
    }

    /// Takes the answer of a policy, and returns whether the request goes on.
    fn take(&mut self, asked: &Asked, answer: Answer) -> bool {
        let policy = || asked.policy.name().map(str::to_owned);
        let annotated = answer.audit_annotations.as_ref().and_then(|found| found.get("requested-runtime-class"));
        if let (Some(class), true) = (annotated, self.moves.is_empty()) {
            self.verdict.class.clone_from(class);
        }
        let warnings = answer.warnings.filter(|warnings| !warnings.is_empty()).map(|lines| lines.join("; "));
        let verdict = &mut self.verdict;
        match (answer.accepted, answer.mutated_object) {
            (false, _) => {
                verdict.outcome = if answer.code == Some(500) { Outcome::Error } else { Outcome::Rejected };
                verdict.code = answer.code;
                verdict.policy = policy();
                verdict.to = None;
                (verdict.message, verdict.detail) = match (asked.policy.message(), answer.message) {
                    (Some(message), words) => (Some(message.to_owned()), words),
                    (None, words) => (words, None),
                };
                false
            }
            (true, Some(_)) if !asked.policy.mutates() => {
                verdict.outcome = Outcome::Rejected;
                verdict.policy = policy();
                verdict.message = asked.policy.manifest.as_ref().map(|manifest| may_not_mutate(&manifest.id()));
                verdict.to = None;
                false
            }
            (true, Some(object)) => {
                let to = object["spec"]["runtimeClassName"].as_str().unwrap_or_default().to_owned();
                let before = std::mem::replace(&mut self.subject.object, object);
                self.before.get_or_insert(before);
                verdict.outcome = Outcome::Mutated;
                verdict.policy = policy();
                verdict.message = warnings.or_else(|| verdict.message.take());
                self.moves.push((policy(), to.clone()));
                verdict.to = Some(to);
                true
            }
            (true, None) => {
                verdict.message = verdict.message.take().or(warnings);
                true
            }
        }
    }
}

/// What the API server refuses, without the name of the Pod: Pods of a workload with the same words are one row.
fn without_name(message: String, pod: &str) -> String {
    let starts = [format!("pods {pod:?} is forbidden: "), format!("The Pod {pod:?} is invalid: ")];
    starts.iter().find_map(|start| message.strip_prefix(start)).map(str::to_owned).unwrap_or(message)
}

/// The answer of policy-server if a validating policy mutates.
fn may_not_mutate(id: &str) -> String {
    format!(
        "Request rejected by policy {id}. The policy attempted to mutate the request, but it is currently configured to not allow mutations."
    )
}

/// The verdict on a workload: its own if it is not accepted, else that on its Pods.
fn own_and_pods(own: Result<Verdict, NotAsked>, pods: Result<Verdict, NotAsked>) -> Result<Verdict, NotAsked> {
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

/// Why no Pod of a workload will be created again.
fn makes_no_pods_anymore(header: &Header, object: &Value) -> Option<NotJudged> {
    let is_complete = |condition: &Value| {
        condition["status"] == "True" && (condition["type"] == "Complete" || condition["type"] == "Failed")
    };
    match header.kind.as_str() {
        "Pod" if matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")) => {
            Some(NotJudged::FinishedPod)
        }
        "Job" if object["status"]["conditions"].as_array().is_some_and(|list| list.iter().any(is_complete)) => {
            Some(NotJudged::FinishedJob)
        }
        "ReplicaSet" if object["spec"]["replicas"] == 0 => {
            header.metadata.controller().filter(|owner| owner.kind == "Deployment").map(|_| NotJudged::OldReplicaSet)
        }
        _ => None,
    }
}

/// Who sends an object: its controller, the kubelet of a mirror Pod, or somebody.
pub(crate) fn sender(metadata: &Metadata) -> Value {
    let service_account = |name: &str| {
        let mut user = api_server::user_of("", "");
        user["username"] = format!("system:serviceaccount:kube-system:{name}").into();
        user
    };
    match metadata.controller() {
        Some(owner) if owner.kind == "Node" && metadata.annotations.contains_key(MIRROR) => {
            let username = format!("system:node:{}", owner.name);
            json!({ "username": username, "groups": ["system:nodes", "system:authenticated"] })
        }
        Some(owner) => match owner.kind.as_str() {
            "Deployment" => service_account("deployment-controller"),
            "CronJob" => service_account("cronjob-controller"),
            kind => api_server::user_of(owner.group(), kind),
        },
        None => json!({ "username": "rehearsal", "groups": ["system:authenticated"] }),
    }
}

/// The class that an object names.
pub fn class_of(kind: &Kind, object: &Value) -> String {
    match kind.pod_spec_of(object).and_then(|spec| spec.get("runtimeClassName")) {
        None | Some(Value::Null) => DEFAULT.to_owned(),
        Some(Value::String(name)) if name.is_empty() => DEFAULT.to_owned(),
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_string(),
    }
}
