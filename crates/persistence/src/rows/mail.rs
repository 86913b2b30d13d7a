//! Mail messages as JSON: a kind and its parameters.

use chrono::NaiveDate;
use idcheck_domain::application::Kind;
use idcheck_usecases::ports::MailMessage;
use serde::{Deserialize, Serialize};

use super::json::{read, text};

/// One for each message; a name, once stored, keeps its meaning.
#[derive(Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum MessageJson {
    Received { case_number: String, kind: String, company: String, due: NaiveDate },
    ClarificationRequested { case_number: String, company: String, question: String, due: NaiveDate },
    Approved { case_number: String, kind: String, company: String, note: Option<String> },
    Rejected { case_number: String, kind: String, company: String, reason: String },
    Withdrawn { case_number: String, kind: String, company: String },
    KeyRegistered { company: String, label: String, fingerprint: String },
    KeyRevoked { company: String, label: String, fingerprint: String },
    IssKeyRotated { company: String },
    ContactChanged { company: String },
}

/// A message as JSON.
pub(crate) fn message_text(message: &MailMessage) -> String {
    let word = |kind: Kind| kind.as_str().to_owned();
    let json = match message.clone() {
        MailMessage::Received { case_number, kind, company, due } => {
            MessageJson::Received { case_number, kind: word(kind), company, due }
        }
        MailMessage::ClarificationRequested { case_number, company, question, due } => {
            MessageJson::ClarificationRequested { case_number, company, question, due }
        }
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
        MailMessage::IssKeyRotated { company } => MessageJson::IssKeyRotated { company },
        MailMessage::ContactChanged { company } => MessageJson::ContactChanged { company },
    };
    text(&json)
}

/// A message from JSON.
pub(crate) fn message_of(json: &str) -> Option<MailMessage> {
    let word = |kind: String| Kind::parse(&kind);
    Some(match read::<MessageJson>(json)? {
        MessageJson::Received { case_number, kind, company, due } => {
            MailMessage::Received { case_number, kind: word(kind)?, company, due }
        }
        MessageJson::ClarificationRequested { case_number, company, question, due } => {
            MailMessage::ClarificationRequested { case_number, company, question, due }
        }
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
        MessageJson::IssKeyRotated { company } => MailMessage::IssKeyRotated { company },
        MessageJson::ContactChanged { company } => MailMessage::ContactChanged { company },
    })
}
