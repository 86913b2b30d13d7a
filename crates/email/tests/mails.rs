//! Every mail in words, and the files they become.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    abuse::AbuseRule,
    access::Ground,
    application::Kind,
    calendar::DueDate,
    reason::RecordedReason,
    value::{EmailAddress, Reason},
};
use idcheck_email::{FileMailer, compose};
use idcheck_usecases::ports::{MailMessage, Mailer, QueuedMail};
use uuid::Uuid;

fn messages() -> Vec<(&'static str, MailMessage)> {
    let due = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
    let case_number = || "1151123-7K3M9QX".to_owned();
    let company = || "測試甲股份有限公司".to_owned();
    let fingerprint = || "ab".repeat(32);
    vec![
        (
            "received",
            MailMessage::Received {
                case_number: case_number(),
                kind: Kind::Apply,
                company: company(),
                due: settled(due),
            },
        ),
        (
            "clarification",
            MailMessage::ClarificationRequested {
                case_number: case_number(),
                company: company(),
                question: "請附上主管機關函。\n<b>第二行</b>".to_owned(),
                due: settled(due),
            },
        ),
        (
            "approved",
            MailMessage::Approved {
                case_number: case_number(),
                kind: Kind::ChangeAddress,
                company: company(),
                note: None,
            },
        ),
        (
            "rejected",
            MailMessage::Rejected {
                case_number: case_number(),
                kind: Kind::Suspend,
                company: company(),
                reason: "未敘明主管機關規定".to_owned(),
            },
        ),
        (
            "withdrawn",
            MailMessage::Withdrawn { case_number: case_number(), kind: Kind::Apply, company: company() },
        ),
        (
            "key-registered",
            MailMessage::KeyRegistered {
                company: company(),
                label: "主機一".to_owned(),
                fingerprint: fingerprint(),
            },
        ),
        (
            "key-revoked",
            MailMessage::KeyRevoked {
                company: company(),
                label: "主機一".to_owned(),
                fingerprint: fingerprint(),
            },
        ),
        (
            "key-ends",
            MailMessage::KeyEnds {
                company: company(),
                label: "主機一".to_owned(),
                fingerprint: fingerprint(),
                last_day: NaiveDate::from_ymd_opt(2027, 2, 28).unwrap(),
            },
        ),
        ("iss-key-rotated", MailMessage::IssKeyRotated { company: company() }),
        ("webhook-set", MailMessage::WebhookSet { company: company(), host: "hooks.example.com".to_owned() }),
        (
            "webhook-removed",
            MailMessage::WebhookRemoved { company: company(), host: "hooks.example.com".to_owned() },
        ),
        ("webhook-given-up", MailMessage::WebhookGivenUp { company: company() }),
        ("contact-changed", MailMessage::ContactChanged { company: company() }),
    ]
}

fn casework_messages() -> Vec<(&'static str, MailMessage)> {
    let due = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
    let case_number = || "1151123-7K3M9QX".to_owned();
    let company = || "測試甲股份有限公司".to_owned();
    vec![
        ("revoked-abuse", revoked(Ground::Abuse)),
        ("revoked-conduct", revoked(Ground::Conduct)),
        ("revoked-not-registered", revoked(Ground::NotRegistered)),
        (
            "access-suspended",
            MailMessage::AccessSuspended {
                company: company(),
                reason: "統一編號變更，舊卡已失效".to_owned(),
            },
        ),
        (
            "notice-sent",
            MailMessage::NoticeSent {
                company: company(),
                rule: AbuseRule::MachinePaced,
                message: "十一月二十三日使用者 teller7".to_owned(),
                due: settled(due),
            },
        ),
        (
            "notice-again",
            MailMessage::NoticeAskedAgain {
                company: company(),
                rule: AbuseRule::GuessedNeighbours,
                message: "請補充說明改善情形".to_owned(),
                due: settled(due),
            },
        ),
        (
            "notice-withdrawn",
            MailMessage::NoticeWithdrawn {
                company: company(),
                rule: AbuseRule::MadeUpNumbers,
                reason: "係本部連線測試".to_owned(),
            },
        ),
        (
            "notice-accepted",
            MailMessage::NoticeAccepted { company: company(), rule: AbuseRule::Replays, note: None },
        ),
        (
            "clarification-due",
            MailMessage::ClarificationDue { case_number: case_number(), company: company(), due },
        ),
        (
            "clarification-overdue",
            MailMessage::ClarificationOverdue { case_number: case_number(), company: company(), due },
        ),
        ("notice-due", MailMessage::NoticeDue { company: company(), rule: AbuseRule::GuessedNumber, due }),
        (
            "notice-overdue",
            MailMessage::NoticeOverdue { company: company(), rule: AbuseRule::UserBurst, due },
        ),
        ("revoked-by-the-register", {
            let reason = RecordedReason::CompanyStatus("解散".to_owned());
            MailMessage::AccessRevoked { company: company(), ground: Ground::NotRegistered, reason }
        }),
        ("revoked-not-found", {
            let reason = RecordedReason::NotRegistered;
            MailMessage::AccessRevoked { company: company(), ground: Ground::NotRegistered, reason }
        }),
        ("dormant", MailMessage::Dormant { company: company(), since: due }),
        ("plan-received", MailMessage::PlanReceived { company: company() }),
        ("plan-rejected", MailMessage::PlanRejected { company: company(), reason: "未敘明期程".to_owned() }),
        (
            "return-opened",
            MailMessage::ReturnOpened { company: company(), note: Some("請依計畫執行".to_owned()) },
        ),
    ]
}

