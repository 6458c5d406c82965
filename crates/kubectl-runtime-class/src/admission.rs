//! The requests and responses of admission control.
//!
//! The types are those of
//! [admission.k8s.io/v1](https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/).
use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::ValidationResponse;

/// An AdmissionRequest as policy-server passes it on: without the fields that are null.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionRequest {
    pub uid: String,
    pub kind: GroupVersionKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_kind: Option<GroupVersionKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_resource: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_sub_resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    pub operation: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_object: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
}

/// The kind of an object.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct GroupVersionKind {
    #[serde(default)]
    pub group: String,
    #[serde(default)]
    pub version: String,
    pub kind: String,
}

/// An AdmissionResponse, with its fields in the order that kwctl prints.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionResponse {
    pub uid: String,
    pub allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch_type: Option<&'static str>,
    /// A JSON patch (RFC 6902) in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    pub audit_annotations: Option<BTreeMap<String, String>>,
    pub warnings: Option<Vec<String>>,
}

/// The reason of a rejection.
#[derive(Debug, PartialEq, Serialize)]
pub struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

impl AdmissionRequest {
    /// Reads an AdmissionReview or an AdmissionRequest, in JSON or YAML.
    ///
    /// # Errors
    /// The text is neither of them.
    pub fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_yaml_ng::from_str(text).context("neither JSON nor YAML")?;
        let request = match value.get("kind").and_then(Value::as_str) {
            Some("AdmissionReview") => value.get("request").cloned().context("the AdmissionReview has no request")?,
            _ => value,
        };
        serde_json::from_value(request).map_err(|error| anyhow!("not an AdmissionRequest: {error}"))
    }

    /// The request that creates `object`, a manifest in the namespace `team-a`.
    ///
    /// # Errors
    /// `object` has no `kind` or no `apiVersion`.
    pub fn create(object: Value) -> Result<Self> {
        let text =
            |key: &str| object.get(key).and_then(Value::as_str).with_context(|| format!("the object has no {key}"));
        let kind = text("kind")?.to_owned();
        let (group, version) = match text("apiVersion")?.split_once('/') {
            Some((group, version)) => (group.to_owned(), version.to_owned()),
            None => (String::new(), text("apiVersion")?.to_owned()),
        };
        let request = serde_json::json!({
            "uid": "1299d386-525b-4032-98ae-1949f69f9cfc",
            "kind": { "group": group, "version": version, "kind": kind },
            "namespace": "team-a",
            "operation": "CREATE",
            "userInfo": { "username": "jane", "groups": ["system:authenticated"] },
            "object": object,
        });
        Ok(serde_json::from_value(request)?)
    }
}

impl AdmissionResponse {
    /// The response that policy-server makes of a policy's answer.
    ///
    /// # Errors
    /// The policy mutates an object, and the request has none.
    pub fn new(request: &AdmissionRequest, answer: ValidationResponse) -> Result<Self> {
        let patch = match (&request.object, &answer.mutated_object) {
            (Some(before), Some(after)) => Some(json_patch::diff(before, after)).filter(|patch| !patch.is_empty()),
            (None, Some(_)) => bail!("the policy mutates an object, and the request has none"),
            (_, None) => None,
        };
        let has_status = answer.message.is_some() || answer.code.is_some();
        Ok(Self {
            uid: request.uid.clone(),
            allowed: answer.accepted,
            patch_type: patch.as_ref().map(|_| "JSONPatch"),
            patch: patch.as_ref().map(serde_json::to_vec).transpose()?.map(|patch| STANDARD.encode(patch)),
            status: has_status.then_some(Status { message: answer.message, code: answer.code }),
            audit_annotations: answer.audit_annotations,
            warnings: answer.warnings,
        })
    }

    /// The response of policy-server if a policy fails.
    pub fn internal_error(request: &AdmissionRequest, error: &anyhow::Error) -> Self {
        Self {
            uid: request.uid.clone(),
            allowed: false,
            patch_type: None,
            patch: None,
            status: Some(Status { message: Some(format!("internal server error: {error}")), code: Some(500) }),
            audit_annotations: None,
            warnings: None,
        }
    }

    /// The patch, decoded.
    ///
    /// # Errors
    /// The patch is not a JSON patch in Base64.
    pub fn decoded_patch(&self) -> Result<Option<Patch>> {
        let Some(patch) = &self.patch else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&STANDARD.decode(patch)?)?))
    }
}
