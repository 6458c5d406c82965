//! `null` in a manifest, which Kubernetes reads as a field that is left out.
use serde::{Deserialize, Deserializer};

/// The default in place of `null`.
pub fn as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
