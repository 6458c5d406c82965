//! Shows the examples of a README, decided by the policy: `make run`. usage: readme README.md
use std::{env, fs};

use anyhow::{Context, Result};
use kubectl_runtime_class::Policy;
use tests::examples;

/// Shows the examples of the first section that has any.
fn main() -> Result<()> {
    let readme = env::args().nth(1).context("usage: readme README.md")?;
    let policy = Policy::load(None)?;
    let examples = examples::parse(&fs::read_to_string(&readme).with_context(|| format!("cannot read {readme}"))?)?;
    let first = examples.first().with_context(|| format!("{readme} has no examples"))?;
    for example in examples.iter().filter(|example| example.section == first.section) {
        anstream::println!("{}", example.report(&policy)?);
    }
    Ok(())
}
