//! A [Kubewarden](https://www.kubewarden.io) policy that decides which container runtime the Pods of
//! a cluster may use: it accepts a workload, refuses it, or gives it a fallback RuntimeClass.
//!
//! ```text
//! payload ──► admission ──► decision ──► mutation ──► response ──► answer
//!                 ▲             ▲
//!             settings    runtime_class ◄── host: the cluster's RuntimeClasses
//! ```
mod admission;
mod decision;
mod json;
mod mutation;
mod payload;
mod response;
mod runtime_class;
mod settings;

use decision::{Decision, decide};
use kubewarden_policy_sdk::{
    protocol_version_guest,
    settings::SettingsValidationResponse,
    wapc_guest::{CallResult, register_function},
};
use mutation::change_runtime_class;
use payload::{Payload, Unreadable};
use response::Response;
use runtime_class::Cluster;
use settings::Settings;

/// Registers the functions that the host of a
/// [waPC policy](https://docs.kubewarden.io/explanations/runtime/wapc) calls.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Answers a [validation request](https://docs.kubewarden.io/reference/spec/validating-policies),
/// `{"request": …, "settings": …}`, with a ValidationResponse. What can't be read is refused with
/// code 400: that is an answer, no error.
///
/// # Errors
/// The answer can't be written, which is a bug.
pub fn validate(payload: &[u8]) -> CallResult {
    evaluate(payload).unwrap_or_else(|unreadable| Response::unreadable(&unreadable).to_bytes())
}

/// The way of a request through the policy.
fn evaluate(payload: &[u8]) -> Result<CallResult, Unreadable<'_>> {
    let Payload { request, settings } = Payload::read(payload)?;
    let settings = Settings::read(settings)?;
    let Some(mut workload) = request.workload()? else { return Ok(Response::accept().to_bytes()) };

    let class = workload.runtime_class.as_deref();
    let cluster = Cluster::default();
    let response = match decide(&settings, class, &cluster) {
        Ok(Decision::Accept) => Response::accept(),
        Ok(Decision::Reject(violation)) => Response::reject(class, &violation),
        Ok(Decision::Change(change)) => {
            let merged = change.scheduling.filter(|_| workload.has_scheduling_merged);
            change_runtime_class(&mut workload.object, workload.path, change.to, merged)?;
            Response::change(&workload.kind, class, &workload.object, &change)
        }
        Err(failure) => Response::fail(class, &failure),
    };
    Ok(response.to_bytes())
}

/// Answers whether settings are right, with a SettingsValidationResponse, when a policy is
/// [loaded](https://docs.kubewarden.io/reference/spec/settings).
///
/// # Errors
/// The answer can't be written, which is a bug.
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let message = Settings::parse(payload).err().map(|invalid| invalid.to_string());
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
