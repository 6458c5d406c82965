//! The report for people, before it is text, Markdown or a page.
use serde::Serialize;

use crate::{
    outcome::Outcome,
    report::{Outcomes, Report, Workload, counted},
    tally::Unreadable,
};

/// A part of a report.
#[derive(Debug, Serialize)]
pub struct Section {
    pub title: &'static str,
    pub tone: Tone,
    pub lines: Vec<String>,
    pub table: Option<Table>,
}

/// The importance of a part.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

/// A line of a cell after the first is a line below it.
#[derive(Debug, Serialize)]
pub struct Table {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// The subject of a report.
pub fn title(report: &Report) -> String {
    let names: Vec<String> =
        report.policies.iter().filter_map(|policy| policy.name.as_deref()).map(printable).collect();
    let policies = match names.as_slice() {
        [] => "Policy".to_owned(),
        [name] => format!("Policy {name}"),
        several => format!("Policies {}", several.join(", ")),
    };
    format!("{policies} on {}, as if created now", counted(report.summary.outcomes.judged, "object"))
}

/// The parts of a report that are not empty, in order.
pub fn sections(report: &Report) -> impl Iterator<Item = Section> {
    const PARTS: [fn(&Report) -> Section; 12] = [
        problems,
        notes,
        summary,
        namespaces,
        look_first,
        fields,
        classes,
        |report| rows(report, Outcome::Error, "Errors", Tone::Bad),
        |report| rows(report, Outcome::Rejected, "Rejected", Tone::Bad),
        |report| rows(report, Outcome::Refused, "Refused by the API server", Tone::Bad),
        |report| rows(report, Outcome::Mutated, "Mutated", Tone::Warning),
        unreadable,
    ];
    PARTS.iter().map(move |part| part(report)).filter(Section::says_something)
}

impl Section {
    fn says_something(&self) -> bool {
        self.table.as_ref().map_or(!self.lines.is_empty(), |table| !table.rows.is_empty())
    }
}

fn problems(report: &Report) -> Section {
    let line = |problem: &crate::report::Problem| {
        let has = match problem.classes.as_slice() {
            [] => "It has none.".to_owned(),
            classes => format!("It has {}.", printable(&classes.join(", "))),
        };
        let objects = counted(problem.objects, "object");
        format!("{objects}: {}. {has} Set fallbackRuntime to one of your sandboxes.", printable(&problem.message))
    };
    let lines = report.problems.iter().map(line).collect();
    Section { title: "Fix this first", tone: Tone::Bad, lines, table: None }
}

fn notes(report: &Report) -> Section {
    let lines = report.notes.iter().map(|note| printable(note)).collect();
    Section { title: "Notes", tone: Tone::Warning, lines, table: None }
}

fn summary(report: &Report) -> Section {
    let Outcomes { accepted, mutated, rejected, refused, errors, .. } = report.summary.outcomes;
    let to: Vec<String> =
        report.summary.mutated_to.iter().map(|(class, count)| format!("{count} to {}", printable(class))).collect();
    let mutated = if to.is_empty() { mutated.to_string() } else { format!("{mutated} ({})", to.join(", ")) };
    let outcomes =
        format!("accepted {accepted}, mutated {mutated}, rejected {rejected}, refused {refused}, errors {errors}");
    let mut lines = vec![outcomes];
    lines.extend(not_judged(report));
    if !report.unreadable.is_empty() {
        lines.push(format!("can't be read: {}", report.unreadable.len()));
    }
    Section { title: "Summary", tone: Tone::Plain, lines, table: None }
}

fn not_judged(report: &Report) -> Vec<String> {
    let parts = &report.not_judged;
    let named = |kinds: &std::collections::BTreeMap<String, usize>| {
        kinds.iter().map(|(kind, count)| format!("{count} {}", printable(kind))).collect::<Vec<_>>()
    };
    let apart = [
        (parts.finished_pods, "finished Pod"),
        (parts.finished_jobs, "finished Job"),
        (parts.replica_sets_without_replicas, "old ReplicaSet"),
        (parts.patches, "patch"),
        (parts.not_objects, "other document"),
    ];
    let apart = apart.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| match *noun {
        "patch" if *count > 1 => format!("{count} patches"),
        noun => counted(*count, noun),
    });
    let left_out = [
        (parts.rules, "rules"),
        (parts.namespace_selector, "namespaceSelector"),
        (parts.object_selector, "objectSelector"),
        (parts.match_conditions, "matchConditions"),
    ];
    let left_out = left_out.iter().filter(|(count, _)| *count > 0).map(|(count, part)| format!("{count} by {part}"));
    let all: Vec<String> = named(&parts.kinds).into_iter().chain(apart).chain(left_out).collect();
    let mut lines = vec![];
    if !all.is_empty() {
        lines.push(format!("not judged: {}", all.join(", ")));
    }
    if !parts.unknown_kinds.is_empty() {
        let kinds = named(&parts.unknown_kinds).join(", ");
        lines.push(format!("not judged, for they make Pods that can't be seen here: {kinds}"));
    }
    lines
}

