//! A decision in the words of the protocol.
use std::borrow::Cow;

use kubewarden_policy_sdk::wapc_guest::CallResult;
use serde::Serialize;

use crate::{
    decision::{Failure, Mutation, Rejection, Violation},
    field::FieldError,
    json::{Object, Unreadable},
    message::name,
    settings::Invalid,
};

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
    #[serde(skip)]
    mutated_object: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[String; 1]>,
}

/// What the API server's audit log keeps of a mutation or a rejection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct AuditAnnotations<'a> {
    requested_runtime_class: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced_runtime_class: Option<&'a str>,
}

/// The code of a request that can't be read.
const BAD_REQUEST: u16 = 400;

/// The code of a policy that can't decide. The audit scanner counts it as an error, and any other as a
/// violation.
const INTERNAL_ERROR: u16 = 500;

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

    pub fn reject(class: Option<&'a str>, rejection: &Rejection) -> Self {
        Self {
            message: Some(rejection.to_string()),
            audit_annotations: Some(AuditAnnotations::new(class, None)),
            ..Self::default()
        }
    }

    /// Accepts the mutated `pod`.
    pub fn mutate(class: Option<&'a str>, pod: Object<'a>, mutation: &Mutation<'a>) -> Self {
        let fallback = mutation.fallback;
        let warning = |violation| format!("{violation}: this Pod will run with '{fallback}'");
        Self {
            mutated_object: Some(pod),
            audit_annotations: Some(AuditAnnotations::new(class, Some(fallback))),
            warnings: mutation.violation.as_ref().map(|violation| [warning(violation)]),
            ..Self::accept()
        }
    }

    /// Rejects a workload that can't be decided on.
    pub fn fail(class: Option<&'a str>, failure: &Failure) -> Self {
        Self {
            message: Some(failure.to_string()),
            code: Some(INTERNAL_ERROR),
            audit_annotations: Some(AuditAnnotations::new(class, None)),
            ..Self::default()
        }
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
            object.write(&mut answer)?;
            answer.push(b'}');
        }
        Ok(answer)
    }
}

impl From<Unreadable> for Response<'_> {
    fn from(unreadable: Unreadable) -> Self {
        let message = match unreadable {
            Unreadable::Field(error) => error.to_string(),
            invalid => format!("payload: {invalid}"),
        };
        Self { message: Some(message), code: Some(BAD_REQUEST), ..Self::default() }
    }
}

impl From<FieldError> for Response<'_> {
    fn from(error: FieldError) -> Self {
        Unreadable::Field(error).into()
    }
}

impl From<Invalid> for Response<'_> {
    fn from(invalid: Invalid) -> Self {
        Self { message: Some(format!("invalid settings: {invalid}")), code: Some(INTERNAL_ERROR), ..Self::default() }
    }
}

impl<'a> AuditAnnotations<'a> {
    fn new(requested: Option<&'a str>, enforced: Option<&'a str>) -> Self {
        Self { requested_runtime_class: name(requested.unwrap_or("(default)")), enforced_runtime_class: enforced }
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
