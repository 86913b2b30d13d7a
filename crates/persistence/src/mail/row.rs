//! Mail messages as JSON: a kind and its parameters.

use chrono::NaiveDate;
use idcheck_domain::{
    abuse::AbuseRule, access::Ground, application::Kind, calendar::DueDate, reason::RecordedReason,
};
use idcheck_usecases::ports::MailMessage;
use serde::{Deserialize, Serialize};

use crate::kernel::{
    cell::kept_text,
    json::{read, text},
};

/// One for each message; a name, once stored, keeps its meaning.
#[derive(Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum MessageJson {
    Received {
        case_number: String,
        kind: String,
        company: String,
        #[serde(flatten)]
        due: DueJson,
    },
    ClarificationRequested {
        case_number: String,
        company: String,
        question: String,
        #[serde(flatten)]
        due: DueJson,
    },
    Settled {
        case_number: String,
        kind: String,
        company: String,
        /// Always the same; the version before reads it.
        reason: String,
    },
    DeadlineMoved {
        case_number: String,
        company: String,
        answer: bool,
        before: NaiveDate,
        #[serde(flatten)]
        due: DueJson,
    },
    NoticeDeadlineMoved {
        company: String,
        rule: String,
        before: NaiveDate,
        #[serde(flatten)]
        due: DueJson,
    },
    ContactAsked {
        case_number: String,
        company: String,
    },
    UserSuspended {
        company: String,
        user_id: String,
        rule: String,
    },
    UserLifted {
        company: String,
        user_id: String,
    },
    Approved {
        case_number: String,
        kind: String,
        company: String,
        note: Option<String>,
    },
    Rejected {
        case_number: String,
        kind: String,
        company: String,
        reason: String,
    },
    Withdrawn {
        case_number: String,
        kind: String,
        company: String,
    },
    KeyRegistered {
        company: String,
        label: String,
        fingerprint: String,
    },
    KeyRevoked {
        company: String,
        label: String,
        fingerprint: String,
    },
    KeyEnds {
        company: String,
        label: String,
        fingerprint: String,
        last_day: NaiveDate,
    },
    IssKeyRotated {
        company: String,
    },
    WebhookSet {
        company: String,
        host: String,
    },
    WebhookRemoved {
        company: String,
        host: String,
    },
    WebhookGivenUp {
        company: String,
    },
    ContactChanged {
        company: String,
    },
    AccessRevoked {
        company: String,
        ground: String,
        reason: String,
        reason_code: Option<String>,
    },
    AccessSuspended {
        company: String,
        reason: String,
    },
    NoticeSent {
        company: String,
        rule: String,
        text: String,
        #[serde(flatten)]
        due: DueJson,
        /// The version before reads it as the first.
        #[serde(default)]
        again: bool,
    },
    NoticeWithdrawn {
        company: String,
        rule: String,
        reason: String,
    },
    NoticeAccepted {
        company: String,
        rule: String,
        note: Option<String>,
    },
    ClarificationDue {
        case_number: String,
        company: String,
        due: NaiveDate,
    },
    ClarificationOverdue {
        case_number: String,
        company: String,
        due: NaiveDate,
    },
    NoticeDue {
        company: String,
        rule: String,
        due: NaiveDate,
    },
    NoticeOverdue {
        company: String,
        rule: String,
        due: NaiveDate,
    },
    Dormant {
        company: String,
        since: NaiveDate,
    },
    PlanReceived {
        company: String,
    },
    PlanRejected {
        company: String,
        reason: String,
    },
    ReturnOpened {
        company: String,
        note: Option<String>,
    },
}

/// A deadline; one from before `provisional` was kept is told as certain, as it was then.
#[derive(Serialize, Deserialize)]
struct DueJson {
    due: NaiveDate,
    #[serde(default)]
    provisional: bool,
}

impl From<DueDate> for DueJson {
    fn from(due: DueDate) -> Self {
        Self { due: due.date, provisional: due.provisional }
    }
}

impl From<DueJson> for DueDate {
    fn from(json: DueJson) -> Self {
        Self { date: json.due, provisional: json.provisional }
    }
}

fn notice_sent((company, rule, text): (String, AbuseRule, String), due: DueDate, again: bool) -> MessageJson {
    MessageJson::NoticeSent { company, rule: rule.as_str().to_owned(), text, due: due.into(), again }
}

