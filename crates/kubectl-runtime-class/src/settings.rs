//! The settings of a policy, on the command line.
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

use crate::read;

#[derive(Args)]
pub struct Settings {
    /// The policy's settings, in JSON
    #[arg(long, value_name = "JSON", conflicts_with = "settings_path")]
    settings_json: Option<String>,
    /// A file with the policy's settings, in JSON or YAML
    #[arg(short, long, value_name = "PATH")]
    settings_path: Option<PathBuf>,
}

impl Settings {
    /// The settings; none if none are given.
    ///
    /// # Errors
    /// The file can't be read, or they are neither JSON nor YAML.
    pub fn read(&self) -> Result<Value> {
        match (&self.settings_json, &self.settings_path) {
            (Some(text), _) => serde_json::from_str(text).context("--settings-json is not JSON"),
            (None, Some(path)) => serde_yaml_ng::from_str(&read(path)?)
                .with_context(|| format!("{} is neither JSON nor YAML", path.display())),
            (None, None) => Ok(json!({})),
        }
    }
}
