//! A batch: queries as they wait, what is written of them, and what keeps them from being recorded.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256};
use chrono::NaiveDate;
use idcheck_domain::{
    abuse::Neighbourhood, key::Environment, lockout::Strikes, outcome::RecordedOutcome, taipei,
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{Ask, LedgerAnswer, LedgerEntry};

use crate::kernel::vault::{HASH_LEN, NEIGHBOURS_LEN, Vault};

pub(crate) type PersonHash = [u8; HASH_LEN];

/// The digest by which a used token is known: of its environment, its organisation and its `jti`.
pub(crate) type Token = [u8; TOKEN_LEN];

pub(crate) const TOKEN_LEN: usize = 16;

/// A query with what is made of it before it waits.
pub(crate) struct Asked {
    pub(crate) entry: LedgerEntry,
    /// The Taipei day that it counts for.
    pub(crate) day: NaiveDate,
    /// Where it came from, as it is recorded.
    pub(crate) address: String,
    /// What identifies a question; a refusal has none.
    pub(crate) keys: Option<Keys>,
}

/// By what a question's person and token are known.
pub(crate) struct Keys {
    pub(crate) person: PersonHash,
    /// Of the number's neighbourhood; none in the sandbox.
    pub(crate) neighbours: Option<[u8; NEIGHBOURS_LEN]>,
    pub(crate) token: Token,
}

impl Asked {
    pub(crate) fn new(vault: &Vault, entry: LedgerEntry) -> Self {
        let keys = match &entry.ask {
            Ask::Card { question, jti, .. } => Some(Keys {
                person: match entry.environment {
                    Environment::Production => vault.person(&question.person_id),
                    Environment::Sandbox => vault.sandbox_person(entry.ubn, &question.person_id),
                },
                neighbours: (entry.environment == Environment::Production)
                    .then(|| vault.neighbours(Neighbourhood::of(&question.person_id))),
                token: digest(entry.environment, entry.ubn.as_str(), jti),
            }),
            Ask::Refused(_) => None,
        };
        Self { day: taipei::day(entry.at), address: entry.address.to_string(), entry, keys }
    }

    /// What is recorded of it, answered so.
    pub(crate) fn outcome(&self, answer: LedgerAnswer) -> Option<RecordedOutcome> {
        match &self.entry.ask {
            Ask::Refused(refusal) => Some(RecordedOutcome::Refused(*refusal)),
            Ask::Card { .. } => answer.outcome(),
        }
    }

    /// The keyed hash of the number's neighbourhood, which is recorded of attempts only: nobody else's is kept.
    pub(crate) fn neighbours(&self, outcome: RecordedOutcome) -> Option<&[u8]> {
        let keys = self.keys.as_ref().filter(|_| outcome.is_attempt())?;
        keys.neighbours.as_ref().map(|neighbours| &neighbours[..])
    }

    /// The person, where the register is asked: it is not in the sandbox.
    pub(crate) fn registered(&self) -> Option<&PersonHash> {
        let production = self.entry.environment == Environment::Production;
        self.keys.as_ref().filter(|_| production).map(|keys| &keys.person)
    }
}

fn digest(environment: Environment, ubn: &str, jti: &str) -> Token {
    let mut hash = Context::new(&SHA256);
    // The first two have a length each, so that no two of them together are the same bytes.
    hash.update(&[u8::from(environment == Environment::Production)]);
    hash.update(ubn.as_bytes());
    hash.update(jti.as_bytes());
    let mut token = Token::default();
    token.copy_from_slice(&hash.finish().as_ref()[..TOKEN_LEN]);
    token
}

/// The digest of a token as versions before kept it: one of the sandbox with a word before its `jti`.
pub(crate) fn stored_token(ubn: &str, jti: &str) -> Token {
    jti.strip_prefix("sandbox\u{1f}").map_or_else(
        || digest(Environment::Production, ubn, jti),
        |own| digest(Environment::Sandbox, ubn, own),
    )
}

/// An organisation's day in an environment: counts of the sandbox are its own.
pub(crate) type OrganisationDay = (UnifiedBusinessNumber, &'static str, NaiveDate);

/// A person's day in an environment.
pub(crate) type PersonDay = (PersonHash, &'static str, NaiveDate);

/// What one organisation did on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DayCount {
    pub(crate) queries: i64,
    pub(crate) wrong: i64,
}

/// A token that is used now.
#[derive(Debug)]
pub(crate) struct UsedToken {
    pub(crate) token: Token,
    pub(crate) expires_at: i64,
}

/// What is to be written beside the records.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub(crate) used: Vec<UsedToken>,
    /// New counts of the organisations' days.
    pub(crate) days: HashMap<OrganisationDay, DayCount>,
    pub(crate) strikes: HashMap<PersonDay, Strikes>,
}

/// What kept a batch from being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// No connection, or no end of it: nothing of the batch is there, and trying again is for later.
    Away,
    /// A statement failed: nothing of the batch is there.
    Before,
    /// No word came back: the batch may be there.
    Unknown,
}
