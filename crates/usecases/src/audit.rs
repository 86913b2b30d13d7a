//! The audit log as auditors read it: by who, what and when, and how its chain stands.

use std::{collections::HashMap, sync::Arc};

use idcheck_domain::{
    officer::{Permission, permits},
    value::{CaseNumber, UnifiedBusinessNumber},
};

use crate::ports::{
    Applications, AuditEntry, AuditFilter, AuditLine, AuditLog, ChainStatus, Changes, ListedOfficer, Officer,
    Officers, StoreError,
};

/// Entries of the chain that are walked when it is looked at; `idcheck audit verify` walks all.
const WALKED: u32 = 1000;

/// Why the log was not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditRefusal {
    /// The officer's role does not permit it.
    #[error("the role does not permit this")]
    Forbidden,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

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

/// Reads the audit log. Looking is not itself in the log; taking a copy is.
#[derive(Clone)]
pub struct ReadAudit {
    log: Arc<dyn AuditLog>,
    officers: Arc<dyn Officers>,
    applications: Arc<dyn Applications>,
    changes: Arc<dyn Changes>,
}

impl ReadAudit {
    /// With these ports.
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
    /// [`AuditRefusal`].
    pub async fn search(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditPage, AuditRefusal> {
        permit(officer)?;
        let officers = self.officers.list().await?;
        let name =
            |listed: ListedOfficer| (format!("officer:{}", listed.officer.id), listed.officer.username);
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

    /// The same, to be taken away: the log tells that it was.
    ///
    /// # Errors
    /// [`AuditRefusal`].
    pub async fn export(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditPage, AuditRefusal> {
        let page = self.search(officer, asked).await?;
        let entry = AuditEntry {
            actor: format!("officer:{}", officer.id),
            action: "audit.export".to_owned(),
            subject: "audit".to_owned(),
            detail: format!("entries:{}", page.lines.len()),
        };
        self.changes.note(entry).await?;
        Ok(page)
    }

    /// How the end of the chain stands.
    ///
    /// # Errors
    /// [`AuditRefusal`].
    pub async fn status(&self, officer: &Officer) -> Result<ChainStatus, AuditRefusal> {
        permit(officer)?;
        Ok(self.log.status(WALKED).await?)
    }

    async fn subject(&self, about: &str) -> Result<String, StoreError> {
        if let Some(number) = CaseNumber::parse(about)
            && let Some(case) = self.applications.find_by_case_number(&number).await?
        {
            return Ok(format!("application:{}", case.value.id.0));
        }
        Ok(organisation_or(about))
    }
}

/// The identity of an organisation where it is a UBN; else the text itself.
fn organisation_or(text: &str) -> String {
    UnifiedBusinessNumber::parse(text).map_or_else(|_| text.to_owned(), |ubn| format!("organisation:{ubn}"))
}

fn permit(officer: &Officer) -> Result<(), AuditRefusal> {
    if permits(officer.role, Permission::ReadAudit) { Ok(()) } else { Err(AuditRefusal::Forbidden) }
}
