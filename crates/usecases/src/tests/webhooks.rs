//! Calls: tried again after the times that are stated, given up after the last, and told of then.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use idcheck_domain::{
    organisation::Organisation,
    value::{AddressPolicy, CompanyName},
    webhook::{WebhookSecret, WebhookUrl},
};
use uuid::Uuid;

use crate::{
    ports::{
        CallFailure, Change, CommitError, MailMessage, MockChanges, MockOrganisations, MockWebhookCaller,
        MockWebhooks, QueuedCall, Versioned, Webhook,
    },
    tests::{clock, contact, entropy, now, ubn},
    webhook::{CallPorts, CallWebhooks, RETRIES},
};

fn call(attempts: u32) -> QueuedCall {
    let url = WebhookUrl::parse("https://hooks.example.com/", AddressPolicy::Public).unwrap();
    let webhook = Webhook { ubn: ubn(), url, secret: WebhookSecret::new([0; 32]), set_at: now() };
    let message = MailMessage::PlanReceived { company: "測試".to_owned() };
    QueuedCall { id: Uuid::from_u128(1), webhook, message, queued_at: now(), attempts }
}

/// What is noted of one call that ends so, and what is committed beside.
async fn after(
    attempts: u32,
    outcome: Result<(), CallFailure>,
    commit: Result<(), CommitError>,
) -> (String, Vec<Change>) {
    let (noted, committed) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
    let mut webhooks = MockWebhooks::new();
    webhooks.expect_take_calls().return_once(move |_, _, _| Ok(vec![call(attempts)]));
    let note = Arc::clone(&noted);
    webhooks.expect_delivered().returning(move |_, _| {
        "delivered".clone_into(&mut note.lock().unwrap());
        Ok(())
    });
    let note = Arc::clone(&noted);
    webhooks.expect_call_failed().returning(move |_, failure, retry_at| {
        let wait = retry_at.map(|at| (at - now()).num_seconds());
        *note.lock().unwrap() = format!("{} {wait:?}", failure.code());
        Ok(())
    });
    let mut caller = MockWebhookCaller::new();
    caller.expect_call().return_once(move |_| outcome);
    let mut organisations = MockOrganisations::new();
    let held = Organisation::new(ubn(), CompanyName::parse("測試").unwrap(), contact());
    organisations.expect_find().returning(move |_| Ok(Some(Versioned { value: held.clone(), version: 1 })));
    let mut changes = MockChanges::new();
    let seen = Arc::clone(&committed);
    changes.expect_commit().returning(move |change| {
        seen.lock().unwrap().push(change);
        commit
    });
    let calls = CallWebhooks::new(CallPorts {
        clock: clock(),
        entropy: entropy(),
        webhooks: Arc::new(webhooks),
        caller: Arc::new(caller),
        organisations: Arc::new(organisations),
        changes: Arc::new(changes),
    });
    assert_eq!(calls.execute().await, Ok(1));
    let (noted, committed) = (noted.lock().unwrap().clone(), committed.lock().unwrap().clone());
    (noted, committed)
}

#[tokio::test]
async fn a_call_is_tried_again_and_given_up_after_three_days() {
    assert_eq!(after(0, Ok(()), Ok(())).await, ("delivered".to_owned(), Vec::new()));
    for (attempt, seconds) in (0..).zip(RETRIES) {
        let (noted, committed) = after(attempt, Err(CallFailure::Timeout), Ok(())).await;
        assert_eq!((noted, committed.len()), (format!("timeout Some({seconds})"), 0));
    }
    let days = TimeDelta::seconds(RETRIES.iter().sum()).num_days();
    assert_eq!(days, 3);
    let last = u32::try_from(RETRIES.len()).unwrap();
    for (attempts, failure) in [(last, CallFailure::Status(503)), (0, CallFailure::GONE)] {
        // Told once a day: another that is given up on the same day is a conflict, which is fine.
        for commit in [Ok(()), Err(CommitError::Conflict)] {
            let (noted, committed) = after(attempts, Err(failure), commit).await;
            assert_eq!(noted, format!("{} None", failure.code()));
            let [change] = committed.as_slice() else { panic!("{committed:?}") };
            assert_eq!(change.reminder.as_deref(), Some("webhook-given-up:04595257:2026-11-23"));
            assert!(matches!(change.mail[0].message, MailMessage::WebhookGivenUp { .. }));
        }
    }
}

#[test]
fn a_failure_is_read_as_it_is_written() {
    let all = [CallFailure::Host, CallFailure::Connection, CallFailure::Timeout, CallFailure::Status(503)];
    assert!(all.into_iter().all(|failure| CallFailure::parse(&failure.code()) == Some(failure)));
    assert_eq!(CallFailure::parse("x"), None);
}
