//! In place of the match conditions of a policy, in a build without CEL.
use serde_json::Value;

use crate::{
    outcome::{Matched, NotEvaluated},
    policy::MatchCondition,
};

/// No conditions.
pub struct Conditions;

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