/// A message as JSON.
#[expect(clippy::too_many_lines, reason = "a table of all mails")]
pub(crate) fn message_text(message: &MailMessage) -> String {
    let word = |kind: Kind| kind.as_str().to_owned();
    let json = match message.clone() {
        MailMessage::Received { case_number, kind, company, due } => {
            MessageJson::Received { case_number, kind: word(kind), company, due: due.into() }
        }
        MailMessage::ClarificationRequested { case_number, company, question, due } => {
            MessageJson::ClarificationRequested { case_number, company, question, due: due.into() }
        }
        MailMessage::Settled { case_number, kind, company } => {
            let reason = kept_text(&RecordedReason::AccessEnded);
            MessageJson::Settled { case_number, kind: word(kind), company, reason }
        }
        MailMessage::DeadlineMoved { case_number, company, answer, before, due } => {
            MessageJson::DeadlineMoved { case_number, company, answer, before, due: due.into() }
        }
        MailMessage::NoticeDeadlineMoved { company, rule, before, due } => {
            let rule = rule.as_str().to_owned();
            MessageJson::NoticeDeadlineMoved { company, rule, before, due: due.into() }
        }
        MailMessage::ContactAsked { case_number, company } => {
            MessageJson::ContactAsked { case_number, company }
        }
        MailMessage::UserSuspended { company, user_id, rule } => {
            MessageJson::UserSuspended { company, user_id, rule: rule.as_str().to_owned() }
        }
        MailMessage::UserLifted { company, user_id } => MessageJson::UserLifted { company, user_id },
        MailMessage::Approved { case_number, kind, company, note } => {
            MessageJson::Approved { case_number, kind: word(kind), company, note }
        }
        MailMessage::Rejected { case_number, kind, company, reason } => {
            MessageJson::Rejected { case_number, kind: word(kind), company, reason }
        }
        MailMessage::Withdrawn { case_number, kind, company } => {
            MessageJson::Withdrawn { case_number, kind: word(kind), company }
        }
        MailMessage::KeyRegistered { company, label, fingerprint } => {
            MessageJson::KeyRegistered { company, label, fingerprint }
        }
        MailMessage::KeyRevoked { company, label, fingerprint } => {
            MessageJson::KeyRevoked { company, label, fingerprint }
        }
        MailMessage::KeyEnds { company, label, fingerprint, last_day } => {
            MessageJson::KeyEnds { company, label, fingerprint, last_day }
        }
        MailMessage::IssKeyRotated { company } => MessageJson::IssKeyRotated { company },
        MailMessage::WebhookSet { company, host } => MessageJson::WebhookSet { company, host },
        MailMessage::WebhookRemoved { company, host } => MessageJson::WebhookRemoved { company, host },
        MailMessage::WebhookGivenUp { company } => MessageJson::WebhookGivenUp { company },
        MailMessage::ContactChanged { company } => MessageJson::ContactChanged { company },
        MailMessage::AccessRevoked { company, ground, reason } => MessageJson::AccessRevoked {
            company,
            ground: ground.as_str().to_owned(),
            reason: kept_text(&reason),
            reason_code: reason.code().map(str::to_owned),
        },
        MailMessage::AccessSuspended { company, reason } => MessageJson::AccessSuspended { company, reason },
        MailMessage::NoticeSent { company, rule, message, due } => {
            notice_sent((company, rule, message), due, false)
        }
        MailMessage::NoticeAskedAgain { company, rule, message, due } => {
            notice_sent((company, rule, message), due, true)
        }
        MailMessage::NoticeWithdrawn { company, rule, reason } => {
            MessageJson::NoticeWithdrawn { company, rule: rule.as_str().to_owned(), reason }
        }
        MailMessage::NoticeAccepted { company, rule, note } => {
            MessageJson::NoticeAccepted { company, rule: rule.as_str().to_owned(), note }
        }
        MailMessage::ClarificationDue { case_number, company, due } => {
            MessageJson::ClarificationDue { case_number, company, due }
        }
        MailMessage::ClarificationOverdue { case_number, company, due } => {
            MessageJson::ClarificationOverdue { case_number, company, due }
        }
        MailMessage::NoticeDue { company, rule, due } => {
            MessageJson::NoticeDue { company, rule: rule.as_str().to_owned(), due }
        }
        MailMessage::NoticeOverdue { company, rule, due } => {
            MessageJson::NoticeOverdue { company, rule: rule.as_str().to_owned(), due }
        }
        MailMessage::Dormant { company, since } => MessageJson::Dormant { company, since },
        MailMessage::PlanReceived { company } => MessageJson::PlanReceived { company },
        MailMessage::PlanRejected { company, reason } => MessageJson::PlanRejected { company, reason },
        MailMessage::ReturnOpened { company, note } => MessageJson::ReturnOpened { company, note },
    };
    text(&json)
}

