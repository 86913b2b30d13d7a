//! Texts that officers begin with when they ask or decide. They are data that an admin keeps, not code; what is sent is what
//! the officer made of them.

use chrono::Datelike;

use crate::{
    application::{Application, State},
    identity::identity,
    value::{Reason, TemplateTitle},
    words::words,
};

identity!(
    /// Identity of a template.
    TemplateId
);

words! {
    /// The step of a review that a template is for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum TemplateUse(as_str) {
        /// The question to the applicant.
        Clarification = "clarification",
        /// The note of an approval.
        Approve = "approve",
        /// The reason of a rejection.
        Reject = "reject",
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
    /// The text; `{caseNumber}`, `{company}` and `{due}` are replaced with the case's.
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
            State::Received { clock }
            | State::UnderReview { clock, .. }
            | State::ApprovalProposed { clock, .. } => asked.or(Some(clock.due)),
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
