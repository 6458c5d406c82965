//! `kubectl runtime-class rehearse`.
use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum, builder::PossibleValue};
use kubectl_runtime_class::Policy;
use rehearsal::{Cluster, FailOn, Judge, Policies, Report, Tally, read::Found};

use crate::{
    format::Format,
    kubectl::{self, Forbidden, RUNTIME_CLASSES},
    module::Module,
    parallel,
    policies::PolicyOptions,
    print,
    progress::Progress,
    source::{self, Source},
    waiting::Waiting,
};

/// The exit codes of `--fail-on`, and of unreadable input.
const FAILED_ON: u8 = 1;
const NOT_READ: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  # Rehearse a policy on the cluster of your kubeconfig
  kubectl runtime-class rehearse -A -f deploy/cluster.yml

  # Rehearse it on a chart, and fail if a Pod would be rejected or mutated
  helm template web ./chart | kubectl runtime-class rehearse -f deploy/cluster.yml \\
    --runtime-classes classes.yml --fail-on rejected,mutated

  # Rehearse settings on a dump of a cluster
  kubectl get pods,replicasets,jobs,namespaces,nodes,runtimeclasses -A -o json >cluster.json
  kubectl runtime-class rehearse cluster.json --settings-path settings.yml

  # Write a comment for a pull request
  kubectl runtime-class rehearse manifests/ -f deploy/cluster.yml -o markdown

Exit codes: 0; 1 for --fail-on; 2 for an error, or if part of the input can't be read.";

/// Show what the policy would do to a cluster or a chart
///
/// Each object is judged as if it were created now. Without files and with a terminal as standard input, it asks the
/// cluster with your kubectl, and changes nothing there.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Rehearse {
    /// Files and folders with objects in JSON or YAML; - for standard input
    #[arg(conflicts_with_all = ["all_namespaces", "selector", "context", "kubeconfig"])]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policies: PolicyOptions,
    /// Files or folders with RuntimeClasses, if the input has none
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    runtime_classes: Vec<PathBuf>,
    /// The format of the report
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
    /// Exit with code 1 if there is one of these; rejected includes refused and errors
    #[arg(long, value_enum, value_delimiter = ',', value_name = "OUTCOME")]
    fail_on: Vec<Failure>,
    #[command(flatten)]
    cluster: kubectl::Cluster,
}

/// A value of `--fail-on`.
#[derive(Clone, Copy)]
struct Failure(FailOn);

impl ValueEnum for Failure {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Failure; FailOn::ALL.len()] = [
            Failure(FailOn::ALL[0].1),
            Failure(FailOn::ALL[1].1),
            Failure(FailOn::ALL[2].1),
            Failure(FailOn::ALL[3].1),
            Failure(FailOn::ALL[4].1),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        FailOn::ALL.iter().find(|(_, fail_on)| *fail_on == self.0).map(|(name, _)| PossibleValue::new(*name))
    }
}

/// What is rehearsed.
#[derive(Default)]
struct Input {
    names: Vec<String>,
    /// The kinds that the user may not list.
    forbidden: Vec<Forbidden>,
    /// It has the cluster's RuntimeClasses, though there may be none.
    knows_classes: bool,
}

impl Rehearse {
    /// Prints the report, and returns the exit code.
    pub fn run(&self) -> Result<ExitCode> {
        let (policy, policies) = self.policies.read()?;
        let report = self.report(&policy, &policies)?;
        print(|is_colored, out| self.output.write(&report, is_colored, out))?;
        Ok(self.exit_code(&report))
    }

    /// Reads the input.
    fn read(&self, progress: &Progress, found: &mut dyn FnMut(Found)) -> Result<Input> {
        let mut names = vec![];
        let mut read = |source: Source| {
            names.push(source.name.to_string());
            source.read(progress, found)
        };
        if self.paths.is_empty() && (self.cluster.is_meant() || io::stdin().is_terminal()) {
            let forbidden = self.cluster.list(&mut read)?;
            let knows_classes = forbidden.iter().all(|forbidden| forbidden.kind != RUNTIME_CLASSES);
            return Ok(Input { names, forbidden, knows_classes });
        }
        let sources = if self.paths.is_empty() { vec![Source::stdin()] } else { source::sources(&self.paths)? };
        // It is read, and then judged.
        progress.expect(2 * sources.iter().map(|source| source.bytes).sum::<u64>());
        sources.into_iter().try_for_each(read)?;
        Ok(Input { names, ..Input::default() })
    }

    fn report(&self, policy: &Policy, policies: &Policies) -> Result<Report> {
        let progress = Progress::default();
        let mut cluster = Cluster::default();
        for source in source::sources(&self.runtime_classes)? {
            source.read(&progress, &mut |found| cluster.learn(&found))?;
        }
        if let Some(why) = cluster.unreadable.first() {
            bail!("cannot read {why}");
        }
        // The input's own classes take precedence: a chart may change one.
        let mut waiting = Waiting::default();
        let Input { names, forbidden, knows_classes } = self.read(&progress, &mut |found| {
            cluster.learn(&found);
            waiting.add(found);
        })?;
        cluster.knows_classes = knows_classes || !self.runtime_classes.is_empty();

        let module = Module::new(policy, &cluster);
        let namespace = self.cluster.namespace.as_deref().unwrap_or("default");
        let judge = Judge { policies, cluster: &cluster, host: &module, namespace };
        progress.expect(waiting.bytes);
        let mut tally =
            parallel::fold(waiting.end()?, &progress, |tally, found| judge.judge(found, tally), Tally::join)?;
        progress.end();

        let (context, missed): (Vec<_>, Vec<_>) = forbidden.into_iter().partition(|forbidden| forbidden.is_context);
        missed.into_iter().for_each(|forbidden| judge.judge(forbidden.into(), &mut tally));
        if tally.rows.is_empty() && tally.not_judged.is_empty() && tally.unreadable.is_empty() {
            bail!("there is no object in {}", names.join(", "));
        }
        let mut report = Report::new(&judge, tally);
        report.notes.extend(context.iter().map(Forbidden::note));
        Ok(report)
    }

    fn exit_code(&self, report: &Report) -> ExitCode {
        let fail_on: Vec<FailOn> = self.fail_on.iter().map(|failure| failure.0).collect();
        if report.fails_on(&fail_on) {
            return FAILED_ON.into();
        }
        let Some(first) = report.unreadable.first() else { return ExitCode::SUCCESS };
        let others = match report.unreadable.len() - 1 {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        eprintln!("Error: cannot read {}: {}{others}", first.place, first.message);
        NOT_READ.into()
    }
}
