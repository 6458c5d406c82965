//! The settings of the policy, read and checked once.
//!
//! The [settings of a policy](https://docs.kubewarden.io/reference/spec/settings) are free-form
//! JSON. Invalid settings are rejected when the policy is loaded: a misspelled key would protect
//! nothing.
use std::{borrow::Cow, fmt};

use crate::{
    field::{Field, FieldError},
    json::{self, Unreadable, Value},
    message::name,
    runtimes::{ClassName, Runtimes},
};

const RESERVED: &str = "reservedRuntimes";
const ALLOWED: &str = "allowedRuntimes";
const DEFAULT_RESERVED: &str = "defaultRuntimeReserved";
const FALLBACK: &str = "fallbackRuntime";
const FALLBACK_FOR: &str = "fallbackFor";
const MATCH_HANDLERS: &str = "matchHandlers";
const KEYS: [&str; 6] = [RESERVED, ALLOWED, DEFAULT_RESERVED, FALLBACK, FALLBACK_FOR, MATCH_HANDLERS];

/// The settings after all checks.
#[derive(Debug, Default, PartialEq)]
pub struct Settings<'a> {
    pub restriction: Restriction<'a>,
    /// Reject a workload that names no class.
    pub default_runtime_reserved: bool,
    /// The class given to Pods in place of a rejected one, and to Pods that name none.
    fallback_runtime: Option<Cow<'a, str>>,
    fallback_for: Option<FallbackFor>,
    pub match_handlers: MatchHandlers,
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

/// Which Pods get the fallback. `All` is the default.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FallbackFor {
    All,
    /// Those that name no class.
    Default,
}

/// Whether an entry also matches the handler of the class that a workload names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MatchHandlers {
    /// If the policy may read RuntimeClasses.
    #[default]
    Automatic,
    Always,
    Never,
}

/// Why settings are invalid. Displayed with the key and the value.
#[derive(Debug)]
pub enum Invalid {
    Unreadable(Unreadable),
    Field(FieldError),
    UnknownKey { key: String, value: String },
    BothLists { reserved: String, allowed: String },
    ImpossibleEntry { key: &'static str, entry: String },
    ImpossibleFallback(String),
    NoFallback,
    FallbackReserved(String),
    FallbackNotAllowed(String),
}

/// The settings as they are given.
#[derive(Default)]
struct Given<'a> {
    reserved: Field<Value<'a>>,
    allowed: Field<Value<'a>>,
    default_reserved: Field<Value<'a>>,
    fallback: Field<Value<'a>>,
    fallback_for: Field<Value<'a>>,
    match_handlers: Field<Value<'a>>,
}

