//! The mail server is away for an hour; a mail that was given up is sent again by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::TimeDelta;
use idcheck_testing::{
    builders::{contact, ubn},
    contract::ledger::admission,
    database::TempDatabase,
};
use idcheck_usecases::{
    mail::DeliverMail,
    ports::{Changes, Clock, MailError, MailMessage, Mailer, Outbox, OutgoingMail, QueuedMail},
};
use uuid::Uuid;

/// A server that is told what to say.
#[derive(Default)]
struct Server {
    refusal: Mutex<Option<MailError>>,
    delivered: Mutex<Vec<Uuid>>,
}

#[async_trait]
impl Mailer for Server {
    async fn send(&self, mail: &QueuedMail) -> Result<(), MailError> {
        if let Some(error) = *self.refusal.lock().unwrap() {
            return Err(error);
        }
        self.delivered.lock().unwrap().push(mail.id);
        Ok(())
    }
}

async fn away_for_an_hour(database: &TempDatabase) {
    let store = Arc::new(database.store().await);
    let id = Uuid::from_u128(77);
    let message = MailMessage::PlanReceived { company: "測試甲".to_owned() };
    let mut change = admission(1);
    change.mail.push(OutgoingMail { id, about: ubn(1), to: contact().email().clone(), message });
    store.commit(change).await.unwrap();
    let server = Arc::new(Server::default());
    let clock: Arc<dyn Clock> = Arc::new(database.clock.clone());
    let deliver = DeliverMail::new(clock, Arc::clone(&store) as _, Arc::clone(&server) as _);

    *server.refusal.lock().unwrap() = Some(MailError::Temporary);
    let start = database.clock.now();
    for minute in 0..60 {
        database.clock.set(start + TimeDelta::minutes(minute));
        deliver.execute().await.unwrap();
    }
    assert!(server.delivered.lock().unwrap().is_empty());
    *server.refusal.lock().unwrap() = None;
    for minute in 60..130 {
        database.clock.set(start + TimeDelta::minutes(minute));
        deliver.execute().await.unwrap();
    }
    assert_eq!(*server.delivered.lock().unwrap(), [id], "lost, or sent twice");
    assert!(store.given_up(10).await.unwrap().is_empty());
    assert!(!store.revive(id, database.clock.now()).await.unwrap(), "a mail that was sent is no dead letter");
}

async fn given_up_and_revived(database: &TempDatabase) {
    let store = Arc::new(database.store().await);
    let id = Uuid::from_u128(78);
    let message = MailMessage::PlanReceived { company: "測試甲".to_owned() };
    let mut change = admission(2);
    change.mail.push(OutgoingMail { id, about: ubn(1), to: contact().email().clone(), message });
    store.commit(change).await.unwrap();
    let server = Arc::new(Server::default());
    let clock: Arc<dyn Clock> = Arc::new(database.clock.clone());
    let deliver = DeliverMail::new(clock, Arc::clone(&store) as _, Arc::clone(&server) as _);
    *server.refusal.lock().unwrap() = Some(MailError::Permanent);
    deliver.execute().await.unwrap();
    let dead = store.given_up(10).await.unwrap();
    assert_eq!(dead.iter().map(|mail| (mail.id, mail.attempts)).collect::<Vec<_>>(), [(id, 1)]);
    *server.refusal.lock().unwrap() = None;
    assert_eq!(deliver.execute().await, Ok(0), "a dead letter is left alone");
    assert!(store.revive(id, database.clock.now()).await.unwrap());
    assert!(!store.revive(id, database.clock.now()).await.unwrap(), "revived twice");
    assert_eq!(deliver.execute().await, Ok(1));
    assert_eq!(*server.delivered.lock().unwrap(), [id]);
}

on_both!(the_server_is_away_for_an_hour, |database| away_for_an_hour(&database).await);
on_both!(a_dead_letter_is_sent_again, |database| given_up_and_revived(&database).await);
