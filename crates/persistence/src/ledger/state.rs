//! What the chain implies at its end, as far as a decision needs it: the ledger's state, kept in memory and checked with
//! each append.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use idcheck_domain::{lockout::Strikes, value::UnifiedBusinessNumber};

use crate::{
    chain::Head,
    ledger::{
        batch::{DayCount, OrganisationDay, PersonDay, Token, Writes},
        register::Cards,
    },
};

/// Who may ask. Every change of it is an act, and each act is an entry of the chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Callers {
    pub(crate) epoch: i64,
    /// Organisations whose access is active.
    pub(crate) active: HashSet<UnifiedBusinessNumber>,
    pub(crate) suspended: HashMap<UnifiedBusinessNumber, HashSet<String>>,
}

/// The chain's end, and the mark of the register in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) head: Head,
    pub(crate) register: i64,
}

/// The state at the chain's end.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) head: Head,
    /// The mark of the register in force, as it was when the chain's end was locked last.
    pub(crate) register: i64,
    pub(crate) callers: Callers,
    /// The first day of which every count is held: one that is missing is zero.
    pub(crate) since: NaiveDate,
    /// Counts by organisation and day.
    pub(crate) days: HashMap<OrganisationDay, DayCount>,
    /// Strikes by person and day.
    pub(crate) strikes: HashMap<PersonDay, Strikes>,
    pub(crate) lately: Lately,
}

/// What the tables hold that a state lacks: everything since a day, or what entries behind its head changed.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The hash of the entry behind which it begins.
    pub(crate) before: Vec<u8>,
    /// Whether an act is among the entries.
    pub(crate) acts: bool,
    /// Who may ask, where that changed.
    pub(crate) callers: Option<Callers>,
    pub(crate) days: Vec<(OrganisationDay, DayCount)>,
    pub(crate) strikes: Vec<(PersonDay, Strikes)>,
}

/// What is looked up for one batch.
#[derive(Default)]
pub(crate) struct Facts {
    /// Tokens of the batch that were used before.
    pub(crate) used: HashSet<Token>,
    pub(crate) cards: Cards,
}

impl State {
    /// The state of a whole tail.
    pub(crate) fn whole(End { head, register }: End, since: NaiveDate, tail: Tail) -> Self {
        Self {
            head,
            register,
            callers: tail.callers.unwrap_or_default(),
            since,
            days: tail.days.into_iter().collect(),
            strikes: tail.strikes.into_iter().collect(),
            lately: Lately::default(),
        }
    }

    /// Goes on to the chain's end.
    pub(crate) fn follow(&mut self, end: End, tail: Tail) {
        (self.head, self.register) = (end.head, end.register);
        if let Some(callers) = tail.callers {
            self.callers = callers;
        }
        self.days.extend(tail.days);
        self.strikes.extend(tail.strikes);
    }

    /// Goes on by one entry, which this node appended.
    pub(crate) fn appended(&mut self, head: Head, writes: Writes) {
        self.head = head;
        self.days.extend(writes.days);
        self.strikes.extend(writes.strikes);
        self.lately.extend(writes.used.into_iter().map(|used| used.token));
    }

    /// Forgets days before `day`; the tables have them.
    pub(crate) fn forget_before(&mut self, day: NaiveDate) {
        if self.since < day {
            self.since = day;
            self.days.retain(|(_, _, of), _| *of >= day);
            self.strikes.retain(|(_, _, of), _| *of >= day);
        }
    }

    pub(crate) fn is_suspended(&self, ubn: UnifiedBusinessNumber, user: &str) -> bool {
        self.callers.suspended.get(&ubn).is_some_and(|users| users.contains(user))
    }
}

/// Tokens that were used lately. One that is sent again is mostly sent again soon: it is refused without asking the
/// database, whose index has the last word on all others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lately {
    tokens: HashSet<Token>,
    before: HashSet<Token>,
}

/// Tokens of one half; the older half is dropped whole.
const LATELY: usize = 16_384;

impl Lately {
    pub(crate) fn contains(&self, token: &Token) -> bool {
        self.tokens.contains(token) || self.before.contains(token)
    }

    fn extend(&mut self, tokens: impl Iterator<Item = Token>) {
        if self.tokens.len() >= LATELY {
            self.before = std::mem::take(&mut self.tokens);
        }
        self.tokens.extend(tokens);
    }

    /// Learns of tokens that the database knew.
    pub(crate) fn learn(&mut self, used: &HashSet<Token>) {
        self.extend(used.iter().copied());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_lately_is_known_for_a_while_and_not_for_ever() {
        let token = |number: usize| {
            let mut token = [0; 16];
            token[..8].copy_from_slice(&number.to_be_bytes());
            token
        };
        let mut lately = Lately::default();
        for number in 0..LATELY * 3 {
            lately.extend(std::iter::once(token(number)));
            assert!(lately.contains(&token(number)));
            assert!(lately.contains(&token(number.saturating_sub(LATELY - 1))));
        }
        assert!(!lately.contains(&token(0)));
        assert!(lately.tokens.len() + lately.before.len() <= 2 * LATELY);
    }
}
