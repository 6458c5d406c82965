//! The report for people, before it is text or Markdown.
use super::{
    report::{Outcomes, Report, Workload, counted},
    tally::Outcome,
};

/// A part of a report.
pub struct Section {
    pub title: &'static str,
    pub tone: Tone,
    pub lines: Vec<String>,
    pub table: Option<Table>,
}

/// The importance of a part.
#[derive(Clone, Copy)]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

/// A line of a cell after the first is a line below it.
pub struct Table {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// The subject of a report.
pub fn title(report: &Report) -> String {
    let policy = report.policy.name.as_deref().map(|name| format!(" {}", printable(name))).unwrap_or_default();
    let judged = counted(report.summary.outcomes.judged, "object");
    format!("Policy{policy} on {judged}, as if created now")
}

/// The parts of a report that are not empty, in order.
pub fn sections(report: &Report) -> Vec<Section> {
    let sections = [
        notes(report),
        summary(report),
        namespaces(report),
        sandboxes(report),
        classes(report),
        rows(report, Outcome::Error, "Errors", Tone::Bad),
        rows(report, Outcome::Rejected, "Rejected", Tone::Bad),
        rows(report, Outcome::Mutated, "Mutated", Tone::Warning),
        unreadable(report),
    ];
    sections.into_iter().filter(Section::says_something).collect()
}

impl Section {
    fn says_something(&self) -> bool {
        self.table.as_ref().map_or(!self.lines.is_empty(), |table| !table.rows.is_empty())
    }
}

fn notes(report: &Report) -> Section {
    let lines = report.notes.iter().map(|note| printable(note)).collect();
    Section { title: "Notes", tone: Tone::Warning, lines, table: None }
}

fn summary(report: &Report) -> Section {
    let Outcomes { accepted, mutated, rejected, errors, .. } = report.summary.outcomes;
    let to: Vec<String> =
        report.summary.mutated_to.iter().map(|(class, count)| format!("{count} to {}", printable(class))).collect();
    let mutated = if to.is_empty() { mutated.to_string() } else { format!("{mutated} ({})", to.join(", ")) };
    let mut lines = vec![format!("accepted {accepted}, mutated {mutated}, rejected {rejected}, errors {errors}")];
    lines.extend(not_judged(report));
    if report.summary.unreadable > 0 {
        lines.push(format!("can't be read: {}", report.summary.unreadable));
    }
    Section { title: "Summary", tone: Tone::Plain, lines, table: None }
}

fn not_judged(report: &Report) -> Option<String> {
    let parts = &report.not_judged;
    let kinds = parts.kinds.iter().map(|(kind, count)| format!("{count} {}", printable(kind)));
    let left_out = [
        (parts.rules, "rules"),
        (parts.namespace_selector, "namespaceSelector"),
        (parts.object_selector, "objectSelector"),
        (parts.match_conditions, "matchConditions"),
    ];
    let left_out = left_out.iter().filter(|(count, _)| *count > 0).map(|(count, part)| format!("{count} by {part}"));
    let all: Vec<String> = kinds.chain(left_out).collect();
    (!all.is_empty()).then(|| format!("not judged: {}", all.join(", ")))
}

fn namespaces(report: &Report) -> Section {
    let head = vec!["Namespace", "Judged", "Accepted", "Mutated", "Rejected", "Errors"];
    let row = |namespace: &super::report::Namespace| {
        let Outcomes { judged, accepted, mutated, rejected, errors } = namespace.outcomes;
        let counts = [judged, accepted, mutated, rejected, errors].map(|count| count.to_string());
        [printable(&namespace.namespace)].into_iter().chain(counts).collect()
    };
    let rows = report.namespaces.iter().map(row).collect();
    Section { title: "Namespaces", tone: Tone::Good, lines: vec![], table: Some(Table { head, rows }) }
}

fn sandboxes(report: &Report) -> Section {
    let lines =
        vec!["Their Pods would move into a sandbox that takes away what they use. They may not start, or may harm their node.".to_owned()];
    let head = vec!["Namespace", "Workload", "Objects", "Class", "New class", "Fields"];
    let row = |workload: &Workload| {
        let fields: Vec<String> =
            workload.fields.iter().map(|field| printable(&format!("{}: {}", field.path, field.value))).collect();
        workload.cells(vec![workload.new_class(), fields.join("\n")])
    };
    let rows = report.workloads.iter().filter(|workload| !workload.fields.is_empty()).map(row).collect();
    Section { title: "Look at these first: sandboxes", tone: Tone::Warning, lines, table: Some(Table { head, rows }) }
}

fn classes(report: &Report) -> Section {
    let lines = vec!["Several workloads name these classes, and none of them keeps its class.".to_owned()];
    let head = vec!["Class", "Objects", "Mutated", "Rejected", "Workloads", "Namespaces"];
    let row = |class: &super::report::Class| {
        let Outcomes { judged, mutated, rejected, .. } = class.outcomes;
        let counts = [judged, mutated, rejected, class.workloads, class.namespaces].map(|count| count.to_string());
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
        let why = workload.message.as_deref().map(printable).unwrap_or_default();
        workload.cells(if is_mutated { vec![workload.new_class(), why] } else { vec![why] })
    };
    let rows = report.workloads.iter().filter(|workload| workload.outcome == outcome).map(row).collect();
    Section { title, tone, lines: vec![], table: Some(Table { head, rows }) }
}

fn unreadable(report: &Report) -> Section {
    let line =
        |unreadable: &super::documents::Unreadable| printable(&format!("{}: {}", unreadable.place, unreadable.message));
    let lines = report.unreadable.iter().map(line).collect();
    Section { title: "Can't be read", tone: Tone::Bad, lines, table: None }
}

impl Workload {
    fn cells(&self, rest: Vec<String>) -> Vec<String> {
        let workload = printable(&format!("{}/{}", self.kind, self.name));
        let cells = vec![printable(&self.namespace), workload, self.objects(), printable(&self.class)];
        cells.into_iter().chain(rest).collect()
    }

    fn objects(&self) -> String {
        let parts = [(self.pods, "Pod"), (self.templates, "template")];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(*count, noun));
        parts.collect::<Vec<_>>().join(", ")
    }

    fn new_class(&self) -> String {
        self.to.as_deref().map(printable).unwrap_or_default()
    }
}

/// Text of an object that can't move the cursor of a terminal, or break a table.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_default().collect() } else { vec![letter] })
        .collect()
}
