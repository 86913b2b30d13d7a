//! The contract of [`Webhooks`], written through [`Changes`].

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    value::{AddressPolicy, UnifiedBusinessNumber},
    webhook::{WebhookSecret, WebhookUrl},
};
use idcheck_usecases::ports::{
    CallFailure, Change, Changes, Clock, CommitError, MailMessage, OutgoingMail, Webhook, WebhookChange,
    Webhooks,
};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, contact, ubn},
};

fn webhook(who: UnifiedBusinessNumber, secret: u8, clock: &FixedClock) -> Webhook {
    let url = WebhookUrl::parse("https://hooks.example.com/idcheck?a=b", AddressPolicy::Public).unwrap();
    Webhook { ubn: who, url, secret: WebhookSecret::new([secret; 32]), set_at: clock.now() }
}

fn set(webhook: &Webhook) -> Change {
    Change { webhook: Some(WebhookChange::Set(webhook.clone())), audit: audit(), ..Change::default() }
}

fn told(number: u128, about: UnifiedBusinessNumber, message: MailMessage) -> OutgoingMail {
    OutgoingMail { id: Uuid::from_u128(number), about, to: contact().email().clone(), message }
}

fn mails(mail: Vec<OutgoingMail>) -> Change {
    Change { mail, audit: audit(), ..Change::default() }
}

fn plan_received() -> MailMessage {
    MailMessage::PlanReceived { company: "測試".to_owned() }
}

/// An address of this organisation, and a call that waits.
pub async fn called(store: &(impl Webhooks + Changes), who: UnifiedBusinessNumber, at: DateTime<Utc>) {
    let clock = FixedClock::default();
    clock.set(at);
    let number = who.as_str().parse().unwrap_or(1);
    let mail = vec![told(number, who, plan_received())];
    store.commit(Change { mail, ..set(&webhook(who, 1, &clock)) }).await.unwrap();
}

/// Set, replaced, removed; a call for each thing that is told once an address is there, taken by one worker, tried again, given up, made
/// due again, and gone with the address.
pub async fn suite(store: &(impl Webhooks + Changes), other: &(impl Webhooks + Changes), clock: &FixedClock) {
    let now = clock.now();
    let (one, two) = (ubn(1), ubn(2));
    store.commit(mails(vec![told(1, one, plan_received())])).await.unwrap();
    assert_eq!(store.webhook(one).await.unwrap(), None);
    let first = webhook(one, 1, clock);
    store.commit(set(&first)).await.unwrap();
    assert_eq!(other.webhook(one).await.unwrap(), Some(first));
    let webhook = webhook(one, 2, clock);
    // What is told with the setting goes to the address that it sets.
    let message =
        MailMessage::WebhookSet { company: "測試".to_owned(), host: "hooks.example.com".to_owned() };
    other.commit(Change { mail: vec![told(2, one, message.clone())], ..set(&webhook) }).await.unwrap();
    assert_eq!(store.webhook(one).await.unwrap(), Some(webhook.clone()));

    // Two mails about one thing are one event; what concerns calls themselves, and another organisation's, is none.
    let changed = MailMessage::ContactChanged { company: "測試".to_owned() };
    let given_up = MailMessage::WebhookGivenUp { company: "測試".to_owned() };
    let change = mails(vec![
        told(3, one, changed.clone()),
        told(4, one, changed.clone()),
        told(5, one, given_up),
        told(6, two, plan_received()),
    ]);
    store.commit(change).await.unwrap();
    let lease = now + TimeDelta::minutes(2);
    let (here, there) = tokio::join!(store.take_calls(now, lease, 10), other.take_calls(now, lease, 10));
    let mut taken = [here.unwrap(), there.unwrap()].concat();
    taken.sort_by_key(|call| call.id);
    let seen: Vec<_> =
        taken.iter().map(|call| (call.id.as_u128(), call.message.clone(), call.attempts)).collect();
    assert_eq!(seen, [(2, message, 0), (3, changed.clone(), 0)], "taken twice, or not at all");
    assert!(taken.iter().all(|call| call.webhook == webhook && call.queued_at == now));
    assert_eq!(store.take_calls(now, lease, 10).await.unwrap(), []);

    let id = Uuid::from_u128;
    store.delivered(id(2), now).await.unwrap();
    let retry = now + TimeDelta::seconds(5);
    store.call_failed(id(3), CallFailure::Status(503), Some(retry)).await.unwrap();
    assert_eq!(store.take_calls(now, lease, 10).await.unwrap(), []);
    let again = other.take_calls(retry, lease, 10).await.unwrap();
    assert_eq!(again.iter().map(|call| (call.id, call.attempts)).collect::<Vec<_>>(), [(id(3), 1)]);
    assert!(!store.call_again(one, id(3), now).await.unwrap(), "it is under way");
    store.call_failed(id(3), CallFailure::Host, None).await.unwrap();
    assert_eq!(store.take_calls(now + TimeDelta::days(9), lease, 10).await.unwrap(), [], "it was given up");
    let calls = other.calls(one, 10).await.unwrap();
    let seen: Vec<_> =
        calls.iter().map(|call| (call.id, call.delivered_at, call.due_at, call.failure)).collect();
    assert_eq!(seen, [(id(3), None, None, Some(CallFailure::Host)), (id(2), Some(now), None, None)]);
    assert_eq!(store.calls(one, 1).await.unwrap().len(), 1);
    assert!(!store.call_again(two, id(3), now).await.unwrap(), "another organisation's");
    assert!(!store.call_again(one, id(2), now).await.unwrap(), "it was taken");
    assert!(store.call_again(one, id(3), now).await.unwrap());
    let revived = store.take_calls(now, lease, 10).await.unwrap();
    assert_eq!((revived.len(), revived[0].attempts), (1, 0));

    let remove = || Change { webhook: Some(WebhookChange::Remove(one)), audit: audit(), ..Change::default() };
    let (here, there) = tokio::join!(store.commit(remove()), other.commit(remove()));
    assert!(here.is_ok() != there.is_ok(), "{here:?} {there:?}");
    assert_eq!(here.and(there), Err(CommitError::Conflict));
    assert_eq!(store.webhook(one).await.unwrap(), None);
    assert_eq!(store.calls(one, 10).await.unwrap(), [], "what waited went with it");
}
