//! The decisions of a batch, one query after the other, as if each were alone. Pure: what is known goes in, what is to
//! be written comes out.

use std::collections::HashSet;

use chrono::NaiveDate;
use idcheck_domain::{
    key::Environment,
    lockout::{self, Strikes},
    sandbox::{self, Played},
    verification::{VerificationResult, compare},
};
use idcheck_usecases::ports::{Ask, CardQuestion, LedgerAnswer, LedgerEntry, Limits};

use crate::{
    chain::RecordView,
    kernel::cell::micros,
    ledger::{
        batch::{Asked, DayCount, Keys, OrganisationDay, PersonDay, Token, UsedToken, Writes},
        state::{Facts, State},
    },
};

/// The outcome of a batch.
pub(crate) struct Decided<'b> {
    pub(crate) answers: Vec<LedgerAnswer>,
    pub(crate) records: Vec<RecordView<'b>>,
    pub(crate) writes: Writes,
}

/// Decides every query in its order.
pub(crate) fn decide<'b>(batch: &'b [Asked], state: &State, facts: &Facts) -> Decided<'b> {
    let mut batches = Batch { state, facts, writes: Writes::default(), used: HashSet::new() };
    let mut answers = Vec::with_capacity(batch.len());
    let mut records = Vec::with_capacity(batch.len());
    let mut position = 0;
    for asked in batch {
        let entry = &asked.entry;
        let question = matches!(entry.ask, Ask::Card { .. });
        if question && entry.epoch.is_some_and(|epoch| epoch != state.callers.epoch) {
            answers.push(LedgerAnswer::Outdated);
            continue;
        }
        let answer = match (&entry.ask, &asked.keys) {
            (Ask::Card { question, token_expires_at, limits, .. }, Some(keys)) => {
                let query = Query { entry, day: asked.day, question, limits, keys };
                let answer = batches.answer(&query);
                if let LedgerAnswer::Result(_) = answer {
                    batches
                        .writes
                        .used
                        .push(UsedToken { token: keys.token, expires_at: micros(*token_expires_at) });
                }
                answer
            }
            (Ask::Refused(_), _) => LedgerAnswer::Recorded,
            // There are keys of every question.
            (Ask::Card { .. }, None) => LedgerAnswer::AccessEnded,
        };
        answers.push(answer);
        let Some(outcome) = asked.outcome(answer) else { continue };
        records.push(RecordView {
            position,
            at: micros(entry.at),
            ubn: entry.ubn.as_str(),
            environment: entry.environment.as_str(),
            user_id: &entry.user_id,
            address: &asked.address,
            person_hash: asked.keys.as_ref().map(|keys| &keys.person[..]),
            outcome: outcome.as_str(),
            neighbours: asked.neighbours(outcome),
        });
        position += 1;
    }
    Decided { answers, records, writes: batches.writes }
}

/// One question with what it is decided by.
struct Query<'b> {
    entry: &'b LedgerEntry,
    day: NaiveDate,
    question: &'b CardQuestion,
    limits: &'b Limits,
    keys: &'b Keys,
}

impl Query<'_> {
    fn organisation_day(&self) -> OrganisationDay {
        (self.entry.ubn, self.entry.environment.as_str(), self.day)
    }

    fn person_day(&self) -> PersonDay {
        (self.keys.person, self.entry.environment.as_str(), self.day)
    }
}

/// A batch under way: what was known before it, and what its queries so far changed.
struct Batch<'b> {
    state: &'b State,
    facts: &'b Facts,
    writes: Writes,
    used: HashSet<Token>,
}

impl Batch<'_> {
    fn day(&self, day: &OrganisationDay) -> DayCount {
        self.writes.days.get(day).or_else(|| self.state.days.get(day)).copied().unwrap_or_default()
    }

    fn strikes(&self, day: &PersonDay) -> Strikes {
        self.writes.strikes.get(day).or_else(|| self.state.strikes.get(day)).copied().unwrap_or_default()
    }

    fn is_used(&self, token: &Token) -> bool {
        self.used.contains(token) || self.facts.used.contains(token) || self.state.lately.contains(token)
    }

    /// Checks 6 and 9 to 13, in that order; what is written goes on as this query leaves it. In the sandbox there are no
    /// checks 6 and 11, and no register but the made-up one.
    fn answer(&mut self, query: &Query<'_>) -> LedgerAnswer {
        let ubn = query.entry.ubn;
        let production = query.entry.environment == Environment::Production;
        if production && !self.state.callers.active.contains(&ubn) {
            return LedgerAnswer::AccessEnded;
        }
        let organisation_day = query.organisation_day();
        let mut count = self.day(&organisation_day);
        if count.queries >= i64::from(query.limits.quota) {
            return LedgerAnswer::QuotaExceeded;
        }
        if count.wrong >= i64::from(query.limits.budget) {
            return LedgerAnswer::BudgetExceeded;
        }
        if self.is_used(&query.keys.token) {
            return LedgerAnswer::Replayed;
        }
        self.used.insert(query.keys.token);
        let (result, wrong) = self.result(query, production);
        count.queries += 1;
        count.wrong += i64::from(wrong);
        self.writes.days.insert(organisation_day, count);
        LedgerAnswer::Result(result)
    }

    /// The result of a question that is let through, and whether it counts as a wrong one: what the sandbox plays never does.
    fn result(&mut self, query: &Query<'_>, production: bool) -> (VerificationResult, bool) {
        if production && self.state.is_suspended(query.entry.ubn, &query.entry.user_id) {
            return (VerificationResult::UserSuspended, false);
        }
        let registered = if production {
            self.facts.cards.get(&query.keys.person)
        } else {
            if let Some(Played::Result(result)) = sandbox::played(&query.question.person_id) {
                return (result, false);
            }
            sandbox::registered(&query.question.person_id)
        };
        let person_day = query.person_day();
        let before = self.strikes(&person_day);
        let (result, after) = lockout::answer(before, || compare(&query.question.data, registered.as_ref()));
        if after != before {
            self.writes.strikes.insert(person_day, after);
        }
        (result, after != before)
    }
}
