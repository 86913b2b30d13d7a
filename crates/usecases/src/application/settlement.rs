//! What an end of access settles: open cases that need it are closed as rejected with that as their reason (**decided**).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Action, Actor, Application, ApplicationId, Kind, StateName, Step},
    value::{EmailAddress, UnifiedBusinessNumber},
};

use crate::{
    kernel::Refusal,
    ports::{Applications, Change, Entropy, MailMessage, OutgoingMail, Write},
};

/// Adds the settlement to the change; mail goes to `to`, the contact held. Closes the organisation's open `ChangeAddress` and `Suspend` cases but `but` in the change. An open `Apply` stays:
/// its precondition is checked at the decision.
pub(crate) async fn close_open_cases(
    applications: &Arc<dyn Applications>,
    entropy: &Arc<dyn Entropy>,
    (ubn, to): (UnifiedBusinessNumber, &EmailAddress),
    but: Option<ApplicationId>,
    now: DateTime<Utc>,
    change: &mut Change,
) -> Result<(), Refusal> {
    for case in applications.of_organisation(ubn).await? {
        let settled = match case.value.kind() {
            Kind::ChangeAddress | Kind::Suspend => true,
            Kind::Apply => false,
        };
        if !settled || Some(case.value.id) == but || !case.value.is_open() {
            continue;
        }
        let (after, step) = case.value.close(Actor::System, now)?;
        change.mail.extend(outcome_mail(entropy, (&after, to), &step, now));
        change.history.push((after.id, step));
        change.applications.push(Write::Update { value: after, expected: case.version });
    }
    Ok(())
}

/// 注意事項 五: every outcome is mailed with its reason, and every question; to the contact held, not to one that the case only
/// asks for.
pub(crate) fn outcome_mail(
    entropy: &Arc<dyn Entropy>,
    (after, to): (&Application, &EmailAddress),
    step: &Step,
    now: DateTime<Utc>,
) -> Option<OutgoingMail> {
    let case_number = after.case_number.to_string();
    let company = after.company_name.as_str().to_owned();
    let kind = after.kind();
    let text = step.text.clone();
    let message = match step.to {
        StateName::Approved => MailMessage::Approved { case_number, kind, company, note: text },
        StateName::Rejected if step.action == Action::Close => {
            MailMessage::Settled { case_number, kind, company }
        }
        StateName::Rejected => {
            MailMessage::Rejected { case_number, kind, company, reason: text.unwrap_or_default() }
        }
        StateName::ClarificationRequested => MailMessage::ClarificationRequested {
            case_number,
            company,
            question: text.unwrap_or_default(),
            due: after.state.due()?,
        },
        StateName::Received | StateName::UnderReview | StateName::ApprovalProposed | StateName::Withdrawn => {
            return None;
        }
    };
    Some(OutgoingMail { id: entropy.uuid(now), about: after.ubn, to: to.clone(), message })
}
