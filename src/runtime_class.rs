//! Asking the host for a [RuntimeClass](https://kubernetes.io/docs/concepts/containers/runtime-class/)
//! of the cluster.
use std::{borrow::Cow, cell::OnceCell, fmt::Display};

use kubewarden_policy_sdk::wapc_guest;
use serde::de::MapAccess;
use serde_json::value::RawValue;

use crate::{
    field::{Field, FieldError, Problem},
    json::{Members, Object, Unread, Unreadable, Value, read},
    message::shorten,
    runtimes::ClassName,
};

/// The fields of a RuntimeClass that the policy reads.
#[derive(Debug)]
pub struct RuntimeClass<'a> {
    /// The container runtime of its Pods.
    pub handler: Cow<'a, str>,
    /// Read only for a mutation.
    scheduling: Value<'a>,
}

/// The fields that the API server merges into the Pods of a RuntimeClass.
#[derive(Debug)]
pub struct Scheduling<'a> {
    pub node_selector: Object<'a>,
    pub tolerations: Vec<&'a RawValue>,
}

/// Why a RuntimeClass is not known, as the host tells it, on one line.
#[derive(Debug, PartialEq)]
pub enum ReadError {
    NotGranted { told: String, missing: Access },
    Failed(String),
}

/// What the operator has to grant for the policy to read RuntimeClasses.
#[derive(Debug, PartialEq)]
pub enum Access {
    /// In the policy's `contextAwareResources`.
    Resource,
    /// A ClusterAdmissionPolicy: an AdmissionPolicy has no access to resources of the cluster.
    Capability,
}

/// The RuntimeClasses of a cluster.
pub trait RuntimeClasses {
    /// The RuntimeClass of this name, or `None` if the cluster has none. Each call asks anew.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn get(&self, name: ClassName) -> Result<Option<RuntimeClass<'_>>, ReadError>;
}

/// The cluster that the host shows to the policy, with its answers to at most two calls.
#[derive(Default)]
pub struct Host {
    answers: [OnceCell<Vec<u8>>; 2],
}

/// The longest error of the host that a message repeats, in bytes.
const LONG: usize = 1000;

/// The payload of
/// [`get_resource`](https://docs.kubewarden.io/reference/spec/host-capabilities/kubernetes), around the
/// name, which needs no escapes.
///
/// The host asks the API server and keeps the answer for 5 seconds. It answers `list_resources_all`
/// from a watch instead, which goes stale, and which never answers if the permission is missing.
const GET_RESOURCE: [&str; 2] = [
    r#"{"api_version":"node.k8s.io/v1","kind":"RuntimeClass","name":""#,
    r#"","namespace":null,"disable_cache":false,"field_masks":["handler","scheduling"]}"#,
];

impl RuntimeClasses for Host {
    fn get(&self, name: ClassName) -> Result<Option<RuntimeClass<'_>>, ReadError> {
        let [before, after] = GET_RESOURCE;
        let request = [before, name.as_str(), after].concat();
        let answer = match wapc_guest::host_call("kubewarden", "kubernetes", "get_resource", request.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => return ReadError::of(&error.to_string()).map_or(Ok(None), Err),
        };
        let free = self.answers.iter().find(|slot| slot.get().is_none());
        let free = free.ok_or_else(|| ReadError::Failed("two calls have been made".to_owned()))?;
        let class = RuntimeClass::read(free.get_or_init(|| answer));
        class.map(Some).map_err(|error| ReadError::Failed(not_a_class(error)))
    }
}

fn not_a_class(error: impl Display) -> String {
    format!("the host's answer is not a RuntimeClass: {error}")
}

/// The members of a RuntimeClass.
#[derive(Default)]
struct Fields<'a> {
    handler: Field<Value<'a>>,
    scheduling: Field<Value<'a>>,
}

impl<'a> Members<'a> for Fields<'a> {
    fn read<V: MapAccess<'a>>(&mut self, key: Cow<'a, str>, value: Unread<'_, V>) -> Result<(), V::Error> {
        match key.as_ref() {
            "handler" => self.handler.set(value.keep()?),
            "scheduling" => self.scheduling.set(value.keep()?),
            _ => value.skip()?,
        }
        Ok(())
    }
}

impl<'a> RuntimeClass<'a> {
    fn read(json: &'a [u8]) -> Result<Self, Unreadable> {
        let fields = read(json, Fields::default)?;
        let fields = fields.map_err(|other| other.is_not("an object", "RuntimeClass"))?;
        let handler = fields.handler.text("handler")?.ok_or_else(|| FieldError::new("handler", Problem::Missing))?;
        Ok(Self { handler, scheduling: fields.scheduling.take("scheduling")?.unwrap_or(Value::NULL) })
    }

    /// The scheduling of the class.
    ///
    /// # Errors
    /// A field of it can't be read.
    pub fn scheduling(&self) -> Result<Scheduling<'a>, String> {
        self.read_scheduling().map_err(not_a_class)
    }

    fn read_scheduling(&self) -> Result<Scheduling<'a>, FieldError> {
        let scheduling = self.scheduling.open("scheduling", &[])?.unwrap_or_default();
        let read = || {
            let node_selector = scheduling.open("nodeSelector", &[])?.unwrap_or_default();
            Ok(Scheduling { node_selector, tolerations: scheduling.list("tolerations")?.unwrap_or_default() })
        };
        read().map_err(|error: FieldError| error.under("scheduling"))
    }
}

impl ReadError {
    /// What an error of the host means, or `None` if the cluster has no such class. Only the first
    /// line counts: no word of the backtrace after it may pass for another error.
    fn of(error: &str) -> Option<Self> {
        let line = error.lines().next().unwrap_or_default();
        let line = line.strip_prefix("Host error: ").unwrap_or(line);
        let line = line.strip_prefix("Callback evaluation failure: ").unwrap_or(line);
        if line.starts_with("Cannot find node.k8s.io/v1/RuntimeClass named") {
            return None;
        }
        let line = line.get(..find(line, " (Status {").unwrap_or(line.len())).unwrap_or(line);
        let told = shorten(line, LONG).into_owned();
        Some(match find(line, "has not been granted access") {
            None => Self::Failed(told),
            Some(_) if find(line, "host capability").is_some() => {
                Self::NotGranted { told, missing: Access::Capability }
            }
            Some(_) => Self::NotGranted { told, missing: Access::Resource },
        })
    }
}

/// Where `words` first occur in `text`. The search of the standard library costs the module 3 KB, and
/// pays only in long texts.
fn find(text: &str, words: &str) -> Option<usize> {
    text.as_bytes().windows(words.len()).position(|window| window == words.as_bytes())
}
