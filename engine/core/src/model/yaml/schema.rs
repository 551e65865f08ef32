//! The core schema of YAML 1.2: what a plain scalar is when a typed value is wanted.
//!
//! Duty: text to value. `y`, `no` and `on` are texts here, and so is `0777` a decimal number.

/// What a scalar is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Core {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number. What does not fit is a [`Core::Float`].
    Int(i128),
    /// A number.
    Float(f64),
    /// Anything else.
    Text,
}

impl Core {
    /// What a plain scalar is.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..).unwrap_or_default()),
            Some(b'+') => (false, text.get(1..).unwrap_or_default()),
            _ => (false, text),
        };
        if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
            return Self::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        // Most texts are words: they must not cost more than a look at their first letter.
        if !unsigned.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
            return Self::Text;
        }
        if unsigned.len() == text.len() {
            for (prefix, radix) in [("0x", 16), ("0o", 8)] {
                if let Some(digits) = text.strip_prefix(prefix) {
                    // `from_str_radix` would take a sign here.
                    let clean = digits.chars().all(|digit| digit.is_digit(radix));
                    return match i128::from_str_radix(digits, radix) {
                        Ok(number) if clean => Self::Int(number),
                        _ => Self::Text,
                    };
                }
            }
        }
        if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(number) = text.parse() {
                return Self::Int(number);
            }
        } else if !is_float(unsigned) {
            return Self::Text;
        }
        text.parse().map_or(Self::Text, Self::Float)
    }
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(tail) = rest.strip_prefix('.') {
        let fraction = digits(tail);
        if whole + fraction == 0 {
            return false;
        }
        rest = tail.get(fraction..).unwrap_or_default();
    } else if whole == 0 {
        return false;
    }
    match rest.strip_prefix(['e', 'E']) {
        None => rest.is_empty(),
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Core;

    #[test]
    fn knows_the_core_schema() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(Core::of(text), Core::Null, "{text}");
        }
        for (text, number) in [("0", 0), ("-7", -7), ("+3", 3), ("0777", 777), ("0x1F", 31), ("0o17", 15)] {
            assert_eq!(Core::of(text), Core::Int(number), "{text}");
        }
        for (text, number) in [("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("-1e3", -1e3), ("1E-2", 0.01)] {
            assert_eq!(Core::of(text), Core::Float(number), "{text}");
        }
        assert_eq!(Core::of("-.inf"), Core::Float(f64::NEG_INFINITY));
        assert!(matches!(Core::of(&"9".repeat(60)), Core::Float(number) if number > 1e59));
    }

    #[test]
    fn leaves_words_alone() {
        let words = [
            "y", "no", "on", "Yes", "tRUE", "nULL", "0x", "0xg", "0x-1", "-0x1", "0o8", ".", "-", "+", "1e", "1_000",
            "1.2.3", "inf", "nan", "1 ", "１", "e3", "-.", "0b1", "+.nan", "12:30",
        ];
        for text in words {
            assert_eq!(Core::of(text), Core::Text, "{text}");
        }
    }
}
