//! What the operator asks for: the policy's settings, read and checked in one step.
//!
//! The [settings of a policy](https://docs.kubewarden.io/reference/spec/settings) are free-form
//! JSON. Settings that are not right are refused when the policy is loaded, because a guard that
//! was misspelled protects nothing.
use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de::DeserializeSeed};
use serde_json::{Error, value::RawValue};
use simdutf8::compat::{Utf8Error, from_utf8};

use crate::json::{self, Node, Object, Open, Text, message};

const RESERVED: &str = "reservedRuntimes";
const ALLOWED: &str = "allowedRuntimes";
const DEFAULT_RESERVED: &str = "defaultRuntimeReserved";
const FALLBACK: &str = "fallbackRuntime";
const MATCH_HANDLERS: &str = "matchHandlers";

/// The longest name that an object of Kubernetes can have, in bytes.
const MAX_NAME: usize = 253;

/// The settings as they are given, `{}` for `null`.
#[derive(Default)]
pub struct Given<'a>(Object<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Open::new("the settings", &[]).deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// The settings, as they are after all checks.
#[derive(Debug, Default, PartialEq)]
pub struct Settings<'a> {
    pub runtimes: Runtimes<'a>,
    /// Refuse a workload that names no class.
    pub default_runtime_reserved: bool,
    /// The class given in place of a refused one, and to workloads that name none.
    pub fallback_runtime: Option<Cow<'a, str>>,
    pub match_handlers: MatchHandlers,
}

/// Which runtimes a workload may name.
#[derive(Debug, Default, PartialEq)]
pub enum Runtimes<'a> {
    #[default]
    Any,
    /// All but these: `reservedRuntimes`.
    Reserved(Entries<'a>),
    /// These alone: `allowedRuntimes`.
    Allowed(Entries<'a>),
}

/// Whether an entry also matches the handler of the class that a workload names.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum MatchHandlers {
    /// Where the policy may read RuntimeClasses (`matchHandlers` left out).
    #[default]
    Automatic,
    /// Always; refuse while they can't be read (`true`).
    Always,
    /// Names alone; RuntimeClasses are not read (`false`).
    Never,
}

/// A list of runtimes: names of classes or of handlers, in which `*` is any run of characters.
#[derive(Debug, PartialEq)]
pub struct Entries<'a>(Vec<Text<'a>>);

/// Why settings are refused; its text names the key and the value.
#[derive(Debug)]
pub enum Invalid<'a> {
    NotUtf8(Utf8Error),
    NotJson(Error),
    UnknownKey { key: Cow<'a, str>, value: &'a RawValue },
    WrongType { key: &'static str, value: &'a RawValue, expected: &'static str },
    BothLists { reserved: Entries<'a>, allowed: Entries<'a> },
    ImpossibleEntry { key: &'static str, entry: Cow<'a, str> },
    ImpossibleFallback(Cow<'a, str>),
    FallbackReserved(Cow<'a, str>),
    FallbackNotAllowed(Cow<'a, str>),
}

impl<'a> Settings<'a> {
    /// Reads the settings that the host sends to have them checked.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn parse(json: &'a [u8]) -> Result<Self, Invalid<'a>> {
        let json = from_utf8(json).map_err(Invalid::NotUtf8)?;
        Self::read(serde_json::from_str(json).map_err(Invalid::NotJson)?)
    }

    /// Reads the settings and checks them.
    ///
    /// # Errors
    /// See [`Invalid`].
    pub fn read(Given(given): Given<'a>) -> Result<Self, Invalid<'a>> {
        let mut settings = Self::default();
        let (mut reserved, mut allowed) = (None, None);
        for (key, value) in given {
            let Node::Raw(value) = value else { continue };
            match key.as_ref() {
                RESERVED => reserved = Entries::read(RESERVED, value)?,
                ALLOWED => allowed = Entries::read(ALLOWED, value)?,
                DEFAULT_RESERVED => {
                    settings.default_runtime_reserved = flag(DEFAULT_RESERVED, value)?.unwrap_or_default();
                }
                FALLBACK => {
                    settings.fallback_runtime = read::<Text>(FALLBACK, value, "a string")?.map(|Text(name)| name);
                }
                MATCH_HANDLERS => {
                    settings.match_handlers = match flag(MATCH_HANDLERS, value)? {
                        None => MatchHandlers::Automatic,
                        Some(true) => MatchHandlers::Always,
                        Some(false) => MatchHandlers::Never,
                    };
                }
                _ => return Err(Invalid::UnknownKey { key, value }),
            }
        }
        settings.runtimes = match (reserved, allowed) {
            (None, None) => Runtimes::Any,
            (Some(reserved), None) => Runtimes::Reserved(reserved),
            (None, Some(allowed)) => Runtimes::Allowed(allowed),
            (Some(reserved), Some(allowed)) => return Err(Invalid::BothLists { reserved, allowed }),
        };
        settings.checked()
    }

    /// The settings, if the fallback is a class that they let pass.
    ///
    /// A handler that passes in the place of the name is known only when a request is judged.
    fn checked(self) -> Result<Self, Invalid<'a>> {
        let Some(fallback) = &self.fallback_runtime else { return Ok(self) };
        match &self.runtimes {
            Runtimes::Reserved(reserved) if reserved.matches(fallback) => {
                Err(Invalid::FallbackReserved(fallback.clone()))
            }
            _ if !is_name(fallback) => Err(Invalid::ImpossibleFallback(fallback.clone())),
            Runtimes::Allowed(allowed) if self.match_handlers == MatchHandlers::Never && !allowed.matches(fallback) => {
                Err(Invalid::FallbackNotAllowed(fallback.clone()))
            }
            _ => Ok(self),
        }
    }
}

impl<'a> Entries<'a> {
    /// Reads the list that is the value of `key`; `None` for an empty one.
    fn read(key: &'static str, value: &'a RawValue) -> Result<Option<Self>, Invalid<'a>> {
        let entries: Vec<Text> = read(key, value, "a list of strings")?.unwrap_or_default();
        match entries.iter().find(|Text(entry)| !could_match(entry)) {
            Some(Text(entry)) => Err(Invalid::ImpossibleEntry { key, entry: entry.clone() }),
            None if entries.is_empty() => Ok(None),
            None => Ok(Some(Self(entries))),
        }
    }

    /// Whether `name`, of a class or of a handler, is one of these.
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|Text(entry)| entry_matches(entry.as_bytes(), name.as_bytes()))
    }
}

