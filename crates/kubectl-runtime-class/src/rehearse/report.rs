//! The report for programs. `docs/rehearse.md` describes each field.
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    cluster::Cluster,
    documents::Unreadable,
    judge::DEFAULT,
    manifest::Scope,
    sandbox::Field,
    tally::{Count, LeftOut, Outcome, Row, Tally},
};

/// The result of a rehearsal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    format_version: u32,
    pub policy: Policy,
    /// None: names alone are compared.
    pub runtime_classes: Option<Vec<String>>,
    pub notes: Vec<String>,
    pub summary: Summary,
    pub not_judged: NotJudged,
    pub namespaces: Vec<Namespace>,
    pub classes: Vec<Class>,
    pub workloads: Vec<Workload>,
    pub unreadable: Vec<Unreadable>,
}

#[derive(Debug, Serialize)]
pub struct Policy {
    pub name: Option<String>,
    pub settings: Value,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    #[serde(flatten)]
    pub outcomes: Outcomes,
    pub mutated_to: BTreeMap<String, usize>,
    pub unreadable: usize,
}

/// The number of objects by outcome.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcomes {
    pub judged: usize,
    pub accepted: usize,
    pub mutated: usize,
    pub rejected: usize,
    pub errors: usize,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotJudged {
    pub kinds: BTreeMap<String, usize>,
    pub rules: usize,
    pub namespace_selector: usize,
    pub object_selector: usize,
    pub match_conditions: usize,
}

#[derive(Debug, Serialize)]
pub struct Namespace {
    pub namespace: String,
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Class {
    pub class: String,
    #[serde(flatten)]
    pub outcomes: Outcomes,
    pub workloads: usize,
    pub namespaces: usize,
    /// Several workloads name the class, and none keeps it.
    pub look_first: bool,
}

#[derive(Debug, Serialize)]
pub struct Workload {
    pub namespace: String,
    pub kind: String,
    pub name: String,
    pub pods: usize,
    pub templates: usize,
    pub outcome: Outcome,
    pub class: String,
    pub to: Option<String>,
    pub code: Option<u16>,
    pub message: Option<String>,
    pub fields: Vec<Field>,
}

impl Report {
    pub fn new(scope: &Scope, cluster: &Cluster, reads_classes: bool, mut tally: Tally) -> Self {
        tally.unreadable.sort();
        let names = || cluster.runtime_classes.keys().cloned().collect();
        let left_out = |part| tally.left_out.get(&part).copied().unwrap_or_default();
        Self {
            format_version: 1,
            policy: Policy { name: scope.name.clone(), settings: scope.settings.clone() },
            runtime_classes: reads_classes.then(names),
            notes: notes(scope, reads_classes, &tally),
            summary: Summary::of(&tally),
            namespaces: namespaces(&tally),
            classes: classes(&tally),
            not_judged: NotJudged {
                rules: left_out(LeftOut::Rules),
                namespace_selector: left_out(LeftOut::NamespaceSelector),
                object_selector: left_out(LeftOut::ObjectSelector),
                match_conditions: left_out(LeftOut::MatchConditions),
                kinds: tally.other_kinds,
            },
            workloads: tally.rows.into_iter().map(Workload::from).collect(),
            unreadable: tally.unreadable,
        }
    }

    /// Whether there was nothing to judge or to count.
    pub fn is_empty(&self) -> bool {
        let NotJudged { kinds, rules, namespace_selector, object_selector, match_conditions } = &self.not_judged;
        let others = rules + namespace_selector + object_selector + match_conditions + self.summary.unreadable;
        self.summary.outcomes.judged + others == 0 && kinds.is_empty()
    }
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome, objects: usize) {
        self.judged += objects;
        *match outcome {
            Outcome::Error => &mut self.errors,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Mutated => &mut self.mutated,
            Outcome::Accepted => &mut self.accepted,
        } += objects;
    }
}

impl Count {
    fn objects(self) -> usize {
        self.pods + self.templates
    }
}

impl Summary {
    fn of(tally: &Tally) -> Self {
        let mut outcomes = Outcomes::default();
        let mut mutated_to: BTreeMap<String, usize> = BTreeMap::new();
        for (row, count) in &tally.rows {
            outcomes.add(row.outcome, count.objects());
            if let Some(to) = &row.verdict.to {
                *mutated_to.entry(to.clone()).or_default() += count.objects();
            }
        }
        Self { outcomes, mutated_to, unreadable: tally.unreadable.len() }
    }
}

fn namespaces(tally: &Tally) -> Vec<Namespace> {
    let mut found: BTreeMap<&str, Outcomes> = BTreeMap::new();
    for (row, count) in &tally.rows {
        found.entry(&row.namespace).or_default().add(row.outcome, count.objects());
    }
    found.into_iter().map(|(name, outcomes)| Namespace { namespace: name.to_owned(), outcomes }).collect()
}

#[derive(Default)]
struct Users<'a> {
    outcomes: Outcomes,
    workloads: BTreeSet<(&'a str, &'a str, &'a str)>,
    namespaces: BTreeSet<&'a str>,
}

fn classes(tally: &Tally) -> Vec<Class> {
    let mut found: BTreeMap<&str, Users> = BTreeMap::new();
    for (row, count) in &tally.rows {
        let users = found.entry(&row.verdict.class).or_default();
        users.outcomes.add(row.outcome, count.objects());
        users.workloads.insert((&row.namespace, &row.kind, &row.name));
        users.namespaces.insert(&row.namespace);
    }
    let class = |(name, Users { outcomes, workloads, namespaces }): (&str, Users)| Class {
        class: name.to_owned(),
        look_first: name != DEFAULT && outcomes.rejected + outcomes.mutated == outcomes.judged && workloads.len() > 1,
        outcomes,
        workloads: workloads.len(),
        namespaces: namespaces.len(),
    };
    found.into_iter().map(class).collect()
}

/// The limits of the rehearsal.
fn notes(scope: &Scope, reads_classes: bool, tally: &Tally) -> Vec<String> {
    let mut notes = vec![];
    if !reads_classes && scope.settings["matchHandlers"] != false {
        notes.push(names_alone(scope));
    }
    notes.extend(scope.notes.iter().cloned());
    for condition in &scope.not_evaluated {
        notes.push(format!(
            "Match condition '{}' is not evaluated, and taken as true: {}.",
            condition.name, condition.why
        ));
    }
    for (name, (why, times)) in &tally.not_evaluated {
        let times = counted(*times, "request");
        notes.push(format!("Match condition '{name}' is not evaluated for {times}, and taken as true: {why}."));
    }
    if !tally.without_labels.is_empty() {
        let names: Vec<&str> = tally.without_labels.keys().map(String::as_str).collect();
        let names = names.join(", ");
        notes
            .push(format!("The input has no Namespace object for {names}: the namespaceSelector sees its name alone."));
    }
    notes
}

fn names_alone(scope: &Scope) -> String {
    let why = if scope.may_read_classes {
        "The input has no RuntimeClasses, and there is no --runtime-classes"
    } else {
        "The policy has no access to RuntimeClasses (contextAwareResources)"
    };
    format!("{why}: names alone are compared, not handlers.")
}

impl From<(Row, Count)> for Workload {
    fn from((row, count): (Row, Count)) -> Self {
        let Row { outcome, namespace, kind, name, verdict } = row;
        let (pods, templates) = (count.pods, count.templates);
        let (class, to, code, message, fields) =
            (verdict.class, verdict.to, verdict.code, verdict.message, verdict.fields);
        Self { namespace, kind, name, pods, templates, outcome, class, to, code, message, fields }
    }
}

/// A number of things.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
