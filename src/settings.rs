//! The settings of the policy, read and checked once.
//!
//! The [settings of a policy](https://docs.kubewarden.io/reference/spec/settings) are free-form
//! JSON. Invalid settings are rejected when the policy is loaded: a misspelled key would protect
//! nothing.
use std::borrow::Cow;

use crate::message::short;
use crate::object::{self, FieldError, Text, Value};
use crate::runtimes::{ClassName, Runtimes};

const KEYS: &str =
    "reservedRuntimes, allowedRuntimes, defaultRuntimeReserved, fallbackRuntime, fallbackFor, matchHandlers";

/// The settings after all checks.
#[derive(Debug, Default, PartialEq)]
pub struct Settings<'a> {
    pub restriction: Restriction<'a>,
    /// Reject a workload that names no class.
    pub default_runtime_reserved: bool,
    /// The class given to Pods in place of a rejected one, and to Pods that name none.
    fallback_runtime: Option<Cow<'a, str>>,
    /// `fallbackFor`, if it is set: whether only Pods that name no class get the fallback.
    fallback_for_default_alone: Option<bool>,
    /// Whether an entry also matches the handler of the class that a workload names. Left out: if the policy may read
    /// RuntimeClasses.
    pub match_handlers: Option<bool>,
}

/// Which runtimes a workload may name.
#[derive(Debug, Default, PartialEq)]
pub enum Restriction<'a> {
    #[default]
    None,
    /// All but these: `reservedRuntimes`.
    Reserved(Runtimes<'a>),
    /// Only these: `allowedRuntimes`.
    Allowed(Runtimes<'a>),
}

const NAME: &str = "digits, '-' and '.', and starts and ends with a letter or digit";

/// Why settings are invalid. Displayed with the key and the value.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("reservedRuntimes: cannot be used together with allowedRuntimes, got {} and {}", short(.0), short(.1))]
    BothLists(String, String),
    #[error("{key}: '{}' matches no runtime: a name consists of letters, {NAME}", short(entry))]
    ImpossibleEntry { key: &'static str, entry: String },
    #[error("fallbackRuntime: '{}' is not a valid RuntimeClass name: a name consists of lower case letters, {NAME}", short(.0))]
    ImpossibleFallback(String),
    #[error("fallbackFor: needs fallbackRuntime, which is not set")]
    NoFallback,
    #[error("fallback runtime {} cannot be part of the reserved runtimes", short(.0))]
    FallbackReserved(String),
    #[error("fallbackRuntime: '{}' is not in allowedRuntimes, and matchHandlers is false", short(.0))]
    FallbackNotAllowed(String),
}

impl<'a> Settings<'a> {
    /// Reads the payload of `validate_settings`.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn parse(json: &'a [u8]) -> Result<Self, Invalid> {
        Self::read(Value::Raw(Cow::Borrowed(object::read("settings", json)?)))
    }

    /// Reads the settings and checks them.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn read(given: Value<'a>) -> Result<Self, Invalid> {
        let (mut settings, mut reserved, mut allowed) = (Self::default(), Vec::new(), Vec::new());
        let members = match given {
            Value::Object(members) => members,
            other => other.at("settings", &[], Value::open)?.unwrap_or_default(),
        };
        for (at, (key, value)) in members.iter().enumerate() {
            let mut set = || {
                if members.iter().take(at).any(|(other, _)| other == key) {
                    return Err(FieldError::new("duplicate field"));
                }
                match key.as_ref() {
                    "reservedRuntimes" => reserved = filled(value, Value::strings)?.unwrap_or_default(),
                    "allowedRuntimes" => allowed = filled(value, Value::strings)?.unwrap_or_default(),
                    "defaultRuntimeReserved" => {
                        settings.default_runtime_reserved = filled(value, Value::flag)? == Some(true)
                    }
                    "fallbackRuntime" => settings.fallback_runtime = filled(value, Value::string)?,
                    "fallbackFor" => settings.fallback_for_default_alone = filled(value, is_default)?,
                    "matchHandlers" => settings.match_handlers = filled(value, Value::flag)?,
                    _ => {
                        let value = value.describe();
                        return Err(FieldError::new(&format!("unknown setting, got {value}; the settings are {KEYS}")));
                    }
                }
                Ok(())
            };
            set().map_err(|error| error.under(&short(key)))?;
        }
        settings.restriction = Restriction::new(reserved, allowed)?;
        settings.check_fallback()?;
        Ok(settings)
    }

    /// The class given to Pods that name `class` and may not use it, or that name none.
    pub fn fallback(&self, class: Option<&str>) -> Option<&str> {
        let is_for_pod = class.is_none() || self.fallback_for_default_alone != Some(true);
        self.fallback_runtime.as_deref().filter(|_| is_for_pod)
    }

    /// Checks that the settings let the fallback pass, as far as its name tells. Its handler is known
    /// only when a request is judged.
    fn check_fallback(&self) -> Result<(), Invalid> {
        let Some(fallback) = self.fallback_runtime.as_deref() else {
            return if self.fallback_for_default_alone.is_some() { Err(Invalid::NoFallback) } else { Ok(()) };
        };
        match &self.restriction {
            Restriction::Reserved(reserved) if reserved.matches(fallback) => {
                Err(Invalid::FallbackReserved(fallback.to_owned()))
            }
            _ if ClassName::new(fallback).is_none() => Err(Invalid::ImpossibleFallback(fallback.to_owned())),
            Restriction::Allowed(allowed) if self.match_handlers == Some(false) && !allowed.matches(fallback) => {
                Err(Invalid::FallbackNotAllowed(fallback.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// A setting that is filled in, or `None` if it is empty: an untouched field of a form is an empty string or list.
fn filled<'a, T>(value: &Value<'a>, read: fn(&Value<'a>) -> Result<T, FieldError>) -> Result<Option<T>, FieldError> {
    if value.is_empty() { Ok(None) } else { read(value).map(Some) }
}

/// Whether `fallbackFor` is `default`.
fn is_default(fallback_for: &Value) -> Result<bool, FieldError> {
    match fallback_for.string().as_deref() {
        Ok("all") => Ok(false),
        Ok("default") => Ok(true),
        _ => Err(fallback_for.is_not("all or default")),
    }
}

impl<'a> Restriction<'a> {
    /// Whether the name of a class tells if it is permitted; otherwise its handler does.
    pub fn is_settled_by_name(&self, class: &str) -> bool {
        match self {
            Self::None => true,
            Self::Reserved(runtimes) | Self::Allowed(runtimes) => runtimes.matches(class),
        }
    }

    fn new(reserved: Vec<Text<'a>>, allowed: Vec<Text<'a>>) -> Result<Self, Invalid> {
        let list = |key, entries| {
            Runtimes::new(entries).map_err(|entry| Invalid::ImpossibleEntry { key, entry: entry.into_owned() })
        };
        Ok(match (list("reservedRuntimes", reserved)?, list("allowedRuntimes", allowed)?) {
            (None, None) => Self::None,
            (Some(reserved), None) => Self::Reserved(reserved),
            (None, Some(allowed)) => Self::Allowed(allowed),
            (Some(reserved), Some(allowed)) => {
                return Err(Invalid::BothLists(reserved.to_string(), allowed.to_string()));
            }
        })
    }
}