impl<'a> Settings<'a> {
    /// Reads the payload of `validate_settings`.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn parse(json: &'a [u8]) -> Result<Self, Invalid> {
        Self::read(Some(json::read_value(json, &[]).map_err(Invalid::Unreadable)?))
    }

    /// Reads the settings and checks them.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn read(settings: Option<Value<'a>>) -> Result<Self, Invalid> {
        let settings = settings.filter(|value| !value.is_null()).map(|value| value.into_object("settings", &[]));
        let mut given = Given::default();
        for (key, value) in settings.transpose()?.unwrap_or_default() {
            let field = match key.as_ref() {
                RESERVED => &mut given.reserved,
                ALLOWED => &mut given.allowed,
                DEFAULT_RESERVED => &mut given.default_reserved,
                FALLBACK => &mut given.fallback,
                FALLBACK_FOR => &mut given.fallback_for,
                MATCH_HANDLERS => &mut given.match_handlers,
                _ => return Err(Invalid::UnknownKey { key: key.into_owned(), value: value.describe() }),
            };
            // An untouched field of a form is an empty string or list: it means the same as no field.
            field.set(if value.is_empty() { Value::NULL } else { value });
        }
        let settings = Self {
            restriction: Restriction::read(&given)?,
            default_runtime_reserved: given.default_reserved.flag(DEFAULT_RESERVED)?.unwrap_or_default(),
            fallback_runtime: given.fallback.text(FALLBACK)?,
            fallback_for: FallbackFor::read(&given)?,
            match_handlers: match given.match_handlers.flag(MATCH_HANDLERS)? {
                None => MatchHandlers::Automatic,
                Some(true) => MatchHandlers::Always,
                Some(false) => MatchHandlers::Never,
            },
        };
        settings.check_fallback()?;
        Ok(settings)
    }

    /// The class given to Pods that name `class` and may not use it, or that name none.
    pub fn fallback(&self, class: Option<&str>) -> Option<&str> {
        let is_for_pod = class.is_none() || self.fallback_for != Some(FallbackFor::Default);
        self.fallback_runtime.as_deref().filter(|_| is_for_pod)
    }

    /// Checks that the settings let the fallback pass, as far as its name tells. Its handler is known
    /// only when a request is judged.
    fn check_fallback(&self) -> Result<(), Invalid> {
        let Some(fallback) = self.fallback_runtime.as_deref() else {
            return if self.fallback_for.is_some() { Err(Invalid::NoFallback) } else { Ok(()) };
        };
        match &self.restriction {
            Restriction::Reserved(reserved) if reserved.matches(fallback) => {
                Err(Invalid::FallbackReserved(fallback.to_owned()))
            }
            _ if ClassName::new(fallback).is_none() => Err(Invalid::ImpossibleFallback(fallback.to_owned())),
            Restriction::Allowed(allowed)
                if self.match_handlers == MatchHandlers::Never && !allowed.matches(fallback) =>
            {
                Err(Invalid::FallbackNotAllowed(fallback.to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl FallbackFor {
    fn read(given: &Given) -> Result<Option<Self>, Invalid> {
        let Some(value) = given.fallback_for.get(FALLBACK_FOR)? else { return Ok(None) };
        match value.as_text().as_deref() {
            Some("all") => Ok(Some(Self::All)),
            Some("default") => Ok(Some(Self::Default)),
            _ => Err(value.is_not("all or default", FALLBACK_FOR).into()),
        }
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

    fn read(given: &Given<'a>) -> Result<Self, Invalid> {
        Ok(match (runtimes(&given.reserved, RESERVED)?, runtimes(&given.allowed, ALLOWED)?) {
            (None, None) => Self::None,
            (Some(reserved), None) => Self::Reserved(reserved),
            (None, Some(allowed)) => Self::Allowed(allowed),
            (Some(reserved), Some(allowed)) => {
                return Err(Invalid::BothLists { reserved: reserved.to_string(), allowed: allowed.to_string() });
            }
        })
    }
}

/// The list of `key`, or `None` if it is left out.
fn runtimes<'a>(field: &Field<Value<'a>>, key: &'static str) -> Result<Option<Runtimes<'a>>, Invalid> {
    let value = field.get(key)?;
    let entries = value.map(|value| value.read(key, "a list of strings")).transpose()?.unwrap_or_default();
    Runtimes::new(entries).map_err(|entry| Invalid::ImpossibleEntry { key, entry: entry.into_owned() })
}

impl From<FieldError> for Invalid {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::UnknownKey { key, value } => {
                write!(f, "{}: unknown setting, got {value}; the settings are {}", name(key), KEYS.join(", "))
            }
            Self::BothLists { reserved, allowed } => {
                write!(
                    f,
                    "{RESERVED}: cannot be used together with {ALLOWED}, got {} and {}",
                    name(reserved),
                    name(allowed)
                )
            }
            Self::ImpossibleEntry { key, entry } => write!(
                f,
                "{key}: '{}' matches no runtime: a name consists of letters, digits, '-' and '.', and starts \
                 and ends with a letter or digit",
                name(entry)
            ),
            Self::ImpossibleFallback(fallback) => write!(
                f,
                "{FALLBACK}: '{}' is not a valid RuntimeClass name: a name consists of lower case letters, digits, \
                 '-' and '.', and starts and ends with a letter or digit",
                name(fallback)
            ),
            Self::NoFallback => write!(f, "{FALLBACK_FOR}: needs {FALLBACK}, which is not set"),
            Self::FallbackReserved(fallback) => {
                write!(f, "fallback runtime {} cannot be part of the reserved runtimes", name(fallback))
            }
            Self::FallbackNotAllowed(fallback) => {
                write!(f, "{FALLBACK}: '{}' is not in {ALLOWED}, and {MATCH_HANDLERS} is false", name(fallback))
            }
        }
    }
}
