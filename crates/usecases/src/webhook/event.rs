//! What is told by a call: the same as by mail, without names of persons and what they wrote.

use idcheck_domain::taipei;

use crate::ports::MailMessage;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its kind, such as `case.approved`: what it is about, and what became of it.
    pub kind: &'static str,
    /// What it is about, by name: `caseNumber`, `kind`, `dueDate`, `fingerprint`, `lastDay`, `rule`, `userId`, `ground`, `since`. Days
    /// are `YYYY-MM-DD`, of Taipei.
    pub facts: Vec<(&'static str, String)>,
}

impl MailMessage {
    /// What a call tells of it; none of what concerns calls themselves.
    pub fn event(&self) -> Option<Event> {
        use MailMessage as M;
        let (kind, facts) = match self {
            M::Received { case_number, kind, due, .. } => {
                let facts = vec![
                    case(case_number),
                    ("kind", kind.as_str().to_owned()),
                    ("dueDate", due.date.to_string()),
                ];
                ("case.received", facts)
            }
            M::ClarificationRequested { case_number, due, .. } => {
                ("case.clarificationRequested", vec![case(case_number), ("dueDate", due.date.to_string())])
            }
            M::ClarificationDue { case_number, due, .. } => {
                ("case.clarificationDue", vec![case(case_number), ("dueDate", due.to_string())])
            }
            M::ClarificationOverdue { case_number, due, .. } => {
                ("case.clarificationOverdue", vec![case(case_number), ("dueDate", due.to_string())])
            }
            M::Approved { case_number, kind, .. } => ("case.approved", of_kind(case_number, kind.as_str())),
            M::Rejected { case_number, kind, .. } => ("case.rejected", of_kind(case_number, kind.as_str())),
            M::Settled { case_number, kind, .. } => ("case.settled", of_kind(case_number, kind.as_str())),
            M::Withdrawn { case_number, kind, .. } => ("case.withdrawn", of_kind(case_number, kind.as_str())),
            M::DeadlineMoved { case_number, due, .. } => {
                ("case.deadlineMoved", vec![case(case_number), ("dueDate", due.date.to_string())])
            }
            M::ContactAsked { case_number, .. } => ("contact.changeRequested", vec![case(case_number)]),
            M::ContactChanged { .. } => ("contact.changed", Vec::new()),
            M::KeyRegistered { fingerprint, .. } => ("key.registered", vec![key(fingerprint)]),
            M::KeyRevoked { fingerprint, .. } => ("key.revoked", vec![key(fingerprint)]),
            M::KeyEnds { fingerprint, last_day, .. } => {
                ("key.ends", vec![key(fingerprint), ("lastDay", last_day.to_string())])
            }
            M::IssKeyRotated { .. } => ("issKey.replaced", Vec::new()),
            M::UserSuspended { user_id, rule, .. } => {
                ("user.suspended", vec![("userId", user_id.clone()), ("rule", rule.as_str().to_owned())])
            }
            M::UserLifted { user_id, .. } => ("user.lifted", vec![("userId", user_id.clone())]),
            M::AccessRevoked { ground, .. } => {
                ("access.revoked", vec![("ground", ground.as_str().to_owned())])
            }
            M::AccessSuspended { .. } => ("access.suspended", Vec::new()),
            M::ReturnOpened { .. } => ("access.returnOpened", Vec::new()),
            M::Dormant { since, .. } => ("access.dormant", vec![("since", since.to_string())]),
            M::PlanReceived { .. } => ("plan.received", Vec::new()),
            M::PlanRejected { .. } => ("plan.rejected", Vec::new()),
            M::NoticeSent { rule, due, .. } => ("notice.sent", noticed(rule.as_str(), due.date)),
            M::NoticeAskedAgain { rule, due, .. } => ("notice.askedAgain", noticed(rule.as_str(), due.date)),
            M::NoticeDeadlineMoved { rule, due, .. } => {
                ("notice.deadlineMoved", noticed(rule.as_str(), due.date))
            }
            M::NoticeDue { rule, due, .. } => ("notice.due", noticed(rule.as_str(), *due)),
            M::NoticeOverdue { rule, due, .. } => ("notice.overdue", noticed(rule.as_str(), *due)),
            M::NoticeWithdrawn { rule, .. } => ("notice.withdrawn", vec![("rule", rule.as_str().to_owned())]),
            M::NoticeAccepted { rule, .. } => ("notice.accepted", vec![("rule", rule.as_str().to_owned())]),
            M::WebhookSet { .. } => ("webhook.set", Vec::new()),
            M::WebhookRemoved { .. } | M::WebhookGivenUp { .. } => return None,
        };
        Some(Event { kind, facts })
    }
}

fn case(number: &str) -> (&'static str, String) {
    ("caseNumber", number.to_owned())
}

fn of_kind(number: &str, kind: &str) -> Vec<(&'static str, String)> {
    vec![case(number), ("kind", kind.to_owned())]
}

fn key(fingerprint: &str) -> (&'static str, String) {
    ("fingerprint", fingerprint.to_owned())
}

fn noticed(rule: &str, due: chrono::NaiveDate) -> Vec<(&'static str, String)> {
    vec![("rule", rule.to_owned()), ("dueDate", due.to_string())]
}

/// When it happened, as a call says it: RFC 3339, Taipei's clock.
pub fn timestamp(at: chrono::DateTime<chrono::Utc>) -> String {
    taipei::local(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, false)
}
