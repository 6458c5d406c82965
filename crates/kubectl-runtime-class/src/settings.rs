//! The settings of a policy, on the command line.
use std::{path::PathBuf, slice};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::source;

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
            (None, Some(path)) => {
                let mut documents = vec![];
                for source in source::sources(slice::from_ref(path))? {
                    documents.extend(source.documents()?);
                }
                match <[Value; 1]>::try_from(documents) {
                    Ok([settings]) => Ok(settings),
                    Err(documents) => bail!("{} has {} documents, not one", path.display(), documents.len()),
                }
            }
            (None, None) => Ok(json!({})),
        }
    }
}
