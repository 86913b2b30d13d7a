//! What a case asks for (申請事項).

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Violation,
    value::{Purpose, Reason, UnifiedBusinessNumber},
    words::words,
};

/// Longest overlap in which old and new addresses are both valid, in days (**decided**).
pub const MAX_OVERLAP_DAYS: u8 = 7;
/// How far ahead a cut-over may be set, in days (**decided**).
pub const MAX_CUT_OVER_DAYS: i64 = 30;

words! {
    /// The three kinds of case.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Kind(as_str) {
        /// API申請.
        Apply = "apply",
        /// 更改連線主機網路位址.
        ChangeAddress = "changeAddress",
        /// API停用.
        Suspend = "suspend",
    }
}

/// A kind with what it alone carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To be given access.
    Apply {
        /// By which authority's which rule (注意事項 四).
        purpose: Purpose,
        /// The number before a change of number (注意事項 八(三)).
        former_ubn: Option<UnifiedBusinessNumber>,
    },
    /// To replace the host addresses (注意事項 七).
    ChangeAddress {
        /// Why.
        reason: Reason,
        /// When the new addresses take over; at the decision when absent.
        cut_over_at: Option<DateTime<Utc>>,
        /// Days after the cut-over in which the old addresses stay valid, 0 to 7.
        overlap_days: u8,
    },
    /// To give access up (注意事項 八).
    Suspend {
        /// Why.
        reason: Reason,
    },
}

impl Request {
    /// An application for access.
    ///
    /// # Errors
    /// [`Violation::FormerUbnSame`] when the former number is the number that applies.
    pub fn apply(
        purpose: Purpose,
        ubn: UnifiedBusinessNumber,
        former_ubn: Option<UnifiedBusinessNumber>,
    ) -> Result<Self, Violation> {
        if former_ubn == Some(ubn) {
            return Err(Violation::FormerUbnSame);
        }
        Ok(Self::Apply { purpose, former_ubn })
    }

    /// A change of addresses; `now` bounds the cut-over.
    ///
    /// # Errors
    /// [`Violation::CutOverTime`] for a cut-over in the past or too far ahead, [`Violation::OverlapDays`] for an
    /// overlap that is too long or has no cut-over to overlap.
    pub fn change_address(
        reason: Reason,
        cut_over_at: Option<DateTime<Utc>>,
        overlap_days: u8,
        now: DateTime<Utc>,
    ) -> Result<Self, Violation> {
        if let Some(at) = cut_over_at {
            Self::admits_cut_over(at, now)?;
        }
        if overlap_days > MAX_OVERLAP_DAYS || (overlap_days > 0 && cut_over_at.is_none()) {
            return Err(Violation::OverlapDays);
        }
        Ok(Self::ChangeAddress { reason, cut_over_at, overlap_days })
    }

    /// Whether new addresses may take over at a moment.
    ///
    /// # Errors
    /// [`Violation::CutOverTime`] when it is past or more than [`MAX_CUT_OVER_DAYS`] ahead.
    pub fn admits_cut_over(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Violation> {
        let latest = now + TimeDelta::days(MAX_CUT_OVER_DAYS);
        if (now..=latest).contains(&at) { Ok(()) } else { Err(Violation::CutOverTime) }
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Apply { .. } => Kind::Apply,
            Self::ChangeAddress { .. } => Kind::ChangeAddress,
            Self::Suspend { .. } => Kind::Suspend,
        }
    }
}
