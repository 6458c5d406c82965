//! The report for programs. `docs/rehearse.md` describes each field.
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io, mem,
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;

use crate::{
    cluster::Cluster,
    judge::{DEFAULT, Judge},
    outcome::{NotAsked, Outcome, Verdict},
    policies::Policies,
    policy::Mode,
    read::Place,
    selector::NAMESPACE_NAME,
    tally::{self, Objects, Row, Tally, Unreadable},
};

/// The result of a rehearsal.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub format_version: u32,
    pub policies: Vec<Policy>,
    /// None: names alone are compared.
    pub runtime_classes: Option<Vec<String>>,
    /// Sentences on what limits this rehearsal.
    pub notes: Vec<String>,
    /// What stops everything.
    pub problems: Vec<Problem>,
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

/// A fallback that the cluster does not have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    pub policy: Option<String>,
    pub message: String,
    pub fallback: String,
    /// The objects that fail because of it.
    pub objects: usize,
    /// The classes that the cluster has.
    pub classes: Vec<String>,
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
    pub refused: usize,
    pub errors: usize,
}

/// What is counted apart.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotJudged {
    /// Objects of kinds that have no Pods.
    pub kinds: BTreeMap<String, usize>,
    /// Objects of kinds that make Pods which they do not show.
    pub unknown_kinds: BTreeMap<String, usize>,
    pub finished_pods: usize,
    pub finished_jobs: usize,
    pub replica_sets_without_replicas: usize,
    pub not_objects: usize,
    pub patches: usize,
    pub rules: usize,
    pub namespace_selector: usize,
    pub object_selector: usize,
    pub match_conditions: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Namespace {
    pub namespace: String,
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// The objects that no policy is asked about.
    pub not_covered: usize,
    /// What comes of a Pod that names no class, and uses nothing else; none if no policy is asked about it.
    pub plain_pod: Option<PlainPod>,
    /// Sentences on what several policies leave open.
    pub look_first: Vec<String>,
}

/// What a Pod that names no class gets in a namespace.
#[derive(Debug, Serialize)]
pub struct PlainPod {
    pub outcome: Outcome,
    pub class: String,
    pub policy: Option<String>,
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
    #[serde(flatten)]
    pub verdict: Arc<Verdict>,
    pub place: Place,
}

/// What lets a rehearsal fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailOn {
    /// Rejected, refused and errors.
    Rejected,
    Refused,
    Mutated,
    Unreadable,
    UnknownKinds,
}

impl FailOn {
    /// The names of `--fail-on`.
    pub const ALL: [(&str, Self); 5] = [
        ("rejected", Self::Rejected),
        ("refused", Self::Refused),
        ("mutated", Self::Mutated),
        ("unreadable", Self::Unreadable),
        ("unknown-kinds", Self::UnknownKinds),
    ];
}

impl Report {
    /// The report of what was counted.
    pub fn new(judge: &Judge, mut tally: Tally) -> Self {
        tally.unreadable.sort();
        let mut rows: Vec<(Row, Objects)> = mem::take(&mut tally.rows).into_iter().collect();
        rows.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let (policies, cluster) = (judge.policies, judge.cluster);
        let named = |asked: &crate::policies::Asked| Policy {
            name: asked.policy.name().map(str::to_owned),
            settings: asked.policy.settings.clone(),
        };
        let reads_classes = policies.iter().any(|asked| asked.policy.reads_classes());
        let classes = cluster.classes().filter(|_| reads_classes);
        let namespaces = namespaces(judge, &rows, &tally);
        Self {
            format_version: 1,
            policies: policies.iter().map(named).collect(),
            runtime_classes: classes.map(|classes| classes.keys().cloned().collect()),
            notes: notes(judge, &tally),
            problems: problems(policies, cluster, &rows),
            summary: Summary::of(&rows, &tally),
            namespaces,
            classes: classes_of(&rows),
            not_judged: NotJudged::of(&tally),
            workloads: rows.into_iter().map(Workload::from).collect(),
            unreadable: tally.unreadable,
        }
    }

    /// Whether the rehearsal fails on one of these.
    pub fn fails_on(&self, wanted: &[FailOn]) -> bool {
        let Outcomes { rejected, refused, errors, mutated, .. } = self.summary.outcomes;
        let count = |fail_on: &FailOn| match fail_on {
            FailOn::Rejected => rejected + refused + errors,
            FailOn::Refused => refused,
            FailOn::Mutated => mutated,
            FailOn::Unreadable => self.unreadable.len(),
            FailOn::UnknownKinds => self.not_judged.unknown_kinds.values().sum(),
        };
        wanted.iter().map(count).any(|count| count > 0)
    }

    /// Writes the report in JSON.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome, objects: usize) {
        self.judged += objects;
        *match outcome {
            Outcome::Error => &mut self.errors,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Refused => &mut self.refused,
            Outcome::Mutated => &mut self.mutated,
            Outcome::Accepted => &mut self.accepted,
        } += objects;
    }
}

