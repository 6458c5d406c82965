//! A [Kubewarden](https://www.kubewarden.io) policy that decides which container runtime the Pods of
//! a cluster may use. It accepts a workload, rejects it, or mutates a Pod to a fallback RuntimeClass.
//!
//! ```text
//! payload ─┬ request ──► admission ─┬► decision ──► mutation ──► response ──► answer
//!          └ settings ──────────────┘      ▲
//!                                    runtime_class ◄── host: the cluster's RuntimeClasses
//! ```
mod admission;
mod decision;
mod message;
mod mutation;
mod object;
mod response;
mod runtime_class;
mod runtimes;
mod settings;

use decision::{Decision, decide};
use kubewarden_policy_sdk::wapc_guest::{CallResult, register_function};
use kubewarden_policy_sdk::{protocol_version_guest, settings::SettingsValidationResponse};
use mutation::mutate;
use response::{INTERNAL_ERROR, Response, Unjudged};
use settings::Settings;

/// It frees no memory: policy-server makes an instance of the module for each evaluation. The allocator
/// of wasi-libc begins in the same memory. Nothing but a panic uses it, and a panic is a trap.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: mini_alloc::MiniAlloc = mini_alloc::MiniAlloc::INIT;

/// Registers the functions that the host of a
/// [waPC policy](https://docs.kubewarden.io/explanations/runtime/wapc) calls.
#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", validate);
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

/// Answers a [validation request](https://docs.kubewarden.io/reference/spec/validating-policies),
/// `{"request": …, "settings": …}`, with a ValidationResponse. A request that can't be read is
/// rejected with code 400: that is an answer, not an error.
///
/// # Errors
/// The answer can't be written, which is a bug.
pub fn validate(payload: &[u8]) -> CallResult {
    evaluate(payload).unwrap_or_else(Response::from).to_bytes(payload.len())
}

/// The way of a request through the policy.
fn evaluate(payload: &[u8]) -> Result<Response<'_>, Unjudged> {
    let (request, settings) = admission::read(payload)?;
    let settings = Settings::read(settings)?;
    let Some(mut workload) = request.workload()? else { return Ok(Response::accept()) };

    let class = workload.class.as_deref();
    Ok(match decide(&settings, workload.is_pod, class) {
        Ok(Decision::Accept) => Response::accept(),
        // Asked last: nothing about the sender changes an accept.
        _ if workload.is_mirror_pod()? => Response::accept(),
        Ok(Decision::Warn { violation, fallback }) => Response::warn(&workload.kind, &violation, fallback),
        Ok(Decision::Reject(rejection)) => Response::reject(class, &rejection, None),
        Ok(Decision::Mutate(mutation)) => {
            mutate(&mut workload.object, &mutation).map_err(|error| error.under("request.object"))?;
            Response::mutate(class, workload.object, &mutation)
        }
        Err(failure) => Response::reject(class, &failure, Some(INTERNAL_ERROR)),
    })
}

/// Answers whether settings are valid, with a SettingsValidationResponse, when a policy is
/// [loaded](https://docs.kubewarden.io/reference/spec/settings).
///
/// # Errors
/// The answer can't be written, which is a bug.
pub fn validate_settings(payload: &[u8]) -> CallResult {
    let message = Settings::parse(payload).err().map(|invalid| invalid.to_string());
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: message.is_none(), message })?)
}
