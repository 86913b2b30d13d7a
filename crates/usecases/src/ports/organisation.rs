//! Reading what is done about access: requests to revoke, improvement plans, notices of abnormal use.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    abuse::{AbuseRule, Activity, Thresholds},
    notice::{Notice, NoticeId},
    plan::{ImprovementPlan, PlanId},
    revocation::{Revocation, RevocationId},
    value::{CompanyName, EmailAddress, UnifiedBusinessNumber},
};

use crate::ports::{AuditEntry, OutgoingMail, StoreError, UserChange, Versioned};

/// Requests to revoke.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Revocations: Send + Sync {
    /// The request.
    async fn find(&self, id: RevocationId) -> Result<Option<Versioned<Revocation>>, StoreError>;

    /// All requests about an organisation, newest first.
    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError>;

    /// Those that wait for the second person, oldest first.
    async fn waiting(&self) -> Result<Vec<Versioned<Revocation>>, StoreError>;
}

/// Improvement plans.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait ImprovementPlans: Send + Sync {
    /// The plan.
    async fn find(&self, id: PlanId) -> Result<Option<Versioned<ImprovementPlan>>, StoreError>;

    /// All plans of an organisation, newest first.
    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError>;

    /// Those that wait for an officer, oldest first.
    async fn waiting(&self) -> Result<Vec<Versioned<ImprovementPlan>>, StoreError>;
}

/// What makes two notices the same: organisation, rule, and user where it is about one.
pub type NoticeKey = (UnifiedBusinessNumber, AbuseRule, Option<String>);

/// Notices of abnormal use.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Notices: Send + Sync {
    /// The notice.
    async fn find(&self, id: NoticeId) -> Result<Option<Versioned<Notice>>, StoreError>;

    /// All notices about an organisation, newest first.
    async fn of_organisation(&self, ubn: UnifiedBusinessNumber)
    -> Result<Vec<Versioned<Notice>>, StoreError>;

    /// Those that wait for someone: by deadline, those without one after them, oldest first.
    async fn open(&self) -> Result<Vec<Versioned<Notice>>, StoreError>;

    /// What need not be raised again: the keys of open notices, and of those with evidence of `day`.
    async fn standing(&self, day: NaiveDate) -> Result<HashSet<NoticeKey>, StoreError>;
}

/// An organisation that has access and does not use it (注意事項 八(二)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DormantOrganisation {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub name: CompanyName,
    /// The day of its last query, or of its approval where that is later.
    pub since: NaiveDate,
}

/// Who does not use its access.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Dormancy: Send + Sync {
    /// Organisations with active access that were approved and asked last on `day` or before, by number. A query that
    /// was refused counts as one.
    async fn dormant(&self, day: NaiveDate) -> Result<Vec<DormantOrganisation>, StoreError>;
}

/// A user who reached the threshold of a rule that suspends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundUser {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub company: CompanyName,
    /// Where mail to it goes.
    pub to: EmailAddress,
    /// Its user.
    pub user_id: String,
    /// Wrong answers of the day.
    pub wrong: u64,
}

/// What becomes of users who were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspensions {
    /// Those who are suspended.
    pub users: Vec<UserChange>,
    /// Mail to their organisations.
    pub mail: Vec<OutgoingMail>,
    /// Entries of the audit log.
    pub audit: Vec<AuditEntry>,
}

/// Says what becomes of users who were found. MUST be pure but for identities: it is asked inside a transaction.
pub trait Suspend: Send + Sync {
    /// What becomes of them.
    fn suspend(&self, found: Vec<FoundUser>) -> Suspensions;
}

/// Counts of what organisations do, taken from the verification records as they come.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait UsageTally: Send + Sync {
    /// Counts the production records since the last call, and tells how many records of any kind there were: `limit` at most
    /// where they have to be read, some times as many where they are at hand, and none while another process counts. MUST count each record once, over all processes. Users whose wrong answers reach the threshold of
    /// [`AbuseRule::UserMistakes`] and who are not suspended are passed to `suspend`, whose answer is written in the same
    /// transaction.
    async fn advance(
        &self,
        limit: u32,
        thresholds: &Thresholds,
        suspend: &(dyn Suspend + 'static),
    ) -> Result<u32, StoreError>;

    /// What every organisation did on `day`. Users and ID numbers below every one of `thresholds` may be left out.
    async fn activities(&self, day: NaiveDate, thresholds: &Thresholds) -> Result<Vec<Activity>, StoreError>;
}