impl Objects {
    fn count(&self) -> usize {
        self.pods + self.templates
    }
}

impl Summary {
    fn of(rows: &[(Row, Objects)], tally: &Tally) -> Self {
        let mut outcomes = Outcomes::default();
        let mut mutated_to: BTreeMap<String, usize> = BTreeMap::new();
        for (row, objects) in rows {
            outcomes.add(row.outcome, objects.count());
            if let (Outcome::Mutated, Some(to)) = (row.outcome, &row.verdict.to) {
                *mutated_to.entry(to.clone()).or_default() += objects.count();
            }
        }
        Self { outcomes, mutated_to, unreadable: tally.unreadable.len() }
    }
}

impl NotJudged {
    fn of(tally: &Tally) -> Self {
        let mut counts = Self::default();
        for (why, count) in &tally.not_judged {
            *match why {
                tally::NotJudged::Kind(kind) => counts.kinds.entry(kind.clone()).or_default(),
                tally::NotJudged::UnseenPods(kind) => counts.unknown_kinds.entry(kind.clone()).or_default(),
                tally::NotJudged::FinishedPod => &mut counts.finished_pods,
                tally::NotJudged::FinishedJob => &mut counts.finished_jobs,
                tally::NotJudged::OldReplicaSet => &mut counts.replica_sets_without_replicas,
                tally::NotJudged::NotAnObject => &mut counts.not_objects,
                tally::NotJudged::Patch => &mut counts.patches,
                tally::NotJudged::NotAsked(NotAsked::Rules) => &mut counts.rules,
                tally::NotJudged::NotAsked(NotAsked::NamespaceSelector) => &mut counts.namespace_selector,
                tally::NotJudged::NotAsked(NotAsked::ObjectSelector) => &mut counts.object_selector,
                tally::NotJudged::NotAsked(NotAsked::MatchConditions) => &mut counts.match_conditions,
            } += count;
        }
        counts
    }
}

/// The namespaces of the judged objects, and those of the input.
fn namespaces(judge: &Judge, rows: &[(Row, Objects)], tally: &Tally) -> Vec<Namespace> {
    let mut found: BTreeMap<&str, Outcomes> = BTreeMap::new();
    for (row, objects) in rows {
        found.entry(&row.namespace).or_default().add(row.outcome, objects.count());
    }
    for name in judge.cluster.namespaces().map(|(name, _)| name).chain(tally.uncovered.keys().map(String::as_str)) {
        found.entry(name).or_default();
    }
    let known = known_labels(judge.policies);
    let namespace = |(name, outcomes): (&str, Outcomes)| {
        let plain_pod = judge.plain_pod(name).map(|verdict| PlainPod {
            outcome: verdict.outcome,
            class: verdict.to.unwrap_or(verdict.class),
            policy: verdict.policy,
        });
        let not_covered = tally.uncovered.get(name).copied().unwrap_or_default();
        // A label that names the class which Pods get anyway is no mistake.
        let class = plain_pod.as_ref().map(|plain| plain.class.as_str());
        let mut look_first = unknown_labels(judge.cluster, &known, name, class);
        // A policy that names it leaves it out on purpose.
        if judge.policies.len() > 1 && plain_pod.is_none() && !known.contains(&(NAMESPACE_NAME, name)) {
            look_first.push("no policy is asked about its Pods".to_owned());
        }
        Namespace { namespace: name.to_owned(), outcomes, not_covered, plain_pod, look_first }
    };
    found.into_iter().map(namespace).collect()
}

/// The labels by which policies choose namespaces, and the values that they know.
fn known_labels(policies: &Policies) -> BTreeSet<(&str, &str)> {
    let manifests = policies.iter().filter_map(|asked| asked.policy.manifest.as_ref());
    manifests.flat_map(|manifest| manifest.namespace_selector.known_values()).collect()
}

/// Labels by which policies choose, with a value that none of them knows.
fn unknown_labels(
    cluster: &Cluster,
    known: &BTreeSet<(&str, &str)>,
    namespace: &str,
    class: Option<&str>,
) -> Vec<String> {
    let keys: BTreeSet<&str> = known.iter().map(|(key, _)| *key).filter(|key| *key != NAMESPACE_NAME).collect();
    let labels = keys.into_iter().filter_map(|key| Some((key, cluster.label_of(namespace, key)?)));
    let unknown = labels.filter(|label| !known.contains(label) && Some(label.1) != class);
    unknown.map(|(key, value)| format!("no policy knows the value of its label {key}={value}")).collect()
}

#[derive(Default)]
struct Users<'a> {
    outcomes: Outcomes,
    workloads: HashSet<(&'a str, &'a str, &'a str)>,
    namespaces: BTreeSet<&'a str>,
}

