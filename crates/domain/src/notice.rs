//! A notice of abnormal use (異常使用通知, 注意事項 九).
//!
//! ```text
//! Raised --send--> Sent
//! Raised --dismiss--> Dismissed
//! Sent --explain--> Explained
//! Explained --send--> Sent
//! Explained --accept--> Accepted
//! Raised, Sent, Explained --end--> Ended
//! ```
//!
//! A second `send` asks again. `end` settles an open notice because access was revoked. `Dismissed`, `Accepted` and
//! `Ended` are final.

use chrono::{DateTime, NaiveDate, Utc};

use crate::{
    abuse::{AbuseRule, Evidence, Finding, Measure},
    calendar::{Count, DueDate, WorkingCalendar},
    identity::identity,
    officer::OfficerId,
    ruling::Ruling,
    taipei,
    value::{Narrative, Reason, UnifiedBusinessNumber},
};

/// The longest time to explain, in working days (**decided**).
pub const MAX_DAYS: u32 = 30;

identity!(
    /// Identity of a notice.
    NoticeId
);

/// The state of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeState {
    /// A rule found it; only officers see it.
    Raised,
    /// The organisation is to explain until then.
    Sent {
        /// The deadline.
        due: DueDate,
    },
    /// The explanation waits for an officer.
    Explained,
    /// The explanation was accepted. Final.
    Accepted(Ruling),
    /// There was nothing in it. Final.
    Dismissed(Ruling),
    /// Access was revoked. Final.
    Ended {
        /// When.
        at: DateTime<Utc>,
    },
}

impl NoticeState {
    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Sent { .. } => "sent",
            Self::Explained => "explained",
            Self::Accepted(_) => "accepted",
            Self::Dismissed(_) => "dismissed",
            Self::Ended { .. } => "ended",
        }
    }

    /// Identifiers of the states in which it waits for someone.
    pub const OPEN: [&str; 3] = ["raised", "sent", "explained"];

    /// Whether it still waits for something.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Raised | Self::Sent { .. } | Self::Explained => true,
            Self::Accepted(_) | Self::Dismissed(_) | Self::Ended { .. } => false,
        }
    }

    /// The deadline that runs.
    pub const fn due(&self) -> Option<DueDate> {
        match self {
            Self::Sent { due } => Some(*due),
            Self::Raised | Self::Explained | Self::Accepted(_) | Self::Dismissed(_) | Self::Ended { .. } => {
                None
            }
        }
    }

    /// The ruling, once there is one.
    pub const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Accepted(ruling) | Self::Dismissed(ruling) => Some(ruling),
            Self::Raised | Self::Sent { .. } | Self::Explained | Self::Ended { .. } => None,
        }
    }
}

/// One sending of a notice, and what came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// What is to be explained.
    pub message: Narrative,
    /// Who sent it.
    pub sent_by: OfficerId,
    /// When it was mailed.
    pub sent_at: DateTime<Utc>,
    /// Until when it is to be explained.
    pub due: DueDate,
    /// Working days to explain; none for those from before it was kept, whose deadline stays.
    pub days: Option<u32>,
    /// The explanation and its time.
    pub explanation: Option<(Narrative, DateTime<Utc>)>,
}

/// What a rule counted on one more day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCounts {
    /// The Taipei day.
    pub day: NaiveDate,
    /// What was counted.
    pub counts: Vec<(Measure, u64)>,
}

/// A notice of abnormal use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its identity.
    pub id: NoticeId,
    /// About whom.
    pub ubn: UnifiedBusinessNumber,
    /// The rule that found it.
    pub rule: AbuseRule,
    /// What it found: on the first day, as it was when the notice was sent.
    pub evidence: Evidence,
    /// What it found on later days.
    pub later: Vec<DayCounts>,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// Its state.
    pub state: NoticeState,
    /// What was sent and explained, in order.
    pub sendings: Vec<Sending>,
}

/// A step that the notice's state does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{action} is refused from {from}")]
pub struct RefusedNotice {
    /// The state it is in.
    pub from: &'static str,
    /// What was to be done.
    pub action: &'static str,
}

impl Notice {
    /// A notice that a rule raised.
    pub fn raise(id: NoticeId, ubn: UnifiedBusinessNumber, finding: Finding, at: DateTime<Utc>) -> Self {
        Self {
            id,
            ubn,
            rule: finding.rule,
            evidence: finding.evidence,
            later: Vec::new(),
            raised_at: at,
            state: NoticeState::Raised,
            sendings: Vec::new(),
        }
    }

