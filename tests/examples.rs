//! The examples of a README. `make run` shows them, and a test compares them with the policy.
//!
//! Fenced blocks make an example, and the info string says what a block holds: `yaml runtimeclasses`
//! (the cluster's, from there on), `yaml settings`, `yaml pod`, and `yaml answer`, which completes an
//! example. A block that is not repeated keeps its value.
use std::{fmt::Write as _, sync::Arc};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result};
use kubectl_runtime_class::{AdmissionRequest, AdmissionResponse, Capabilities, Policy};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_yaml_ng::{Mapping, Value as Yaml};
use similar::{ChangeTag, TextDiff};

/// A fenced block of a Markdown document.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The heading of the second level above it.
    pub section: String,
    /// The heading above it.
    pub title: String,
    pub info: String,
    pub text: String,
}

/// The fenced blocks of a Markdown document.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let (mut block, mut blocks) = (Block::default(), vec![]);
    let mut text = String::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Heading { .. }) => text.clear(),
            Event::Start(Tag::CodeBlock(kind)) => {
                text.clear();
                block.info = match kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::End(TagEnd::Heading(level)) => {
                block.title.clone_from(&text);
                if level == HeadingLevel::H2 {
                    block.section.clone_from(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.push(Block { text: text.clone(), ..block.clone() }),
            _ => {}
        }
    }
    blocks
}

impl Block {
    fn yaml<T: DeserializeOwned>(&self) -> Result<T> {
        serde_yaml_ng::from_str(&self.text).with_context(|| format!("a block under '{}'", self.title))
    }
}

/// An example of a README. Its YAML keeps the order of its keys.
#[derive(Clone, Debug)]
pub struct Example {
    /// The heading of the second level above it.
    pub section: String,
    /// The heading above it.
    pub title: String,
    pub runtime_classes: Vec<Value>,
    pub settings: Yaml,
    pub pod: Yaml,
    pub answer: Answer,
}

/// The result that a README states for an example.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    pub allowed: bool,
    pub message: Option<String>,
    /// The class of the Pod after a mutation.
    pub runtime_class_name: Option<String>,
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Reads the examples of `readme`.
///
/// # Errors
/// A block is not YAML, or an example has no settings or no Pod.
pub fn parse(readme: &str) -> Result<Vec<Example>> {
    let (mut runtime_classes, mut settings, mut pod) = (vec![], None, None);
    let mut examples = vec![];
    for block in blocks(readme) {
        match block.info.as_str() {
            "yaml runtimeclasses" => runtime_classes = documents(&block.text)?,
            "yaml settings" => settings = Some(block.yaml()?),
            "yaml pod" => pod = Some(block.yaml()?),
            "yaml answer" => examples.push(Example {
                runtime_classes: runtime_classes.clone(),
                settings: settings.clone().with_context(|| format!("'{}' has no settings", block.title))?,
                pod: pod.clone().with_context(|| format!("'{}' has no Pod", block.title))?,
                answer: block.yaml()?,
                section: block.section,
                title: block.title,
            }),
            _ => {}
        }
    }
    Ok(examples)
}

/// The documents of a YAML stream.
///
/// # Errors
/// A document is not YAML.
pub fn documents(yaml: &str) -> Result<Vec<Value>> {
    serde_yaml_ng::Deserializer::from_str(yaml).map(|document| Ok(Value::deserialize(document)?)).collect()
}

impl Example {
    /// Evaluates the policy, and returns its response and the resulting Pod.
    ///
    /// # Errors
    /// The settings are invalid, or the policy returns no response.
    pub fn decide(&self, policy: &Policy) -> Result<(AdmissionResponse, Value)> {
        let settings = serde_json::to_value(&self.settings)?;
        let mut pod = serde_json::to_value(&self.pod)?;
        policy.validate_settings(&settings)?;
        let request = AdmissionRequest::create(pod.clone())?;
        let cluster = Arc::new(Capabilities::cluster(self.runtime_classes.clone()));
        let response = policy.evaluate(&request, &settings, &cluster)?;
        if let Some(patch) = response.decoded_patch()? {
            json_patch::patch(&mut pod, &patch)?;
        }
        Ok((response, pod))
    }

    /// The example in colors: settings, the Pod with its changes, verdict, warnings.
    ///
    /// # Errors
    /// See [`Example::decide`].
    pub fn report(&self, policy: &Policy) -> Result<String> {
        const BOLD: Style = Style::new().bold();
        const RED: Style = AnsiColor::Red.on_default();
        const GREEN: Style = AnsiColor::Green.on_default();
        const YELLOW: Style = AnsiColor::Yellow.on_default();

        let (response, pod) = self.decide(policy)?;
        let mut report = String::new();
        writeln!(report, "{BOLD}{}{BOLD:#}", self.title)?;
        writeln!(report, "  settings  {}", serde_json::to_string(&self.settings)?)?;
        let before = serde_yaml_ng::to_string(&self.pod)?;
        let after = serde_yaml_ng::to_string(&in_order_of(&self.pod, serde_yaml_ng::to_value(pod)?))?;
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
            (false, _) => writeln!(report, "  {RED}rejected{RED:#}  {}", message.unwrap_or_default())?,
            (true, None) => writeln!(report, "  {GREEN}accepted{GREEN:#}")?,
            (true, Some(_)) => writeln!(report, "  {GREEN}mutated{GREEN:#}")?,
        }
        for warning in response.warnings.iter().flatten() {
            writeln!(report, "  {YELLOW}warning{YELLOW:#}   {warning}")?;
        }
        Ok(report)
    }
}

/// `changed` with its keys in the order of `original`, and new keys last.
fn in_order_of(original: &Yaml, changed: Yaml) -> Yaml {
    match (original, changed) {
        (Yaml::Mapping(original), Yaml::Mapping(mut changed)) => {
            let known =
                |(key, value): (&Yaml, &Yaml)| Some((key.clone(), in_order_of(value, changed.shift_remove(key)?)));
            let mut ordered: Mapping = original.iter().filter_map(known).collect();
            ordered.extend(changed);
            ordered.into()
        }
        (Yaml::Sequence(original), Yaml::Sequence(changed)) => {
            let items = changed.into_iter().enumerate();
            items.map(|(index, item)| in_order_of(original.get(index).unwrap_or(&Yaml::Null), item)).collect()
        }
        (_, changed) => changed,
    }
}
