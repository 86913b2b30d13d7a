//! Texts that officers begin with when they ask or decide. They are data that an admin keeps, not code; what is sent is what
//! the officer made of them.

use chrono::Datelike;

use crate::{
    application::{Application, State},
    identity::identity,
    value::{Reason, TemplateTitle},
};

identity!(
    /// Identity of a template.
    TemplateId
);

/// The step of a review that a template is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateUse {
    /// The question to the applicant.
    Clarification,
    /// The note of an approval.
    Approve,
    /// The reason of a rejection.
    Reject,
}

impl TemplateUse {
    /// All, in the order of a case's life.
    pub const ALL: [Self; 3] = [Self::Clarification, Self::Approve, Self::Reject];

    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clarification => "clarification",
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    /// The use of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|used_for| used_for.as_str() == text)
    }
}

/// A text to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonTemplate {
    /// Its identity.
    pub id: TemplateId,
    /// For which step.
    pub used_for: TemplateUse,
    /// What it is chosen by.
    pub title: TemplateTitle,
    /// The text; `{caseNumber}`, `{company}` and `{due}` stand for the case's.
    pub text: Reason,
    /// Whether it is offered.
    pub in_use: bool,
}

impl ReasonTemplate {
    /// The text for a case. `{due}` is the day, in the ROC calendar, until which the last clarification was to be
    /// answered, or the decision is due where nothing was asked; without a deadline it stays as it is.
    pub fn filled(&self, case: &Application) -> String {
        let asked = case.clarifications.last().map(|asked| asked.due);
        let due = match &case.state {
            State::ClarificationRequested { open, .. } => Some(open.due),
            State::Received { clock } | State::UnderReview { clock, .. } => asked.or(Some(clock.due)),
            State::Approved(_) | State::Rejected(_) | State::Withdrawn(_) => asked,
        };
        let text = self.text.as_str();
        let text = match due.map(|due| due.date) {
            Some(day) => {
                let roc = format!("{:03}/{:02}/{:02}", day.year() - 1911, day.month(), day.day());
                text.replace("{due}", &roc)
            }
            None => text.to_owned(),
        };
        text.replace("{caseNumber}", case.case_number.as_str())
            .replace("{company}", case.company_name.as_str())
    }
}
