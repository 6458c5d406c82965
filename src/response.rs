//! A decision in the words of the protocol.
use std::fmt::Display;

use kubewarden_policy_sdk::wapc_guest::CallResult;
use serde::Serialize;

use crate::decision::{Mutation, Violation};
use crate::message::short;
use crate::object::{FieldError, Value};
use crate::settings::Invalid;

/// The answer to `validate`, field for field the SDK's
/// [`ValidationResponse`](kubewarden_policy_sdk::response::ValidationResponse). That type holds the
/// mutated object as a `serde_json::Value`, which rounds large numbers and costs a parse.
#[derive(Debug, Default, Serialize)]
pub struct Response<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    /// `to_bytes` writes it, as it came.
    #[serde(skip)]
    mutated_object: Option<Value<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[String; 1]>,
}

/// Why there is nothing to decide on.
#[derive(Debug, thiserror::Error)]
pub enum Unjudged {
    #[error(transparent)]
    Request(#[from] FieldError),
    #[error("invalid settings: {0}")]
    Settings(#[from] Invalid),
}

/// What the API server's audit log keeps of a mutation or a rejection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct AuditAnnotations {
    requested_runtime_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced_runtime_class: Option<String>,
}

/// The code of a request that can't be read.
const BAD_REQUEST: u16 = 400;

/// The code of a policy that can't decide. The audit scanner counts it as an error, and any other as a
/// violation.
pub const INTERNAL_ERROR: u16 = 500;

/// The bytes that are reserved for an answer without an object.
const SHORT: usize = 256;

impl<'a> Response<'a> {
    pub fn accept() -> Self {
        Self { accepted: true, ..Self::default() }
    }

    /// Accepts a template of this kind, whose Pods will be given the fallback.
    pub fn warn(kind: &str, violation: &Violation, fallback: &str) -> Self {
        let warning = format!("{violation}: the Pods of this {kind} will run with '{fallback}'");
        Self { warnings: Some([warning]), ..Self::accept() }
    }

    /// Rejects a workload, with a code if it can't be decided on.
    pub fn reject(class: Option<&str>, reason: &impl Display, code: Option<u16>) -> Self {
        Self { message: Some(reason.to_string()), code, ..Self::audited(class, None) }
    }

    /// Accepts the mutated `pod`.
    pub fn mutate(class: Option<&str>, pod: Value<'a>, mutation: &Mutation) -> Self {
        let Mutation { fallback, violation, .. } = mutation;
        let warning = |violation| [format!("{violation}: this Pod will run with '{fallback}'")];
        Self {
            accepted: true,
            mutated_object: Some(pod),
            warnings: violation.as_ref().map(warning),
            ..Self::audited(class, Some(fallback))
        }
    }

    fn audited(requested: Option<&str>, enforced: Option<&str>) -> Self {
        let annotations = AuditAnnotations {
            requested_runtime_class: short(requested.unwrap_or("(default)")).into_owned(),
            enforced_runtime_class: enforced.map(str::to_owned),
        };
        Self { audit_annotations: Some(annotations), ..Self::default() }
    }

    /// The answer as the host reads it. A mutated object takes about as many bytes as the payload that it came in.
    ///
    /// # Errors
    /// The answer can't be written, which is a bug.
    pub fn to_bytes(&self, payload: usize) -> CallResult {
        let mut answer = Vec::with_capacity(if self.mutated_object.is_some() { payload } else { SHORT });
        serde_json::to_writer(&mut answer, self)?;
        if let Some(object) = &self.mutated_object {
            answer.pop();
            answer.extend_from_slice(br#","mutated_object":"#);
            if let Err(error) = object.write(&mut answer) {
                return Self::from(Unjudged::from(error.under("request.object"))).to_bytes(SHORT);
            }
            answer.push(b'}');
        }
        Ok(answer)
    }
}

impl From<Unjudged> for Response<'_> {
    fn from(unjudged: Unjudged) -> Self {
        let code = if let Unjudged::Settings(_) = unjudged { INTERNAL_ERROR } else { BAD_REQUEST };
        Self { message: Some(unjudged.to_string()), code: Some(code), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use kubewarden_policy_sdk::response::ValidationResponse;
    use rstest::rstest;
    use serde_json::{Value, json};

    /// What the SDK reads in the answer on a Pod of the class `runc`, with these settings.
    fn read_by_the_sdk(settings: Value) -> Value {
        let request = json!({ "kind": { "kind": "Pod" }, "object": { "spec": { "runtimeClassName": "runc" } } });
        let payload = json!({ "request": request, "settings": settings }).to_string();
        let answer = crate::validate(payload.as_bytes()).expect("an answer");
        let answer: ValidationResponse = serde_json::from_slice(&answer).expect("a ValidationResponse");
        json!(answer)
    }

    #[rstest]
    #[case(
        json!({}),
        json!({ "accepted": true, "message": null, "code": null, "mutated_object": null,
            "audit_annotations": null, "warnings": null })
    )]
    #[case(
        json!({ "reservedRuntimes": ["runc"] }),
        json!({ "accepted": false, "message": "runtime 'runc' is reserved", "code": null, "mutated_object": null,
            "audit_annotations": { "requested-runtime-class": "runc" }, "warnings": null })
    )]
    #[case(
        json!({ "reservedRuntimes": ["runc"], "fallbackRuntime": "kata", "matchHandlers": false }),
        json!({ "accepted": true, "message": null, "code": null,
            "mutated_object": { "spec": { "runtimeClassName": "kata" } },
            "audit_annotations": { "requested-runtime-class": "runc", "enforced-runtime-class": "kata" },
            "warnings": ["runtime 'runc' is reserved: this Pod will run with 'kata'"] })
    )]
    fn an_answer_is_the_validation_response_of_the_sdk(#[case] settings: Value, #[case] answer: Value) {
        assert_eq!(read_by_the_sdk(settings), answer);
    }
}
