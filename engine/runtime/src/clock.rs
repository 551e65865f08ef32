//! Instants as they are recorded.
//!
//! Duty: one precision for all of them. It must not read a clock.

use jiff::Timestamp;

/// Evidence tells microseconds.
#[must_use]
pub fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
