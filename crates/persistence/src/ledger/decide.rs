//! The decisions of a batch, one query after the other, as if each were alone. Pure: what was read goes in, what is
//! to be written comes out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::NaiveDate;
use idcheck_domain::{
    key::Environment,
    lockout::{self, Strikes},
    sandbox::{self, Played},
    taipei,
    value::UnifiedBusinessNumber,
    verification::{CardData, CardStatus, VerificationResult, compare},
};
use idcheck_usecases::ports::{Ask, CardQuestion, LedgerAnswer, LedgerEntry, Limits};

use crate::{Vault, entity::record, rows::micros, vault::HASH_LEN};

pub(super) type PersonHash = [u8; HASH_LEN];

/// The keyed hash of the ID number that a query asks about.
pub(super) fn person_hash(vault: &Vault, entry: &LedgerEntry) -> Option<PersonHash> {
    match (&entry.ask, entry.environment) {
        (Ask::Card { question, .. }, Environment::Production) => Some(vault.person(&question.person_id)),
        (Ask::Card { question, .. }, Environment::Sandbox) => {
            Some(vault.sandbox_person(entry.ubn, &question.person_id))
        }
        (Ask::Refused(_), _) => None,
    }
}

/// An organisation's day in an environment: counts of the sandbox are its own.
pub(super) type OrganisationDay = (UnifiedBusinessNumber, &'static str, NaiveDate);
/// A person's day in an environment.
pub(super) type PersonDay = (PersonHash, &'static str, NaiveDate);

/// What one organisation did on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DayCount {
    pub(super) queries: i64,
    pub(super) wrong: i64,
}

/// What the store holds about a batch's queries.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Organisations whose access is active.
    pub(super) active: HashSet<UnifiedBusinessNumber>,
    /// Tokens used before, by organisation.
    pub(super) used: HashSet<(UnifiedBusinessNumber, String)>,
    /// Suspended users, by organisation.
    pub(super) suspended: HashSet<(UnifiedBusinessNumber, String)>,
    /// Counts by organisation and day.
    pub(super) days: BTreeMap<OrganisationDay, DayCount>,
    /// Strikes by person and day.
    pub(super) strikes: BTreeMap<PersonDay, Strikes>,
    /// The callers' epoch.
    pub(super) epoch: i64,
    /// Cards by person.
    pub(super) register: HashMap<PersonHash, (CardData, CardStatus)>,
}

/// What is to be written beside the records.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Tokens used now: organisation, `jti`, end in microseconds.
    pub(super) used: Vec<(UnifiedBusinessNumber, String, i64)>,
    /// New counts of the organisations' days.
    pub(super) days: BTreeMap<OrganisationDay, DayCount>,
    /// New strikes.
    pub(super) strikes: BTreeMap<PersonDay, Strikes>,
}

/// The outcome of a batch.
pub(super) struct Decided {
    pub(super) answers: Vec<LedgerAnswer>,
    pub(super) records: Vec<record::Model>,
    pub(super) writes: Writes,
}

/// Decides every query in its order. `seq` is the batch's entry in the chain.
pub(super) fn decide(
    entries: &[LedgerEntry],
    hashes: &[Option<PersonHash>],
    mut state: State,
    seq: i64,
) -> Decided {
    let mut decided = Decided {
        answers: Vec::with_capacity(entries.len()),
        records: Vec::with_capacity(entries.len()),
        writes: Writes::default(),
    };
    let mut changed_days = BTreeSet::new();
    let mut changed_strikes = BTreeSet::new();
    let mut position = 0;
    for (entry, hash) in entries.iter().zip(hashes) {
        if matches!(entry.ask, Ask::Card { .. }) && entry.epoch.is_some_and(|epoch| epoch != state.epoch) {
            decided.answers.push(LedgerAnswer::Outdated);
            continue;
        }
        let (answer, outcome) = match (&entry.ask, hash) {
            (Ask::Card { question, jti, token_expires_at, limits }, Some(hash)) => {
                let query = Query { entry, question, jti, limits, hash };
                let answer = query.answer(&mut state);
                if let LedgerAnswer::Result(result) = answer {
                    let token = token(entry.environment, jti).into_owned();
                    decided.writes.used.push((entry.ubn, token, micros(*token_expires_at)));
                    changed_days.insert(query.organisation_day());
                    // A result that the sandbox plays left no count.
                    if result.is_strike() {
                        changed_strikes.insert(query.person_day());
                    }
                }
                (answer, word(answer))
            }
            (Ask::Refused(code), _) => (LedgerAnswer::Recorded, code.as_str().to_owned()),
            // There is a hash for every question.
            (Ask::Card { .. }, None) => (LedgerAnswer::AccessEnded, word(LedgerAnswer::AccessEnded)),
        };
        decided.answers.push(answer);
        decided.records.push(record::Model {
            seq,
            position,
            at: micros(entry.at),
            ubn: entry.ubn.to_string(),
            environment: entry.environment.as_str().to_owned(),
            user_id: entry.user_id.clone(),
            address: entry.address.to_string(),
            person_hash: hash.map(Vec::from),
            outcome,
        });
        position += 1;
    }
    decided.writes.days = state.days.into_iter().filter(|(key, _)| changed_days.contains(key)).collect();
    decided.writes.strikes =
        state.strikes.into_iter().filter(|(key, _)| changed_strikes.contains(key)).collect();
    decided
}

