//! The report as results of a code scan, in [SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
use std::collections::BTreeMap;

use anyhow::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rehearsal::{Outcome, Report, Verdict, Workload, read::Place};
use serde_sarif::sarif::{
    ArtifactLocation, Location, LogicalLocation, Message, MultiformatMessageString, PhysicalLocation, Region,
    ReportingDescriptor, Result as Finding, ResultLevel, Run, SCHEMA_URL, Sarif, Tool, ToolComponent,
};

use super::name;

/// What a path may have in a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The rules of the scan: a name, and what a finding means.
const RULES: [(&str, &str); 6] = [
    ("error", "The policy can't decide, and rejects the object."),
    ("rejected", "The policy rejects the object."),
    ("refused", "The API server refuses the object."),
    ("mutated", "The policy moves the Pods of the object to another class."),
    ("look-first", "The Pods of the object move to a class that may not have what they use."),
    ("unreadable", "The object can't be read."),
];

/// The report: a finding for each workload that is not accepted, and for each part that can't be read.
pub fn render(report: &Report) -> Result<String> {
    let workloads = report.workloads.iter().filter_map(of_workload);
    let unreadable = report.unreadable.iter().map(|unreadable| {
        finding("unreadable", ResultLevel::Error, &unreadable.message, &unreadable.place, &unreadable.place.to_string())
    });
    let rules = RULES.map(|(name, meaning)| {
        let text = MultiformatMessageString::builder().text(meaning).build();
        ReportingDescriptor::builder().id(name).short_description(text).build()
    });
    let driver = ToolComponent::builder()
        .name("kubectl-runtime_class")
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .information_uri(env!("CARGO_PKG_REPOSITORY"))
        .rules(rules.to_vec())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .results(workloads.chain(unreadable).collect::<Vec<_>>())
        .build();
    let sarif = Sarif::builder().schema(SCHEMA_URL).version(serde_json::json!("2.1.0")).runs(vec![run]).build();
    Ok(serde_json::to_string_pretty(&sarif)? + "\n")
}

fn of_workload(workload: &Workload) -> Option<Finding> {
    let Workload { namespace, kind, verdict, place, .. } = workload;
    let Verdict { outcome, class, to, fields, .. } = &**verdict;
    let (rule, level) = match *outcome {
        Outcome::Accepted => return None,
        Outcome::Mutated if fields.is_empty() => ("mutated", ResultLevel::Note),
        Outcome::Mutated => ("look-first", ResultLevel::Warning),
        outcome => (name(outcome), ResultLevel::Error),
    };
    let to = to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    let fields = fields.iter().map(|field| format!("\n{}: {}: {}", field.path, field.value, field.why));
    let message =
        format!("{kind} {} of the class {class} is {}{to}. {}", workload.name, name(*outcome), workload.why());
    Some(finding(
        rule,
        level,
        &(message + &fields.collect::<String>()),
        place,
        &format!("{namespace}/{kind}/{}", workload.name),
    ))
}

fn finding(rule: &str, level: ResultLevel, message: &str, place: &Place, name: &str) -> Finding {
    let uri = utf8_percent_encode(&place.file.replace('\\', "/"), PATH).to_string();
    let physical = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri).build())
        .region(Region::builder().start_line(i64::try_from(place.line).unwrap_or(i64::MAX)).build())
        .build();
    let logical = LogicalLocation::builder().fully_qualified_name(name).build();
    let location = Location::builder().physical_location(physical).logical_locations(vec![logical]).build();
    Finding::builder()
        .rule_id(rule)
        .level(level)
        .message(Message::builder().text(message).build())
        .locations(vec![location])
        .partial_fingerprints(BTreeMap::from([("object/v1".to_owned(), format!("{rule} {name}"))]))
        .build()
}
