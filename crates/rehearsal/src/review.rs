//! Single objects, looked at closely: the requests about them, what policies are asked, and what they answer.
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    api_server::{self, kind_of},
    cluster::Cluster,
    judge::{Judge, POD, Passage, Question, sender},
    object::{Header, Metadata},
    outcome::{NotAsked, Verdict},
    read::{self, Document, Found, Place},
    report,
    request::{Operation, Resource, Subject},
    tally::{Tally, Unreadable},
    templates,
};

/// What is reviewed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Input {
    /// Objects, or AdmissionReviews that were recorded.
    pub objects: String,
    /// What the objects were before an update.
    pub before: String,
    pub details: Details,
}

/// What comes of the objects of a text.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviews {
    pub reviews: Vec<Review>,
    /// Sentences on what limits the answers.
    pub notes: Vec<String>,
    pub unreadable: Vec<Unreadable>,
    /// What can't be read of the objects before an update.
    pub unreadable_before: Vec<Unreadable>,
}

/// What an object does not say of the request about it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    pub operation: Operation,
    pub sub_resource: String,
    /// Who sends it; empty: whoever sends such an object to a cluster.
    pub username: String,
    pub groups: Vec<String>,
}

/// An object, and what comes of it and of the Pods that it makes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    pub place: Place,
    /// It is a request that was recorded, and has details of its own.
    pub is_recorded: bool,
    pub own: Reviewed,
    /// One for each of its templates.
    pub pods: Vec<Reviewed>,
}

/// What comes of one request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub operation: &'static str,
    /// As rules list it: `pods`, `deployments/scale`.
    pub resource: String,
    /// Whether the object is a Pod, or has a template of Pods.
    pub has_pod_spec: bool,
    /// The part of the manifests by which no policy is asked.
    pub left_out_by: Option<NotAsked>,
    #[serde(flatten)]
    pub verdict: Option<Verdict>,
    pub questions: Vec<Told>,
}

/// What a policy was asked, and what it answered.
#[derive(Debug, Serialize)]
pub struct Told {
    pub policy: Option<String>,
    /// Its `request` and `settings`.
    pub payload: Value,
    /// None: it failed.
    pub answer: Option<Value>,
}

/// The members of an AdmissionRequest that policy-server passes on, besides the objects.
const MEMBERS: [&str; 13] = [
    "uid",
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "dryRun",
    "options",
];

impl Reviews {
    /// Reviews the objects of a text.
    pub fn new(judge: &Judge, Input { objects, before, details }: &Input) -> Self {
        let mut reviews = Self::default();
        let mut old = vec![];
        read_all(before, |found| match value_of(found) {
            Ok(object) => old.push(object),
            Err(problem) => reviews.unreadable_before.push(problem),
        });
        let mut tally = Tally::default();
        read_all(objects, |found| match judge.review(found, details, &old, &mut tally) {
            Ok(review) => reviews.reviews.push(review),
            Err(problem) => reviews.unreadable.push(problem),
        });
        reviews.notes = report::notes(judge, &tally);
        reviews
    }
}

/// Reads what there is to know of a cluster: its RuntimeClasses and, if they are given, its namespaces and nodes.
/// Returned is also what can't be used.
pub fn read_cluster(text: &str) -> (Cluster, Vec<Unreadable>) {
    let mut cluster = Cluster::default();
    cluster.knows_classes = true;
    let mut unreadable = vec![];
    read_all(text, |found| match known_in_cluster(found) {
        Ok(document) => cluster.learn(&Found::Object(document)),
        Err(problem) => unreadable.push(problem),
    });
    (cluster, unreadable)
}

fn read_all(text: &str, mut found: impl FnMut(Found)) {
    read::read(text.as_bytes(), &Arc::from(""), &mut found);
}

fn value_of(found: Found) -> Result<Value, Unreadable> {
    match found {
        Found::Object(document) | Found::NotAnObject(document) => match document.value() {
            Ok((value, _)) => Ok(value),
            Err(message) => Err(Unreadable { place: document.place, message }),
        },
        Found::Unreadable { place, message } => Err(Unreadable { place, message }),
    }
}