/// A message from JSON.
#[expect(clippy::too_many_lines, reason = "a table of all mails")]
pub(crate) fn message_of(json: &str) -> Option<MailMessage> {
    let word = |kind: String| Kind::parse(&kind);
    Some(match read::<MessageJson>(json)? {
        MessageJson::Received { case_number, kind, company, due } => {
            MailMessage::Received { case_number, kind: word(kind)?, company, due: due.into() }
        }
        MessageJson::ClarificationRequested { case_number, company, question, due } => {
            MailMessage::ClarificationRequested { case_number, company, question, due: due.into() }
        }
        MessageJson::Settled { case_number, kind, company, reason: _ } => {
            MailMessage::Settled { case_number, kind: word(kind)?, company }
        }
        MessageJson::DeadlineMoved { case_number, company, answer, before, due } => {
            MailMessage::DeadlineMoved { case_number, company, answer, before, due: due.into() }
        }
        MessageJson::NoticeDeadlineMoved { company, rule, before, due } => {
            let rule = AbuseRule::parse(&rule)?;
            MailMessage::NoticeDeadlineMoved { company, rule, before, due: due.into() }
        }
        MessageJson::ContactAsked { case_number, company } => {
            MailMessage::ContactAsked { case_number, company }
        }
        MessageJson::UserSuspended { company, user_id, rule } => {
            MailMessage::UserSuspended { company, user_id, rule: AbuseRule::parse(&rule)? }
        }
        MessageJson::UserLifted { company, user_id } => MailMessage::UserLifted { company, user_id },
        MessageJson::Approved { case_number, kind, company, note } => {
            MailMessage::Approved { case_number, kind: word(kind)?, company, note }
        }
        MessageJson::Rejected { case_number, kind, company, reason } => {
            MailMessage::Rejected { case_number, kind: word(kind)?, company, reason }
        }
        MessageJson::Withdrawn { case_number, kind, company } => {
            MailMessage::Withdrawn { case_number, kind: word(kind)?, company }
        }
        MessageJson::KeyRegistered { company, label, fingerprint } => {
            MailMessage::KeyRegistered { company, label, fingerprint }
        }
        MessageJson::KeyRevoked { company, label, fingerprint } => {
            MailMessage::KeyRevoked { company, label, fingerprint }
        }
        MessageJson::KeyEnds { company, label, fingerprint, last_day } => {
            MailMessage::KeyEnds { company, label, fingerprint, last_day }
        }
        MessageJson::IssKeyRotated { company } => MailMessage::IssKeyRotated { company },
        MessageJson::WebhookSet { company, host } => MailMessage::WebhookSet { company, host },
        MessageJson::WebhookRemoved { company, host } => MailMessage::WebhookRemoved { company, host },
        MessageJson::WebhookGivenUp { company } => MailMessage::WebhookGivenUp { company },
        MessageJson::ContactChanged { company } => MailMessage::ContactChanged { company },
        MessageJson::AccessRevoked { company, ground, reason, reason_code } => {
            let reason = RecordedReason::parse(reason_code.as_deref(), &reason)?;
            MailMessage::AccessRevoked { company, ground: Ground::parse(&ground)?, reason }
        }
        MessageJson::AccessSuspended { company, reason } => MailMessage::AccessSuspended { company, reason },
        MessageJson::NoticeSent { company, rule, text: message, due, again } => {
            let (rule, due) = (AbuseRule::parse(&rule)?, due.into());
            if again {
                MailMessage::NoticeAskedAgain { company, rule, message, due }
            } else {
                MailMessage::NoticeSent { company, rule, message, due }
            }
        }
        MessageJson::NoticeWithdrawn { company, rule, reason } => {
            MailMessage::NoticeWithdrawn { company, rule: AbuseRule::parse(&rule)?, reason }
        }
        MessageJson::NoticeAccepted { company, rule, note } => {
            MailMessage::NoticeAccepted { company, rule: AbuseRule::parse(&rule)?, note }
        }
        MessageJson::ClarificationDue { case_number, company, due } => {
            MailMessage::ClarificationDue { case_number, company, due }
        }
        MessageJson::ClarificationOverdue { case_number, company, due } => {
            MailMessage::ClarificationOverdue { case_number, company, due }
        }
        MessageJson::NoticeDue { company, rule, due } => {
            MailMessage::NoticeDue { company, rule: AbuseRule::parse(&rule)?, due }
        }
        MessageJson::NoticeOverdue { company, rule, due } => {
            MailMessage::NoticeOverdue { company, rule: AbuseRule::parse(&rule)?, due }
        }
        MessageJson::Dormant { company, since } => MailMessage::Dormant { company, since },
        MessageJson::PlanReceived { company } => MailMessage::PlanReceived { company },
        MessageJson::PlanRejected { company, reason } => MailMessage::PlanRejected { company, reason },
        MessageJson::ReturnOpened { company, note } => MailMessage::ReturnOpened { company, note },
    })
}
