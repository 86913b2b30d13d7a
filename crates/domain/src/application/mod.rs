//! The case (申請案): three kinds, one life.
//!
//! ```text
//! Received --claim--> UnderReview
//! Received --withdraw--> Withdrawn
//! Received --close--> Rejected
//! UnderReview --claim--> UnderReview
//! UnderReview --release--> UnderReview
//! UnderReview --requestClarification--> ClarificationRequested
//! UnderReview --approve--> Approved
//! UnderReview --proposeApproval--> ApprovalProposed
//! UnderReview --reject--> Rejected
//! UnderReview --withdraw--> Withdrawn
//! UnderReview --close--> Rejected
//! ApprovalProposed --approve--> Approved
//! ApprovalProposed --returnToReview--> UnderReview
//! ApprovalProposed --withdraw--> Withdrawn
//! ApprovalProposed --close--> Rejected
//! ClarificationRequested --answerClarification--> UnderReview
//! ClarificationRequested --reject--> Rejected
//! ClarificationRequested --withdraw--> Withdrawn
//! ClarificationRequested --close--> Rejected
//! ```
//!
//! An open case can also be *redated*, which leaves its state: the calendar changed, and a deadline moved with it.
//!
//! An `Apply` that [two officers](Approvers::Two) approve has a proposal between review and approval, and no approval without it; any
//! other case has none.
//!
//! `Approved`, `Rejected` and `Withdrawn` are final. `close` is the settlement of an open case when access ends.

mod request;
mod state;
mod transition;

pub use request::{Kind, MAX_CUT_OVER_DAYS, MAX_OVERLAP_DAYS, Request};
pub use state::{Approvers, Closing, DecisionClock, OpenClarification, Proposal, State, StateName};
pub use transition::{Action, RefusedTransition, Step, TransitionRefusal};

use chrono::{DateTime, Utc};

use crate::{
    calendar::{Count, PROMISED_DAYS, WorkingCalendar},
    card::SigningCard,
    consent::Consent,
    contact::Contact,
    identity::identity,
    officer::OfficerId,
    taipei,
    value::{CaseNumber, CompanyName, HostAddresses, Narrative, UnifiedBusinessNumber},
};

identity!(
    /// Identity of a case.
    ApplicationId
);

identity!(
    /// Identity of a clarification.
    ClarificationId
);

/// Who did a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The organisation itself, by its card.
    Applicant,
    /// An officer.
    Officer(OfficerId),
    /// A rule of the service, without a person.
    System,
}

/// A question of the officer to the applicant (補件) and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clarification {
    /// Its identity.
    pub id: ClarificationId,
    /// What is asked.
    pub question: Narrative,
    /// Who asks.
    pub asked_by: OfficerId,
    /// When it was asked, which is when it was mailed.
    pub asked_at: DateTime<Utc>,
    /// When an answer is due.
    pub due: crate::calendar::DueDate,
    /// The answer and its time.
    pub answer: Option<(Narrative, DateTime<Utc>)>,
}

/// A case as it was filed, with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its identity.
    pub id: ApplicationId,
    /// Its number for people.
    pub case_number: CaseNumber,
    /// Who applies.
    pub ubn: UnifiedBusinessNumber,
    /// The company name as typed.
    pub company_name: CompanyName,
    /// The card that signed; an officer sees its name next to the typed one, and what became of it.
    pub card: SigningCard,
    /// The contact as given with this case, or as the organisation held it then.
    pub contact: Contact,
    /// The contact that the organisation held when this case was filed, where the case named another: the approval takes the
    /// new one over only if that one is still held (**decided**).
    pub replaces: Option<Contact>,
    /// The host addresses: asked for, or those that the organisation had when it filed.
    pub host_addresses: HostAddresses,
    /// What is asked for.
    pub request: Request,
    /// Consent to notices and rules of conduct.
    pub consent: Consent,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// Its state.
    pub state: State,
    /// Questions and answers, in order.
    pub clarifications: Vec<Clarification>,
}

/// What a case is filed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// Who applies.
    pub ubn: UnifiedBusinessNumber,
    /// The company name as typed.
    pub company_name: CompanyName,
    /// The card that signed.
    pub card: SigningCard,
    /// Whom to write to.
    pub contact: Contact,
    /// The contact held now, where the case names another.
    pub replaces: Option<Contact>,
    /// The host addresses.
    pub host_addresses: HostAddresses,
    /// What is asked for.
    pub request: Request,
    /// Consent to notices and rules of conduct.
    pub consent: Consent,
}

impl Application {
    /// A case just received: due five working days after the day of receipt (注意事項 五).
    pub fn receive(
        id: ApplicationId,
        case_number: CaseNumber,
        filing: Filing,
        at: DateTime<Utc>,
        calendar: &WorkingCalendar,
    ) -> (Self, Step) {
        let count = Count { from: taipei::day(at), days: PROMISED_DAYS };
        let due = calendar.due(count.from, count.days);
        let application = Self {
            id,
            case_number,
            ubn: filing.ubn,
            company_name: filing.company_name,
            card: filing.card,
            contact: filing.contact,
            replaces: filing.replaces,
            host_addresses: filing.host_addresses,
            request: filing.request,
            consent: filing.consent,
            received_at: at,
            state: State::Received { clock: DecisionClock { due, count: Some(count) } },
            clarifications: Vec::new(),
        };
        let step = Step {
            action: Action::Receive,
            from: None,
            to: StateName::Received,
            by: Actor::Applicant,
            at,
            text: None,
        };
        (application, step)
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.request.kind()
    }

    /// Whether it still waits for something.
    pub fn is_open(&self) -> bool {
        self.state.name().is_open()
    }
}
