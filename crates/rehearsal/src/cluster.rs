//! The cluster as the input describes it: what has to be known before an object can be judged.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    kustomize,
    object::{Header, Metadata, Workload},
    read::{Document, Found},
    selector::NAMESPACE_NAME,
};

type Labels = BTreeMap<String, String>;

/// Kubernetes has at most this many levels: a Pod, its Job, its CronJob.
const GENERATIONS: usize = 4;

/// The facts that are needed before objects are judged. They may be anywhere in the input.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub runtime_classes: BTreeMap<String, Value>,
    /// Whether these are all that the cluster has, though there may be none.
    pub knows_classes: bool,
    pub nodes: BTreeMap<String, Node>,
    namespaces: BTreeMap<String, Labels>,
    /// The owners of controllers, by namespace, kind and name.
    owners: BTreeMap<(String, String, String), Option<Workload>>,
    /// Files that a kustomization.yaml names as patches.
    pub patches: BTreeSet<String>,
    /// The kustomization.yaml files of the input.
    pub kustomizations: BTreeSet<String>,
    /// What of the RuntimeClasses, namespaces and nodes can't be read, and why.
    pub unreadable: Vec<String>,
}

/// What matters of a [Node](https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    pub labels: Labels,
    pub taints: Vec<Value>,
    /// `status.runtimeHandlers`
    pub runtime_handlers: Vec<Value>,
}

impl Cluster {
    /// Adds something that was found in the input.
    pub fn learn(&mut self, found: &Found) {
        match found {
            Found::Object(document) if is_of_the_cluster(document.kind()) => {
                if let Err(why) = self.learn_object(document) {
                    self.unreadable.push(format!("{}: {why}", document.place));
                }
            }
            Found::Object(document) | Found::NotAnObject(document) => self.learn_kustomization(document),
            Found::Unreadable { place, message } => self.unreadable.push(format!("{place}: {message}")),
        }
    }

    fn learn_object(&mut self, document: &Document) -> Result<(), String> {
        let (mut object, _) = document.value()?;
        let Header { group, kind, metadata, .. } = Header::of(&object)?;
        let name = metadata.name().to_owned();
        match (group.as_str(), kind.as_str()) {
            ("node.k8s.io", "RuntimeClass") => {
                // The policy asks by them.
                object["apiVersion"] = "node.k8s.io/v1".into();
                self.runtime_classes.insert(name, object);
            }
            ("", "Namespace") => {
                self.namespaces.insert(name, metadata.labels.clone());
            }
            ("", "Node") => {
                let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
                let taints = list(&object["spec"]["taints"]);
                let runtime_handlers = list(&object["status"]["runtimeHandlers"]);
                self.nodes.insert(name, Node { labels: metadata.labels.clone(), taints, runtime_handlers });
            }
            ("apps", "ReplicaSet") | ("batch", "Job") => {
                let owner = metadata.controller().map(Workload::from);
                self.owners.insert((metadata.namespace.clone().unwrap_or_default(), kind, name), owner);
            }
            _ => {}
        }
        Ok(())
    }

    fn learn_kustomization(&mut self, document: &Document) {
        let file = &document.place.file;
        if kustomize::is_kustomization(file) {
            self.kustomizations.insert(file.to_string());
            if let Ok((kustomization, _)) = document.value() {
                self.patches.extend(kustomize::patches(file, &kustomization));
            }
        }
    }

    /// The RuntimeClasses of the cluster, if they are known.
    pub fn classes(&self) -> Option<&BTreeMap<String, Value>> {
        (self.knows_classes || !self.runtime_classes.is_empty()).then_some(&self.runtime_classes)
    }

    /// The namespaces whose labels are known.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &Labels)> {
        self.namespaces.iter().map(|(name, labels)| (name.as_str(), labels))
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
    pub fn workload_of(&self, header: &Header) -> Workload {
        let metadata = &header.metadata;
        let Some(owner) = metadata.controller().filter(|owner| owner.kind != "Node") else {
            let kind = if is_of_kubernetes(&header.group) { header.kind.clone() } else { header.kind_and_group() };
            return Workload { kind, name: metadata.name().to_owned() };
        };
        let namespace = metadata.namespace.clone().unwrap_or_default();
        let mut workload = Workload::from(owner);
        for _ in 0..GENERATIONS {
            let key = (namespace.clone(), workload.kind, workload.name);
            let owner = self.owners.get(&key).cloned();
            workload = Workload { kind: key.1, name: key.2 };
            match owner {
                Some(Some(owner)) => workload = owner,
                Some(None) => break,
                None => return deployment_of(&workload, metadata).unwrap_or(workload),
            }
        }
        workload
    }
}

/// The Deployment of a ReplicaSet that is not in the input.
fn deployment_of(replica_set: &Workload, pod: &Metadata) -> Option<Workload> {
    let hash = pod.label("pod-template-hash").filter(|_| replica_set.kind == "ReplicaSet")?;
    let name = replica_set.name.strip_suffix(hash)?.strip_suffix('-')?;
    Some(Workload { kind: "Deployment".to_owned(), name: name.to_owned() })
}

fn is_of_the_cluster(kind: &str) -> bool {
    matches!(kind, "RuntimeClass" | "Namespace" | "Node" | "ReplicaSet" | "Job")
}

fn is_of_kubernetes(group: &str) -> bool {
    matches!(group, "" | "apps" | "batch")
}
