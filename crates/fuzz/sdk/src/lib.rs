//! The part of kubewarden-policy-sdk that the policy uses, for a host in the same process.
use std::{
    cell::RefCell,
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// The answer of the host to a call of the policy.
pub type Reply = Result<Vec<u8>, Vec<u8>>;

/// Answers the calls of a policy: binding, namespace and operation, and the payload.
pub type Host = Box<dyn FnMut([&str; 3], &[u8]) -> Reply>;

type Handler = fn(&[u8]) -> wapc_guest::CallResult;

static HANDLERS: Mutex<BTreeMap<String, Handler>> = Mutex::new(BTreeMap::new());

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// Calls a function that the policy has registered.
///
/// # Errors
/// The policy has no such function, or it returns an error.
pub fn call(operation: &str, payload: &[u8], host: Host) -> wapc_guest::CallResult {
    let handler = HANDLERS.lock().unwrap_or_else(PoisonError::into_inner).get(operation).copied();
    let handler = handler.ok_or_else(|| format!("No handler registered for function {operation}"))?;
    HOST.set(Some(host));
    handler(payload)
}

/// The functions of [wapc-guest](https://docs.rs/wapc-guest).
pub mod wapc_guest {
    use super::{Error, HANDLERS, HOST, Handler, PoisonError};

    pub type CallResult = Result<Vec<u8>, Box<dyn Error + Sync + Send>>;

    pub fn register_function(name: &str, handler: Handler) {
        HANDLERS.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), handler);
    }

    /// # Errors
    /// The host returns an error.
    pub fn host_call(binding: &str, namespace: &str, operation: &str, payload: &[u8]) -> CallResult {
        HOST.with_borrow_mut(|host| {
            let host = host.as_mut().ok_or("no host")?;
            host([binding, namespace, operation], payload)
                .map_err(|error| format!("Host error: {}", String::from_utf8_lossy(&error)).into())
        })
    }
}

pub mod settings {
    use super::Serialize;

    #[derive(Serialize)]
    pub struct SettingsValidationResponse {
        pub valid: bool,
        pub message: Option<String>,
    }
}

/// # Errors
/// None.
pub fn protocol_version_guest(_: &[u8]) -> wapc_guest::CallResult {
    Ok(br#""v1""#.to_vec())
}