fn classes_of(rows: &[(Row, Objects)]) -> Vec<Class> {
    let mut found: BTreeMap<&str, Users> = BTreeMap::new();
    for (row, objects) in rows {
        let users = found.entry(&row.verdict.class).or_default();
        users.outcomes.add(row.outcome, objects.count());
        users.workloads.insert((&row.namespace, &row.kind, &row.name));
        users.namespaces.insert(&row.namespace);
    }
    let class = |(name, Users { outcomes, workloads, namespaces }): (&str, Users)| {
        let kept = outcomes.accepted + outcomes.errors;
        Class {
            class: name.to_owned(),
            look_first: name != DEFAULT && kept == 0 && workloads.len() > 1,
            outcomes,
            workloads: workloads.len(),
            namespaces: namespaces.len(),
        }
    };
    found.into_iter().map(class).collect()
}

/// A fallback that the cluster does not have fails every Pod that would get it.
fn problems(policies: &Policies, cluster: &Cluster, rows: &[(Row, Objects)]) -> Vec<Problem> {
    let Some(classes) = cluster.classes() else { return vec![] };
    let mut problems = vec![];
    for asked in policies.iter().filter(|asked| asked.policy.reads_classes()) {
        let Some(fallback) = asked.policy.settings["fallbackRuntime"].as_str() else { continue };
        let policy = asked.policy.name().map(str::to_owned);
        let is_hit = |(row, _): &&(Row, Objects)| {
            let verdict = &row.verdict;
            let message = verdict.detail.as_ref().or(verdict.message.as_ref());
            verdict.policy == policy
                && message.is_some_and(|message| message.starts_with(&format!("fallbackRuntime '{fallback}' ")))
        };
        let hits: Vec<&(Row, Objects)> = rows.iter().filter(is_hit).collect();
        let Some((row, _)) = hits.first() else { continue };
        problems.push(Problem {
            message: row.verdict.detail.clone().or_else(|| row.verdict.message.clone()).unwrap_or_default(),
            policy,
            fallback: fallback.to_owned(),
            objects: hits.iter().map(|(_, objects)| objects.count()).sum(),
            classes: classes.keys().cloned().collect(),
        });
    }
    problems
}

/// The limits of the rehearsal.
pub fn notes(judge: &Judge, tally: &Tally) -> Vec<String> {
    let Judge { policies, cluster, .. } = judge;
    let mut notes = vec![];
    for asked in policies.iter() {
        let of =
            asked.policy.name().map(|name| format!(" '{name}'")).filter(|_| policies.len() > 1).unwrap_or_default();
        let by_name = asked.policy.settings["matchHandlers"] == false;
        if !by_name && !asked.policy.reads_classes() {
            notes.push(format!("The policy{of} has no access to RuntimeClasses (contextAwareResources): names alone are compared, not handlers."));
        } else if !by_name && cluster.classes().is_none() {
            notes.push("The input has no RuntimeClasses: names alone are compared, not handlers.".to_owned());
        }
        if let Some(manifest) = &asked.policy.manifest {
            if manifest.mode == Mode::Monitor {
                notes.push(format!("The policy{of} has mode: monitor. The report shows mode: protect."));
            }
            if manifest.ignores_match_labels {
                notes.push(format!("Kubewarden ignores namespaceSelector.matchLabels{of} in admission, and so does this rehearsal: use matchExpressions."));
            }
        }
        for condition in &asked.not_evaluated {
            let (name, why) = (&condition.name, &condition.why);
            notes.push(format!("Match condition '{name}' is not evaluated, and taken as true: {why}."));
        }
    }
    for guard in policies.guards.iter().filter(|guard| guard.manifest.mode == Mode::Monitor) {
        notes.push(format!("The binding of '{}' does not deny. The report shows it with Deny.", guard.manifest.name));
    }
    notes.dedup();
    if !policies.not_rehearsed.is_empty() {
        notes.push(format!("Not rehearsed, though it decides on Pods as well: {}.", listed(&policies.not_rehearsed)));
    }
    for (name, (why, times)) in &tally.not_evaluated {
        let times = counted(*times, "request");
        notes.push(format!("Match condition '{name}' is not evaluated for {times}, and taken as true: {why}."));
    }
    if !tally.without_labels.is_empty() {
        let names = listed(tally.without_labels.keys());
        notes
            .push(format!("The input has no Namespace object for {names}: the namespaceSelector sees its name alone."));
    }
    if !cluster.kustomizations.is_empty() {
        let files = listed(&cluster.kustomizations);
        notes.push(format!(
            "kustomize builds other objects from these: rehearse the output of `kubectl kustomize` for {files}."
        ));
    }
    for (place, keys) in &tally.duplicate_keys {
        notes.push(format!("Duplicate keys in {place}: {}. The last one counts, as for kubectl.", listed(keys)));
    }
    notes
}

/// The first of these, and how many follow.
fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    const MOST: usize = 10;
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    let more = names.len().saturating_sub(MOST);
    let first = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

impl From<(Row, Objects)> for Workload {
    fn from((row, objects): (Row, Objects)) -> Self {
        let Row { namespace, kind, name, verdict, .. } = row;
        let Objects { pods, templates, place } = objects;
        Self { namespace, kind, name, pods, templates, verdict, place }
    }
}

/// A number of things.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