/// An object that says something of the cluster. Whoever writes one that is ignored learns it.
fn known_in_cluster(found: Found) -> Result<Document, Unreadable> {
    let (document, message) = match found {
        Found::Object(document) => match (document.kind(), document.value()) {
            (_, Err(message)) => (document, message),
            ("RuntimeClass", Ok((class, _))) if !class["metadata"]["name"].is_string() => {
                (document, "metadata.name: expected a string".to_owned())
            }
            ("RuntimeClass", Ok((class, _))) if !class["handler"].is_string() => {
                (document, "handler: expected a string".to_owned())
            }
            ("RuntimeClass" | "Namespace" | "Node", _) => return Ok(document),
            (kind, _) => {
                let message = format!("{kind} is not a RuntimeClass: ignored");
                (document, message)
            }
        },
        Found::NotAnObject(document) => (document, "kind: missing field".to_owned()),
        Found::Unreadable { place, message } => return Err(Unreadable { place, message }),
    };
    Err(Unreadable { place: document.place, message })
}

impl Judge<'_> {
    /// Reviews an object of the input, or an AdmissionReview that was recorded.
    ///
    /// `before`: what objects were before an update; one alone belongs to whatever is updated.
    ///
    /// # Errors
    /// It is neither, and why.
    pub fn review(
        &self,
        found: Found,
        details: &Details,
        before: &[Value],
        tally: &mut Tally,
    ) -> Result<Review, Unreadable> {
        match found {
            Found::Object(document) | Found::NotAnObject(document) => self
                .review_document(&document, details, before, tally)
                .map_err(|message| Unreadable { place: document.place, message }),
            Found::Unreadable { place, message } => Err(Unreadable { place, message }),
        }
    }

    fn review_document(
        &self,
        document: &Document,
        details: &Details,
        before: &[Value],
        tally: &mut Tally,
    ) -> Result<Review, String> {
        let (object, _) = document.value()?;
        let recorded = recorded_in(&object);
        let subject = match recorded {
            Some(request) => recorded_subject(request)?,
            None => self.subject_of(object.clone(), details, before)?,
        };
        let object = recorded.map_or(&object, |request| &request["object"]);
        let pods = if subject.is_creation() { self.pods_of(object, &subject)? } else { vec![] };
        let own = self.reviewed(subject, tally);
        let pods = pods.into_iter().map(|pod| self.reviewed(pod, tally)).collect();
        Ok(Review { place: document.place.clone(), is_recorded: recorded.is_some(), own, pods })
    }

    /// The request about an object as it was written.
    fn subject_of(&self, object: Value, details: &Details, before: &[Value]) -> Result<Subject, String> {
        let header = Header::of(&object)?;
        let namespace = header.metadata.namespace.as_deref().unwrap_or(self.namespace).to_owned();
        let mut resource = match kind_of(&header.group, &header.kind) {
            Some(kind) => Resource::of(kind, &header.version),
            None => Resource {
                group: header.group.clone(),
                version: header.version.clone(),
                resource: plural(&header.kind),
                subresource: String::new(),
            },
        };
        resource.subresource.clone_from(&details.sub_resource);
        let user = match details.username.as_str() {
            "" => sender(&header.metadata),
            username => json!({ "username": username, "groups": details.groups }),
        };
        let old = before_of(&object, before);
        let subject = Subject::creation(&header, resource, &namespace, object, user);
        let operation = details.operation;
        Ok(match operation {
            Operation::Create | Operation::Connect => Subject { operation, ..subject },
            Operation::Update => Subject { operation, old_object: old, ..subject },
            Operation::Delete => Subject { operation, old_object: subject.object, object: Value::Null, ..subject },
        })
    }

    /// The creation of the Pods that the templates of an object make.
    fn pods_of(&self, object: &Value, owner: &Subject) -> Result<Vec<Subject>, String> {
        let group = &owner.resource.group;
        let templates: Vec<&Value> = match kind_of(group, &owner.kind) {
            Some(kind) => kind.template_of(object).into_iter().collect(),
            None if templates::makes_unseen_pods(group, &owner.kind) => vec![],
            None => templates::templates_by_shape(group, object),
        };
        let creation = |template| {
            let pod = api_server::pod_of_template(object, template);
            let header = Header::of(&pod).map_err(|error| format!("template: {error}"))?;
            let user = api_server::user_of(group, &owner.kind);
            Ok(Subject::creation(&header, Resource::of(POD, "v1"), &owner.namespace, pod, user))
        };
        templates.into_iter().map(creation).collect()
    }

    fn reviewed(&self, subject: Subject, tally: &mut Tally) -> Reviewed {
        let Resource { group, resource, subresource, .. } = &subject.resource;
        let kind = kind_of(group, &subject.kind);
        let reviewed = Reviewed {
            kind: subject.kind.clone(),
            name: subject.metadata.name().to_owned(),
            namespace: subject.namespace.clone(),
            operation: subject.operation.as_str(),
            resource: if subresource.is_empty() { resource.clone() } else { format!("{resource}/{subresource}") },
            has_pod_spec: kind.is_some(),
            left_out_by: None,
            verdict: None,
            questions: vec![],
        };
        match self.pass(subject, kind, tally) {
            Err(part) => Reviewed { left_out_by: Some(part), ..reviewed },
            Ok(Passage { verdict, questions, .. }) => {
                let questions = questions.into_iter().map(Told::from).collect();
                Reviewed { verdict: Some(verdict), questions, ..reviewed }
            }
        }
    }
}

