//! The calls that a policy may make to its host: the
//! [host capabilities](https://docs.kubewarden.io/reference/spec/host-capabilities/intro-host-capabilities).
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::guest::HostError;

/// The source of the host's answers, and the number of calls.
#[derive(Default)]
pub struct Capabilities {
    source: Source,
    requests: Mutex<Vec<String>>,
}

#[derive(Default)]
enum Source {
    #[default]
    NotGranted,
    Replay(Mutex<VecDeque<Exchange>>),
    Cluster(Vec<Value>),
    Failure(String),
}

/// A recorded call and its answer, as kwctl writes and reads them.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type")]
pub enum Exchange {
    Exchange {
        /// A [`Call`] in YAML.
        request: String,
        response: Response,
    },
}

/// The answer to a recorded call.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type")]
pub enum Response {
    Success {
        /// JSON.
        payload: String,
    },
    Error {
        message: String,
    },
}

/// A call to the host, as a recording names it.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub enum Call {
    KubernetesGetResource(GetResource),
}

/// See [get_resource](https://docs.kubewarden.io/reference/spec/host-capabilities/kubernetes).
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GetResource {
    pub api_version: String,
    pub kind: String,
    pub name: String,
    pub namespace: Option<String>,
    pub disable_cache: bool,
    pub field_masks: Option<BTreeSet<String>>,
}

impl Capabilities {
    fn of(source: Source) -> Self {
        Self { source, requests: Mutex::default() }
    }

    /// The policy has no access to Kubernetes resources.
    pub fn not_granted() -> Self {
        Self::of(Source::NotGranted)
    }

    /// The answers are those of a recording, a list of [`Exchange`]s in YAML. Each is used once, in
    /// order.
    ///
    /// # Errors
    /// The recording is not such a list.
    pub fn replay(recording: &str) -> Result<Self> {
        let exchanges: VecDeque<Exchange> =
            serde_yaml_ng::from_str(recording).context("not a recording of host capabilities")?;
        Ok(Self::of(Source::Replay(Mutex::new(exchanges))))
    }

    /// The cluster has these objects.
    pub fn cluster(objects: Vec<Value>) -> Self {
        Self::of(Source::Cluster(objects))
    }

    /// Each call fails with this message.
    pub fn failure(message: &str) -> Self {
        Self::of(Source::Failure(message.to_owned()))
    }

    /// Answers a call of the policy.
    ///
    /// # Errors
    /// The call fails. The message is that of policy-server and kwctl.
    pub fn answer(
        &self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, HostError> {
        lock(&self.requests).push(String::from_utf8_lossy(payload).into_owned());
        let call = GetResource::parse(binding, namespace, operation, payload)?;
        let answer = match &self.source {
            Source::NotGranted => return Err(call.not_granted()),
            Source::Replay(exchanges) => {
                let next = lock(exchanges).pop_front();
                replayed(next, &Call::KubernetesGetResource(call))
            }
            Source::Cluster(objects) => return call.answer_from(objects),
            Source::Failure(message) => Err(message.as_str().into()),
        };
        answer.map_err(|error| format!("Callback evaluation failure: {error}").into())
    }

    /// The number of calls.
    pub fn calls(&self) -> usize {
        lock(&self.requests).len()
    }

    /// The payloads of the calls, in their order.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }
}

impl GetResource {
    /// Reads a call of the policy.
    ///
    /// # Errors
    /// It is no such call.
    pub fn parse(binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> Result<Self, HostError> {
        match (binding, namespace, operation) {
            ("kubewarden", "kubernetes", "get_resource") => Ok(serde_json::from_slice(payload)?),
            _ => Err(format!("unknown host capability {binding}/{namespace}/{operation}").into()),
        }
    }

    /// The error of policy-server and kwctl if the policy has no access.
    pub fn not_granted(&self) -> HostError {
        let Self { api_version, kind, .. } = self;
        format!(
            "Policy has not been granted access to Kubernetes {api_version}/{kind} resources. The violation has been reported."
        )
        .into()
    }

    /// Their error if the cluster has no such object.
    pub fn not_found(&self) -> HostError {
        let Self { api_version, kind, name, namespace, .. } = self;
        format!(
            "Callback evaluation failure: Cannot find {api_version}/{kind} named '{name}' inside of namespace '{namespace:?}'\n\nStack backtrace:\n   0: anyhow::error"
        )
        .into()
    }

    /// The object in JSON. policy-server masks its fields; this host does not.
    fn answer_from(&self, objects: &[Value]) -> Result<Vec<u8>, HostError> {
        let is_asked_for = |object: &&Value| {
            object["apiVersion"] == *self.api_version
                && object["kind"] == *self.kind
                && object["metadata"]["name"] == *self.name
        };
        let found = objects.iter().find(is_asked_for).ok_or_else(|| self.not_found())?;
        Ok(found.to_string().into_bytes())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn replayed(exchange: Option<Exchange>, call: &Call) -> Result<Vec<u8>, HostError> {
    let Some(Exchange::Exchange { request, response }) = exchange else {
        return Err(format!("the recording has no more answers, and the policy asks for {call:?}").into());
    };
    let recorded: Call = serde_yaml_ng::from_str(&request)?;
    if recorded != *call {
        return Err(format!("the recording has {recorded:?}, and the policy asks for {call:?}").into());
    }
    match response {
        Response::Success { payload } => Ok(payload.into_bytes()),
        Response::Error { message } => Err(message.into()),
    }
}
