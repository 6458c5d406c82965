//! In place of the match conditions of a policy, in a build without CEL.
use serde_json::Value;

use crate::policy::MatchCondition;

/// No conditions.
pub struct Conditions;

/// The result of the conditions for a request.
pub enum Matched {
    Yes,
    No,
    Failed(String),
}

/// A condition that is not evaluated, and counts as true.
#[derive(Debug)]
pub struct NotEvaluated {
    pub name: String,
    pub why: String,
}

impl Conditions {
    /// None of these can be evaluated.
    pub fn compile(conditions: &[MatchCondition]) -> (Self, Vec<NotEvaluated>) {
        let not_evaluated = |MatchCondition { name, .. }: &MatchCondition| {
            let (name, why) = (name.clone(), "this build has no CEL".to_owned());
            NotEvaluated { name, why }
        };
        (Self, conditions.iter().map(not_evaluated).collect())
    }

    pub fn is_empty(&self) -> bool {
        true
    }

    pub fn evaluate(&self, _: &Value, _: &Value, _: &Value) -> (Matched, Vec<NotEvaluated>) {
        (Matched::Yes, vec![])
    }
}
