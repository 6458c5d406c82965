//! Asking the host for a [RuntimeClass](https://kubernetes.io/docs/concepts/containers/runtime-class/)
//! of the cluster.
use std::collections::BTreeMap;

use kubewarden_policy_sdk::wapc_guest;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::message::{find, shorten};
use crate::object::{FieldError, FromObject, read};
use crate::runtimes::ClassName;

/// The fields of a RuntimeClass that the policy reads.
#[derive(Debug, Deserialize)]
pub struct RuntimeClass {
    /// The container runtime of its Pods.
    pub handler: String,
    /// Read only for a mutation.
    scheduling: Option<Box<RawValue>>,
}

/// The fields that the API server merges into the Pods of a RuntimeClass.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scheduling {
    pub node_selector: Option<BTreeMap<String, String>>,
    /// As they are written.
    pub tolerations: Option<Vec<Box<RawValue>>>,
}

/// Why a RuntimeClass is not known, on one line.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// The operator has to give access.
    #[error("{told} {advice}")]
    NotGranted { told: String, advice: &'static str },
    #[error("{0}")]
    Failed(String),
    #[error("the host's answer is not a RuntimeClass: {0}")]
    NotARuntimeClass(#[from] FieldError),
}

const GRANT_RESOURCE: &str = "Add node.k8s.io/v1 RuntimeClass to the policy's contextAwareResources.";
/// A ClusterAdmissionPolicy: an AdmissionPolicy has no access to resources of the cluster.
const GRANT_CAPABILITY: &str = "Use a ClusterAdmissionPolicy, or set matchHandlers to false.";

/// The longest error of the host that a message repeats, in bytes.
const LONG: usize = 1000;

impl RuntimeClass {
    /// The RuntimeClass of this name, or `None` if the cluster has none. Each call asks the host anew, by
    /// [`get_resource`](https://docs.kubewarden.io/reference/spec/host-capabilities/kubernetes).
    ///
    /// The host asks the API server and keeps the answer for 5 seconds. It answers `list_resources_all`
    /// from a watch instead, which goes stale, and which never answers if the permission is missing.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn get(name: ClassName) -> Result<Option<Self>, ReadError> {
        // The name needs no escapes.
        let request = format!(
            r#"{{"api_version":"node.k8s.io/v1","kind":"RuntimeClass","name":"{}","namespace":null,"disable_cache":false,"field_masks":["handler","scheduling"]}}"#,
            name.as_str()
        );
        let answer = match wapc_guest::host_call("kubewarden", "kubernetes", "get_resource", request.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => return ReadError::of(&error.to_string()).map_or(Ok(None), Err),
        };
        let FromObject(class) = read("", &answer)?;
        Ok(Some(class))
    }

    /// The scheduling of the class, if it has one.
    ///
    /// # Errors
    /// A field of it can't be read.
    pub fn scheduling(&self) -> Result<Option<Scheduling>, ReadError> {
        let Some(json) = &self.scheduling else { return Ok(None) };
        let FromObject(scheduling) = read("scheduling", json.get().as_bytes())?;
        Ok(Some(scheduling))
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
        if find(line, "has not been granted access").is_none() {
            return Some(Self::Failed(told));
        }
        let is_capability = find(line, "host capability").is_some();
        Some(Self::NotGranted { told, advice: if is_capability { GRANT_CAPABILITY } else { GRANT_RESOURCE } })
    }
}
