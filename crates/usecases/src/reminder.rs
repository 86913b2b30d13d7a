//! Reminders: the working day before a deadline of the organisation, and once it is over; and of access that is not used.
//!
//! Each is sent once: its key is written in the transaction that puts the mail into the outbox, so that any number of
//! nodes may run this. An answer that comes at the same moment can be crossed by a reminder; it is only a mail.

use std::sync::Arc;

use chrono::{DateTime, Months, NaiveDate, TimeDelta, Timelike, Utc};
use idcheck_domain::{
    application::StateName,
    calendar::{DueDate, WorkingCalendar},
    key::{Environment, RegisteredKey},
    taipei,
};

use crate::ports::{
    ApplicationFilter, Applications, AuditAction, AuditActor, AuditEntry, AuditSubject, CalendarStore,
    Change, Changes, Clock, CommitError, Dormancy, Entropy, MailMessage, Notices, Organisations,
    OutgoingMail, Reminders, StoreError,
};

/// No reminder leaves before this hour in Taipei (**decided**).
const FIRST_HOUR: u32 = 8;
/// Days before its end from which a key is told about, once in each stage (**decided**).
const KEY_STAGES: [i64; 3] = [90, 45, 30];
/// Cases read at one time.
const PAGE: u16 = 100;

/// What reminding needs.
#[derive(Clone)]
pub struct ReminderPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Cases.
    pub applications: Arc<dyn Applications>,
    /// Organisations.
    pub organisations: Arc<dyn Organisations>,
    /// Notices of abnormal use.
    pub notices: Arc<dyn Notices>,
    /// Who does not use its access.
    pub dormancy: Arc<dyn Dormancy>,
    /// The working calendar.
    pub calendar: Arc<dyn CalendarStore>,
    /// What was sent already.
    pub reminders: Arc<dyn Reminders>,
    /// Changes.
    pub changes: Arc<dyn Changes>,
}

/// Which of its two reminders a deadline calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It ends on the next working day, or today.
    Due,
    /// It is over.
    Overdue,
}

/// From the last working day before the deadline on: whoever is reminded on a Sunday reads it on Monday.
fn moment(due: DueDate, calendar: &WorkingCalendar, now: DateTime<Utc>) -> Option<Moment> {
    if due.is_over(now) {
        return Some(Moment::Overdue);
    }
    (taipei::day(now) >= calendar.working_day_before(due.date)).then_some(Moment::Due)
}

/// Whoever asked last on this day or before is dormant (注意事項 八(二)): 12 months ago.
pub(crate) fn dormant_since(now: DateTime<Utc>) -> NaiveDate {
    let today = taipei::day(now);
    today.checked_sub_months(Months::new(12)).unwrap_or(today)
}

/// A reminder that is called for.
struct Reminder {
    key: String,
    mail: OutgoingMail,
}

/// Sends the reminders that are called for.
#[derive(Clone)]
pub struct SendReminders {
    ports: ReminderPorts,
}

impl SendReminders {
    /// Creates it with these ports.
    pub fn new(ports: ReminderPorts) -> Self {
        Self { ports }
    }

    /// Sends what was not sent yet and tells how many.
    ///
    /// # Errors
    /// The store's; the next turn goes on.
    pub async fn execute(&self) -> Result<usize, StoreError> {
        let now = self.ports.clock.now();
        if taipei::local(now).hour() < FIRST_HOUR {
            return Ok(0);
        }
        let calendar = self.ports.calendar.load().await?;
        let mut called_for = self.clarifications(&calendar, now).await?;
        called_for.extend(self.notices(&calendar, now).await?);
        called_for.extend(self.dormant(now).await?);
        called_for.extend(self.keys(now).await?);
        let keys: Vec<_> = called_for.iter().map(|reminder| reminder.key.clone()).collect();
        let sent = self.ports.reminders.sent(&keys).await?;
        let mut count = 0;
        for reminder in called_for.into_iter().filter(|reminder| !sent.contains(&reminder.key)) {
            count += usize::from(self.send(reminder).await?);
        }
        Ok(count)
    }