fn namespaces(report: &Report) -> Section {
    let mut head =
        vec!["Namespace", "Judged", "Accepted", "Mutated", "Rejected", "Refused", "Errors", "A plain Pod gets"];
    let by_policy = report.policies.len() > 1;
    if by_policy {
        head.push("By policy");
    }
    let row = |namespace: &crate::report::Namespace| {
        let Outcomes { judged, accepted, mutated, rejected, refused, errors } = namespace.outcomes;
        let counts = [judged, accepted, mutated, rejected, refused, errors].map(|count| count.to_string());
        let (class, policy) = match &namespace.plain_pod {
            None => ("no policy is asked".to_owned(), String::new()),
            Some(plain) => {
                let class = match plain.outcome {
                    Outcome::Accepted | Outcome::Mutated => printable(&plain.class),
                    Outcome::Rejected => "rejected".to_owned(),
                    Outcome::Refused => "refused".to_owned(),
                    Outcome::Error => "an error".to_owned(),
                };
                (class, plain.policy.as_deref().map(printable).unwrap_or_default())
            }
        };
        let mut cells: Vec<String> = [printable(&namespace.namespace)].into_iter().chain(counts).collect();
        cells.push(class);
        if by_policy {
            cells.push(policy);
        }
        cells
    };
    let rows = report.namespaces.iter().map(row).collect();
    Section { title: "Namespaces", tone: Tone::Good, lines: vec![], table: Some(Table { head, rows }) }
}

fn look_first(report: &Report) -> Section {
    let line = |namespace: &crate::report::Namespace| {
        namespace
            .look_first
            .iter()
            .map(|why| printable(&format!("{}: {why}.", namespace.namespace)))
            .collect::<Vec<_>>()
    };
    let lines = report.namespaces.iter().flat_map(line).collect();
    Section { title: "Look at these first: namespaces", tone: Tone::Warning, lines, table: None }
}

fn fields(report: &Report) -> Section {
    let lines = vec![
        "Their Pods would move to a class that may not have what they use. They may not start, or may harm their node."
            .to_owned(),
    ];
    let head = vec!["Namespace", "Workload", "Objects", "Class", "New class", "Field", "Why"];
    let row = |workload: &Workload| {
        let cell = |part: &dyn Fn(&crate::outcome::Field) -> String| {
            workload.verdict.fields.iter().map(|field| printable(&part(field))).collect::<Vec<_>>().join("\n")
        };
        let fields = cell(&|field| format!("{}: {}", field.path, field.value));
        workload.cells(vec![workload.new_class(), fields, cell(&|field| field.why.clone())])
    };
    let rows = report.workloads.iter().filter(|workload| !workload.verdict.fields.is_empty()).map(row).collect();
    Section { title: "Look at these first: Pods", tone: Tone::Warning, lines, table: Some(Table { head, rows }) }
}

fn classes(report: &Report) -> Section {
    let lines = vec!["Several workloads name these classes, and none of them keeps its class.".to_owned()];
    let head = vec!["Class", "Objects", "Mutated", "Rejected", "Refused", "Workloads", "Namespaces"];
    let row = |class: &crate::report::Class| {
        let Outcomes { judged, mutated, rejected, refused, .. } = class.outcomes;
        let counts =
            [judged, mutated, rejected, refused, class.workloads, class.namespaces].map(|count| count.to_string());
        [printable(&class.class)].into_iter().chain(counts).collect()
    };
    let rows = report.classes.iter().filter(|class| class.look_first).map(row).collect();
    Section { title: "Look at these first: classes", tone: Tone::Warning, lines, table: Some(Table { head, rows }) }
}

fn rows(report: &Report, outcome: Outcome, title: &'static str, tone: Tone) -> Section {
    let is_mutated = outcome == Outcome::Mutated;
    let mut head = vec!["Namespace", "Workload", "Objects", "Class"];
    head.extend(if is_mutated { vec!["New class", "Why"] } else { vec!["Why"] });
    let row = |workload: &Workload| {
        let why = workload.why();
        workload.cells(if is_mutated { vec![workload.new_class(), why] } else { vec![why] })
    };
    // What stops everything is said once.
    let is_said = |workload: &&Workload| {
        let message = workload.verdict.detail.as_ref().or(workload.verdict.message.as_ref());
        report
            .problems
            .iter()
            .any(|problem| Some(&problem.message) == message && problem.policy == workload.verdict.policy)
    };
    let rows = report.workloads.iter().filter(|workload| workload.verdict.outcome == outcome);
    let rows = rows.filter(|workload| !is_said(workload)).map(row).collect();
    Section { title, tone, lines: vec![], table: Some(Table { head, rows }) }
}

fn unreadable(report: &Report) -> Section {
    let line = |Unreadable { place, message }: &Unreadable| printable(&format!("{place}: {message}"));
    let lines = report.unreadable.iter().map(line).collect();
    Section { title: "Can't be read", tone: Tone::Bad, lines, table: None }
}

impl Workload {
    /// The outcome in a sentence.
    pub fn why(&self) -> String {
        match (&self.verdict.message, &self.verdict.detail) {
            (Some(message), Some(detail)) => printable(&format!("{message} (the policy says: {detail})")),
            (Some(message), None) => printable(message),
            (None, _) if self.verdict.outcome == Outcome::Mutated => "It names no class.".to_owned(),
            (None, _) => String::new(),
        }
    }

    fn cells(&self, rest: Vec<String>) -> Vec<String> {
        let workload = printable(&format!("{}/{}", self.kind, self.name));
        let cells = vec![printable(&self.namespace), workload, self.objects(), printable(&self.verdict.class)];
        cells.into_iter().chain(rest).collect()
    }

    fn objects(&self) -> String {
        let parts = [(self.pods, "Pod"), (self.templates, "template")];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn new_class(&self) -> String {
        self.verdict.to.as_deref().map(printable).unwrap_or_default()
    }
}

/// Text of an object that can't move the cursor of a terminal, or break a table.
pub fn printable(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { printed.extend(letter.escape_default()) } else { printed.push(letter) }
    }
    printed
}
