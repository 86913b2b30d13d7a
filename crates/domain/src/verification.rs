//! What is asked about a card, how it is compared, and the results (`checkIdCardApply`).

use crate::value::{ApplyCode, IssueSite, RocDate};

/// The printed data of a card, less the ID number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardData {
    /// What it was issued for.
    pub apply_code: ApplyCode,
    /// The day it was issued.
    pub applied_on: RocDate,
    /// Where it was issued.
    pub issue_site: IssueSite,
}

impl std::fmt::Debug for CardData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardData(…)")
    }
}

/// What the household register says about the card itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CardStatus {
    /// In use.
    Normal,
    /// The ID number is out of use (result 6).
    OutOfUse,
    /// The holder reported the card lost (result 7).
    ReportedLost,
}

/// The outcome of comparing a query with the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// All data are the same; the status of the card is reported.
    Same(CardStatus),
    /// Something differs, or the ID number is not in the register (**decided**: unknown counts as wrong).
    Different,
}

/// Compares without stopping at the first difference. An ID number that is not in the register is `Different` too,
/// and the status of a card is reported only to a caller whose data match (**decided**: else it would be an oracle).
///
/// ```
/// use idcheck_domain::{
///     value::{ApplyCode, IssueSite, RocDate},
///     verification::{CardData, CardStatus, Comparison, compare},
/// };
///
/// let card = |year| -> Result<CardData, idcheck_domain::Violation> {
///     Ok(CardData {
///         apply_code: ApplyCode::First,
///         applied_on: RocDate::parse(&format!("{year}0617"))?,
///         issue_site: IssueSite::parse("63000")?,
///     })
/// };
/// let registered = (card(108)?, CardStatus::ReportedLost);
/// assert_eq!(compare(&card(108)?, Some(&registered)), Comparison::Same(CardStatus::ReportedLost));
/// assert_eq!(compare(&card(109)?, Some(&registered)), Comparison::Different);
/// assert_eq!(compare(&card(108)?, None), Comparison::Different);
/// # Ok::<(), idcheck_domain::Violation>(())
/// ```
pub fn compare(asked: &CardData, registered: Option<&(CardData, CardStatus)>) -> Comparison {
    match registered {
        Some((data, status)) => {
            #[expect(
                clippy::needless_bitwise_bool,
                reason = "the time taken must not tell which field differs"
            )]
            let same = (data.apply_code == asked.apply_code)
                & (data.applied_on == asked.applied_on)
                & (data.issue_site == asked.issue_site);
            if same { Comparison::Same(*status) } else { Comparison::Different }
        }
        None => Comparison::Different,
    }
}

/// `checkIdCardApply` 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerificationResult {
    /// 1: the data match.
    Match,
    /// 2: wrong, the first time today.
    FirstMismatch,
    /// 3: wrong, the second time today.
    SecondMismatch,
    /// 4: wrong, the third time today: compared, and locked from here on.
    ThirdMismatch,
    /// 5: locked; nothing was compared.
    Locked,
    /// 6: the ID number is out of use.
    OutOfUse,
    /// 7: the card was reported lost.
    ReportedLost,
    /// 8: this `userId` is suspended for abnormal use.
    UserSuspended,
}

impl VerificationResult {
    /// All results in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Match,
        Self::FirstMismatch,
        Self::SecondMismatch,
        Self::ThirdMismatch,
        Self::Locked,
        Self::OutOfUse,
        Self::ReportedLost,
        Self::UserSuspended,
    ];

    /// The digit on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Match => 1,
            Self::FirstMismatch => 2,
            Self::SecondMismatch => 3,
            Self::ThirdMismatch => 4,
            Self::Locked => 5,
            Self::OutOfUse => 6,
            Self::ReportedLost => 7,
            Self::UserSuspended => 8,
        }
    }

    /// The result with this digit.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// Wrong answers left to this ID number today, where the result tells it.
    pub const fn attempts_left(self) -> Option<u8> {
        match self {
            Self::FirstMismatch => Some(2),
            Self::SecondMismatch => Some(1),
            Self::ThirdMismatch | Self::Locked => Some(0),
            Self::Match | Self::OutOfUse | Self::ReportedLost | Self::UserSuspended => None,
        }
    }

    /// Whether it is a wrong answer, one that costs a strike.
    pub const fn is_strike(self) -> bool {
        matches!(self, Self::FirstMismatch | Self::SecondMismatch | Self::ThirdMismatch)
    }
}
