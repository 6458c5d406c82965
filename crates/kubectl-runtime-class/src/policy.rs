//! The module of a policy, and its three calls.
use std::{error::Error, fs, path::Path, sync::Arc};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use wapc::WapcHost;
use wasmtime_provider::{WasmtimeEngineProviderBuilder, WasmtimeEngineProviderPre};

use crate::{AdmissionRequest, AdmissionResponse, Capabilities};

/// A compiled module of a policy.
pub struct Policy {
    module: WasmtimeEngineProviderPre,
}

/// An instance of a policy.
pub struct Instance(WapcHost);

/// What the host tells a policy in place of an answer.
pub type HostError = Box<dyn Error + Send + Sync>;

/// The answer of a policy to `validate`: the
/// [ValidationResponse](https://docs.kubewarden.io/reference/spec/validating-policies).
#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ValidationResponse {
    pub accepted: bool,
    pub message: Option<String>,
    pub code: Option<u16>,
    pub mutated_object: Option<Value>,
    pub audit_annotations: Option<std::collections::BTreeMap<String, String>>,
    pub warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct SettingsValidationResponse {
    valid: bool,
    message: Option<String>,
}

impl Instance {
    /// Calls `operation`.
    ///
    /// # Errors
    /// The policy returns an error, or it traps.
    pub fn call(&self, operation: &str, payload: &[u8]) -> Result<Vec<u8>> {
        Ok(self.0.call(operation, payload)?)
    }
}

impl Policy {
    /// Compiles the module in the file at `path`.
    ///
    /// # Errors
    /// The file can't be read, or it is not a policy: not a WebAssembly module, or one without the
    /// functions of waPC.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let module = WasmtimeEngineProviderBuilder::new().module_bytes(&bytes).build_pre();
        let policy =
            Self { module: module.map_err(|error| anyhow!("{name} is not a policy: {}", first_line(&error)))? };
        let protocol = policy.call("protocol_version", b"", &Arc::default());
        let protocol = protocol.map_err(|error| anyhow!("{name} is not a policy: {}", first_line(&error)))?;
        if protocol != br#""v1""# {
            bail!("{name} is not a policy of the protocol v1, but of {}", String::from_utf8_lossy(&protocol));
        }
        Ok(policy)
    }

    /// Calls `operation` in a new instance, as policy-server does for each request.
    ///
    /// # Errors
    /// The module can't be instantiated, the policy returns an error, or it traps.
    pub fn call(&self, operation: &str, payload: &[u8], capabilities: &Arc<Capabilities>) -> Result<Vec<u8>> {
        let capabilities = Arc::clone(capabilities);
        let host = move |binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            capabilities.answer(binding, namespace, operation, payload)
        };
        self.instance(host)?.call(operation, payload)
    }

    /// A fresh instance, whose calls of its host are answered by `host`: binding, namespace, operation and
    /// payload.
    ///
    /// # Errors
    /// The module can't be instantiated.
    pub fn instance(
        &self,
        host: impl Fn(&str, &str, &str, &[u8]) -> Result<Vec<u8>, HostError> + Send + Sync + 'static,
    ) -> Result<Instance> {
        let engine = self.module.rehydrate(None)?;
        let answer = move |_, binding: &str, namespace: &str, operation: &str, payload: &[u8]| {
            host(binding, namespace, operation, payload)
        };
        Ok(Instance(WapcHost::new(Box::new(engine), Some(Box::new(answer)))?))
    }

    /// Lets the policy check its settings.
    ///
    /// # Errors
    /// The settings are invalid. The message is kwctl's.
    pub fn validate_settings(&self, settings: &Value) -> Result<()> {
        let answer = self.call("validate_settings", settings.to_string().as_bytes(), &Arc::default())?;
        match serde_json::from_slice(&answer).context("the policy's answer about its settings can't be read")? {
            SettingsValidationResponse { valid: true, .. } => Ok(()),
            SettingsValidationResponse { message, .. } => {
                bail!("Provided settings are not valid: {}", message.unwrap_or_default())
            }
        }
    }

    /// Evaluates a request, as policy-server does.
    ///
    /// # Errors
    /// The policy's answer can't be read. An error of the policy itself is a response with code 500.
    pub fn evaluate(
        &self,
        request: &AdmissionRequest,
        settings: &Value,
        capabilities: &Arc<Capabilities>,
    ) -> Result<AdmissionResponse> {
        let payload = json!({ "request": request, "settings": settings }).to_string();
        match self.call("validate", payload.as_bytes(), capabilities) {
            Ok(answer) => {
                let answer: ValidationResponse = serde_json::from_slice(&answer).with_context(|| {
                    format!("the policy's answer can't be read: {}", String::from_utf8_lossy(&answer))
                })?;
                AdmissionResponse::new(request, answer)
            }
            Err(error) => Ok(AdmissionResponse::internal_error(request, &error)),
        }
    }
}

/// The message of an error, without a backtrace.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
