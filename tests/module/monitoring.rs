//! The rules, their form for the Prometheus operator, their tests and the dashboard agree.
use std::collections::BTreeSet;

use serde_json::Value;
use tests::*;

use crate::manifests::text;

fn rules() -> Vec<Value> {
    let groups = yaml("deploy/monitoring/rules.yml")["groups"].take();
    let groups = groups.as_array().expect("groups").iter();
    groups.flat_map(|group| group["rules"].as_array().expect("rules")).cloned().collect()
}

/// What the rules have under this key.
fn all(key: &str) -> BTreeSet<String> {
    rules().iter().filter_map(|rule| rule.get(key)).map(text).collect()
}

#[test]
fn the_prometheus_operator_gets_the_same_rules() {
    let object = yaml("deploy/monitoring/prometheusrule.yml");
    assert_eq!(object["apiVersion"], "monitoring.coreos.com/v1");
    assert_eq!(object["kind"], "PrometheusRule");
    assert_eq!(object["spec"], yaml("deploy/monitoring/rules.yml"));
}

#[test]
fn the_dashboard_shows_every_record_of_the_rules_and_nothing_else() {
    let dashboard: Value = serde_json::from_str(&file("deploy/monitoring/dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let queries: BTreeSet<_> = targets.map(|target| text(&target["expr"])).collect();
    assert_eq!(queries, all("record"));
}

#[test]
fn every_alert_is_tested_firing_and_silent() {
    let tests =
        ["rules", "rules-over-days"].map(|name| yaml(&format!("deploy/monitoring/{name}.test.yml"))["tests"].take());
    let tests = tests.iter().flat_map(|tests| tests.as_array().expect("tests"));
    let cases = tests.filter_map(|test| test.get("alert_rule_test"));
    let cases: Vec<_> = cases.flat_map(|cases| cases.as_array().expect("cases")).collect();
    let tested = |fires: bool| -> BTreeSet<_> {
        let fires = |case: &&&Value| case["exp_alerts"].as_array().expect("alerts").is_empty() != fires;
        cases.iter().filter(fires).map(|case| text(&case["alertname"])).collect()
    };
    assert_eq!(tested(true), all("alert"));
    assert_eq!(tested(false), all("alert"));
}

#[test]
fn the_page_describes_every_alert() {
    let page = file("deploy/monitoring/README.md");
    for alert in all("alert") {
        assert!(page.contains(&format!("| `{alert}` |")), "{alert}");
    }
}
