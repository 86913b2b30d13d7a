//! The rule of three inside another service: a door that opens to a PIN, and stays shut for the day after three wrong ones.
//!
//! The host keeps the counts, by badge and Taipei day; the rule says what follows from a count and a comparison. Nothing of
//! it is about national ID cards.

use std::{
    collections::HashMap,
    io::{self, Write},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    lockout::{self, Strikes},
    taipei,
    verification::{CardStatus, Comparison, VerificationResult},
};

/// A door. A service on several nodes would keep `strikes` in its database and ask the rule inside the transaction that
/// writes the new count, so that two wrong tries at once are two.
#[derive(Default)]
struct Door {
    pins: HashMap<String, String>,
    strikes: HashMap<(String, NaiveDate), Strikes>,
}

impl Door {
    /// Whether it opens, and how many tries are left today where it does not.
    fn try_pin(&mut self, badge: &str, pin: &str, now: DateTime<Utc>) -> Result<(), u8> {
        let strikes = self.strikes.entry((badge.to_owned(), taipei::day(now))).or_default();
        // A badge that nobody has counts as a wrong PIN, so that trying does not tell which badges there are.
        let known = self.pins.get(badge);
        let (result, after) = lockout::answer(*strikes, || {
            if known.is_some_and(|known| known == pin) {
                Comparison::Same(CardStatus::Normal)
            } else {
                Comparison::Different
            }
        });
        *strikes = after;
        match result {
            VerificationResult::Match => Ok(()),
            refused => Err(refused.attempts_left().unwrap_or_default()),
        }
    }
}

fn main() -> io::Result<()> {
    let mut door = Door::default();
    door.pins.insert("badge-7".to_owned(), "4711".to_owned());
    let mut now = DateTime::UNIX_EPOCH;
    let mut output = io::stdout().lock();
    for pin in ["0000", "1111", "2222", "4711"] {
        match door.try_pin("badge-7", pin, now) {
            Ok(()) => writeln!(output, "{pin}: open")?,
            Err(left) => writeln!(output, "{pin}: shut, {left} tries left today")?,
        }
    }
    now += TimeDelta::days(1);
    writeln!(
        output,
        "the next day: {}",
        if door.try_pin("badge-7", "4711", now).is_ok() { "open" } else { "shut" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_wrong_ones_shut_it_until_midnight_in_taipei() {
        let mut door = Door::default();
        door.pins.insert("badge".to_owned(), "right".to_owned());
        let evening = "2026-11-23T23:59:59+08:00".parse().unwrap();
        let tries = ["wrong", "right", "wrong", "wrong", "right"];
        let told = tries.map(|pin| door.try_pin("badge", pin, evening));
        assert_eq!(told, [Err(2), Ok(()), Err(1), Err(0), Err(0)]);
        assert_eq!(door.try_pin("another", "right", evening), Err(2));
        assert_eq!(door.try_pin("badge", "right", evening + TimeDelta::seconds(1)), Ok(()));
    }
}
