//! The transitions: each consumes the case and gives the new one with the step for its history, or says from
//! which state which action was refused.

use chrono::{DateTime, NaiveDate, Utc};

use crate::application::{
    Actor, Application, Approvers, Clarification, ClarificationId, Closing, DecisionClock, OpenClarification,
    Proposal, State, StateName,
};
use crate::{
    calendar::{Count, DueDate, PROMISED_DAYS, WorkingCalendar},
    officer::{OfficerId, Permission, Role, permits},
    reason::RecordedReason,
    taipei,
    value::{Narrative, Reason},
};

/// What can be done to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The service takes it in.
    Receive,
    /// An officer takes it on, or over.
    Claim,
    /// The assignee lets go of it.
    Release,
    /// An officer asks the applicant.
    RequestClarification,
    /// The applicant answers.
    AnswerClarification,
    /// An officer proposes to approve, where that takes two.
    ProposeApproval,
    /// An officer approves; where it takes two, the second.
    Approve,
    /// What was proposed goes back to the review.
    ReturnToReview,
    /// An officer rejects.
    Reject,
    /// The applicant takes it back.
    Withdraw,
    /// It is settled because access ended (**decided**).
    Close,
    /// The calendar changed, and a deadline with it; the state stays.
    Redate,
}

impl Action {
    /// The actions that somebody takes on a case that exists.
    pub const ALL: [Self; 10] = [
        Self::Claim,
        Self::Release,
        Self::RequestClarification,
        Self::AnswerClarification,
        Self::ProposeApproval,
        Self::Approve,
        Self::ReturnToReview,
        Self::Reject,
        Self::Withdraw,
        Self::Close,
    ];

    /// Stable identifier, in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Claim => "claim",
            Self::Release => "release",
            Self::RequestClarification => "requestClarification",
            Self::AnswerClarification => "answerClarification",
            Self::ProposeApproval => "proposeApproval",
            Self::Approve => "approve",
            Self::ReturnToReview => "returnToReview",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Close => "close",
            Self::Redate => "redate",
        }
    }

    /// The action of that identifier.
    pub fn parse(text: &str) -> Option<Self> {
        let more = [Self::Receive, Self::Redate];
        Self::ALL.into_iter().chain(more).find(|a| a.as_str() == text)
    }
}

/// One line of a case's history: who did what, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub action: Action,
    /// The state before; none for the first step.
    pub from: Option<StateName>,
    /// The state after.
    pub to: StateName,
    /// Who did it.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// Reason, question, answer or note, as somebody typed it; none for [`Action::Close`], whose reason is always the same.
    pub text: Option<String>,
}

/// Why a transition was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionRefusal {
    /// The state has no such transition.
    State,
    /// The applicant may still answer until the end of that day (注意事項 五).
    ClarificationStillRunning(DueDate),
    /// Another clarification is open, or none.
    OtherClarification,
    /// It takes two officers, and none has proposed it.
    NotProposed,
    /// Who proposed it is not the second officer.
    SameOfficer,
}

/// A transition that the diagram does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{action:?} is refused from {from:?}")]
pub struct RefusedTransition {
    /// The state the case is in.
    pub from: StateName,
    /// What was to be done.
    pub action: Action,
    /// Why not.
    pub why: TransitionRefusal,
}

/// Whole working days of a count that are left after a day.
fn days_left(count: Count, after: NaiveDate, calendar: &WorkingCalendar) -> u32 {
    count.days.saturating_sub(calendar.working_days_between(count.from, after))
}

/// The same where the count may not be known.
fn left(count: Option<Count>, due: DueDate, after: NaiveDate, calendar: &WorkingCalendar) -> u32 {
    count.map_or_else(
        || calendar.working_days_between(after, due.date),
        |count| days_left(count, after, calendar),
    )
}

type Transition = Result<(Application, Step), RefusedTransition>;

