//! Why a case was closed or access taken away, as it is recorded and reported to the organisation.

use crate::value::Reason;

/// A reason in somebody's own words, or one that follows from a rule: whoever displays it chooses the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedReason {
    /// As the applicant or the officer typed it.
    Typed(Reason),
    /// The organisation's access ended, and its open cases with it (**decided**).
    AccessEnded,
    /// The company register has no company of that number (注意事項 十一).
    NotRegistered,
    /// The company register says that the company is no longer a current one (注意事項 十一).
    CompanyStatus(String),
}

impl RecordedReason {
    /// Codes of the reasons that follow from a rule.
    pub const CODES: [&'static str; 3] = ["accessEnded", "notRegistered", "companyStatus"];

    /// Stable identifier; none for typed words.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Typed(_) => None,
            Self::AccessEnded => Some(Self::CODES[0]),
            Self::NotRegistered => Some(Self::CODES[1]),
            Self::CompanyStatus(_) => Some(Self::CODES[2]),
        }
    }

    /// What was typed, or the company register's words for the company's state.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Typed(reason) => Some(reason.as_str()),
            Self::AccessEnded | Self::NotRegistered => None,
            Self::CompanyStatus(status) => Some(status),
        }
    }

    /// The reason with this code, or with this text where there is none; the text is looked at only where it says something.
    pub fn parse(code: Option<&str>, text: &str) -> Option<Self> {
        Some(match code {
            None => Self::Typed(Reason::parse(text).ok()?),
            Some("accessEnded") => Self::AccessEnded,
            Some("notRegistered") => Self::NotRegistered,
            Some("companyStatus") => Self::CompanyStatus(text.to_owned()),
            Some(_) => return None,
        })
    }
}

impl From<Reason> for RecordedReason {
    fn from(typed: Reason) -> Self {
        Self::Typed(typed)
    }
}
