//! When an action is tried again.

use crate::{
    action::Outcome,
    duration::Duration,
    model::{Retry, RetryOn},
};

/// Time before the first repetition when the author does not say.
const DELAY: Duration = Duration::from_secs(1);
/// The longest time between two attempts when the author does not say.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// How long to wait before the next attempt, or `None` when there is none. `attempts` is how many were made.
///
/// The delay grows by `factor` from attempt to attempt. It has no jitter: a run must be explainable, and one engine
/// hammering on its own is no thundering herd.
#[must_use]
pub fn next(retry: Option<&Retry>, attempts: u32, outcome: Outcome) -> Option<Duration> {
    let retry = retry?;
    let wanted = match outcome {
        Outcome::Failed => RetryOn::Failure,
        Outcome::TimedOut => RetryOn::Timeout,
        Outcome::Succeeded | Outcome::Stopped => return None,
    };
    if attempts >= *retry.attempts || retry.on.as_ref().is_some_and(|on| !on.contains(&wanted)) {
        return None;
    }
    let factor = retry.factor.as_ref().map_or(2.0, |factor| **factor);
    let longest = retry.max_delay.unwrap_or(MAX_DELAY).as_std();
    let first = retry.delay.unwrap_or(DELAY).as_std();
    let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
    let seconds = (first.as_secs_f64() * factor.powi(exponent)).min(longest.as_secs_f64());
    // The lower bound keeps a `delay` above `maxDelay` and a NaN from an infinite factor out of the conversion.
    let delay = std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(longest);
    Some(Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Span, Spanned};

    fn retry(attempts: u32) -> Retry {
        Retry {
            attempts: Spanned::new(attempts, Span::default()),
            delay: Some(Duration::from_millis(100)),
            factor: None,
            max_delay: Some(Duration::from_millis(350)),
            on: None,
        }
    }

    #[test]
    fn grows_up_to_the_longest_and_then_stops() {
        let delays: Vec<_> =
            (1..=5).map(|n| next(Some(&retry(5)), n, Outcome::Failed).map(Duration::as_millis)).collect();
        assert_eq!(delays, [Some(100), Some(200), Some(350), Some(350), None]);
    }

    #[test]
    fn only_what_it_is_for() {
        assert_eq!(next(None, 1, Outcome::Failed), None);
        assert_eq!(next(Some(&retry(3)), 1, Outcome::Stopped), None);
        let on_timeout = Retry { on: Some(vec![RetryOn::Timeout]), ..retry(3) };
        assert_eq!(next(Some(&on_timeout), 1, Outcome::Failed), None);
        assert!(next(Some(&on_timeout), 1, Outcome::TimedOut).is_some());
    }

    #[test]
    fn a_huge_factor_is_the_longest_delay() {
        let huge = Retry { factor: Some(Spanned::new(100.0, Span::default())), ..retry(1000) };
        assert_eq!(next(Some(&huge), 999, Outcome::Failed).map(Duration::as_millis), Some(350));
    }
}
