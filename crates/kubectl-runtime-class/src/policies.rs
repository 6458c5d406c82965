//! The policies on the command line, and the module that decides.
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::{ArgGroup, Args};
use kubectl_runtime_class::Policy;
use rehearsal::Policies;

use crate::{settings::Settings, source};

#[derive(Args)]
#[command(group = ArgGroup::new("how").args(["policy", "settings_json", "settings_path"]).required(true))]
pub struct PolicyOptions {
    /// The manifest of a policy, with its settings, rules and selectors, or settings alone; several files are separated by
    /// commas
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',')]
    policy: Vec<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// The module of another version of the policy
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
}

impl PolicyOptions {
    /// The module, and the policies, whose settings it takes.
    ///
    /// # Errors
    /// A file can't be read, or it is not what it should be.
    pub fn read(&self) -> Result<(Policy, Policies)> {
        let policies = self.policies()?;
        let module = Policy::load(self.module.as_deref())?;
        for asked in policies.iter() {
            module.validate_settings(&asked.policy.settings)?;
        }
        Ok((module, policies))
    }

    fn policies(&self) -> Result<Policies> {
        if self.policy.is_empty() {
            return Ok(Policies::of_settings(self.settings.read()?));
        }
        let mut objects = vec![];
        for source in source::sources(&self.policy)? {
            objects.extend(source.documents()?);
        }
        if let [settings] = objects.as_slice()
            && settings.get("kind").is_none()
        {
            return Ok(Policies::of_settings(settings.clone()));
        }
        let names: Vec<String> = self.policy.iter().map(|path| path.display().to_string()).collect();
        Policies::of_objects(&objects).map_err(|why| anyhow!("cannot use {} as a policy: {why}", names.join(", ")))
    }
}
