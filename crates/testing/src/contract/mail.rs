//! The contract of [`Outbox`].

use chrono::TimeDelta;
use idcheck_usecases::ports::{Change, Changes, Clock, MailError, MailMessage, Outbox, OutgoingMail};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, contact, ubn},
};

/// A mail is taken by one worker, comes again when its lease is over, and is gone once it was sent or given up.
pub async fn suite<S: Changes + Outbox>(store: &S) {
    let now = FixedClock::default().now();
    let mail = |id| OutgoingMail {
        id: Uuid::from_u128(id),
        about: ubn(1),
        to: contact().email().clone(),
        message: MailMessage::Rejected {
            case_number: "1151123-7K3M9QX".to_owned(),
            kind: idcheck_domain::application::Kind::Apply,
            company: "測試甲".to_owned(),
            reason: "未敘明".to_owned(),
        },
    };
    let change = Change { mail: (1..=3).map(mail).collect(), audit: audit(), ..Change::default() };
    store.commit(change).await.unwrap();
    let lease = now + TimeDelta::minutes(5);
    let (one, two) = tokio::join!(store.take(now, lease, 10), store.take(now, lease, 10));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.len() + two.len(), 3, "a mail was taken twice or not at all");
    let first = one.iter().chain(&two).find(|m| m.id == Uuid::from_u128(1)).unwrap();
    assert_eq!((&first.message, first.attempts), (&mail(1).message, 0));
    assert!(store.take(now, lease, 10).await.unwrap().is_empty());

    store.sent(Uuid::from_u128(1), now).await.unwrap();
    store.failed(Uuid::from_u128(2), MailError::Temporary, Some(now + TimeDelta::minutes(1))).await.unwrap();
    store.failed(Uuid::from_u128(3), MailError::Permanent, None).await.unwrap();
    let later = now + TimeDelta::minutes(6);
    let again = store.take(later, later + TimeDelta::minutes(5), 10).await.unwrap();
    assert_eq!(again.iter().map(|m| (m.id, m.attempts)).collect::<Vec<_>>(), [(Uuid::from_u128(2), 1)]);
}