    async fn clarifications(
        &self,
        calendar: &WorkingCalendar,
        now: DateTime<Utc>,
    ) -> Result<Vec<Reminder>, StoreError> {
        let mut reminders = Vec::new();
        let mut filter = ApplicationFilter {
            state: Some(StateName::ClarificationRequested),
            limit: PAGE,
            ..ApplicationFilter::default()
        };
        loop {
            let page = self.ports.applications.queue(&filter).await?;
            for case in page.items.into_iter().map(|item| item.application) {
                let Some(asked) = case.clarifications.last() else { continue };
                let Some(moment) = moment(asked.due, calendar, now) else { continue };
                let Some(held) = self.ports.organisations.find(case.ubn).await? else { continue };
                let case_number = case.case_number.to_string();
                let (company, due) = (case.company_name.as_str().to_owned(), asked.due.date);
                let (word, message) = match moment {
                    Moment::Due => ("due", MailMessage::ClarificationDue { case_number, company, due }),
                    Moment::Overdue => {
                        ("overdue", MailMessage::ClarificationOverdue { case_number, company, due })
                    }
                };
                let to = held.value.contact.email().clone();
                let mail =
                    OutgoingMail { id: self.ports.entropy.uuid(now), about: held.value.ubn, to, message };
                reminders.push(Reminder { key: format!("clarification:{}:{word}", asked.id.0), mail });
            }
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(reminders),
            }
        }
    }

    async fn notices(
        &self,
        calendar: &WorkingCalendar,
        now: DateTime<Utc>,
    ) -> Result<Vec<Reminder>, StoreError> {
        let mut reminders = Vec::new();
        for notice in self.ports.notices.open().await?.into_iter().map(|read| read.value) {
            let Some((due, moment)) =
                notice.state.due().and_then(|due| Some((due, moment(due, calendar, now)?)))
            else {
                continue;
            };
            let Some(held) = self.ports.organisations.find(notice.ubn).await? else { continue };
            let company = held.value.name.as_str().to_owned();
            let (rule, due) = (notice.rule, due.date);
            let (word, message) = match moment {
                Moment::Due => ("due", MailMessage::NoticeDue { company, rule, due }),
                Moment::Overdue => ("overdue", MailMessage::NoticeOverdue { company, rule, due }),
            };
            let to = held.value.contact.email().clone();
            let mail = OutgoingMail { id: self.ports.entropy.uuid(now), about: held.value.ubn, to, message };
            // Asked again, it has another deadline and so other reminders.
            let key = format!("notice:{}:{}:{word}", notice.id, notice.sendings.len());
            reminders.push(Reminder { key, mail });
        }
        Ok(reminders)
    }

    /// Once for each time without a query.
    async fn dormant(&self, now: DateTime<Utc>) -> Result<Vec<Reminder>, StoreError> {
        let mut reminders = Vec::new();
        for dormant in self.ports.dormancy.dormant(dormant_since(now)).await? {
            let Some(held) = self.ports.organisations.find(dormant.ubn).await? else { continue };
            let company = held.value.name.as_str().to_owned();
            let message = MailMessage::Dormant { company, since: dormant.since };
            let to = held.value.contact.email().clone();
            let mail = OutgoingMail { id: self.ports.entropy.uuid(now), about: held.value.ubn, to, message };
            reminders.push(Reminder { key: format!("dormant:{}:{}", dormant.ubn, dormant.since), mail });
        }
        Ok(reminders)
    }

    /// Of each production key that ends, in each of the three stages once; what was missed is not caught up with.
    async fn keys(&self, now: DateTime<Utc>) -> Result<Vec<Reminder>, StoreError> {
        let mut reminders = Vec::new();
        let until = now + TimeDelta::days(KEY_STAGES[0]);
        for ubn in self.ports.organisations.with_keys_ending(now, until).await? {
            let Some(held) = self.ports.organisations.find(ubn).await? else { continue };
            let ends = |key: &RegisteredKey| {
                let end = key.expires_at.filter(|_| key.in_force(now))?;
                let stage = KEY_STAGES.into_iter().rfind(|days| end <= now + TimeDelta::days(*days))?;
                (key.environment == Environment::Production).then_some((end, stage))
            };
            for (key, (end, stage)) in held.value.keys.iter().filter_map(|key| Some((key, ends(key)?))) {
                let message = MailMessage::KeyEnds {
                    company: held.value.name.as_str().to_owned(),
                    label: key.label.as_str().to_owned(),
                    fingerprint: key.fingerprint.clone(),
                    last_day: taipei::day(end - TimeDelta::microseconds(1)),
                };
                let to = held.value.contact.email().clone();
                let mail =
                    OutgoingMail { id: self.ports.entropy.uuid(now), about: held.value.ubn, to, message };
                reminders.push(Reminder { key: format!("key:{}:{stage}", key.id.0), mail });
            }
        }
        Ok(reminders)
    }

    async fn send(&self, reminder: Reminder) -> Result<bool, StoreError> {
        let subject = AuditSubject::Reminder(reminder.key.clone());
        let entry = AuditEntry::new(AuditActor::System, AuditAction::ReminderSend, subject);
        let change = Change {
            reminder: Some(reminder.key),
            mail: vec![reminder.mail],
            audit: vec![entry],
            ..Change::default()
        };
        match self.ports.changes.commit(change).await {
            Ok(()) => Ok(true),
            Err(CommitError::Store(error)) => Err(error),
            // Another node was first.
            Err(_) => Ok(false),
        }
    }
}
