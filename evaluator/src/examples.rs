//! The examples of a README: they are what is shown to a new user, and they are tests.
//!
//! An example is told by fenced blocks, whose info strings say what they are: `yaml runtimeclasses`
//! (what the cluster has, from there on), `yaml settings` or `yaml policy` (a manifest), `yaml pod`,
//! and `yaml answer`, which ends it. What is not told again stays as it was told last.
use std::{fmt::Write as _, sync::Arc};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::{AdmissionRequest, AdmissionResponse, Capabilities, Policy};

/// An example of a README.
#[derive(Clone, Debug)]
pub struct Example {
    /// The heading of the second level that it stands under.
    pub section: String,
    /// The last heading before it.
    pub title: String,
    pub runtime_classes: Vec<Value>,
    pub settings: Value,
    pub pod: Value,
    pub answer: Answer,
}

/// What a README says that comes of an example.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    pub allowed: bool,
    pub message: Option<String>,
    /// The class that the Pod has in the end.
    pub runtime_class_name: Option<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Reads the examples of `readme`.
///
/// # Errors
/// A block is not in YAML, or an example has no settings or no Pod.
pub fn parse(readme: &str) -> Result<Vec<Example>> {
    let (mut section, mut title) = (String::new(), String::new());
    let (mut runtime_classes, mut settings, mut pod) = (vec![], None, None);
    let mut examples = vec![];
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        }
        if line.starts_with("##") {
            title = line.trim_start_matches(['#', ' ']).to_owned();
        }
        let Some(info) = line.strip_prefix("```").filter(|info| !info.is_empty()) else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let yaml =
            || serde_yaml_ng::from_str::<Value>(&block).with_context(|| format!("a block under '{title}':\n{block}"));
        match info {
            "yaml runtimeclasses" => runtime_classes = documents(&block)?,
            "yaml settings" => settings = Some(yaml()?),
            "yaml policy" => settings = Some(yaml()?["spec"]["settings"].take()),
            "yaml pod" => pod = Some(yaml()?),
            "yaml answer" => examples.push(Example {
                section: section.clone(),
                title: title.clone(),
                runtime_classes: runtime_classes.clone(),
                settings: settings.clone().with_context(|| format!("'{title}' has no settings"))?,
                pod: pod.clone().with_context(|| format!("'{title}' has no Pod"))?,
                answer: serde_json::from_value(yaml()?)?,
            }),
            _ => {}
        }
    }
    Ok(examples)
}

/// The documents of a stream in YAML.
///
/// # Errors
/// One is not in YAML.
pub fn documents(yaml: &str) -> Result<Vec<Value>> {
    serde_yaml_ng::Deserializer::from_str(yaml).map(|document| Ok(Value::deserialize(document)?)).collect()
}

impl Example {
    /// Lets `policy` decide, and gives its answer and the Pod that comes of it.
    ///
    /// # Errors
    /// The settings are not valid, or there is no answer.
    pub fn decide(&self, policy: &Policy) -> Result<(AdmissionResponse, Value)> {
        policy.validate_settings(&self.settings)?;
        let request = AdmissionRequest::create(self.pod.clone())?;
        let cluster = Arc::new(Capabilities::cluster(self.runtime_classes.clone()));
        let response = policy.evaluate(&request, &self.settings, &cluster)?;
        let mut pod = self.pod.clone();
        if let Some(patch) = response.decoded_patch()? {
            json_patch::patch(&mut pod, &patch)?;
        }
        Ok((response, pod))
    }

    /// The example as people read it, in colours: what is asked, what is decided, what is changed.
    ///
    /// # Errors
    /// See [`Example::decide`].
    pub fn report(&self, policy: &Policy) -> Result<String> {
        const BOLD: Style = Style::new().bold();
        const RED: Style = AnsiColor::Red.on_default();
        const GREEN: Style = AnsiColor::Green.on_default();
        const YELLOW: Style = AnsiColor::Yellow.on_default();

        let (response, changed) = self.decide(policy)?;
        let mut report = String::new();
        writeln!(report, "{BOLD}{}{BOLD:#}", self.title)?;
        writeln!(report, "  settings  {}", serde_json::to_string(&self.settings)?)?;
        let (before, after) = (serde_yaml_ng::to_string(&self.pod)?, serde_yaml_ng::to_string(&changed)?);
        for line in TextDiff::from_lines(&before, &after).iter_all_changes() {
            let text = line.value().trim_end();
            match line.tag() {
                ChangeTag::Equal => writeln!(report, "            {text}")?,
                ChangeTag::Delete => writeln!(report, "          {RED}- {text}{RED:#}")?,
                ChangeTag::Insert => writeln!(report, "          {GREEN}+ {text}{GREEN:#}")?,
            }
        }
        let message = response.status.and_then(|status| status.message);
        match (response.allowed, response.patch) {
            (false, _) => writeln!(report, "  {RED}refused{RED:#}   {}", message.unwrap_or_default())?,
            (true, None) => writeln!(report, "  {GREEN}accepted{GREEN:#}")?,
            (true, Some(_)) => writeln!(report, "  {GREEN}accepted{GREEN:#}, with the change above")?,
        }
        for warning in response.warnings.iter().flatten() {
            writeln!(report, "  {YELLOW}warning{YELLOW:#}   {warning}")?;
        }
        Ok(report)
    }
}
