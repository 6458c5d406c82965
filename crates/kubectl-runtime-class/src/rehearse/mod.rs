//! Evaluates a policy for the objects of a cluster or a chart, as if they were created now.
//!
//! ```text
//! source ──► documents ─┬► cluster ──┐           first pass: RuntimeClasses, namespaces, controllers
//!            json, yaml └────────────┴► judge ──► tally ──► report ──► text, markdown, JSON
//!                          manifest ────┘           second pass: the policy's answers
//! ```
//!
//! kubectl prints Pods before RuntimeClasses. So an input is read twice, and standard input is kept in a
//! temporary file. Memory holds only the report and the objects that are being judged.
mod cluster;
mod conditions;
mod documents;
mod json;
mod judge;
mod layout;
mod manifest;
mod markdown;
mod object;
mod parallel;
mod progress;
mod report;
mod sandbox;
mod selector;
mod source;
mod tally;
mod text;
mod workload;
mod yaml;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Result, bail};

use self::{cluster::Cluster, documents::Unreadable, judge::Judge, progress::Progress, source::Source, tally::Tally};
use crate::{Capabilities, Policy};

pub use self::{
    manifest::Scope,
    report::{Outcomes, Report, Summary, Workload},
};

/// A rehearsal: a policy and its input.
pub struct Rehearsal<'a> {
    pub policy: &'a Policy,
    pub scope: Scope,
    /// Files, folders, or `-`; standard input if there are none.
    pub paths: &'a [PathBuf],
    /// Files with RuntimeClasses of the cluster that are not in the input.
    pub runtime_classes: &'a [PathBuf],
    /// The namespace of an object that names none.
    pub namespace: &'a str,
}

impl Rehearsal<'_> {
    /// Evaluates the policy for every object.
    ///
    /// # Errors
    /// The settings are invalid, or an input can't be opened or has no object.
    pub fn run(&self) -> Result<Report> {
        self.policy.validate_settings(&self.scope.settings)?;
        let mut elsewhere = vec![];
        for path in self.runtime_classes {
            elsewhere.extend(source::sources(std::slice::from_ref(path))?);
        }
        let sources = source::sources(self.paths)?;
        let bytes: u64 = elsewhere.iter().chain(&sources).map(|source| source.bytes).sum();
        let progress = Progress::of(bytes + sources.iter().map(|source| source.bytes).sum::<u64>());

        // The input's own classes take precedence: a chart may change one.
        let cluster = learn_classes(&elsewhere, &progress)?.join(learn(&sources, &progress)?);
        let reads_classes =
            self.scope.may_read_classes && !(self.runtime_classes.is_empty() && cluster.runtime_classes.is_empty());
        let judge = Judge {
            policy: self.policy,
            scope: &self.scope,
            cluster: &cluster,
            capabilities: Arc::new(capabilities(&cluster, reads_classes)),
            namespace: self.namespace,
        };
        let judge_one = |tally: &mut Tally, read| judge.judge(read, tally);
        let tally = parallel::fold(&sources, &progress, judge_one, Tally::join)?;
        progress.end();

        let report = Report::new(&self.scope, &cluster, reads_classes, tally);
        if report.is_empty() {
            let names: Vec<&str> = sources.iter().map(|source| source.name.as_ref()).collect();
            bail!("there is no object in {}", names.join(", "));
        }
        Ok(report)
    }
}

/// The cluster's RuntimeClasses that are not in the input.
fn learn_classes(sources: &[Source], progress: &Progress) -> Result<Cluster> {
    let cluster = learn(sources, progress)?;
    match cluster.unreadable.first() {
        Some(Unreadable { place, message }) => bail!("cannot read {place}: {message}"),
        None => Ok(cluster),
    }
}

fn learn(sources: &[Source], progress: &Progress) -> Result<Cluster> {
    parallel::fold(sources, progress, Cluster::learn, Cluster::join)
}

fn capabilities(cluster: &Cluster, reads_classes: bool) -> Capabilities {
    if reads_classes {
        Capabilities::cluster(cluster.runtime_classes.values().cloned().collect())
    } else {
        Capabilities::not_granted()
    }
}

impl Report {
    /// The report for people, in colors.
    ///
    /// # Errors
    /// None.
    pub fn to_text(&self) -> Result<String> {
        Ok(text::render(self)?)
    }

    /// The report in Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// The report in JSON: `docs/rehearse.md`.
    ///
    /// # Errors
    /// None.
    pub fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