    /// Takes in what the same rule finds while the notice is open: until it is sent the evidence of its day grows; a later day is
    /// added, and grows, whether it was sent or not. None where nothing is new.
    pub fn observe(mut self, found: &Evidence) -> Option<Self> {
        if !self.state.is_open() {
            return None;
        }
        if found.day == self.evidence.day {
            let grows = matches!(self.state, NoticeState::Raised) && found.counts != self.evidence.counts;
            self.evidence.counts.clone_from(&found.counts);
            return grows.then_some(self);
        }
        if found.day < self.evidence.day {
            return None;
        }
        match self.later.iter_mut().find(|later| later.day == found.day) {
            Some(later) if later.counts == found.counts => return None,
            Some(later) => later.counts.clone_from(&found.counts),
            None => self.later.push(DayCounts { day: found.day, counts: found.counts.clone() }),
        }
        Some(self)
    }

    /// What it tells of a day.
    pub fn counted_on(&self, day: NaiveDate) -> Option<&[(Measure, u64)]> {
        if day == self.evidence.day {
            return Some(&self.evidence.counts);
        }
        self.later.iter().find(|later| later.day == day).map(|later| later.counts.as_slice())
    }

    /// Whether the organisation sees it: once it was sent, whatever became of it since.
    pub const fn is_told(&self) -> bool {
        !self.sendings.is_empty()
    }

    const fn refuse(&self, action: &'static str) -> RefusedNotice {
        RefusedNotice { from: self.state.as_str(), action }
    }

    /// Sends it, or asks again; to be explained within `days` working days after the mailing.
    ///
    /// # Errors
    /// Refused unless raised or explained.
    pub fn send(
        mut self,
        message: Narrative,
        days: u32,
        by: OfficerId,
        at: DateTime<Utc>,
        calendar: &WorkingCalendar,
    ) -> Result<Self, RefusedNotice> {
        if !matches!(self.state, NoticeState::Raised | NoticeState::Explained) {
            return Err(self.refuse("send"));
        }
        let days = days.clamp(1, MAX_DAYS);
        let due = calendar.due(taipei::day(at), days);
        let days = Some(days);
        self.sendings.push(Sending { message, sent_by: by, sent_at: at, due, days, explanation: None });
        self.state = NoticeState::Sent { due };
        Ok(self)
    }

    /// The notice by this calendar, where that moves its deadline or makes it certain; none where all stays.
    pub fn redated(mut self, calendar: &WorkingCalendar, at: DateTime<Utc>) -> Option<Self> {
        let NoticeState::Sent { due: told } = self.state else { return None };
        let sending = self.sendings.last_mut()?;
        let count = Count { from: taipei::day(sending.sent_at), days: sending.days? };
        let due = calendar.recount(count, told, taipei::day(at));
        if due == told {
            return None;
        }
        sending.due = due;
        self.state = NoticeState::Sent { due };
        Some(self)
    }

    /// Takes the organisation's explanation, a late one too.
    ///
    /// # Errors
    /// Refused unless it was sent and waits for one.
    pub fn explain(mut self, explanation: Narrative, at: DateTime<Utc>) -> Result<Self, RefusedNotice> {
        let refusal = self.refuse("explain");
        match (&self.state, self.sendings.last_mut()) {
            (NoticeState::Sent { .. }, Some(sending)) => sending.explanation = Some((explanation, at)),
            _ => return Err(refusal),
        }
        self.state = NoticeState::Explained;
        Ok(self)
    }

    /// Accepts the explanation.
    ///
    /// # Errors
    /// Refused unless explained.
    pub fn accept(
        mut self,
        by: OfficerId,
        note: Option<Reason>,
        at: DateTime<Utc>,
    ) -> Result<Self, RefusedNotice> {
        if !matches!(self.state, NoticeState::Explained) {
            return Err(self.refuse("accept"));
        }
        self.state = NoticeState::Accepted(Ruling { by, at, note });
        Ok(self)
    }

    /// Puts it away unsent, or takes it back: nothing is to be explained any more.
    ///
    /// # Errors
    /// Refused unless raised or sent: an explanation is judged.
    pub fn dismiss(
        mut self,
        by: OfficerId,
        reason: Reason,
        at: DateTime<Utc>,
    ) -> Result<Self, RefusedNotice> {
        if !matches!(self.state, NoticeState::Raised | NoticeState::Sent { .. }) {
            return Err(self.refuse("dismiss"));
        }
        self.state = NoticeState::Dismissed(Ruling { by, at, note: Some(reason) });
        Ok(self)
    }

    /// Settles it because access was revoked.
    ///
    /// # Errors
    /// Refused after the end.
    pub fn end(mut self, at: DateTime<Utc>) -> Result<Self, RefusedNotice> {
        if !self.state.is_open() {
            return Err(self.refuse("end"));
        }
        self.state = NoticeState::Ended { at };
        Ok(self)
    }
}
