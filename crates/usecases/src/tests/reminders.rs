//! Reminders: which deadline calls for which, and each only once.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    application::ClarificationId,
    calendar::WorkingCalendar,
    key::{Environment, KeyId, Profile, RegisteredKey},
    officer::OfficerId,
    organisation::Organisation,
    value::{CompanyName, KeyLabel, Narrative},
};
use uuid::Uuid;

use crate::{
    ports::{
        CaseSummary, Change, CommitError, DormantOrganisation, MailMessage, MockApplications, MockChanges,
        MockClock, MockDormancy, MockNotices, MockOrganisations, MockReminders, Page, Versioned,
    },
    reminder::{ReminderPorts, SendReminders},
    tests::{application, calendar, contact, entropy, now, ubn},
};

/// A case whose clarification was asked for on Monday 2026-11-23 and is due at the end of Monday 2026-11-30.
fn asked() -> CaseSummary {
    let officer = OfficerId(Uuid::from_u128(5));
    let case = application().claim(officer, now()).unwrap().0;
    let id = ClarificationId(Uuid::from_u128(8));
    let question = Narrative::parse("請補充").unwrap();
    let asked = case.request_clarification(id, question, officer, now(), &WorkingCalendar::default());
    CaseSummary { application: asked.unwrap().0, version: 3, assignee_name: None }
}

/// A key that is good until the end of 2027-12-31.
fn ending() -> RegisteredKey {
    RegisteredKey {
        id: KeyId(Uuid::from_u128(7)),
        fingerprint: "ab".to_owned(),
        public_key_pem: String::new(),
        profile: Profile::Legacy,
        environment: Environment::Production,
        label: KeyLabel::parse("主機").unwrap(),
        registered_at: now(),
        expires_at: Some("2028-01-01T00:00:00+08:00".parse().unwrap()),
        revoked_at: None,
    }
}

/// Ninety, forty-five and thirty days before, once each.
#[tokio::test]
async fn a_key_that_ends_is_told_three_times() {
    let overdue = DUE.replace(":due", ":overdue");
    let key = |stage: &str| format!("key:00000000-0000-0000-0000-000000000007:{stage}");
    let before = [DUE, &overdue, "dormant:04595257:2025-12-05"];
    for (time, called_for) in [
        ("2027-10-02T09:00:00+08:00", None),
        ("2027-10-03T09:00:00+08:00", Some("90")),
        ("2027-11-16T09:00:00+08:00", Some("90")),
        ("2027-11-17T09:00:00+08:00", Some("45")),
        ("2027-12-02T09:00:00+08:00", Some("30")),
        ("2027-12-31T23:00:00+08:00", Some("30")),
        ("2028-01-01T09:00:00+08:00", None),
    ] {
        let (_, changes) = at(time, &before, Ok(())).await;
        let told: Vec<_> = changes.iter().filter_map(|change| change.reminder.clone()).collect();
        assert_eq!(told, called_for.map(key).into_iter().collect::<Vec<_>>(), "{time}");
        if let Some(change) = changes.first() {
            let last = NaiveDate::from_ymd_opt(2027, 12, 31).unwrap();
            assert!(
                matches!(&change.mail[0].message, MailMessage::KeyEnds { last_day, .. } if *last_day == last)
            );
        }
    }
}

