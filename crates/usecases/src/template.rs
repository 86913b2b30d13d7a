//! Templates of reasons: read by who reviews, kept by admins.

use std::sync::Arc;

use idcheck_domain::{
    officer::{Permission, permits},
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};

use crate::{
    kernel::{Refusal, permit},
    ports::{
        AuditAction, AuditEntry, Change, Changes, Clock, Entropy, Officer, ReasonTemplates, Versioned, Write,
    },
};

/// What an admin writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateDraft {
    /// For which step.
    pub used_for: TemplateUse,
    /// What it is chosen by.
    pub title: TemplateTitle,
    /// The text.
    pub text: Reason,
    /// Whether it is offered.
    pub in_use: bool,
}

/// Reads and keeps templates.
#[derive(Clone)]
pub struct KeepTemplates {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    templates: Arc<dyn ReasonTemplates>,
    changes: Arc<dyn Changes>,
}

impl KeepTemplates {
    /// Creates it with these ports.
    pub fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        templates: Arc<dyn ReasonTemplates>,
        changes: Arc<dyn Changes>,
    ) -> Self {
        Self { clock, entropy, templates, changes }
    }

    /// All templates.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn list(&self, officer: &Officer) -> Result<Vec<Versioned<ReasonTemplate>>, Refusal> {
        if !permits(officer.role, Permission::ManageOfficers) {
            permit(officer, Permission::ReadCases)?;
        }
        Ok(self.templates.all().await?)
    }

    /// Adds a template.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] or the store's.
    pub async fn add(
        &self,
        officer: &Officer,
        draft: TemplateDraft,
    ) -> Result<Versioned<ReasonTemplate>, Refusal> {
        permit(officer, Permission::ManageOfficers)?;
        let template = drafted(TemplateId(self.entropy.uuid(self.clock.now())), draft);
        self.commit(officer, AuditAction::TemplateAdd, Write::Insert(template.clone())).await?;
        Ok(Versioned { value: template, version: 1 })
    }

    /// Replaces a template, as it was read.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn change(
        &self,
        officer: &Officer,
        id: TemplateId,
        version: i64,
        draft: TemplateDraft,
    ) -> Result<Versioned<ReasonTemplate>, Refusal> {
        permit(officer, Permission::ManageOfficers)?;
        let known = self.templates.all().await?;
        if known.iter().all(|template| template.value.id != id) {
            return Err(Refusal::Unknown);
        }
        let template = drafted(id, draft);
        let write = Write::Update { value: template.clone(), expected: version };
        self.commit(officer, AuditAction::TemplateChange, write).await?;
        Ok(Versioned { value: template, version: version + 1 })
    }

    async fn commit(
        &self,
        officer: &Officer,
        action: AuditAction,
        write: Write<ReasonTemplate>,
    ) -> Result<(), Refusal> {
        let template = write.value();
        let detail = format!("use:{} inUse:{}", template.used_for.as_str(), template.in_use);
        let entry = AuditEntry::new(officer, action, template.id).detail(detail);
        let change = Change { template: Some(write), audit: vec![entry], ..Change::default() };
        Ok(self.changes.commit(change).await?)
    }
}

fn drafted(id: TemplateId, draft: TemplateDraft) -> ReasonTemplate {
    let TemplateDraft { used_for, title, text, in_use } = draft;
    ReasonTemplate { id, used_for, title, text, in_use }
}
