//! The audit log as auditors read it: by who, what and when, and the state of its chain.

use std::{collections::HashMap, sync::Arc};

use idcheck_domain::{
    officer::Permission,
    value::{CaseNumber, UnifiedBusinessNumber},
};

use crate::{
    kernel::{Refusal, permit},
    ports::{
        Applications, AuditAction, AuditActor, AuditEntry, AuditFilter, AuditLine, AuditLog, AuditSubject,
        ChainStatus, Changes, ListedOfficer, Officer, Officers, StoreError,
    },
};

/// Entries of the chain that are walked when it is looked at; `idcheck audit verify` walks all.
const WALKED: u32 = 1000;

/// What is asked for, as people write it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuestion {
    /// An officer's user name, a UBN, or an identity of the log.
    pub who: Option<String>,
    /// A case number, a UBN, or an identity of the log.
    pub about: Option<String>,
    /// The rest; `actor` and `subject` are made of the two above.
    pub filter: AuditFilter,
}

/// What was found, with the user names of officers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// Newest first.
    pub lines: Vec<AuditLine>,
    /// User names by `officer:<id>`.
    pub officers: HashMap<String, String>,
}

/// A page of the log, and the state of its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLook {
    /// What was found.
    pub page: AuditPage,
    /// The end of the chain.
    pub chain: ChainStatus,
}

/// Reads the audit log. Looking is not itself in the log; taking a copy is.
#[derive(Clone)]
pub struct ReadAudit {
    log: Arc<dyn AuditLog>,
    officers: Arc<dyn Officers>,
    applications: Arc<dyn Applications>,
    changes: Arc<dyn Changes>,
}

impl ReadAudit {
    /// Creates it with these ports.
    pub fn new(
        log: Arc<dyn AuditLog>,
        officers: Arc<dyn Officers>,
        applications: Arc<dyn Applications>,
        changes: Arc<dyn Changes>,
    ) -> Self {
        Self { log, officers, applications, changes }
    }

    /// A page of the log.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn search(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditPage, Refusal> {
        permit(officer, Permission::ReadAudit)?;
        let officers = self.officers.list().await?;
        let name =
            |listed: ListedOfficer| (AuditActor::from(&listed.officer).to_string(), listed.officer.username);
        let officers: HashMap<String, String> = officers.into_iter().map(name).collect();
        let actor = asked.who.as_deref().map(|who| {
            let named = officers.iter().find(|(_, username)| username.as_str() == who);
            named.map_or_else(|| organisation_or(who), |(identity, _)| identity.clone())
        });
        let subject = match asked.about.as_deref() {
            Some(about) => Some(self.subject(about).await?),
            None => None,
        };
        let filter = AuditFilter { actor, subject, ..asked.filter.clone() };
        Ok(AuditPage { lines: self.log.search(&filter).await?, officers })
    }

    /// A page of the log, and the state of the end of its chain.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn look(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditLook, Refusal> {
        Ok(AuditLook { page: self.search(officer, asked).await?, chain: self.status(officer).await? })
    }

    /// The same, to be taken away: the log tells that it was.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn export(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditPage, Refusal> {
        let page = self.search(officer, asked).await?;
        let entry = AuditEntry::new(officer, AuditAction::AuditExport, AuditSubject::Audit);
        let entry = entry.detail(format!("entries:{}", page.lines.len()));
        self.changes.note(entry).await?;
        Ok(page)
    }

    /// The state of the end of the chain.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn status(&self, officer: &Officer) -> Result<ChainStatus, Refusal> {
        permit(officer, Permission::ReadAudit)?;
        Ok(self.log.status(WALKED).await?)
    }

    async fn subject(&self, about: &str) -> Result<String, StoreError> {
        if let Some(number) = CaseNumber::parse(about)
            && let Some(case) = self.applications.find_by_case_number(&number).await?
        {
            return Ok(AuditSubject::from(case.value.id).to_string());
        }
        Ok(organisation_or(about))
    }
}

/// The identity of an organisation where it is a UBN; else the text itself.
fn organisation_or(text: &str) -> String {
    UnifiedBusinessNumber::parse(text)
        .map_or_else(|_| text.to_owned(), |ubn| AuditActor::Organisation(ubn).to_string())
}
