//! What a YAML scalar is to kubectl: YAML 1.1, as its parser resolves it.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

#[derive(Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond [`Scalar::Int`].
    Uint(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

const TAGS: &str = "tag:yaml.org,2002:";

/// `plain`: the style does not say that it is text.
pub(super) fn resolve<'a>(value: &'a str, tag: Option<&str>, plain: bool) -> Result<Scalar<'a>, String> {
    let Some(tag) = tag else {
        return Ok(if plain { untagged(value) } else { Scalar::Text(value.into()) });
    };
    let Some(name) = tag.strip_prefix(TAGS) else { return Ok(Scalar::Text(value.into())) };
    let resolved = match name {
        "bool" | "int" | "float" | "null" | "timestamp" => untagged(value),
        "binary" => return binary(value),
        _ => return Ok(Scalar::Text(value.into())),
    };
    Ok(match (name, resolved) {
        ("bool", bool @ Scalar::Bool(_)) => bool,
        ("int", int @ (Scalar::Int(_) | Scalar::Uint(_))) => int,
        ("float", float @ Scalar::Float(_)) => float,
        ("float", Scalar::Int(int)) => Scalar::Float(int as f64),
        ("null", Scalar::Null) => Scalar::Null,
        ("timestamp", text @ Scalar::Text(_)) if is_timestamp(value) => text,
        _ => return Err(format!("cannot decode `{value}` as a !!{name}")),
    })
}

/// The key of a member of a JSON object that a YAML key becomes.
pub(super) fn key(scalar: Scalar) -> Result<Cow<str>, String> {
    Ok(match scalar {
        Scalar::Text(text) => text,
        Scalar::Bool(bool) => bool.to_string().into(),
        Scalar::Int(int) => int.to_string().into(),
        Scalar::Float(float) => float_key(float).into(),
        Scalar::Uint(int) => return Err(format!("unsupported map key: {int} is beyond 64 bits")),
        Scalar::Null => return Err("unsupported map key: null".into()),
    })
}

fn untagged(value: &str) -> Scalar<'_> {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => number(value).unwrap_or_else(|| Scalar::Text(value.into())),
    }
}

fn number(value: &str) -> Option<Scalar<'_>> {
    match value.as_bytes().first()? {
        b'.' => float(value),
        b'+' | b'-' | b'0'..=b'9' => {
            let digits: Cow<str> = if value.contains('_') { value.replace('_', "").into() } else { value.into() };
            int(&digits).or_else(|| float(&digits))
        }
        _ => None,
    }
}

/// An integer as Go writes them: a sign, then `0x`, `0o`, `0b` or `0` (octal), or decimal digits.
fn int(text: &str) -> Option<Scalar<'static>> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (digits, radix) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (unsigned.get(2..)?, 16),
        [b'0', b'o' | b'O', ..] => (unsigned.get(2..)?, 8),
        [b'0', b'b' | b'B', ..] => (unsigned.get(2..)?, 2),
        [b'0', _, ..] => (unsigned.get(1..)?, 8),
        _ => (unsigned, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match i64::try_from(magnitude) {
        Ok(int) => Some(Scalar::Int(if negative { int.wrapping_neg() } else { int })),
        Err(_) if negative => 0i64.checked_sub_unsigned(magnitude).map(Scalar::Int),
        // Go gives no unsigned integer a sign.
        Err(_) if text.len() > unsigned.len() => None,
        Err(_) => Some(Scalar::Uint(magnitude)),
    }
}

fn float(text: &str) -> Option<Scalar<'static>> {
    // Rust also reads names such as "infinity" here.
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Scalar::Float)
}

fn binary(value: &str) -> Result<Scalar<'static>, String> {
    let text: String = value.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(text).map_err(|_| "!!binary value contains invalid base64 data")?;
    Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into_owned().into()))
}

/// `2001-1-2`, with `T` and a zone or a blank before the time.
fn is_timestamp(value: &str) -> bool {
    fn numbers<const N: usize>(text: &str, separator: char) -> Option<[u32; N]> {
        let numbers: Vec<u32> = text.split(separator).map(|number| digits(number, 1..=2)).collect::<Option<_>>()?;
        numbers.try_into().ok()
    }
    fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<u32> {
        let digits = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    }
    let (date, time) = match value.find(['T', 't', ' ']) {
        Some(at) => value.split_at(at),
        None => (value, " 0:0:0"),
    };
    let (time, zone) = match time.split_at(1) {
        (" ", time) => (time, "Z"),
        (_, time) => time.split_at(time.find(['Z', '+', '-']).unwrap_or(time.len())),
    };
    let zone = match zone.split_at_checked(1) {
        Some(("Z", rest)) => rest.is_empty(),
        Some((_, offset)) => {
            numbers(offset, ':').is_some_and(|[hour, minute]| offset.len() == 5 && hour < 25 && minute < 60)
        }
        None => false,
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let valid = || {
        let (year, date) = date.split_once('-')?;
        let (year, [month, day]) = (digits(year, 4..=4)?, numbers(date, '-')?);
        let [hour, minute, second] = numbers(time, ':')?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        Some((1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60)
    };
    zone && digits(fraction, 1..=9).is_some() && valid() == Some(true)
}

/// A float as a key: Go's shortest form (`%g`) of its 32 bits.
fn float_key(float: f64) -> String {
    let float = float as f32;
    if float.is_nan() {
        return ".nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse().unwrap_or(0) {
        -4..6 => float.to_string(),
        exponent => format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, i32::abs(exponent)),
    }
}
