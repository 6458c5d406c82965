//! Verdicts, counted.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    outcome::{NotAsked, NotEvaluated, Outcome, Verdict},
    read::Place,
};

/// The objects of one workload with the same verdict.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Row {
    pub outcome: Outcome,
    pub namespace: String,
    pub kind: String,
    pub name: String,
    pub verdict: Arc<Verdict>,
}

/// The objects of a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Objects {
    pub pods: usize,
    pub templates: usize,
    /// The place of the first one.
    pub place: Place,
}

/// Why an object of the input is not judged.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NotJudged {
    /// Its kind has no Pods.
    Kind(String),
    /// Its kind makes Pods that it does not show.
    UnseenPods(String),
    FinishedPod,
    FinishedJob,
    /// A ReplicaSet of 0 replicas that a Deployment keeps for a rollback.
    OldReplicaSet,
    NotAnObject,
    /// kustomize makes objects of it first.
    Patch,
    NotAsked(NotAsked),
}

/// A part of the input that can't be read.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Unreadable {
    #[serde(flatten)]
    pub place: Place,
    pub message: String,
}

/// The data of a report.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub rows: HashMap<Row, Objects>,
    pub not_judged: BTreeMap<NotJudged, usize>,
    pub unreadable: Vec<Unreadable>,
    /// Namespaces whose labels a selector needs, and the input does not have.
    pub without_labels: BTreeMap<String, usize>,
    /// Namespaces with objects that no policy is asked about.
    pub uncovered: BTreeMap<String, usize>,
    /// A reason and its count, by the name of a match condition.
    pub not_evaluated: BTreeMap<String, (String, usize)>,
    /// Places of objects with duplicate keys, and these.
    pub duplicate_keys: BTreeMap<Place, Vec<String>>,
    /// Those of the rows, each once: many have the same.
    verdicts: BTreeSet<Arc<Verdict>>,
}

impl Tally {
    /// The verdict, as rows share it.
    pub fn shared(&mut self, verdict: Verdict) -> Arc<Verdict> {
        if let Some(known) = self.verdicts.get(&verdict) {
            return Arc::clone(known);
        }
        let verdict = Arc::new(verdict);
        self.verdicts.insert(Arc::clone(&verdict));
        verdict
    }

    /// Counts the objects of a row.
    pub fn add(&mut self, row: Row, objects: Objects) {
        let Objects { pods, templates, place } = objects;
        let sum = self.rows.entry(row).or_insert_with(|| Objects { pods: 0, templates: 0, place: place.clone() });
        sum.pods += pods;
        sum.templates += templates;
        sum.place = place.min(sum.place.clone());
    }

    /// Counts an object that is not judged.
    pub fn leave(&mut self, why: NotJudged) {
        *self.not_judged.entry(why).or_default() += 1;
    }

    /// Counts a match condition. Of several reasons, the first in alphabetical order stays.
    pub fn not_evaluated(&mut self, NotEvaluated { name, why }: NotEvaluated, times: usize) {
        let (kept, sum) = self.not_evaluated.entry(name).or_insert_with(|| (why.clone(), 0));
        if why < *kept {
            *kept = why;
        }
        *sum += times;
    }

    /// Joins the counts of two parts of an input.
    pub fn join(mut self, other: Self) -> Self {
        other.rows.into_iter().for_each(|(row, objects)| self.add(row, objects));
        sum(&mut self.not_judged, other.not_judged);
        sum(&mut self.without_labels, other.without_labels);
        sum(&mut self.uncovered, other.uncovered);
        for (name, (why, times)) in other.not_evaluated {
            self.not_evaluated(NotEvaluated { name, why }, times);
        }
        self.duplicate_keys.extend(other.duplicate_keys);
        self.unreadable.extend(other.unreadable);
        self
    }
}

fn sum<K: Ord>(sums: &mut BTreeMap<K, usize>, counts: BTreeMap<K, usize>) {
    for (key, count) in counts {
        *sums.entry(key).or_default() += count;
    }
}
