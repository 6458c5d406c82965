//! What a policy may ask its host: the
//! [host capabilities](https://docs.kubewarden.io/reference/spec/host-capabilities/intro-host-capabilities).
use std::{
    collections::{BTreeSet, VecDeque},
    error::Error,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the host answers a policy's calls, and how many there were.
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

/// What a recorded call was answered.
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

/// A call of the host, as a recording names it.
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

type HostError = Box<dyn Error + Send + Sync>;

impl Capabilities {
    fn of(source: Source) -> Self {
        Self { source, requests: Mutex::default() }
    }

    /// The policy has not been granted access to any resource of Kubernetes.
    pub fn not_granted() -> Self {
        Self::of(Source::NotGranted)
    }

    /// It has, and the answers are those of a recording, a list of [`Exchange`]s in YAML. Each is
    /// used once, in their order.
    ///
    /// # Errors
    /// It is no such list.
    pub fn replay(recording: &str) -> Result<Self> {
        let exchanges: VecDeque<Exchange> =
            serde_yaml_ng::from_str(recording).context("it is no recording of host capabilities")?;
        Ok(Self::of(Source::Replay(Mutex::new(exchanges))))
    }

    /// It has, and the cluster has these objects.
    pub fn cluster(objects: Vec<Value>) -> Self {
        Self::of(Source::Cluster(objects))
    }

    /// It has, and reading them fails.
    pub fn failure(message: &str) -> Self {
        Self::of(Source::Failure(message.to_owned()))
    }

    /// Answers a call of the policy.
    ///
    /// # Errors
    /// What the policy is told in place of an answer, in the words of policy-server and kwctl.
    pub fn answer(
        &self,
        binding: &str,
        namespace: &str,
        operation: &str,
        payload: &[u8],
    ) -> Result<Vec<u8>, HostError> {
        lock(&self.requests).push(String::from_utf8_lossy(payload).into_owned());
        let call: GetResource = match (binding, namespace, operation) {
            ("kubewarden", "kubernetes", "get_resource") => serde_json::from_slice(payload)?,
            _ => return Err(format!("unknown host capability {binding}/{namespace}/{operation}").into()),
        };
        let answer = match &self.source {
            Source::NotGranted => {
                return Err(format!(
                    "Policy has not been granted access to Kubernetes {}/{} resources. The violation has been reported.",
                    call.api_version, call.kind
                )
                .into());
            }
            Source::Replay(exchanges) => {
                let next = lock(exchanges).pop_front();
                replayed(next, &Call::KubernetesGetResource(call))
            }
            Source::Cluster(objects) => call.answer_from(objects),
            Source::Failure(message) => Err(message.as_str().into()),
        };
        answer.map_err(|error| format!("Callback evaluation failure: {error}").into())
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        lock(&self.requests).len()
    }

    /// The payloads of the calls, in their order.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }
}

impl GetResource {
    /// The object, as a JSON document. policy-server masks the fields; here all are answered.
    fn answer_from(&self, objects: &[Value]) -> Result<Vec<u8>, HostError> {
        let is_asked_for = |object: &&Value| {
            object["apiVersion"] == *self.api_version
                && object["kind"] == *self.kind
                && object["metadata"]["name"] == *self.name
        };
        let found = objects.iter().find(is_asked_for).ok_or_else(|| {
            format!(
                "Cannot find {}/{} named '{}' inside of namespace '{:?}'\n\nStack backtrace:\n   0: anyhow::error",
                self.api_version, self.kind, self.name, self.namespace
            )
        })?;
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