impl Application {
    /// What this officer can do to the case now, in the order of a review. Whether the organisation's access and its card allow it
    /// is looked at with the decision.
    pub fn possible_steps(
        &self,
        (officer, role): (OfficerId, Role),
        approvers: Approvers,
        now: DateTime<Utc>,
    ) -> &'static [Action] {
        if !permits(role, Permission::ReviewCases) {
            return &[];
        }
        match &self.state {
            State::Received { .. } => &[Action::Claim],
            State::UnderReview { .. } if approvers.ask_a_second(self.kind()) => &[
                Action::Claim,
                Action::Release,
                Action::RequestClarification,
                Action::ProposeApproval,
                Action::Reject,
            ],
            State::ApprovalProposed { proposal, .. } if proposal.by == officer => &[Action::ReturnToReview],
            State::ApprovalProposed { .. } => &[Action::Approve, Action::ReturnToReview],
            State::UnderReview { .. } => &[
                Action::Claim,
                Action::Release,
                Action::RequestClarification,
                Action::Approve,
                Action::Reject,
            ],
            State::ClarificationRequested { open, .. } if open.due.is_over(now) => &[Action::Reject],
            State::ClarificationRequested { .. }
            | State::Approved(_)
            | State::Rejected(_)
            | State::Withdrawn(_) => &[],
        }
    }

    fn refuse(&self, action: Action, why: TransitionRefusal) -> RefusedTransition {
        RefusedTransition { from: self.state.name(), action, why }
    }

    fn step(
        mut self,
        state: State,
        action: Action,
        by: Actor,
        at: DateTime<Utc>,
        text: Option<String>,
    ) -> (Self, Step) {
        let step = Step { action, from: Some(self.state.name()), to: state.name(), by, at, text };
        self.state = state;
        (self, step)
    }

    /// Takes the case on, or over from whoever has it.
    ///
    /// # Errors
    /// Refused while a clarification is open, while an approval waits for the second officer, and after the end.
    pub fn claim(self, officer: OfficerId, at: DateTime<Utc>) -> Transition {
        let clock = match &self.state {
            State::Received { clock } | State::UnderReview { clock, .. } => *clock,
            State::ApprovalProposed { .. }
            | State::ClarificationRequested { .. }
            | State::Approved(_)
            | State::Rejected(_)
            | State::Withdrawn(_) => {
                return Err(self.refuse(Action::Claim, TransitionRefusal::State));
            }
        };
        let state = State::UnderReview { assignee: Some(officer), clock };
        Ok(self.step(state, Action::Claim, Actor::Officer(officer), at, None))
    }

    /// Clears the assignee and nothing else.
    ///
    /// # Errors
    /// Refused unless under review.
    pub fn release(self, officer: OfficerId, at: DateTime<Utc>) -> Transition {
        let State::UnderReview { clock, .. } = self.state else {
            return Err(self.refuse(Action::Release, TransitionRefusal::State));
        };
        let state = State::UnderReview { assignee: None, clock };
        Ok(self.step(state, Action::Release, Actor::Officer(officer), at, None))
    }

    /// Asks the applicant: due in five working days after the mailing, the time for the decision is paused
    /// (注意事項 五).
    ///
    /// # Errors
    /// Refused unless under review.
    pub fn request_clarification(
        mut self,
        id: ClarificationId,
        question: Narrative,
        officer: OfficerId,
        at: DateTime<Utc>,
        calendar: &WorkingCalendar,
    ) -> Transition {
        let State::UnderReview { assignee, clock } = self.state else {
            return Err(self.refuse(Action::RequestClarification, TransitionRefusal::State));
        };
        let today = taipei::day(at);
        let due = calendar.due(today, PROMISED_DAYS);
        let days_left = left(clock.count, clock.due, today, calendar);
        let text = question.as_str().to_owned();
        self.clarifications.push(Clarification {
            id,
            question,
            asked_by: officer,
            asked_at: at,
            due,
            answer: None,
        });
        let state = State::ClarificationRequested {
            assignee,
            open: OpenClarification { id, due, days_left, decision: clock.count },
        };
        Ok(self.step(state, Action::RequestClarification, Actor::Officer(officer), at, Some(text)))
    }

    /// Takes the applicant's answer, late ones too; the working days that were left are restored, the day of the
    /// answer not counted.
    ///
    /// # Errors
    /// Refused unless this clarification is the open one.
    pub fn answer_clarification(
        mut self,
        id: ClarificationId,
        answer: Narrative,
        at: DateTime<Utc>,
        calendar: &WorkingCalendar,
    ) -> Transition {
        let State::ClarificationRequested { assignee, open } = self.state else {
            return Err(self.refuse(Action::AnswerClarification, TransitionRefusal::State));
        };
        let asked = self.clarifications.iter_mut().find(|c| c.id == id && c.id == open.id);
        let Some(clarification) = asked else {
            return Err(self.refuse(Action::AnswerClarification, TransitionRefusal::OtherClarification));
        };
        let text = answer.as_str().to_owned();
        let asked_on = taipei::day(clarification.asked_at);
        clarification.answer = Some((answer, at));
        let days = open.decision.map_or(open.days_left, |count| days_left(count, asked_on, calendar));
        let count = Count { from: taipei::day(at), days };
        let due = calendar.due(count.from, count.days);
        let state = State::UnderReview { assignee, clock: DecisionClock { due, count: Some(count) } };
        Ok(self.step(state, Action::AnswerClarification, Actor::Applicant, at, Some(text)))
    }

    /// The case by this calendar, where that moves its running deadline or makes it certain; none where all stays. Whatever
    /// waits is counted again: an answer restores the days that are left by the calendar of its own day.
    pub fn redated(mut self, calendar: &WorkingCalendar, at: DateTime<Utc>) -> Option<(Self, Step)> {
        let today = taipei::day(at);
        let told = self.state.due()?;
        let recount = |count: Option<Count>| Some(calendar.recount(count?, told, today));
        let state = match self.state {
            State::Received { clock } => {
                State::Received { clock: DecisionClock { due: recount(clock.count)?, ..clock } }
            }
            State::UnderReview { assignee, clock } => {
                State::UnderReview { assignee, clock: DecisionClock { due: recount(clock.count)?, ..clock } }
            }
            State::ApprovalProposed { assignee, clock, ref proposal } => {
                let (clock, proposal) =
                    (DecisionClock { due: recount(clock.count)?, ..clock }, proposal.clone());
                State::ApprovalProposed { assignee, clock, proposal }
            }
            State::ClarificationRequested { assignee, open } => {
                let asked = self.clarifications.iter_mut().find(|asked| asked.id == open.id)?;
                let asked_on = taipei::day(asked.asked_at);
                asked.due = recount(Some(Count { from: asked_on, days: PROMISED_DAYS }))?;
                let days_left =
                    open.decision.map_or(open.days_left, |count| days_left(count, asked_on, calendar));
                let open = OpenClarification { due: asked.due, days_left, ..open };
                State::ClarificationRequested { assignee, open }
            }
            State::Approved(_) | State::Rejected(_) | State::Withdrawn(_) => return None,
        };
        let due = state.due()?;
        if due == told {
            return None;
        }
        let text = format!("{} → {}", told.date, due.date);
        Some(self.step(state, Action::Redate, Actor::System, at, Some(text)))
    }

    /// Proposes to approve an `Apply` that takes two officers; the time for the decision goes on.
    ///
    /// # Errors
    /// Refused unless under review, and where one officer approves.
    pub fn propose_approval(
        self,
        officer: OfficerId,
        note: Option<Reason>,
        at: DateTime<Utc>,
        approvers: Approvers,
    ) -> Transition {
        match self.state {
            State::UnderReview { assignee, clock } if approvers.ask_a_second(self.kind()) => {
                let text = note.as_ref().map(|note| note.as_str().to_owned());
                let proposal = Proposal { by: officer, at, note };
                let state = State::ApprovalProposed { assignee, clock, proposal };
                Ok(self.step(state, Action::ProposeApproval, Actor::Officer(officer), at, text))
            }
            _ => Err(self.refuse(Action::ProposeApproval, TransitionRefusal::State)),
        }
    }

    /// Gives what was proposed back to the review: the second officer with what is to be looked at again, or who proposed it.
    ///
    /// # Errors
    /// Refused unless an approval waits.
    pub fn return_to_review(
        self,
        officer: OfficerId,
        reason: Option<&Reason>,
        at: DateTime<Utc>,
    ) -> Transition {
        let State::ApprovalProposed { assignee, clock, .. } = self.state else {
            return Err(self.refuse(Action::ReturnToReview, TransitionRefusal::State));
        };
        let text = reason.map(|reason| reason.as_str().to_owned());
        let state = State::UnderReview { assignee, clock };
        Ok(self.step(state, Action::ReturnToReview, Actor::Officer(officer), at, text))
    }

    /// Approves. What the approval gives is [`Organisation::approve`](crate::organisation::Organisation::approve). Of a proposal the
    /// note is kept, unless there is another.
    ///
    /// # Errors
    /// Refused unless under review, or proposed by another officer; an `Apply` that takes two, without a proposal.
    pub fn approve(
        self,
        officer: OfficerId,
        note: Option<Reason>,
        at: DateTime<Utc>,
        approvers: Approvers,
    ) -> Transition {
        let why = match &self.state {
            State::UnderReview { .. } if approvers.ask_a_second(self.kind()) => {
                Some(TransitionRefusal::NotProposed)
            }
            State::ApprovalProposed { proposal, .. } if proposal.by == officer => {
                Some(TransitionRefusal::SameOfficer)
            }
            State::UnderReview { .. } | State::ApprovalProposed { .. } => None,
            State::Received { .. }
            | State::ClarificationRequested { .. }
            | State::Approved(_)
            | State::Rejected(_)
            | State::Withdrawn(_) => Some(TransitionRefusal::State),
        };
        if let Some(why) = why {
            return Err(self.refuse(Action::Approve, why));
        }
        let note = note.or_else(|| self.state.proposal().and_then(|proposal| proposal.note.clone()));
        Ok(self.end(State::Approved, Action::Approve, Actor::Officer(officer), note.map(Into::into), at))
    }

    /// Rejects, with a reason. While a clarification is open only once its time is over.
    ///
    /// # Errors
    /// Refused from `Received`, while an approval waits, from a final state, and while the applicant may still answer.
    pub fn reject(self, officer: OfficerId, reason: Reason, at: DateTime<Utc>) -> Transition {
        match &self.state {
            State::UnderReview { .. } => {}
            State::ClarificationRequested { open, .. } => {
                if !open.due.is_over(at) {
                    return Err(
                        self.refuse(Action::Reject, TransitionRefusal::ClarificationStillRunning(open.due))
                    );
                }
            }
            State::Received { .. }
            | State::ApprovalProposed { .. }
            | State::Approved(_)
            | State::Rejected(_)
            | State::Withdrawn(_) => {
                return Err(self.refuse(Action::Reject, TransitionRefusal::State));
            }
        }
        Ok(self.end(State::Rejected, Action::Reject, Actor::Officer(officer), Some(reason.into()), at))
    }

    /// Takes the case back before a decision (**decided**).
    ///
    /// # Errors
    /// Refused after the end.
    pub fn withdraw(self, reason: Option<Reason>, at: DateTime<Utc>) -> Transition {
        if !self.is_open() {
            return Err(self.refuse(Action::Withdraw, TransitionRefusal::State));
        }
        Ok(self.end(State::Withdrawn, Action::Withdraw, Actor::Applicant, reason.map(Into::into), at))
    }

    /// Settles an open case as rejected because access was suspended or revoked (**decided**); the reason is always
    /// [`RecordedReason::AccessEnded`].
    ///
    /// # Errors
    /// Refused after the end.
    pub fn close(self, by: Actor, at: DateTime<Utc>) -> Transition {
        if !self.is_open() {
            return Err(self.refuse(Action::Close, TransitionRefusal::State));
        }
        Ok(self.end(State::Rejected, Action::Close, by, Some(RecordedReason::AccessEnded), at))
    }

    fn end(
        self,
        state: fn(Closing) -> State,
        action: Action,
        by: Actor,
        reason: Option<RecordedReason>,
        at: DateTime<Utc>,
    ) -> (Self, Step) {
        let text = reason.as_ref().and_then(RecordedReason::text).map(str::to_owned);
        self.step(state(Closing { by, at, reason }), action, by, at, text)
    }
}