async fn at(
    time: &str,
    sent: &[&str],
    outcome: Result<(), CommitError>,
) -> (Result<usize, crate::ports::StoreError>, Vec<Change>) {
    let time: DateTime<Utc> = time.parse().unwrap();
    let mut clock = MockClock::new();
    clock.expect_now().return_const(time);
    let mut applications = MockApplications::new();
    applications.expect_queue().returning(|_| Ok(Page { items: vec![asked()], next: None }));
    let mut notices = MockNotices::new();
    notices.expect_open().returning(|| Ok(Vec::new()));
    let mut dormancy = MockDormancy::new();
    dormancy.expect_dormant().returning(move |day| {
        let since = NaiveDate::from_ymd_opt(2025, 12, 5).unwrap();
        let name = CompanyName::parse("測試甲").unwrap();
        Ok(if since <= day { vec![DormantOrganisation { ubn: ubn(), name, since }] } else { Vec::new() })
    });
    let mut organisations = MockOrganisations::new();
    organisations.expect_find().returning(|_| {
        let value = Organisation::new(ubn(), CompanyName::parse("測試甲").unwrap(), contact());
        Ok(Some(Versioned { value: Organisation { keys: vec![ending()], ..value }, version: 1 }))
    });
    organisations.expect_with_keys_ending().returning(|from, until| {
        let ends = ending().expires_at.is_some_and(|end| from <= end && end < until);
        Ok(if ends { vec![ubn()] } else { Vec::new() })
    });
    let mut reminders = MockReminders::new();
    let sent: HashSet<String> = sent.iter().map(|key| (*key).to_owned()).collect();
    reminders.expect_sent().returning(move |_| Ok(sent.clone()));
    let committed = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&committed);
    let mut changes = MockChanges::new();
    changes.expect_commit().returning(move |change| {
        kept.lock().unwrap().push(change);
        outcome
    });
    let remind = SendReminders::new(ReminderPorts {
        clock: Arc::new(clock),
        entropy: entropy(),
        applications: Arc::new(applications),
        organisations: Arc::new(organisations),
        dormancy: Arc::new(dormancy),
        notices: Arc::new(notices),
        calendar: calendar(),
        reminders: Arc::new(reminders),
        changes: Arc::new(changes),
    });
    let count = remind.execute().await;
    let committed = committed.lock().unwrap().clone();
    (count, committed)
}

const DUE: &str = "clarification:00000000-0000-0000-0000-000000000008:due";

#[tokio::test]
async fn from_the_working_day_before_it_is_due_at_eight_in_the_morning() {
    for (time, count) in [
        ("2026-11-26T12:00:00+08:00", 0),
        ("2026-11-27T07:59:59+08:00", 0),
        // A Friday: who is told on Sunday has nobody to ask.
        ("2026-11-27T08:00:00+08:00", 1),
        ("2026-11-29T08:00:00+08:00", 1),
        ("2026-11-30T23:59:59+08:00", 1),
    ] {
        let (sent, changes) = at(time, &[], Ok(())).await;
        assert_eq!(sent, Ok(count), "{time}");
        assert!(changes.iter().all(|c| matches!(c.mail[0].message, MailMessage::ClarificationDue { .. })));
        assert!(changes.iter().all(|c| c.reminder.as_deref() == Some(DUE)));
    }
}

#[tokio::test]
async fn once_it_is_over_it_is_told_as_overdue() {
    let (sent, changes) = at("2026-12-01T08:00:00+08:00", &[DUE], Ok(())).await;
    assert_eq!(sent, Ok(1));
    assert!(matches!(changes[0].mail[0].message, MailMessage::ClarificationOverdue { .. }));
}

#[tokio::test]
async fn what_was_sent_is_not_sent_again_here_or_on_another_node() {
    let (sent, changes) = at("2026-11-30T09:00:00+08:00", &[DUE], Ok(())).await;
    assert_eq!((sent, changes.len()), (Ok(0), 0));
    let (sent, _) = at("2026-11-30T09:00:00+08:00", &[], Err(CommitError::Conflict)).await;
    assert_eq!(sent, Ok(0));
}

/// 注意事項 八(二): from the day on which the last query is twelve months ago, once.
#[tokio::test]
async fn who_has_not_asked_for_a_year_is_told_once() {
    let overdue = DUE.replace(":due", ":overdue");
    let (sent, _) = at("2026-12-04T12:00:00+08:00", &[DUE, &overdue], Ok(())).await;
    assert_eq!(sent, Ok(0));
    let (sent, changes) = at("2026-12-05T12:00:00+08:00", &[DUE, &overdue], Ok(())).await;
    assert_eq!(sent, Ok(1));
    assert_eq!(changes[0].reminder.as_deref(), Some("dormant:04595257:2025-12-05"));
    assert!(matches!(changes[0].mail[0].message, MailMessage::Dormant { .. }));
    let sent_before = [DUE, &overdue, "dormant:04595257:2025-12-05"];
    assert_eq!(at("2027-03-01T12:00:00+08:00", &sent_before, Ok(())).await.0, Ok(0));
}
