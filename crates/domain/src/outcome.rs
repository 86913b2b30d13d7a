//! What became of a query, as its record keeps it: a result, or why there is none. The words are stable: they stand in records, in
//! counts and in exports, and the hash chain covers them.

use crate::{verification::VerificationResult, words::words};

words! {
    /// Why a query was refused before anything was asked.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum QueryRefusal(as_str) {
        /// The address is not registered, and a key of the organisation signed the token (check 3).
        AddressNotRegistered = "addressNotRegistered",
        /// The address is not registered, and the token proves nothing: anybody who knows the Iss Key can send it, so it counts
        /// for nothing (check 3).
        AddressUnproven = "addressUnproven",
        /// No current key of the organisation signed the token (check 4).
        SignatureInvalid = "signatureInvalid",
        /// The times of the token are not right (check 5).
        TokenTimes = "tokenTimes",
        /// The organisation has no access, or lost it before the record (check 6).
        AccessEnded = "accessEnded",
        /// Account, organisation or Iss Key do not belong together (check 7).
        AccountMismatch = "accountMismatch",
        /// The question is malformed (check 8).
        ConditionMalformed = "conditionMalformed",
        /// Too many queries in a short time (check 9).
        RateExceeded = "rateExceeded",
    }
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordedOutcome {
    /// It was answered.
    Result(VerificationResult),
    /// It was refused before anything was asked.
    Refused(QueryRefusal),
    /// The day's quota is used up (check 9).
    QuotaExceeded,
    /// The day's budget of wrong answers is used up (check 9).
    BudgetExceeded,
    /// The token was used before (check 10).
    Replayed,
}

impl RecordedOutcome {
    /// Every outcome.
    pub fn all() -> impl Iterator<Item = Self> {
        let results = VerificationResult::ALL.into_iter().map(Self::Result);
        let refusals = QueryRefusal::ALL.into_iter().map(Self::Refused);
        results.chain(refusals).chain([Self::QuotaExceeded, Self::BudgetExceeded, Self::Replayed])
    }

    /// Stable identifier in the record: of a result its digit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Result(VerificationResult::Match) => "1",
            Self::Result(VerificationResult::FirstMismatch) => "2",
            Self::Result(VerificationResult::SecondMismatch) => "3",
            Self::Result(VerificationResult::ThirdMismatch) => "4",
            Self::Result(VerificationResult::Locked) => "5",
            Self::Result(VerificationResult::OutOfUse) => "6",
            Self::Result(VerificationResult::ReportedLost) => "7",
            Self::Result(VerificationResult::UserSuspended) => "8",
            Self::Refused(refusal) => refusal.as_str(),
            Self::QuotaExceeded => "quotaExceeded",
            Self::BudgetExceeded => "budgetExceeded",
            Self::Replayed => "replayed",
        }
    }

    /// The outcome of a word; none of a word that only a newer version knows.
    pub fn parse(word: &str) -> Option<Self> {
        Self::all().find(|outcome| outcome.as_str() == word)
    }

    /// The result, where there is one.
    pub const fn result(self) -> Option<VerificationResult> {
        if let Self::Result(result) = self { Some(result) } else { None }
    }

    /// Whether it is a wrong answer, which costs a strike (注意事項 六).
    pub fn is_wrong(self) -> bool {
        self.result().is_some_and(VerificationResult::is_strike)
    }

    /// Whether the data were compared with the register.
    pub const fn was_compared(self) -> bool {
        matches!(
            self,
            Self::Result(
                VerificationResult::Match
                    | VerificationResult::FirstMismatch
                    | VerificationResult::SecondMismatch
                    | VerificationResult::ThirdMismatch
                    | VerificationResult::OutOfUse
                    | VerificationResult::ReportedLost
            )
        )
    }

    /// Whether it counts as an attempt at the ID number: a wrong answer, or a query about a locked number.
    pub fn is_attempt(self) -> bool {
        self.is_wrong() || self == Self::Result(VerificationResult::Locked)
    }

    /// Whether it locked the ID number until midnight (注意事項 六).
    pub fn locks(self) -> bool {
        self == Self::Result(VerificationResult::ThirdMismatch)
    }
}
