//! Notices of abnormal use: raised by rule, sent, explained, judged (注意事項 九).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    abuse::{Finding, Thresholds, judge},
    notice::{Notice, NoticeId},
    officer::Permission,
    taipei,
    value::{Narrative, Reason, UnifiedBusinessNumber},
};

use super::{CaseworkPorts, CaseworkRefusal, audit, permit};
use crate::ports::{
    AuditEntry, Change, CommitError, MailMessage, Officer, StoreError, UsageTally, Versioned, Write,
};

/// What an officer does with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeStep {
    /// Send it, or ask again.
    Send {
        /// What is to be explained.
        message: Narrative,
        /// Working days to explain, 1 to 30.
        days: u32,
    },
    /// Accept the explanation.
    Accept {
        /// A note for the organisation.
        note: Option<Reason>,
    },
    /// Put it away unsent.
    Dismiss {
        /// Why.
        reason: Reason,
    },
}

impl NoticeStep {
    const fn action(&self) -> &'static str {
        match self {
            Self::Send { .. } => "notice.send",
            Self::Accept { .. } => "notice.accept",
            Self::Dismiss { .. } => "notice.dismiss",
        }
    }
}

/// Officers' work on notices.
#[derive(Clone)]
pub struct HandleNotices {
    ports: CaseworkPorts,
}

impl HandleNotices {
    /// With these ports.
    pub fn new(ports: CaseworkPorts) -> Self {
        Self { ports }
    }

    /// The open notices, overdue ones on top.
    ///
    /// # Errors
    /// [`CaseworkRefusal::Forbidden`] or the store's.
    pub async fn open(&self, officer: &Officer) -> Result<Vec<Versioned<Notice>>, CaseworkRefusal> {
        permit(officer, Permission::ReadCases)?;
        let now = self.ports.clock.now();
        let mut open = self.ports.notices.open().await?;
        // A stable sort: within each part the store's order stays.
        open.sort_by_key(|notice| !notice.value.state.due().is_some_and(|due| due.is_over(now)));
        Ok(open)
    }

    /// One notice.
    ///
    /// # Errors
    /// [`CaseworkRefusal::Forbidden`], [`CaseworkRefusal::Unknown`] or the store's.
    pub async fn find(&self, officer: &Officer, id: NoticeId) -> Result<Versioned<Notice>, CaseworkRefusal> {
        permit(officer, Permission::ReadCases)?;
        let read = self.ports.notices.find(id).await?.ok_or(CaseworkRefusal::Unknown)?;
        let subject = format!("notice:{id}");
        let state = read.value.state.as_str().to_owned();
        self.ports.changes.note(audit(officer, "notice.read", subject, state)).await?;
        Ok(read)
    }

    /// Takes a step on a notice as it was read.
    ///
    /// # Errors
    /// [`CaseworkRefusal::Notice`] where the state refuses it, [`CaseworkRefusal::Stale`] for another version, and the
    /// others.
    pub async fn take(
        &self,
        officer: &Officer,
        id: NoticeId,
        version: i64,
        step: &NoticeStep,
    ) -> Result<Versioned<Notice>, CaseworkRefusal> {
        permit(officer, Permission::GovernAccess)?;
        let now = self.ports.clock.now();
        let read = self.ports.notices.find(id).await?.ok_or(CaseworkRefusal::Unknown)?;
        let held = self.ports.organisation(read.value.ubn).await?.value;
        let company = held.name.as_str().to_owned();
        let rule = read.value.rule;
        let mut change = Change::default();
        let after = match step {
            NoticeStep::Send { message, days } => {
                let calendar = self.ports.calendar.load().await?;
                let sent = read.value.send(message.clone(), *days, officer.id, now, &calendar)?;
                let due = sent.state.due().map_or(taipei::day(now), |due| due.date);
                let message = message.as_str().to_owned();
                let message = MailMessage::NoticeSent { company, rule, message, due };
                change.mail.push(self.ports.mail(&held, message, now));
                sent
            }
            NoticeStep::Accept { note } => {
                let accepted = read.value.accept(officer.id, note.clone(), now)?;
                let note = note.as_ref().map(|note| note.as_str().to_owned());
                let message = MailMessage::NoticeAccepted { company, rule, note };
                change.mail.push(self.ports.mail(&held, message, now));
                accepted
            }
            NoticeStep::Dismiss { reason } => read.value.dismiss(officer.id, reason.clone(), now)?,
        };
        if read.version != version {
            return Err(CaseworkRefusal::Stale);
        }
        let detail = format!("organisation:{} rule:{}", after.ubn, rule.as_str());
        change.audit.push(audit(officer, step.action(), format!("notice:{id}"), detail));
        change.notices.push(Write::Update { value: after.clone(), expected: version });
        self.ports.commit(change).await?;
        Ok(Versioned { value: after, version: version + 1 })
    }
}

/// How many records are counted in one transaction.
const STRIDE: u32 = 2_000;
/// How long after midnight the day before is still looked at, in minutes: what came last is counted by then.
const AFTER_MIDNIGHT: i64 = 15;

/// Counts what comes, and raises what the rules find. Any number of nodes may run it: each record is counted once,
/// each notice raised once.
#[derive(Clone)]
pub struct WatchUsage {
    ports: CaseworkPorts,
    tally: Arc<dyn UsageTally>,
    thresholds: Thresholds,
}

impl WatchUsage {
    /// With these ports and thresholds.
    pub fn new(ports: CaseworkPorts, tally: Arc<dyn UsageTally>, thresholds: Thresholds) -> Self {
        Self { ports, tally, thresholds }
    }

    /// Counts everything there is and raises what was found; tells how many notices that were.
    ///
    /// # Errors
    /// The store's; the next turn goes on where this one ended.
    pub async fn execute(&self) -> Result<usize, StoreError> {
        while self.tally.advance(STRIDE).await? == STRIDE {}
        let now = self.ports.clock.now();
        let days = [taipei::day(now - TimeDelta::minutes(AFTER_MIDNIGHT)), taipei::day(now)];
        let mut raised = self.raise(days[0], now).await?;
        if days[1] != days[0] {
            raised += self.raise(days[1], now).await?;
        }
        Ok(raised)
    }

    async fn raise(&self, day: chrono::NaiveDate, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let standing = self.ports.notices.standing(day).await?;
        let mut raised = 0;
        for activity in self.tally.activities(day, &self.thresholds).await? {
            for finding in judge(&activity, &self.thresholds) {
                let key = (activity.ubn, finding.rule, finding.evidence.user_id.clone());
                if !standing.contains(&key) && self.raise_one(activity.ubn, finding, now).await? {
                    raised += 1;
                }
            }
        }
        Ok(raised)
    }

    async fn raise_one(
        &self,
        ubn: UnifiedBusinessNumber,
        finding: Finding,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let id = NoticeId(self.ports.entropy.uuid(now));
        let entry = AuditEntry {
            actor: "system".to_owned(),
            action: "notice.raise".to_owned(),
            subject: format!("notice:{id}"),
            detail: format!("organisation:{ubn} rule:{}", finding.rule.as_str()),
        };
        let notice = Notice::raise(id, ubn, finding, now);
        let change = Change { notices: vec![Write::Insert(notice)], audit: vec![entry], ..Change::default() };
        match self.ports.changes.commit(change).await {
            Ok(()) => Ok(true),
            Err(CommitError::Store(error)) => Err(error),
            // Another node was first.
            Err(
                CommitError::OpenCase
                | CommitError::Conflict
                | CommitError::ChallengeSpent
                | CommitError::AccountTaken
                | CommitError::KeyKnown,
            ) => Ok(false),
        }
    }
}
