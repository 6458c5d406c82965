//! The rest of the repository says what is so, and the same in all places.
use std::collections::BTreeMap;

use evaluator::{AdmissionRequest, Capabilities, examples, workspace};
use serde_json::{Value, json};
use tests::*;

fn readme_examples() -> Vec<examples::Example> {
    examples::parse(&file("README.md")).expect("the examples of the README")
}

#[test]
fn every_example_of_the_readme_comes_out_as_it_says() {
    let examples = readme_examples();
    assert_eq!(examples.iter().filter(|example| example.section == "Three examples").count(), 3);
    assert_eq!(examples.iter().filter(|example| example.section == "Recipes").count(), 4);
    for example in examples {
        let (response, pod) = example.decide(policy()).unwrap_or_else(|error| panic!("{}: {error:#}", example.title));
        let answer = examples::Answer {
            allowed: response.allowed,
            message: response.status.and_then(|status| status.message),
            runtime_class_name: pod["spec"]["runtimeClassName"]
                .as_str()
                .filter(|_| response.allowed)
                .map(str::to_owned),
            warnings: response.warnings.unwrap_or_default(),
        };
        assert_eq!(answer, example.answer, "{}", example.title);
    }
}

#[test]
fn the_command_of_the_readme_prints_the_line_of_the_readme() {
    let readme = file("README.md");
    let line = readme.split("```json\n").nth(1).and_then(|rest| rest.lines().next()).expect("a line of JSON");
    let request = AdmissionRequest::parse(&file("test_data/requests/pod-create-default.json")).expect("a request");
    let settings = json!({ "defaultRuntimeReserved": true });
    let response = policy().evaluate(&request, &settings, &Capabilities::not_granted().into()).expect("an answer");
    assert_eq!(serde_json::to_string(&response).expect("JSON"), line);
}

#[test]
fn the_readme_has_the_settings_and_no_others() {
    let readme = file("README.md");
    let section = readme.split("## Settings\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("Settings");
    let mut told: Vec<_> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect();
    let mut asked: Vec<_> = questions().into_iter().map(|question| text(&question["variable"])).collect();
    told.sort();
    asked.sort();
    assert_eq!(told, asked);
    let all: BTreeMap<_, _> = told.iter().map(|key| (key.as_str(), Value::Null)).collect();
    assert_eq!(fault(&json!(all)), None);
}

#[test]
fn the_links_of_the_readme_lead_somewhere() {
    let readme = file("README.md");
    let anchors: Vec<String> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches(['#', ' ']).to_lowercase().replace(' ', "-").replace([',', '.'], ""))
        .collect();
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(anchors.iter().any(|known| known == anchor), "#{anchor}: {anchors:?}"),
            None if link.starts_with("https://") => {}
            None => assert!(workspace::root().join(link).exists(), "{link}"),
        }
    }
}

fn questions() -> Vec<Value> {
    yaml("questions-ui.yml")["questions"].as_array().expect("questions").clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Every resource of the longer rules is that of a kind that the policy knows, and none is missing.
#[test]
fn the_longer_rules_of_the_readme_are_all_kinds_that_the_policy_judges() {
    let readme = file("README.md");
    let rules = readme.split("```yaml rules\n").nth(1).and_then(|rest| rest.split("```").next()).expect("rules");
    let rules: Value = serde_yaml_ng::from_str(rules).expect("YAML");
    let mut resources = vec![];
    for rule in rules.as_array().expect("rules") {
        for resource in rule["resources"].as_array().expect("resources") {
            resources.push(format!("{}/{}", text(&rule["apiGroups"][0]), text(resource)));
        }
    }
    resources.sort();
    let kinds = [
        "/pods",
        "/podtemplates",
        "/replicationcontrollers",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
        "batch/cronjobs",
        "batch/jobs",
    ];
    assert_eq!(resources, kinds);
}

#[test]
fn the_workflows_are_those_of_kubewarden_pinned_to_a_commit() {
    const COMMIT: &str = "143b9e4b11ddc47370482267383586e6f1bc7efe";
    for (path, job, workflow) in [("test", "policy", "test"), ("release", "release", "release")] {
        let workflows = yaml(&format!(".github/workflows/{path}.yml"));
        let uses = format!("kubewarden/github-actions/.github/workflows/reusable-{workflow}-policy-rust.yml@{COMMIT}");
        assert_eq!(workflows["jobs"][job]["uses"], json!(uses));
    }
}
