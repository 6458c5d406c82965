//! The admission request that the API server sends about an object.
use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    api_server::Kind,
    object::{Header, Metadata},
};

const UID: &str = "00000000-0000-0000-0000-000000000000";

/// A resource of the API, as rules select it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    pub group: String,
    pub version: String,
    pub resource: String,
    /// Empty for the resource itself.
    pub subresource: String,
}

/// What is asked about: an object of the input, or a Pod of its template.
#[derive(Clone, Debug)]
pub struct Subject {
    pub resource: Resource,
    pub kind: String,
    pub operation: Operation,
    pub namespace: String,
    pub metadata: Arc<Metadata>,
    /// Null for a DELETE.
    pub object: Value,
    /// Null for a CREATE.
    pub old_object: Value,
    pub user: Value,
    /// The request without its objects, if one was recorded.
    pub recorded: Option<Map<String, Value>>,
}

/// What is done to the object.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    #[default]
    Create,
    Update,
    Delete,
    Connect,
}

/// An [AdmissionRequest](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request)
/// as policy-server passes it on: without the fields that are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    uid: &'a str,
    kind: GroupVersionKind<'a>,
    resource: GroupVersionResource<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    sub_resource: &'a str,
    request_kind: GroupVersionKind<'a>,
    request_resource: GroupVersionResource<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_sub_resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    namespace: &'a str,
    operation: &'a str,
    user_info: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    object: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    old_object: &'a Value,
    dry_run: bool,
    options: Option<Options>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct GroupVersionKind<'a> {
    group: &'a str,
    kind: &'a str,
    version: &'a str,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct GroupVersionResource<'a> {
    group: &'a str,
    resource: &'a str,
    version: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    api_version: &'static str,
    kind: &'static str,
}

/// A request that is made for an object, or one that was recorded.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum AnyRequest<'a> {
    Made(Box<Request<'a>>),
    Recorded(BTreeMap<&'a str, &'a Value>),
}

#[derive(Serialize)]
struct Payload<'a> {
    request: AnyRequest<'a>,
    settings: &'a Value,
}

impl Resource {
    /// The resource of a kind in this version.
    pub fn of(kind: &Kind, version: &str) -> Self {
        let [group, version, resource] = [kind.group, version, kind.resource].map(str::to_owned);
        Self { group, version, resource, subresource: String::new() }
    }

    /// Whether an entry of a rule's `resources` matches it.
    pub fn is_matched_by(&self, entry: &str) -> bool {
        let (resource, subresource) = entry.split_once('/').unwrap_or((entry, ""));
        (resource == "*" || resource == self.resource) && (subresource == "*" || subresource == self.subresource)
    }
}

impl Operation {
    /// The operation of this name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Connect].into_iter().find(|known| known.as_str() == name)
    }

    /// Its name, as in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    fn options(self) -> Option<Options> {
        let kind = match self {
            Self::Create => "CreateOptions",
            Self::Update => "UpdateOptions",
            Self::Delete => "DeleteOptions",
            Self::Connect => return None,
        };
        Some(Options { api_version: "meta.k8s.io/v1", kind })
    }
}

impl Subject {
    /// The creation of an object.
    pub fn creation(header: &Header, resource: Resource, namespace: &str, object: Value, user: Value) -> Self {
        Self {
            resource,
            kind: header.kind.clone(),
            operation: Operation::Create,
            namespace: namespace.to_owned(),
            metadata: Arc::clone(&header.metadata),
            object,
            old_object: Value::Null,
            user,
            recorded: None,
        }
    }

    /// Whether it creates the object itself.
    pub fn is_creation(&self) -> bool {
        self.operation == Operation::Create && self.resource.subresource.is_empty()
    }

    /// The request about it.
    pub fn request(&self) -> AnyRequest<'_> {
        self.request_with(&self.object, &self.old_object)
    }

    /// The request without its objects, which match conditions see apart.
    pub fn request_for_conditions(&self) -> Value {
        json!(self.request_with(&Value::Null, &Value::Null))
    }

    /// The payload of `validate` with these settings.
    pub fn payload(&self, settings: &Value) -> Vec<u8> {
        serde_json::to_vec(&Payload { request: self.request(), settings }).unwrap_or_default()
    }

    fn request_with<'a>(&'a self, object: &'a Value, old_object: &'a Value) -> AnyRequest<'a> {
        let Some(recorded) = &self.recorded else {
            return AnyRequest::Made(Box::new(self.made_with(object, old_object)));
        };
        let objects = [("object", object), ("oldObject", old_object)];
        let objects = objects.into_iter().filter(|(_, object)| !object.is_null());
        AnyRequest::Recorded(recorded.iter().map(|(key, value)| (key.as_str(), value)).chain(objects).collect())
    }

    fn made_with<'a>(&'a self, object: &'a Value, old_object: &'a Value) -> Request<'a> {
        let Resource { group, version, resource, subresource } = &self.resource;
        let kind = GroupVersionKind { group, kind: &self.kind, version };
        let resource = GroupVersionResource { group, resource, version };
        Request {
            uid: UID,
            sub_resource: subresource,
            request_kind: kind,
            request_resource: resource,
            request_sub_resource: subresource,
            kind,
            resource,
            name: self.metadata.name.as_deref(),
            namespace: &self.namespace,
            operation: self.operation.as_str(),
            user_info: &self.user,
            object,
            old_object,
            dry_run: false,
            options: self.operation.options(),
        }
    }
}
