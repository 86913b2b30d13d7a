//! Counting what comes, and raising what the rules of abnormal use find.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding, Measure, Thresholds, judge},
    notice::{Notice, NoticeId},
    taipei,
    value::UnifiedBusinessNumber,
};

use crate::{
    kernel::OfficePorts,
    ports::{
        AuditAction, AuditActor, AuditEntry, Change, CommitError, Entropy, FoundUser, MailMessage,
        OutgoingMail, StoreError, Suspend, Suspensions, UsageTally, UserChange, Versioned, Write,
    },
};

/// How many records are read and counted in one transaction.
const STRIDE: u32 = 250;
/// How long after midnight the day before is still looked at, in minutes: what came last is counted by then.
const AFTER_MIDNIGHT: i64 = 15;

/// Counts what comes, and raises what the rules find. Any number of nodes may run it: each record is counted once,
/// each notice raised once.
#[derive(Clone)]
pub struct WatchUsage {
    ports: OfficePorts,
    tally: Arc<dyn UsageTally>,
    thresholds: Thresholds,
}

impl WatchUsage {
    /// With these ports and thresholds.
    pub fn new(ports: OfficePorts, tally: Arc<dyn UsageTally>, thresholds: Thresholds) -> Self {
        Self { ports, tally, thresholds }
    }

    /// Counts some of what came, few enough that queries hardly wait for it, and suspends users; tells how many records that
    /// were. Whoever calls it until there are none, with pauses, has counted everything.
    ///
    /// # Errors
    /// The store's; the next turn goes on where this one ended.
    pub async fn count(&self) -> Result<u32, StoreError> {
        let now = self.ports.clock.now();
        let suspending = Suspending { now, entropy: Arc::clone(&self.ports.entropy) };
        self.tally.advance(STRIDE, &self.thresholds, &suspending).await
    }

    /// Counts, and raises what was found; tells how many notices that were.
    ///
    /// # Errors
    /// The store's; the next turn goes on where this one ended.
    pub async fn execute(&self) -> Result<usize, StoreError> {
        while self.count().await? >= STRIDE {}
        let now = self.ports.clock.now();
        let days = [taipei::day(now - TimeDelta::minutes(AFTER_MIDNIGHT)), taipei::day(now)];
        let mut raised = self.raise(days[0], now).await?;
        if days[1] != days[0] {
            raised += self.raise(days[1], now).await?;
        }
        Ok(raised)
    }

    async fn raise(&self, day: NaiveDate, now: DateTime<Utc>) -> Result<usize, StoreError> {
        let standing = self.ports.notices.standing(day).await?;
        let open = self.ports.notices.open().await?;
        let key = |notice: &Notice| (notice.ubn, notice.rule, notice.evidence.user_id.clone());
        let open: HashMap<_, _> = open.into_iter().map(|read| (key(&read.value), read)).collect();
        let mut raised = 0;
        for activity in self.tally.activities(day, &self.thresholds).await? {
            for finding in judge(&activity, &self.thresholds) {
                let key = (activity.ubn, finding.rule, finding.evidence.user_id.clone());
                if let Some(read) = open.get(&key) {
                    self.observe(read, &finding, now).await?;
                } else if !standing.contains(&key)
                    && !self.known(activity.ubn, &finding).await?
                    && self.raise_one(activity.ubn, finding, now).await?
                {
                    raised += 1;
                }
            }
        }
        Ok(raised)
    }

    /// Whether the stretch of days that a finding is of holds one that a notice of the rule reported: what was explained
    /// once is not raised again for days on end.
    async fn known(&self, ubn: UnifiedBusinessNumber, finding: &Finding) -> Result<bool, StoreError> {
        let days = finding.evidence.counts.iter().find(|(measure, _)| *measure == Measure::Days);
        let Some((_, days)) = days else { return Ok(false) };
        let first = finding.evidence.day.checked_sub_days(Days::new(*days)).unwrap_or_default();
        let told = self.ports.notices.of_organisation(ubn).await?;
        Ok(told.iter().map(|read| &read.value).any(|notice| {
            let last = notice.later.iter().map(|later| later.day).max().unwrap_or(notice.evidence.day);
            notice.rule == finding.rule && last > first
        }))
    }

    /// Adds to an open notice what its rule finds meanwhile; another node may be first, and does the same.
    /// While the day goes on only what doubled is taken in, so that the officer who reads the notice can act on it.
    async fn observe(
        &self,
        read: &Versioned<Notice>,
        finding: &Finding,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if finding.evidence.day == taipei::day(now) && !doubled(&read.value, &finding.evidence) {
            return Ok(());
        }
        let Some(after) = read.value.clone().observe(&finding.evidence) else { return Ok(()) };
        let detail =
            format!("organisation:{} rule:{} day:{}", after.ubn, after.rule.as_str(), finding.evidence.day);
        let entry = AuditEntry::new(AuditActor::System, AuditAction::NoticeObserve, after.id).detail(detail);
        let write = Write::Update { value: after, expected: read.version };
        let change = Change { notices: vec![write], audit: vec![entry], ..Change::default() };
        match self.ports.changes.commit(change).await {
            Err(CommitError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }

    async fn raise_one(
        &self,
        ubn: UnifiedBusinessNumber,
        finding: Finding,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let id = NoticeId(self.ports.entropy.uuid(now));
        let entry = AuditEntry::new(AuditActor::System, AuditAction::NoticeRaise, id)
            .detail(format!("organisation:{ubn} rule:{}", finding.rule.as_str()));
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
                | CommitError::KeyKnown
                | CommitError::FileUnknown,
            ) => Ok(false),
        }
    }
}

/// Whether something was counted of the day at least twice as often as the notice tells.
fn doubled(notice: &Notice, found: &Evidence) -> bool {
    let Some(known) = notice.counted_on(found.day) else { return true };
    found.counts.iter().any(|(measure, count)| {
        let before = known.iter().find(|(known, _)| known == measure);
        before.is_none_or(|(_, before)| *count >= before.saturating_mul(2))
    })
}

/// Suspends whoever was found, tells the organisation, and leaves an entry in the audit log.
struct Suspending {
    now: DateTime<Utc>,
    entropy: Arc<dyn Entropy>,
}

impl Suspend for Suspending {
    fn suspend(&self, found: Vec<FoundUser>) -> Suspensions {
        const RULE: AbuseRule = AbuseRule::UserMistakes;
        let mut suspensions = Suspensions::default();
        for FoundUser { ubn, company, to, user_id, wrong } in found {
            let message = MailMessage::UserSuspended {
                company: company.as_str().to_owned(),
                user_id: user_id.clone(),
                rule: RULE,
            };
            suspensions.mail.push(OutgoingMail { id: self.entropy.uuid(self.now), about: ubn, to, message });
            // The organisation's own name for its user may be a person's: it is not in the log.
            let entry = AuditEntry::new(AuditActor::System, AuditAction::UserSuspend, ubn);
            suspensions.audit.push(entry.detail(format!("rule:{} wrong:{wrong}", RULE.as_str())));
            suspensions.users.push(UserChange { ubn, user_id, suspended: Some((self.now, RULE)) });
        }
        suspensions
    }
}
