//! Quantities (`500m`, `1Gi`), as the API server reads and writes them.
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>

use serde_json::Value;
use std::fmt;

#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    /// In units of 10⁻⁹, the finest that a quantity has.
    nanos: i128,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Decimal,
    Exponent,
    Binary,
}

const UNIT: i128 = 1_000_000_000;
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// Also reads a number, as people write `cpu: 2`. `None`: not a quantity, or beyond any that fits.
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            // The API server takes what is empty for nothing.
            Value::Null => Self::parse("0"),
            Value::String(text) if text.is_empty() => Self::parse("0"),
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (number, suffix) =
            digits.split_at(digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len()));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let (format, numerator, denominator) = unit(suffix)?;
        let mantissa: i128 =
            if fraction.is_empty() { whole.parse() } else { [whole, fraction].concat().parse() }.ok()?;
        let denominator = 10_i128.checked_pow(fraction.len().try_into().ok()?)?.checked_mul(denominator)?;
        let scaled = mantissa.checked_mul(numerator)?.checked_mul(UNIT)?;
        // Finer than a nano is rounded up.
        let nanos = scaled.checked_add(denominator - 1)? / denominator;
        Some(Self { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// Resources of Pods are whole thousandths: `0.0001` is `1m`.
    pub fn in_thousandths(self) -> Self {
        let milli = UNIT / 1000;
        Self { nanos: self.nanos.saturating_add((milli - 1) * self.nanos.signum()) / milli * milli, ..self }
    }

    pub fn plus(self, other: Self) -> Self {
        let format = if self.nanos == 0 { other.format } else { self.format };
        Self { nanos: self.nanos.saturating_add(other.nanos), format }
    }
}

/// The format that a suffix stands for, and its factor as a fraction.
fn unit(suffix: &str) -> Option<(Format, i128, i128)> {
    if let Some(power) = BINARY.iter().skip(1).position(|unit| *unit == suffix) {
        return Some((Format::Binary, 1024_i128.checked_pow(power as u32 + 1)?, 1));
    }
    let (format, exponent) = match DECIMAL.iter().position(|unit| *unit == suffix) {
        Some(index) => (Format::Decimal, index as i32 * 3 - 9),
        None => (Format::Exponent, suffix.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    let factor = 10_i128.checked_pow(exponent.unsigned_abs())?;
    Some(if exponent < 0 { (format, 1, factor) } else { (format, factor, 1) })
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.nanos.partial_cmp(&other.nanos)
    }
}

/// The canonical form: no fraction, and the largest suffix that needs none.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let whole = self.nanos / UNIT;
        if self.format == Format::Binary && self.nanos % UNIT == 0 && whole.abs() >= 1024 {
            let power = (1..BINARY.len()).take_while(|power| whole % 1024_i128.pow(*power as u32) == 0).count();
            return write!(f, "{}{}", whole / 1024_i128.pow(power as u32), BINARY[power]);
        }
        let power = (1..DECIMAL.len()).take_while(|power| self.nanos % 1000_i128.pow(*power as u32) == 0).count();
        let number = self.nanos / 1000_i128.pow(power as u32);
        match (self.format, power as i32 * 3 - 9) {
            (Format::Exponent, exponent) if exponent != 0 => write!(f, "{number}e{exponent}"),
            _ => write!(f, "{number}{}", DECIMAL[power]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn is_written(quantity: Value, written: &str) {
        assert_eq!(Quantity::read(&quantity).map(|quantity| quantity.to_string()).as_deref(), Some(written));
    }

    #[test]
    fn a_quantity_is_written_in_its_canonical_form() {
        is_written(json!("1000m"), "1");
        is_written(json!("1500m"), "1500m");
        is_written(json!(0.5), "500m");
        is_written(json!(2), "2");
        is_written(json!(1000), "1k");
        is_written(json!("1024Mi"), "1Gi");
        is_written(json!("0.5Gi"), "512Mi");
        is_written(json!("1000Mi"), "1000Mi");
        is_written(json!("512Ki"), "512Ki");
        is_written(json!("100M"), "100M");
        is_written(json!("1e3"), "1e3");
        is_written(json!("0.1Gi"), "107374182400m");
        is_written(json!("1Ki"), "1Ki");
        is_written(json!("0.5Ki"), "512");
        is_written(json!("-2.5"), "-2500m");
        is_written(json!("0"), "0");
        is_written(json!("128974848"), "128974848");
    }

    #[test]
    fn what_is_no_quantity_is_not_read() {
        for value in [json!("one"), json!("1.2.3"), json!("1 Gi"), json!("."), json!(true), json!("1e99"), json!("é")]
        {
            assert!(Quantity::read(&value).is_none(), "{value}");
        }
    }

    #[test]
    fn less_than_a_thousandth_is_rounded_up() {
        assert_eq!(
            Quantity::read(&json!("100u")).map(|quantity| quantity.in_thousandths().to_string()).as_deref(),
            Some("1m")
        );
    }
}