/// A token as it is known once it is used: one that was tried in the sandbox is new in production.
pub(super) fn token(environment: Environment, jti: &str) -> Cow<'_, str> {
    match environment {
        Environment::Production => jti.into(),
        Environment::Sandbox => format!("sandbox\u{1f}{jti}").into(),
    }
}

/// The outcome as the record keeps it: the digit of a result, or a word.
fn word(answer: LedgerAnswer) -> String {
    match answer {
        LedgerAnswer::Result(result) => result.code().to_string(),
        LedgerAnswer::Recorded => "recorded".to_owned(),
        LedgerAnswer::AccessEnded => "accessEnded".to_owned(),
        // Nothing is recorded of it.
        LedgerAnswer::Outdated => "outdated".to_owned(),
        LedgerAnswer::QuotaExceeded => "quotaExceeded".to_owned(),
        LedgerAnswer::BudgetExceeded => "budgetExceeded".to_owned(),
        LedgerAnswer::Replayed => "replayed".to_owned(),
    }
}

/// One question with what it is decided by.
struct Query<'b> {
    entry: &'b LedgerEntry,
    question: &'b CardQuestion,
    jti: &'b str,
    limits: &'b Limits,
    hash: &'b PersonHash,
}

impl Query<'_> {
    /// The Taipei day that the strike belongs to.
    fn day(&self) -> NaiveDate {
        taipei::day(self.entry.at)
    }

    fn organisation_day(&self) -> OrganisationDay {
        (self.entry.ubn, self.entry.environment.as_str(), self.day())
    }

    fn person_day(&self) -> PersonDay {
        (*self.hash, self.entry.environment.as_str(), self.day())
    }

    /// Checks 6 and 9 to 13, in that order; the state goes on as this query leaves it. In the sandbox there are no
    /// checks 6 and 11, and no register but the made-up one.
    fn answer(&self, state: &mut State) -> LedgerAnswer {
        let ubn = self.entry.ubn;
        let production = self.entry.environment == Environment::Production;
        if production && !state.active.contains(&ubn) {
            return LedgerAnswer::AccessEnded;
        }
        let count = state.days.entry(self.organisation_day()).or_default();
        if count.queries >= i64::from(self.limits.quota) {
            return LedgerAnswer::QuotaExceeded;
        }
        if count.wrong >= i64::from(self.limits.budget) {
            return LedgerAnswer::BudgetExceeded;
        }
        if !state.used.insert((ubn, token(self.entry.environment, self.jti).into_owned())) {
            return LedgerAnswer::Replayed;
        }
        count.queries += 1;
        if production && state.suspended.contains(&(ubn, self.entry.user_id.clone())) {
            return LedgerAnswer::Result(VerificationResult::UserSuspended);
        }
        let registered = if production {
            state.register.get(self.hash).copied()
        } else {
            if let Some(Played::Result(result)) = sandbox::played(&self.question.person_id) {
                return LedgerAnswer::Result(result);
            }
            sandbox::registered(&self.question.person_id)
        };
        let strikes = state.strikes.entry(self.person_day()).or_default();
        let (result, after) = lockout::answer(*strikes, || compare(&self.question.data, registered.as_ref()));
        *strikes = after;
        count.wrong += i64::from(result.is_strike());
        LedgerAnswer::Result(result)
    }
}