/// Whether a value means the same as leaving its key out.
fn is_left_out(value: &RawValue) -> bool {
    matches!(value.get(), "null" | r#""""# | "[]")
}

/// The value of a setting, if it has one.
fn read<'a, T: Deserialize<'a>>(
    key: &'static str,
    value: &'a RawValue,
    expected: &'static str,
) -> Result<Option<T>, Invalid<'a>> {
    if is_left_out(value) {
        return Ok(None);
    }
    json::read(value).map(Some).map_err(|_| Invalid::WrongType { key, value, expected })
}

/// The value of a setting that is on or off, if it has one.
fn flag<'a>(key: &'static str, value: &'a RawValue) -> Result<Option<bool>, Invalid<'a>> {
    match value.get() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ if is_left_out(value) => Ok(None),
        _ => Err(Invalid::WrongType { key, value, expected: "true or false" }),
    }
}

/// Whether `name` is `entry`, in which `*` is any run of characters. ASCII case is ignored.
///
/// The literals between two `*` are each taken where they come first: if that place leaves no match
/// for what follows, then no later place does, so nothing is ever tried twice.
fn entry_matches(entry: &[u8], name: &[u8]) -> bool {
    let mut literals = entry.split(|byte| *byte == b'*');
    let first = literals.next().unwrap_or_default();
    let Some((start, mut rest)) = name.split_at_checked(first.len()) else { return false };
    if !start.eq_ignore_ascii_case(first) {
        return false;
    }
    let Some(last) = literals.next_back() else { return rest.is_empty() };
    for literal in literals.filter(|literal| !literal.is_empty()) {
        let found = rest.windows(literal.len()).position(|window| window.eq_ignore_ascii_case(literal));
        match found.and_then(|at| rest.get(at.saturating_add(literal.len())..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    let end = rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(last))
}

/// Whether there can be a class or a handler that `entry` matches.
fn could_match(entry: &str) -> bool {
    entry.len() <= MAX_NAME && entry.split('.').all(is_label)
}

/// Whether there can be a RuntimeClass of this name: an
/// [RFC 1123 subdomain](https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names).
fn is_name(name: &str) -> bool {
    could_match(name) && !name.bytes().any(|byte| byte == b'*' || byte.is_ascii_uppercase())
}

/// A part of a name between two dots. A `*` counts as a letter: it can always stand for one.
fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'*');
    !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for Invalid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: &str = "are made of letters, digits, '-' and '.', and begin and end with a letter or a digit";
        match self {
            Invalid::NotUtf8(error) => write!(f, "{error}"),
            Invalid::NotJson(error) => f.write_str(&message(error)),
            Invalid::UnknownKey { key, value } => write!(
                f,
                "unknown setting {key}: {value}; there are \
                 {RESERVED}, {ALLOWED}, {DEFAULT_RESERVED}, {FALLBACK} and {MATCH_HANDLERS}"
            ),
            Invalid::WrongType { key, value, expected } => write!(f, "{key} has to be {expected}, not {value}"),
            Invalid::BothLists { reserved, allowed } => {
                write!(
                    f,
                    "{RESERVED} {reserved} and {ALLOWED} {allowed} cannot be used together: keep one of the lists"
                )
            }
            Invalid::ImpossibleEntry { key, entry } => {
                write!(f, "{key} has '{entry}', which matches nothing: names of runtimes {NAMES}")
            }
            Invalid::ImpossibleFallback(fallback) => {
                write!(f, "{FALLBACK} '{fallback}' is not the name of a RuntimeClass: these {NAMES}, all in lower case")
            }
            Invalid::FallbackReserved(fallback) => {
                write!(f, "fallback runtime {fallback} cannot be part of the reserved runtimes")
            }
            Invalid::FallbackNotAllowed(fallback) => {
                write!(f, "{FALLBACK} '{fallback}' is not part of {ALLOWED}, and {MATCH_HANDLERS} is false")
            }
        }
    }
}

impl fmt::Display for Entries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|Text(entry)| entry)).finish()
    }
}