fn moved_messages() -> Vec<(&'static str, MailMessage)> {
    let before = NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
    let due = DueDate { date: NaiveDate::from_ymd_opt(2027, 1, 4).unwrap(), provisional: true };
    let case_number = || "1151123-7K3M9QX".to_owned();
    let company = || "測試甲股份有限公司".to_owned();
    let moved = |answer| MailMessage::DeadlineMoved {
        case_number: case_number(),
        company: company(),
        answer,
        before,
        due,
    };
    vec![
        (
            "received-provisional",
            MailMessage::Received { case_number: case_number(), kind: Kind::Apply, company: company(), due },
        ),
        ("decision-moved", moved(false)),
        ("answer-moved", moved(true)),
        (
            "notice-moved",
            MailMessage::NoticeDeadlineMoved {
                company: company(),
                rule: AbuseRule::MismatchRatio,
                before,
                due: settled(due.date),
            },
        ),
        (
            "settled",
            MailMessage::Settled {
                case_number: case_number(),
                kind: Kind::ChangeAddress,
                company: company(),
            },
        ),
        ("contact-asked", MailMessage::ContactAsked { case_number: case_number(), company: company() }),
        (
            "user-suspended",
            MailMessage::UserSuspended {
                company: company(),
                user_id: "teller<7>".to_owned(),
                rule: AbuseRule::UserMistakes,
            },
        ),
        ("user-lifted", MailMessage::UserLifted { company: company(), user_id: "teller7".to_owned() }),
    ]
}

fn settled(date: NaiveDate) -> DueDate {
    DueDate { date, provisional: false }
}

fn revoked(ground: Ground) -> MailMessage {
    let company = "測試甲股份有限公司".to_owned();
    MailMessage::AccessRevoked {
        company,
        ground,
        reason: Reason::parse("一日內試探兩百餘筆").unwrap().into(),
    }
}

#[test]
fn every_mail_reads_as_kept_in_its_snapshot() {
    for (name, message) in messages().into_iter().chain(casework_messages()).chain(moved_messages()) {
        let text = compose(&message);
        assert!(!text.html.is_empty(), "{name}: the HTML part is empty");
        assert!(!text.subject.contains(['\r', '\n']), "{name}: the subject is one line");
        insta::assert_snapshot!(name, format!("{}\n\n{}", text.subject, text.plain));
        insta::assert_snapshot!(format!("{name}.html"), text.html);
    }
}

/// What a call tells of each mail stands in the guides, and nothing that a person is called or wrote.
#[test]
fn every_event_is_in_the_guides() {
    let guides = ["api.md", "api.zh-Hant-TW.md"].map(|guide| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides");
        std::fs::read_to_string(folder.join(guide)).unwrap()
    });
    let mut told = 0;
    for (name, message) in messages().into_iter().chain(casework_messages()).chain(moved_messages()) {
        let Some(event) = message.event() else { continue };
        told += 1;
        for guide in &guides {
            let kind = format!("`{}`", event.kind);
            let row = guide.lines().find(|line| line.starts_with("| ") && line.contains(&kind));
            let row = row.unwrap_or_else(|| panic!("{name}: no {kind} in the guide"));
            let facts: Vec<_> = event.facts.iter().map(|(fact, _)| format!("`{fact}`")).collect();
            assert!(row.ends_with(&format!("| {} |", facts.join(", "))), "{name}: {facts:?} in {row}");
        }
        let ascii = event.facts.iter().all(|(_, fact)| fact.is_ascii());
        assert!(ascii, "{name}: {:?} holds what somebody wrote", event.facts);
    }
    assert!(told > 30, "{told}");
}

#[test]
fn what_people_typed_is_escaped_in_html() {
    let (_, message) = messages().remove(1);
    let html = compose(&message).html;
    assert!(html.contains("&lt;b&gt;第二行&lt;&#x2f;b&gt;"), "{html}");
}

#[tokio::test]
async fn a_mail_written_twice_is_one_file_with_one_message_id() {
    let folder = tempfile::tempdir().unwrap();
    let mailer = FileMailer::new(folder.path().to_owned(), "idcheck <noreply@idcheck.example>").unwrap();
    let mail = QueuedMail {
        id: Uuid::from_u128(7),
        to: EmailAddress::parse("it@example.com").unwrap(),
        message: messages().remove(3).1,
        queued_at: DateTime::<Utc>::UNIX_EPOCH,
        attempts: 0,
        failure: None,
    };
    mailer.send(&mail).await.unwrap();
    let first = std::fs::read(folder.path().join(format!("{}.eml", mail.id))).unwrap();
    mailer.send(&mail).await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let text = String::from_utf8(first).unwrap();
    assert!(text.contains("Message-ID: <00000000-0000-0000-0000-000000000007@idcheck.example>"), "{text}");
    assert!(text.contains("To: it@example.com"), "{text}");
}
