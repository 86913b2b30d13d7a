//! The sandbox: reserved ID numbers, so that a program can be made and tested without asking about anybody.
//!
//! A number is either *played* — it gives one answer, whatever is asked with it — or belongs to a made-up person whose
//! card is compared and whose wrong answers are counted, as in production but for each organisation by itself. Every
//! other number belongs to nobody. The real register is never asked. The list for readers is `docs/guides/sandbox.md`.

use chrono::NaiveDate;

use crate::{
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::{CardData, CardStatus, VerificationResult},
};

/// The account (`apId`) of every organisation in the sandbox (**decided**).
pub const ACCOUNT: &str = "SBX00";

/// A refusal that can be had on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlayedRefusal {
    /// Check 1: no token.
    TokenMissing,
    /// Check 1: not a token.
    TokenMalformed,
    /// Check 2.
    KeyUnknown,
    /// Check 4.
    SignatureInvalid,
    /// Check 5: `iat` lies ahead.
    NotYetValid,
    /// Check 5: over, or meant to live too long.
    Expired,
    /// Check 10.
    AlreadyUsed,
    /// Check 3.
    AddressNotRegistered,
    /// Check 6.
    AccessEnded,
    /// Check 7; in the strict profile, which has no account, check 8.
    AccountMismatch,
    /// Check 8.
    ConditionMalformed,
    /// Check 9.
    TooManyRequests,
    /// The query can't be recorded.
    Unavailable,
}

/// What a reserved number plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Played {
    /// This result, at no cost.
    Result(VerificationResult),
    /// This refusal.
    Refusal(PlayedRefusal),
}

/// Numbers that always give the same answer.
pub const PLAYED: [(&str, Played); 21] = [
    ("A190000017", Played::Result(VerificationResult::Match)),
    ("A190000026", Played::Result(VerificationResult::FirstMismatch)),
    ("A190000035", Played::Result(VerificationResult::SecondMismatch)),
    ("A190000044", Played::Result(VerificationResult::ThirdMismatch)),
    ("A190000053", Played::Result(VerificationResult::Locked)),
    ("A190000062", Played::Result(VerificationResult::OutOfUse)),
    ("A190000071", Played::Result(VerificationResult::ReportedLost)),
    ("A190000080", Played::Result(VerificationResult::UserSuspended)),
    ("A190000115", Played::Refusal(PlayedRefusal::TokenMissing)),
    ("A190000124", Played::Refusal(PlayedRefusal::TokenMalformed)),
    ("A190000133", Played::Refusal(PlayedRefusal::KeyUnknown)),
    ("A190000142", Played::Refusal(PlayedRefusal::SignatureInvalid)),
    ("A190000151", Played::Refusal(PlayedRefusal::NotYetValid)),
    ("A190000160", Played::Refusal(PlayedRefusal::Expired)),
    ("A190000179", Played::Refusal(PlayedRefusal::AlreadyUsed)),
    ("A190000188", Played::Refusal(PlayedRefusal::AddressNotRegistered)),
    ("A190000197", Played::Refusal(PlayedRefusal::AccessEnded)),
    ("A190000204", Played::Refusal(PlayedRefusal::AccountMismatch)),
    ("A190000213", Played::Refusal(PlayedRefusal::ConditionMalformed)),
    ("A190000222", Played::Refusal(PlayedRefusal::TooManyRequests)),
    ("A190000231", Played::Refusal(PlayedRefusal::Unavailable)),
];

/// A made-up person with a card.
pub struct Person {
    /// The ID number.
    pub number: &'static str,
    /// What the card was issued for.
    pub apply_code: &'static str,
    /// The day it was issued: year, month, day.
    pub applied_on: (i32, u32, u32),
    /// Where it was issued.
    pub issue_site: &'static str,
    /// What the register says of it.
    pub status: CardStatus,
}

/// One for each status.
pub const PERSONS: [Person; 3] = [
    Person {
        number: "A190001014",
        apply_code: "1",
        applied_on: (2019, 6, 17),
        issue_site: "63000",
        status: CardStatus::Normal,
    },
    Person {
        number: "A190001023",
        apply_code: "2",
        applied_on: (2020, 2, 29),
        issue_site: "65000",
        status: CardStatus::OutOfUse,
    },
    Person {
        number: "A190001032",
        apply_code: "3",
        applied_on: (2024, 12, 31),
        issue_site: "10020",
        status: CardStatus::ReportedLost,
    },
];

/// What `number` plays, if it plays anything.
pub fn played(number: &PersonId) -> Option<Played> {
    PLAYED.iter().find(|(reserved, _)| *reserved == number.expose()).map(|(_, played)| *played)
}

/// Whether a number is of the sandbox: played, or of a made-up person.
pub fn is_reserved(number: &PersonId) -> bool {
    played(number).is_some() || PERSONS.iter().any(|person| person.number == number.expose())
}

/// The card of the made-up person with this number.
pub fn registered(number: &PersonId) -> Option<(CardData, CardStatus)> {
    let person = PERSONS.iter().find(|person| person.number == number.expose())?;
    let (year, month, day) = person.applied_on;
    let data = CardData {
        apply_code: ApplyCode::parse(person.apply_code).ok()?,
        applied_on: RocDate::from_date(NaiveDate::from_ymd_opt(year, month, day)?).ok()?,
        issue_site: IssueSite::parse(person.issue_site).ok()?,
    };
    Some((data, person.status))
}
