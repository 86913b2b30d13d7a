//! Judging improvement plans (注意事項 十).

use idcheck_domain::{
    officer::Permission,
    plan::{ImprovementPlan, PlanId},
    value::Reason,
};

use crate::{
    kernel::{Named, OfficePorts, Refusal, permit, retry},
    ports::{AuditAction, AuditEntry, Change, MailMessage, Officer, Versioned, Write},
};

/// What the officer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRuling {
    /// A new `Apply` is possible.
    Approve {
        /// A note for the organisation.
        note: Option<Reason>,
    },
    /// Another plan is needed.
    Reject {
        /// Why.
        reason: Reason,
    },
}

/// Judges improvement plans.
#[derive(Clone)]
pub struct JudgePlans {
    ports: OfficePorts,
}

impl JudgePlans {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts) -> Self {
        Self { ports }
    }

    /// Rules on a plan as it was read; an approval opens the way back in the same transaction.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn rule(
        &self,
        officer: &Officer,
        id: PlanId,
        version: i64,
        ruling: &PlanRuling,
    ) -> Result<Named<Versioned<ImprovementPlan>>, Refusal> {
        permit(officer, Permission::GovernAccess)?;
        let officers = self.ports.names().await?;
        let value = retry(|| self.rule_once(officer, id, version, ruling)).await?;
        Ok(Named { value, officers })
    }

    async fn rule_once(
        &self,
        officer: &Officer,
        id: PlanId,
        version: i64,
        ruling: &PlanRuling,
    ) -> Result<Versioned<ImprovementPlan>, Refusal> {
        let now = self.ports.clock.now();
        let read = self.ports.plans.find(id).await?.ok_or(Refusal::Unknown)?;
        let ubn = read.value.ubn;
        let held = self.ports.organisation(ubn).await?;
        let company = held.value.name.as_str().to_owned();
        let mut change = Change::default();
        let (after, action) = match ruling {
            PlanRuling::Approve { note } => {
                let approved = read.value.approve(officer.id, note.clone(), now)?;
                let note = note.as_ref().map(|note| note.as_str().to_owned());
                let message = MailMessage::ReturnOpened { company, note };
                change.mail.push(self.ports.mail(&held.value, message, now));
                let open = held.value.improved()?;
                change.organisation = Some(Write::Update { value: open, expected: held.version });
                (approved, AuditAction::PlanApprove)
            }
            PlanRuling::Reject { reason } => {
                let rejected = read.value.reject(officer.id, reason.clone(), now)?;
                let message = MailMessage::PlanRejected { company, reason: reason.as_str().to_owned() };
                change.mail.push(self.ports.mail(&held.value, message, now));
                (rejected, AuditAction::PlanReject)
            }
        };
        if read.version != version {
            return Err(Refusal::Stale);
        }
        change.audit.push(AuditEntry::new(officer, action, ubn).detail(format!("plan:{id}")));
        change.plan = Some(Write::Update { value: after.clone(), expected: version });
        self.ports.commit(change).await?;
        Ok(Versioned { value: after, version: version + 1 })
    }
}
