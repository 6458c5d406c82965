//! The cluster as the input describes it: its RuntimeClasses, its namespaces, and the owners of objects.
use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    documents::{Document, Unreadable},
    object::{Metadata, Object, Owner},
    selector::NAMESPACE_NAME,
};

type Labels = BTreeMap<String, String>;

/// Kubernetes has at most this many levels: a Pod, its Job, its CronJob.
const GENERATIONS: usize = 4;

/// The facts that are needed before objects are judged.
#[derive(Debug, Default)]
pub struct Cluster {
    pub runtime_classes: BTreeMap<String, Value>,
    namespaces: BTreeMap<String, Labels>,
    /// The owners of controllers, by namespace, kind and name.
    makers: BTreeMap<(String, String, String), Option<Made>>,
    pub unreadable: Vec<Unreadable>,
}

/// The workload that a report names: a kind and a name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Made {
    pub kind: String,
    pub name: String,
}

impl Cluster {
    /// Adds an object of the input.
    pub fn learn(&mut self, read: Result<Document, Unreadable>) {
        let unreadable = match read {
            Ok(document) => match Object::of(&document) {
                Ok(object) => return self.learn_object(object, &document),
                Err(error) => document.place.unreadable(error),
            },
            Err(unreadable) => unreadable,
        };
        self.unreadable.push(unreadable);
    }

    fn learn_object(&mut self, object: Object, document: &Document) {
        let name = object.metadata.name().to_owned();
        match (object.group.as_str(), object.kind.as_str()) {
            ("node.k8s.io", "RuntimeClass") => {
                if let Ok(Value::Object(mut class)) = serde_json::from_str(document.text.get()) {
                    // An item of a RuntimeClassList may leave them out, and the policy asks by them.
                    class.insert("apiVersion".to_owned(), "node.k8s.io/v1".into());
                    class.insert("kind".to_owned(), "RuntimeClass".into());
                    self.runtime_classes.insert(name, class.into());
                }
            }
            ("", "Namespace") => {
                self.namespaces.insert(name, object.metadata.labels.unwrap_or_default());
            }
            ("apps", "ReplicaSet") | ("batch", "Job") => {
                let maker = object.metadata.controller().map(Made::from);
                let namespace = object.metadata.namespace.unwrap_or_default();
                self.makers.insert((namespace, object.kind, name), maker);
            }
            _ => {}
        }
    }

    /// Joins the facts of two parts of an input.
    pub fn join(mut self, other: Self) -> Self {
        self.runtime_classes.extend(other.runtime_classes);
        self.namespaces.extend(other.namespaces);
        self.makers.extend(other.makers);
        self.unreadable.extend(other.unreadable);
        self
    }

    /// Whether the labels of a namespace are known, and not only its name.
    pub fn knows_labels_of(&self, namespace: &str) -> bool {
        self.namespaces.contains_key(namespace)
    }

    /// A label of a namespace.
    pub fn label_of<'a>(&'a self, namespace: &'a str, key: &str) -> Option<&'a str> {
        if key == NAMESPACE_NAME {
            return Some(namespace);
        }
        self.namespaces.get(namespace)?.get(key).map(String::as_str)
    }

    /// The workload that an object belongs to: the last of its controllers, or itself.
    pub fn workload(&self, object: &Object) -> Made {
        let metadata = &object.metadata;
        let itself = || Made { kind: object.kind.clone(), name: metadata.name().to_owned() };
        let Some(owner) = metadata.controller().filter(|owner| owner.kind != "Node") else { return itself() };
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let mut made = Made::from(owner);
        for _ in 0..GENERATIONS {
            let key = (namespace.clone(), made.kind, made.name);
            let maker = self.makers.get(&key).cloned();
            made = Made { kind: key.1, name: key.2 };
            match maker {
                Some(Some(maker)) => made = maker,
                Some(None) => break,
                None => return made.deployment(metadata).unwrap_or(made),
            }
        }
        made
    }
}

impl Made {
    /// The Deployment whose ReplicaSet this is, which is not in the input.
    fn deployment(&self, pod: &Metadata) -> Option<Self> {
        let hash = pod.label("pod-template-hash").filter(|_| self.kind == "ReplicaSet")?;
        let name = self.name.strip_suffix(hash)?.strip_suffix('-')?;
        Some(Self { kind: "Deployment".to_owned(), name: name.to_owned() })
    }
}

impl From<&Owner> for Made {
    fn from(owner: &Owner) -> Self {
        Self { kind: owner.kind.clone(), name: owner.name.clone() }
    }
}