impl From<Question> for Told {
    fn from(Question { policy, payload, answer }: Question) -> Self {
        let read = |bytes: &[u8]| serde_json::from_slice(bytes).ok();
        Self { policy, payload: read(&payload).unwrap_or_default(), answer: answer.ok().as_deref().and_then(read) }
    }
}

/// The AdmissionRequest that a document is, or has.
fn recorded_in(object: &Value) -> Option<&Value> {
    let is_review = object["kind"] == "AdmissionReview" && object["request"].is_object();
    let is_request = object["kind"].is_object() && object["operation"].is_string();
    if is_review { Some(&object["request"]) } else { is_request.then_some(object) }
}

fn recorded_subject(request: &Value) -> Result<Subject, String> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Recorded {
        kind: GroupVersionKind,
        resource: GroupVersionResource,
        sub_resource: Option<String>,
        namespace: Option<String>,
        operation: Operation,
        user_info: Value,
    }
    #[derive(Default, Deserialize)]
    struct GroupVersionKind {
        #[serde(default)]
        group: String,
        version: String,
        kind: String,
    }
    #[derive(Default, Deserialize)]
    struct GroupVersionResource {
        resource: String,
    }
    let read: Recorded = serde_path_to_error::deserialize(request)
        .map_err(|error| format!("request.{}: {}", error.path(), error.inner()))?;
    let (object, old_object) = (request["object"].clone(), request["oldObject"].clone());
    let metadata = if object.is_null() { &old_object["metadata"] } else { &object["metadata"] };
    let mut metadata: Metadata = serde_json::from_value(metadata.clone()).unwrap_or_default();
    if let Some(name) = request["name"].as_str() {
        metadata.name = Some(name.to_owned());
    }
    let members = MEMBERS.iter().map(|member| ((*member).to_owned(), request[member].clone()));
    Ok(Subject {
        resource: Resource {
            resource: if read.resource.resource.is_empty() { plural(&read.kind.kind) } else { read.resource.resource },
            group: read.kind.group,
            version: read.kind.version,
            subresource: read.sub_resource.unwrap_or_default(),
        },
        kind: read.kind.kind,
        operation: read.operation,
        namespace: read.namespace.unwrap_or_default(),
        metadata: metadata.into(),
        object,
        old_object,
        user: read.user_info,
        recorded: Some(members.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>()),
    })
}

/// What an object was before an update: the one of its kind and name, or the only one.
fn before_of(object: &Value, before: &[Value]) -> Value {
    let is_same = |old: &&Value| old["kind"] == object["kind"] && old["metadata"]["name"] == object["metadata"]["name"];
    let only = || before.first().filter(|_| before.len() == 1);
    before.iter().find(is_same).or_else(only).cloned().unwrap_or_default()
}

/// The resource of a kind that is not known here: the plural that most CRDs have.
fn plural(kind: &str) -> String {
    let name = kind.to_lowercase();
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| name.ends_with(end)) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}
