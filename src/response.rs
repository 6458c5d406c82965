//! A decision in the words of the protocol.
use kubewarden_policy_sdk::wapc_guest::CallResult;
use serde::Serialize;

use crate::{
    decision::{Change, Failure, Violation},
    json::Object,
    payload::Unreadable,
};

/// The answer to `validate`: the SDK's
/// [`ValidationResponse`](kubewarden_policy_sdk::response::ValidationResponse), field for field. That
/// type holds the changed object as a `serde_json::Value`, which would round its large numbers and
/// cost a parse; here it is the pieces of text that it came as.
#[derive(Debug, Default, Serialize)]
pub struct Response<'a> {
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutated_object: Option<&'a Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_annotations: Option<AuditAnnotations<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[String; 1]>,
}

/// What the audit log of the API server keeps of a change or a refusal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct AuditAnnotations<'a> {
    requested_runtime_class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced_runtime_class: Option<&'a str>,
}

impl<'a> Response<'a> {
    pub fn accept() -> Self {
        Self { accepted: true, ..Self::default() }
    }

    /// The workload may not run as it asks to.
    pub fn reject(class: Option<&'a str>, violation: &Violation) -> Self {
        Self {
            message: Some(violation.to_string()),
            audit_annotations: Some(AuditAnnotations::new(class, None)),
            ..Self::default()
        }
    }

    /// The workload, of this `kind`, is accepted as the changed `object`.
    pub fn change(kind: &str, class: Option<&'a str>, object: &'a Object<'a>, change: &Change<'a>) -> Self {
        Self {
            accepted: true,
            mutated_object: Some(object),
            audit_annotations: Some(AuditAnnotations::new(class, Some(change.to))),
            warnings: change.warning(kind).map(|warning| [warning]),
            ..Self::default()
        }
    }

    /// There is no decision, so the workload is refused; the user is not to blame.
    pub fn fail(class: Option<&'a str>, failure: &Failure) -> Self {
        Self {
            message: Some(failure.to_string()),
            code: Some(match failure {
                Failure::ClassesUnavailable(_) => 503,
                Failure::AccessNotGranted | Failure::NoSuchFallback(_) | Failure::FallbackRefused { .. } => 500,
            }),
            audit_annotations: Some(AuditAnnotations::new(class, None)),
            ..Self::default()
        }
    }

    /// Nothing is let through unread.
    pub fn unreadable(unreadable: &Unreadable) -> Self {
        Self { message: Some(unreadable.to_string()), code: Some(400), ..Self::default() }
    }

    /// The answer, as the host reads it.
    pub fn to_bytes(&self) -> CallResult {
        Ok(serde_json::to_vec(self)?)
    }
}

impl<'a> AuditAnnotations<'a> {
    fn new(requested: Option<&'a str>, enforced: Option<&'a str>) -> Self {
        Self { requested_runtime_class: requested.unwrap_or("(default)"), enforced_runtime_class: enforced }
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
