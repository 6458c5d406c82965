//! A policy that accepts each request unread. What it costs is what the SDK and the host cost.
use kubewarden_policy_sdk::{
    accept_request, protocol_version_guest,
    settings::SettingsValidationResponse,
    wapc_guest::{CallResult, register_function},
};

#[unsafe(no_mangle)]
pub extern "C" fn wapc_init() {
    register_function("validate", |_| accept_request());
    register_function("validate_settings", validate_settings);
    register_function("protocol_version", protocol_version_guest);
}

fn validate_settings(_: &[u8]) -> CallResult {
    Ok(serde_json::to_vec(&SettingsValidationResponse { valid: true, message: None })?)
}
