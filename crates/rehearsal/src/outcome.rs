//! What comes of an object.
use serde::Serialize;

/// The outcome of an object, in the order of a report.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The policy can't decide (code 500), or a match condition fails.
    Error,
    /// The policy rejects it.
    Rejected,
    /// The API server itself refuses it, before the policy is asked or after it answered.
    Refused,
    /// The policy moves it to another class.
    Mutated,
    Accepted,
}

/// What comes of an object, and why.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The class that it names, or `(default)`.
    pub class: String,
    /// The class that it gets, if the policy changes it.
    pub to: Option<String>,
    pub code: Option<u16>,
    /// What the user sees.
    pub message: Option<String>,
    /// The words of the policy, if `spec.message` stands in their place.
    pub detail: Option<String>,
    /// The policy that rejects or mutates it.
    pub policy: Option<String>,
    /// What to look at first.
    pub fields: Vec<Field>,
}

/// A field of a Pod that may not work in its new class.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Field {
    pub path: String,
    /// The value, for people.
    pub value: String,
    /// One sentence on what happens.
    pub why: String,
}

/// The part of a policy's manifest by which the API server does not ask the policy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum NotAsked {
    Rules,
    NamespaceSelector,
    ObjectSelector,
    MatchConditions,
}

/// What match conditions say of a request.
#[derive(Debug, PartialEq)]
pub enum Matched {
    Yes,
    No,
    /// None is false, and one failed. As in the API server, the failure policy decides.
    Failed(String),
}

/// A condition that is not evaluated, and counts as true.
#[derive(Debug)]
pub struct NotEvaluated {
    pub name: String,
    pub why: String,
}

impl Verdict {
    /// An accept of an object that names `class`.
    pub fn accepted(class: String) -> Self {
        let outcome = Outcome::Accepted;
        Self { outcome, class, to: None, code: None, message: None, detail: None, policy: None, fields: vec![] }
    }

    /// A failure of what decides.
    pub fn failed(class: String, message: String) -> Self {
        Self { outcome: Outcome::Error, code: Some(500), message: Some(message), ..Self::accepted(class) }
    }

    /// A refusal by the API server, in its words.
    pub fn refused(class: String, message: String) -> Self {
        Self { outcome: Outcome::Refused, message: Some(message), ..Self::accepted(class) }
    }
}
