//! The working calendar, and every deadline that is counted by it (注意事項 五): a year that is published, a day that is declared
//! off for a typhoon.
//!
//! A deadline is what the calendar of today says of the day it is counted from and its working days. When the calendar changes,
//! all that run are counted again in the same transaction, and whoever was given a date that moved receives the new one.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    application::{Application, StateName},
    calendar::{DueDate, WorkingCalendar},
    notice::Notice,
};

use crate::ports::{
    AuditAction, AuditActor, AuditEntry, AuditSubject, CalendarEdit, CalendarStore, Clock, Entropy,
    MailMessage, OutgoingMail, Redate, Redated, RunningDeadlines, StoreError, Versioned,
};

/// Keeps the calendar.
#[derive(Clone)]
pub struct KeepCalendar {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    calendar: Arc<dyn CalendarStore>,
}

impl KeepCalendar {
    /// Creates it with these ports.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, calendar: Arc<dyn CalendarStore>) -> Self {
        Self { clock, entropy, calendar }
    }

    /// Makes a change; how many deadlines moved. None, and nothing is changed, where a day is of a year that is not known.
    /// Made again, it moves nothing more.
    ///
    /// # Errors
    /// The store's; nothing is changed.
    pub async fn change(&self, edit: &CalendarEdit) -> Result<Option<usize>, StoreError> {
        let redating =
            Redating { now: self.clock.now(), entropy: Arc::clone(&self.entropy), edit: edit.clone() };
        self.calendar.change(edit, &redating).await
    }
}

/// What one change of the calendar moves.
struct Redating {
    now: DateTime<Utc>,
    entropy: Arc<dyn Entropy>,
    edit: CalendarEdit,
}

impl Redate for Redating {
    fn redate(&self, calendar: &WorkingCalendar, running: RunningDeadlines) -> Redated {
        let RunningDeadlines { cases, notices, held } = running;
        let mut redated = Redated::default();
        for Versioned { value: case, version } in cases {
            let Some(told) = case.state.due() else { continue };
            let Some((after, step)) = case.redated(calendar, self.now) else { continue };
            if let (Some((_, to)), Some(due)) = (held.get(&after.ubn), after.state.due())
                && let Some(message) = moved(&after, told, due)
            {
                let (id, about) = (self.entropy.uuid(self.now), after.ubn);
                redated.mail.push(OutgoingMail { id, about, to: to.clone(), message });
            }
            redated.cases.push((Versioned { value: after, version }, step));
        }
        for Versioned { value: notice, version } in notices {
            let Some(told) = notice.state.due() else { continue };
            let Some(after) = notice.redated(calendar, self.now) else { continue };
            if let (Some((company, to)), Some(due)) = (held.get(&after.ubn), after.state.due())
                && due.date != told.date
            {
                let message = notice_moved(&after, company.as_str(), told.date, due);
                let (id, about) = (self.entropy.uuid(self.now), after.ubn);
                redated.mail.push(OutgoingMail { id, about, to: to.clone(), message });
            }
            redated.notices.push(Versioned { value: after, version });
        }
        redated.audit.push(self.entry(redated.cases.len() + redated.notices.len()));
        redated
    }
}

/// What tells the applicant that a date moved that was mailed: the one in the receipt, and that of a clarification. The date
/// that an answer restored was never mailed.
fn moved(case: &Application, told: DueDate, due: DueDate) -> Option<MailMessage> {
    let answer = case.state.name() == StateName::ClarificationRequested;
    let restored = !answer && !case.clarifications.is_empty();
    if due.date == told.date || restored {
        return None;
    }
    Some(MailMessage::DeadlineMoved {
        case_number: case.case_number.to_string(),
        company: case.company_name.as_str().to_owned(),
        answer,
        before: told.date,
        due,
    })
}

fn notice_moved(notice: &Notice, company: &str, before: NaiveDate, due: DueDate) -> MailMessage {
    MailMessage::NoticeDeadlineMoved { company: company.to_owned(), rule: notice.rule, before, due }
}

impl Redating {
    fn entry(&self, moved: usize) -> AuditEntry {
        let (action, subject, what) = match &self.edit {
            CalendarEdit::Year { year, days_off } => {
                let what = format!("daysOff:{}", days_off.len());
                (AuditAction::CalendarImport, AuditSubject::Calendar(*year), what)
            }
            CalendarEdit::Day { day, off } => {
                let what = if *off { "off" } else { "working" }.to_owned();
                (AuditAction::CalendarDay, AuditSubject::Day(*day), what)
            }
        };
        AuditEntry::new(AuditActor::Operator, action, subject)
            .detail(format!("{what} deadlinesMoved:{moved}"))
    }
}
