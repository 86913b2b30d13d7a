//! The audit log as auditors read it: by who, what and when, and the state of its chain.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use idcheck_domain::{
    officer::Permission,
    value::{CaseNumber, UnifiedBusinessNumber},
};

use crate::{
    kernel::{Refusal, permit},
    ports::{
        Applications, AuditAction, AuditActor, AuditEntry, AuditEntryFound, AuditFilter, AuditLine, AuditLog,
        AuditSubject, ChainStatus, Changes, KnownSubject, ListedOfficer, Officer, Officers, StoreError,
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
    /// What the identities of actors and subjects stand for, by identity.
    pub known: HashMap<String, KnownSubject>,
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
        let page = self.found(officer, asked).await?;
        Ok(AuditPage { known: self.log.known(&identities(&page.lines)).await?, ..page })
    }

    /// The same without what the identities stand for.
    async fn found(&self, officer: &Officer, asked: &AuditQuestion) -> Result<AuditPage, Refusal> {
        permit(officer, Permission::ReadAudit)?;
        let officers = self.officers.list().await?;
        let name =
            |listed: ListedOfficer| (AuditActor::from(&listed.officer).to_string(), listed.officer.username);
        let officers: HashMap<String, String> = officers.into_iter().map(name).collect();
        let actor = asked.who.as_deref().map(|who| {
            let named = officers.iter().find(|(_, username)| username.as_str() == who);
            named.map_or_else(|| organisation_or(who), |(identity, _)| identity.clone())
        });
        let about = match asked.about.as_deref() {
            Some(about) => self.about(about).await?,
            None => Vec::new(),
        };
        let filter = AuditFilter { actor, about, ..asked.filter.clone() };
        Ok(AuditPage { lines: self.log.search(&filter).await?, officers, known: HashMap::new() })
    }

    /// One entry as it stands in the chain, with the names of what it tells of.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::Unknown`] for a number of no entry.
    pub async fn entry(&self, officer: &Officer, seq: i64) -> Result<(AuditEntryFound, AuditPage), Refusal> {
        permit(officer, Permission::ReadAudit)?;
        let found = self.log.entry(seq).await?.ok_or(Refusal::Unknown)?;
        let lines = vec![found.line.clone()];
        let known = self.log.known(&identities(&lines)).await?;
        let officers = known.iter().filter_map(|(identity, known)| match known {
            KnownSubject::Officer(username) => Some((identity.clone(), username.clone())),
            _ => None,
        });
        Ok((found, AuditPage { officers: officers.collect(), lines, known }))
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
        let page = self.found(officer, asked).await?;
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

    /// What is meant: a case by its number, an organisation with all that is its own, or the identity that was typed.
    async fn about(&self, about: &str) -> Result<Vec<String>, StoreError> {
        if let Some(number) = CaseNumber::parse(about)
            && let Some(case) = self.applications.find_by_case_number(&number).await?
        {
            return Ok(vec![AuditSubject::from(case.value.id).to_string()]);
        }
        match UnifiedBusinessNumber::parse(about.strip_prefix("organisation:").unwrap_or(about)) {
            Ok(ubn) => self.log.identities_of(ubn).await,
            Err(_) => Ok(vec![about.to_owned()]),
        }
    }
}

/// The identities that lines tell of.
fn identities(lines: &[AuditLine]) -> Vec<String> {
    let both = lines.iter().flat_map(|line| [&line.entry.actor, &line.entry.subject]);
    let all: BTreeSet<_> = both.cloned().collect();
    all.into_iter().collect()
}

/// The identity of an organisation where it is a UBN; else the text itself.
fn organisation_or(text: &str) -> String {
    UnifiedBusinessNumber::parse(text)
        .map_or_else(|_| text.to_owned(), |ubn| AuditActor::Organisation(ubn).to_string())
}
