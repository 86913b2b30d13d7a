//! The state of a case; each state carries exactly its own data.

use chrono::{DateTime, Utc};

use crate::application::{Actor, ClarificationId, Kind};
use crate::{
    calendar::{Count, DueDate},
    officer::OfficerId,
    reason::RecordedReason,
    value::Reason,
    words::words,
};

/// The decision's deadline while it runs (注意事項 五).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionClock {
    /// When the decision is due.
    pub due: DueDate,
    /// What that is counted by; none for cases from before it was kept, whose deadline stays.
    pub count: Option<Count>,
}

/// The clarification that a case waits for. The time for the decision is paused meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenClarification {
    /// Which one.
    pub id: ClarificationId,
    /// When the answer is due.
    pub due: DueDate,
    /// Whole working days that the decision has left once the answer is there, by the calendar as it was last counted.
    pub days_left: u32,
    /// What the decision is counted by, which is paused; none for cases from before it was kept.
    pub decision: Option<Count>,
}

/// How many officers it takes to approve an `Apply`, the one decision that lets a company ask (**decided**).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Approvers {
    /// One.
    #[default]
    One,
    /// Two different ones: the first proposes, the second approves.
    Two,
}

impl Approvers {
    /// Whether the approval of such a case is proposed first.
    pub const fn ask_a_second(self, kind: Kind) -> bool {
        matches!((self, kind), (Self::Two, Kind::Apply))
    }
}

/// An approval that waits for the second officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Who proposes; not who approves.
    pub by: OfficerId,
    /// When.
    pub at: DateTime<Utc>,
    /// The note for the applicant, unless the second officer gives another.
    pub note: Option<Reason>,
}

/// How a case was decided or ended, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Who ended it.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// Why; mailed to the applicant.
    pub reason: Option<RecordedReason>,
}

/// The states of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// 已受理.
    Received {
        /// The decision's deadline.
        clock: DecisionClock,
    },
    /// 審核中.
    UnderReview {
        /// Who works on it; a courtesy, not a lock (**decided**).
        assignee: Option<OfficerId>,
        /// The decision's deadline.
        clock: DecisionClock,
    },
    /// 待覆核.
    ApprovalProposed {
        /// Who works on it.
        assignee: Option<OfficerId>,
        /// The decision's deadline.
        clock: DecisionClock,
        /// What is proposed.
        proposal: Proposal,
    },
    /// 待補件.
    ClarificationRequested {
        /// Who works on it.
        assignee: Option<OfficerId>,
        /// What it waits for.
        open: OpenClarification,
    },
    /// 核准. Final.
    Approved(Closing),
    /// 駁回. Final.
    Rejected(Closing),
    /// 撤回 by the applicant before a decision (**decided**). Final.
    Withdrawn(Closing),
}

words! {
    /// A state without its data.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum StateName(as_str) {
        /// 已受理.
        Received = "received",
        /// 審核中.
        UnderReview = "underReview",
        /// 待覆核.
        ApprovalProposed = "approvalProposed",
        /// 待補件.
        ClarificationRequested = "clarificationRequested",
        /// 核准.
        Approved = "approved",
        /// 駁回.
        Rejected = "rejected",
        /// 撤回.
        Withdrawn = "withdrawn",
    }
}

impl StateName {
    /// Whether a case in it still waits for something.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Received | Self::UnderReview | Self::ApprovalProposed | Self::ClarificationRequested => {
                true
            }
            Self::Approved | Self::Rejected | Self::Withdrawn => false,
        }
    }
}

impl State {
    /// The state without its data.
    pub const fn name(&self) -> StateName {
        match self {
            Self::Received { .. } => StateName::Received,
            Self::UnderReview { .. } => StateName::UnderReview,
            Self::ApprovalProposed { .. } => StateName::ApprovalProposed,
            Self::ClarificationRequested { .. } => StateName::ClarificationRequested,
            Self::Approved(_) => StateName::Approved,
            Self::Rejected(_) => StateName::Rejected,
            Self::Withdrawn(_) => StateName::Withdrawn,
        }
    }

    /// The deadline that runs: the officer's, or the applicant's while a clarification is open.
    pub const fn due(&self) -> Option<DueDate> {
        match self {
            Self::Received { clock }
            | Self::UnderReview { clock, .. }
            | Self::ApprovalProposed { clock, .. } => Some(clock.due),
            Self::ClarificationRequested { open, .. } => Some(open.due),
            Self::Approved(_) | Self::Rejected(_) | Self::Withdrawn(_) => None,
        }
    }

    /// Who works on it.
    pub const fn assignee(&self) -> Option<OfficerId> {
        match self {
            Self::UnderReview { assignee, .. }
            | Self::ApprovalProposed { assignee, .. }
            | Self::ClarificationRequested { assignee, .. } => *assignee,
            Self::Received { .. } | Self::Approved(_) | Self::Rejected(_) | Self::Withdrawn(_) => None,
        }
    }

    /// How it ended.
    pub const fn closing(&self) -> Option<&Closing> {
        match self {
            Self::Approved(closing) | Self::Rejected(closing) | Self::Withdrawn(closing) => Some(closing),
            Self::Received { .. }
            | Self::UnderReview { .. }
            | Self::ApprovalProposed { .. }
            | Self::ClarificationRequested { .. } => None,
        }
    }

    /// The approval that waits for the second officer.
    pub const fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::ApprovalProposed { proposal, .. } => Some(proposal),
            _ => None,
        }
    }
}
