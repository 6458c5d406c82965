//! The reports for tools keep the schemas of their formats.
use std::process::Command;

use rstest::rstest;
use serde_json::Value;
use tests::{file, workspace::root};

fn report(format: &str) -> String {
    let mut command = Command::new(tests::command());
    let input = ["rehearse", "test_data/rehearse/cluster.yml", "-f", "test_data/rehearse/policy.yml", "-o", format];
    let output = command.current_dir(root()).args(input).output().expect("the command runs");
    String::from_utf8(output.stdout).expect("text")
}

/// <https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json>
#[test]
fn sarif_keeps_the_schema_of_oasis() {
    const SCHEMA: &str = "sarif.json";
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    let schema = serde_json::from_str(&file("test_data/schemas/sarif-2.1.0.json")).expect("JSON");
    compiler.add_resource(SCHEMA, schema).expect("a name");
    let schema = compiler.compile(SCHEMA, &mut schemas).expect("a schema");
    let mut report: Value = serde_json::from_str(&report("sarif")).expect("JSON");
    assert_eq!(schemas.validate(&report, schema).map_err(|error| format!("{error:#}")), Ok(()));

    report["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(schemas.validate(&report, schema).is_err(), "the schema is in use");
}

/// GitHub takes no result without a place, and tells results apart by their fingerprints.
#[test]
fn every_result_of_sarif_has_a_rule_a_place_and_a_fingerprint_of_its_own() {
    let report: Value = serde_json::from_str(&report("sarif")).expect("JSON");
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let rules: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
    let results = run["results"].as_array().expect("results");
    assert!(!results.is_empty());
    for result in results {
        assert!(rules.contains(&&result["ruleId"]), "{result}");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "test_data/rehearse/cluster.yml", "{result}");
        assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0), "{result}");
        assert!(result["partialFingerprints"]["object/v1"].is_string(), "{result}");
    }
}

/// The elements and attributes of <https://github.com/testmoapp/junitxml>, which has no schema of its own; the XSD that
/// Jenkins uses orders them so.
#[rstest]
#[case("testsuites", &["name"], &["testsuite"])]
#[case("testsuite", &["name", "tests", "failures", "errors"], &["testcase"])]
#[case("testcase", &["name"], &["error", "failure", "skipped", "system-out"])]
#[case("failure", &["message", "type"], &[])]
#[case("error", &["message", "type"], &[])]
fn junit_has_the_elements_that_ci_systems_read(
    #[case] element: &str,
    #[case] attributes: &[&str],
    #[case] children: &[&str],
) {
    let text = report("junit");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let mut found = 0;
    for node in document.descendants().filter(|node| node.has_tag_name(element)) {
        found += 1;
        attributes.iter().for_each(|name| assert!(node.attribute(*name).is_some(), "{node:?} has no {name}"));
        for child in node.children().filter(roxmltree::Node::is_element) {
            assert!(children.contains(&child.tag_name().name()), "{child:?} in {node:?}");
        }
    }
    assert!(found > 0, "{text}");
}

#[test]
fn junit_counts_its_test_cases() {
    let text = report("junit");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let json: Value = serde_json::from_str(&report("json")).expect("JSON");
    let count = |node: roxmltree::Node, name: &str| node.descendants().filter(|one| one.has_tag_name(name)).count();
    for suite in document.descendants().filter(|node| node.has_tag_name("testsuite") || node.has_tag_name("testsuites"))
    {
        for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error")] {
            assert_eq!(suite.attribute(attribute), Some(count(suite, element).to_string().as_str()), "{attribute}");
        }
    }
    let rows = json["workloads"].as_array().expect("rows").len() + json["unreadable"].as_array().expect("a list").len();
    let kinds = json["notJudged"]["unknownKinds"].as_object().expect("kinds").len();
    assert_eq!(count(document.root(), "testcase"), rows + kinds);
}
