//! Revoking with two persons, stopping and reopening access.

use idcheck_domain::{
    access::Ground,
    officer::Permission,
    organisation::Organisation,
    reason::RecordedReason,
    revocation::{Revocation, RevocationId},
    value::{Reason, UnifiedBusinessNumber},
};

use crate::{
    application::close_open_cases,
    kernel::{Named, OfficePorts, Refusal, permit, retry},
    ports::{AuditAction, AuditEntry, Change, MailMessage, Officer, Versioned, Write},
};

/// What the second person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationRuling {
    /// Access is revoked now.
    Confirm,
    /// It is not.
    Decline {
        /// Why.
        note: Reason,
    },
}

/// Takes access away, stops it, reopens the way to it.
#[derive(Clone)]
pub struct GovernAccess {
    ports: OfficePorts,
}

impl GovernAccess {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts) -> Self {
        Self { ports }
    }

    /// Asks for a revocation; access stays as it is until another person confirms.
    ///
    /// # Errors
    /// [`Refusal::Waiting`] while a request about the organisation waits, and the others.
    pub async fn ask(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
        ground: Ground,
        reason: &Reason,
    ) -> Result<Named<Versioned<Revocation>>, Refusal> {
        permit(officer, Permission::GovernAccess)?;
        let officers = self.ports.names().await?;
        let held = self.ports.organisation(ubn).await?;
        held.value.access.may_be_revoked()?;
        let now = self.ports.clock.now();
        let id = RevocationId(self.ports.entropy.uuid(now));
        let asked = Revocation::ask(id, ubn, ground, reason.clone(), officer.id, now);
        let detail = format!("revocation:{id} ground:{}", ground.as_str());
        let change = Change {
            revocation: Some(Write::Insert(asked.clone())),
            audit: vec![AuditEntry::new(officer, AuditAction::RevocationAsk, ubn).detail(detail)],
            ..Change::default()
        };
        self.ports.commit(change).await?;
        Ok(Named { value: Versioned { value: asked, version: 1 }, officers })
    }

    /// Rules on a request as it was read. On confirmation access ends in the same transaction, over all nodes at once
    /// for what is recorded; open cases and notices are settled, the organisation is notified.
    ///
    /// # Errors
    /// [`Refusal::Ruling`] to the person who asked and after a ruling, [`Refusal::Stale`] for another
    /// version than the one read, and the others.
    pub async fn rule(
        &self,
        officer: &Officer,
        id: RevocationId,
        version: i64,
        ruling: &RevocationRuling,
    ) -> Result<Named<Versioned<Revocation>>, Refusal> {
        let needed = match ruling {
            RevocationRuling::Confirm => Permission::Confirm,
            RevocationRuling::Decline { .. } => Permission::GovernAccess,
        };
        permit(officer, needed)?;
        let officers = self.ports.names().await?;
        let value = retry(|| self.rule_once(officer, id, version, ruling)).await?;
        Ok(Named { value, officers })
    }

    async fn rule_once(
        &self,
        officer: &Officer,
        id: RevocationId,
        version: i64,
        ruling: &RevocationRuling,
    ) -> Result<Versioned<Revocation>, Refusal> {
        let now = self.ports.clock.now();
        let read = self.ports.revocations.find(id).await?.ok_or(Refusal::Unknown)?;
        let ubn = read.value.ubn;
        let mut change = Change::default();
        let (after, action) = match ruling {
            RevocationRuling::Confirm => {
                let confirmed = read.value.confirm(officer.id, now)?;
                self.ports
                    .revoke(ubn, confirmed.ground, confirmed.reason.clone().into(), &mut change)
                    .await?;
                (confirmed, AuditAction::RevocationConfirm)
            }
            RevocationRuling::Decline { note } => {
                (read.value.decline(officer.id, note.clone(), now)?, AuditAction::RevocationDecline)
            }
        };
        // After the ruling's own refusals: whoever comes second learns that there is a ruling.
        if read.version != version {
            return Err(Refusal::Stale);
        }
        let detail = format!("revocation:{id} ground:{}", after.ground.as_str());
        change.audit.push(AuditEntry::new(officer, action, ubn).detail(detail));
        change.revocation = Some(Write::Update { value: after.clone(), expected: version });
        self.ports.commit(change).await?;
        Ok(Versioned { value: after, version: version + 1 })
    }

    /// Stops active access on a documented request, where the card of a former number is dead (注意事項 八(三)).
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn suspend(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
        reason: &Reason,
    ) -> Result<(), Refusal> {
        permit(officer, Permission::GovernAccess)?;
        retry(|| async {
            let now = self.ports.clock.now();
            let held = self.ports.organisation(ubn).await?;
            let suspended = held.value.suspend(reason.clone(), now)?;
            let mut change = Change::default();
            let message = MailMessage::AccessSuspended {
                company: suspended.name.as_str().to_owned(),
                reason: reason.as_str().to_owned(),
            };
            change.mail.push(self.ports.mail(&suspended, message, now));
            self.ports.close_cases(&suspended, &mut change).await?;
            change.organisation = Some(Write::Update { value: suspended, expected: held.version });
            change.audit.push(AuditEntry::new(officer, AuditAction::OrganisationSuspend, ubn));
            self.ports.commit(change).await
        })
        .await
    }

    /// Opens the way back for a company that is registered again (注意事項 十一).
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn lift(
        &self,
        officer: &Officer,
        ubn: UnifiedBusinessNumber,
        reason: &Reason,
    ) -> Result<(), Refusal> {
        permit(officer, Permission::GovernAccess)?;
        retry(|| async {
            let now = self.ports.clock.now();
            let held = self.ports.organisation(ubn).await?;
            let open = held.value.registered_again()?;
            let message = MailMessage::ReturnOpened {
                company: open.name.as_str().to_owned(),
                note: Some(reason.as_str().to_owned()),
            };
            let change = Change {
                mail: vec![self.ports.mail(&open, message, now)],
                organisation: Some(Write::Update { value: open, expected: held.version }),
                audit: vec![
                    AuditEntry::new(officer, AuditAction::OrganisationLift, ubn).detail("registered"),
                ],
                ..Change::default()
            };
            self.ports.commit(change).await
        })
        .await
    }
}

impl OfficePorts {
    /// Adds to the change all that a revocation takes with it: access and keys, open cases, notices, and the mail.
    pub(crate) async fn revoke(
        &self,
        ubn: UnifiedBusinessNumber,
        ground: Ground,
        reason: RecordedReason,
        change: &mut Change,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        let held = self.organisation(ubn).await?;
        let revoked = held.value.revoke(ground, reason.clone(), now)?;
        let message =
            MailMessage::AccessRevoked { company: revoked.name.as_str().to_owned(), ground, reason };
        change.mail.push(self.mail(&revoked, message, now));
        self.close_cases(&revoked, change).await?;
        for notice in self.notices.of_organisation(ubn).await? {
            if notice.value.state.is_open() {
                let ended = notice.value.end(now)?;
                change.notices.push(Write::Update { value: ended, expected: notice.version });
            }
        }
        change.organisation = Some(Write::Update { value: revoked, expected: held.version });
        Ok(())
    }

    async fn close_cases(&self, held: &Organisation, change: &mut Change) -> Result<(), Refusal> {
        let now = self.clock.now();
        let told = (held.ubn, held.contact.email());
        close_open_cases(&self.applications, &self.entropy, told, None, now, change).await?;
        Ok(())
    }
}
