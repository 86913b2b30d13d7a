//! Consent to the eleven notices (圖1) and the five rules of conduct (圖3), recorded with version and time.

use chrono::{DateTime, Utc};

use crate::Violation;

/// Version of the notices in force: the manual of June 108 (2019).
pub const NOTICE_VERSION: &str = "108-06";
/// Version of the rules of conduct in force.
pub const CONDUCT_VERSION: &str = "108-06";

/// What the applicant agreed to, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    notice_version: String,
    conduct_version: String,
    given_at: DateTime<Utc>,
}

impl Consent {
    /// Records consent given to the versions in force.
    ///
    /// # Errors
    /// [`Violation::NoticeVersionOutdated`] or [`Violation::ConductVersionOutdated`] when the applicant read
    /// another version than the one in force.
    pub fn given(
        notice_version: &str,
        conduct_version: &str,
        given_at: DateTime<Utc>,
    ) -> Result<Self, Violation> {
        if notice_version != NOTICE_VERSION {
            return Err(Violation::NoticeVersionOutdated);
        }
        if conduct_version != CONDUCT_VERSION {
            return Err(Violation::ConductVersionOutdated);
        }
        Ok(Self::recorded(notice_version.into(), conduct_version.into(), given_at))
    }

    /// A consent as it was recorded, of whatever version then was in force.
    pub fn recorded(notice_version: String, conduct_version: String, given_at: DateTime<Utc>) -> Self {
        Self { notice_version, conduct_version, given_at }
    }

    /// Version of the notices agreed to.
    pub fn notice_version(&self) -> &str {
        &self.notice_version
    }

    /// Version of the rules of conduct agreed to.
    pub fn conduct_version(&self) -> &str {
        &self.conduct_version
    }

    /// When consent was given.
    pub fn given_at(&self) -> DateTime<Utc> {
        self.given_at
    }
}
