//! The report as test cases, in the [XML of JUnit](https://github.com/testmoapp/junitxml).
use anyhow::Result;
use quick_junit::{NonSuccessKind, Report as JUnit, TestCase, TestCaseStatus, TestSuite};
use rehearsal::{Outcome, Report, Workload, layout};

use super::name;

/// The report: a suite for each namespace, and one for what could not be judged.
pub fn render(report: &Report) -> Result<String> {
    let mut junit = JUnit::new(layout::title(report));
    for namespace in &report.namespaces {
        let mut suite = TestSuite::new(&namespace.namespace);
        let workloads = report.workloads.iter().filter(|workload| workload.namespace == namespace.namespace);
        suite.add_test_cases(workloads.map(of_workload));
        if suite.tests > 0 {
            junit.add_test_suite(suite);
        }
    }
    let mut suite = TestSuite::new("Not judged");
    suite.add_test_cases(report.unreadable.iter().map(|unreadable| {
        let status = unsuccessful(NonSuccessKind::Error, "unreadable", &unreadable.message);
        TestCase::new(unreadable.place.to_string(), status)
    }));
    suite.add_test_cases(report.not_judged.unknown_kinds.keys().map(|kind| {
        let mut status = TestCaseStatus::skipped();
        status.set_message("objects of this kind make Pods that can't be seen here");
        TestCase::new(kind.as_str(), status)
    }));
    if suite.tests > 0 {
        junit.add_test_suite(suite);
    }
    Ok(junit.to_string()?)
}

fn of_workload(workload: &Workload) -> TestCase {
    let Workload { kind, namespace, verdict, .. } = workload;
    let failure = |kind| unsuccessful(kind, name(verdict.outcome), &workload.why());
    let status = match verdict.outcome {
        Outcome::Accepted | Outcome::Mutated => TestCaseStatus::success(),
        Outcome::Rejected | Outcome::Refused => failure(NonSuccessKind::Failure),
        Outcome::Error => failure(NonSuccessKind::Error),
    };
    let mut case = TestCase::new(format!("{kind}/{}, class {}", workload.name, verdict.class), status);
    case.set_classname(format!("{namespace}.{kind}"));
    if let Some(to) = &verdict.to {
        let fields = verdict.fields.iter().map(|field| format!("\n{}: {}: {}", field.path, field.value, field.why));
        let moved = format!("{} to {to}. {}", name(verdict.outcome), workload.why());
        case.set_system_out(moved + &fields.collect::<String>());
    }
    case
}

fn unsuccessful(kind: NonSuccessKind, of: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of).set_message(message);
    status
}
