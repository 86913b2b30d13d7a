//! Notices of abnormal use: raised by rule, sent, explained, judged (注意事項 九).

use idcheck_domain::{
    calendar::DueDate,
    notice::{Notice, NoticeId},
    officer::Permission,
    taipei,
    value::{Narrative, Reason},
};

use crate::{
    kernel::{Named, OfficePorts, Refusal, permit},
    ports::{AuditAction, AuditEntry, Change, MailMessage, Officer, Requirement, Versioned, Write},
};

/// What an officer does with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeStep {
    /// Send it, or ask again.
    Send {
        /// What is to be explained.
        message: Narrative,
        /// Working days to explain, 1 to 30.
        days: u32,
    },
    /// Accept the explanation.
    Accept {
        /// A note for the organisation.
        note: Option<Reason>,
    },
    /// Put it away unsent, or take back what was sent; the organisation is told of the latter, with the reason.
    Dismiss {
        /// Why.
        reason: Reason,
    },
}

impl NoticeStep {
    const fn action(&self) -> AuditAction {
        match self {
            Self::Send { .. } => AuditAction::NoticeSend,
            Self::Accept { .. } => AuditAction::NoticeAccept,
            Self::Dismiss { .. } => AuditAction::NoticeDismiss,
        }
    }
}

/// Officers' work on notices.
#[derive(Clone)]
pub struct HandleNotices {
    ports: OfficePorts,
}

impl HandleNotices {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts) -> Self {
        Self { ports }
    }

    /// The open notices, overdue ones on top.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn open(&self, officer: &Officer) -> Result<Named<Vec<Versioned<Notice>>>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let now = self.ports.clock.now();
        let mut open = self.ports.notices.open().await?;
        // A stable sort: within each part the store's order stays.
        open.sort_by_key(|notice| !notice.value.state.due().is_some_and(|due| due.is_over(now)));
        self.ports.named(open).await
    }

    /// One notice.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`], [`Refusal::Unknown`] or the store's.
    pub async fn find(&self, officer: &Officer, id: NoticeId) -> Result<Named<Versioned<Notice>>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let read = self.ports.notices.find(id).await?.ok_or(Refusal::Unknown)?;
        let entry = AuditEntry::new(officer, AuditAction::NoticeRead, id).detail(read.value.state.as_str());
        self.ports.changes.note(entry).await?;
        self.ports.named(read).await
    }

    /// Takes a step on a notice as it was read.
    ///
    /// # Errors
    /// [`Refusal::Notice`] where the state refuses it, [`Refusal::Stale`] for another version, and the
    /// others.
    pub async fn take(
        &self,
        officer: &Officer,
        id: NoticeId,
        version: i64,
        step: &NoticeStep,
    ) -> Result<Named<Versioned<Notice>>, Refusal> {
        permit(officer, Permission::GovernAccess)?;
        let officers = self.ports.names().await?;
        let now = self.ports.clock.now();
        let read = self.ports.notices.find(id).await?.ok_or(Refusal::Unknown)?;
        let held = self.ports.organisation(read.value.ubn).await?.value;
        let company = held.name.as_str().to_owned();
        let rule = read.value.rule;
        let mut change = Change::default();
        let after = match step {
            NoticeStep::Send { message, days } => {
                let calendar = self.ports.calendar.load().await?;
                let again = read.value.is_told();
                let sent = read.value.send(message.clone(), *days, officer.id, now, &calendar)?;
                let today = DueDate { date: taipei::day(now), provisional: false };
                let due = sent.state.due().unwrap_or(today);
                change.requires.push(Requirement::CalendarEdition(calendar.edition()));
                let message = message.as_str().to_owned();
                let message = if again {
                    MailMessage::NoticeAskedAgain { company, rule, message, due }
                } else {
                    MailMessage::NoticeSent { company, rule, message, due }
                };
                change.mail.push(self.ports.mail(&held, message, now));
                sent
            }
            NoticeStep::Accept { note } => {
                let accepted = read.value.accept(officer.id, note.clone(), now)?;
                let note = note.as_ref().map(|note| note.as_str().to_owned());
                let message = MailMessage::NoticeAccepted { company, rule, note };
                change.mail.push(self.ports.mail(&held, message, now));
                accepted
            }
            NoticeStep::Dismiss { reason } => {
                let dismissed = read.value.dismiss(officer.id, reason.clone(), now)?;
                if dismissed.is_told() {
                    let reason = reason.as_str().to_owned();
                    let message = MailMessage::NoticeWithdrawn { company, rule, reason };
                    change.mail.push(self.ports.mail(&held, message, now));
                }
                dismissed
            }
        };
        if read.version != version {
            return Err(Refusal::Stale);
        }
        let detail = format!("organisation:{} rule:{}", after.ubn, rule.as_str());
        change.audit.push(AuditEntry::new(officer, step.action(), id).detail(detail));
        change.notices.push(Write::Update { value: after.clone(), expected: version });
        self.ports.commit(change).await?;
        Ok(Named { value: Versioned { value: after, version: version + 1 }, officers })
    }
}
