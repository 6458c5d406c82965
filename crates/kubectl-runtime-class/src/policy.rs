//! The module of a policy, and its three calls.
use std::{fs, path::Path, sync::Arc, thread};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{
    AdmissionRequest, AdmissionResponse, Capabilities,
    guest::{Guest, HostError, Instance},
};

/// The module of this version of the policy, byte for byte `policy.wasm`.
pub const MODULE: &[u8] = include_bytes!(env!("POLICY_WASM"));

/// A compiled module of a policy.
pub struct Policy(Guest);

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

impl Policy {
    /// Compiles the module in the file at `path`, or that of this version.
    ///
    /// # Errors
    /// The file can't be read, or it is not a policy: not a WebAssembly module, or one without the
    /// functions of waPC.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Self::compile(&engine()?, MODULE) };
        let name = path.display();
        let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
        Self::compile(&engine()?, &bytes).map_err(|error| anyhow!("{name} is not a policy: {}", first_line(&error)))
    }

    /// Compiles a module.
    ///
    /// # Errors
    /// It is not a policy.
    pub fn compile(engine: &Engine, module: &[u8]) -> Result<Self> {
        let guest = Guest::new(engine, module).map_err(|error| anyhow!("{}", first_line(&error)))?;
        let policy = Self(guest);
        let protocol = policy.call("protocol_version", b"", &Arc::default())?;
        if protocol != br#""v1""# {
            bail!("it has the protocol {}, not v1", String::from_utf8_lossy(&protocol));
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
        Ok(self.instance(host)?.call(operation, payload)?)
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
        self.0.instance(Arc::new(host))
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

/// The engine, with a pool of memory: an instance for each object costs little then. Where a process may not reserve
/// the addresses of a pool, instances are mapped one at a time.
fn engine() -> Result<Engine> {
    /// What an instance touches for an object of a usual size is cleared by a write, not by the kernel.
    const KEPT: usize = 2 << 20;
    let instances = thread::available_parallelism().map_or(1, usize::from).saturating_mul(4).max(32);
    let instances = u32::try_from(instances)?;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(instances).total_memories(instances).total_tables(instances);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEPT).table_keep_resident(KEPT);
    }
    let mut config = Config::new();
    config.wasm_backtrace_max_frames(None);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let pooled = Engine::new(&config);
    let engine = pooled.or_else(|_| Engine::new(config.allocation_strategy(InstanceAllocationStrategy::OnDemand)));
    engine.map_err(|error| anyhow!("the engine can't run on this machine: {}", first_line(&error)))
}

/// The message of an error, without a backtrace.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
