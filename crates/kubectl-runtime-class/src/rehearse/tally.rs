//! The verdicts, counted.
use std::collections::BTreeMap;

use serde::Serialize;

use super::{conditions::NotEvaluated, documents::Unreadable, sandbox::Field};

/// The outcome of an object, in the order of a report.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Error,
    Rejected,
    Mutated,
    Accepted,
}

/// The policy's answer for a workload.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Verdict {
    pub outcome: Outcome,
    pub class: String,
    pub to: Option<String>,
    pub code: Option<u16>,
    pub message: Option<String>,
    pub fields: Vec<Field>,
}

/// The objects of one workload with the same answer.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Row {
    pub outcome: Outcome,
    pub namespace: String,
    pub kind: String,
    pub name: String,
    pub verdict: Verdict,
}

/// The number of objects in a row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Count {
    pub pods: usize,
    pub templates: usize,
}

/// The part of a manifest that leaves a workload out.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum LeftOut {
    Rules,
    NamespaceSelector,
    ObjectSelector,
    MatchConditions,
}

/// The data of a report.
#[derive(Debug, Default)]
pub struct Tally {
    pub rows: BTreeMap<Row, Count>,
    /// The number of objects without a pod spec, by kind.
    pub other_kinds: BTreeMap<String, usize>,
    pub left_out: BTreeMap<LeftOut, usize>,
    pub unreadable: Vec<Unreadable>,
    /// Namespaces whose labels the selector needs, and the input does not have.
    pub without_labels: BTreeMap<String, usize>,
    /// A reason and its count, by the name of a match condition.
    pub not_evaluated: BTreeMap<String, (String, usize)>,
}

impl Tally {
    /// Counts a match condition. Of several reasons, the first in alphabetical order stays.
    pub fn not_evaluated(&mut self, NotEvaluated { name, why }: NotEvaluated, times: usize) {
        let (kept, sum) = self.not_evaluated.entry(name).or_insert_with(|| (why.clone(), 0));
        if why < *kept {
            *kept = why;
        }
        *sum += times;
    }

    pub fn join(mut self, other: Self) -> Self {
        for (row, count) in other.rows {
            let sum = self.rows.entry(row).or_default();
            sum.pods += count.pods;
            sum.templates += count.templates;
        }
        add(&mut self.other_kinds, other.other_kinds);
        add(&mut self.left_out, other.left_out);
        add(&mut self.without_labels, other.without_labels);
        for (name, (why, times)) in other.not_evaluated {
            self.not_evaluated(NotEvaluated { name, why }, times);
        }
        self.unreadable.extend(other.unreadable);
        self
    }
}

fn add<K: Ord>(sums: &mut BTreeMap<K, usize>, counts: BTreeMap<K, usize>) {
    for (key, count) in counts {
        *sums.entry(key).or_default() += count;
    }
}
