//! The yearly sweep (注意事項 十一): every organisation's name and number against the company register.
//!
//! A sweep changes nothing by itself. It makes a worklist; a supervisor who did not begin it confirms the revocations,
//! one by one or all. The register is asked in the background, in strides, and again about what it did not answer.

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::{
    access::Ground,
    company::Finding,
    officer::Permission,
    precondition::Precondition,
    sweep::{Sweep, SweepId, SweepItem},
    taipei,
    value::{Reason, UnifiedBusinessNumber},
};

use crate::{
    kernel::{Named, OfficePorts, OfficerNames, Refusal, permit, retry},
    ports::{AuditAction, AuditActor, AuditEntry, Change, Officer, RegisterError, Sweeps, Versioned, Write},
};

/// Minutes after which a number is asked about again that had no answer (**decided**).
const PAUSE_MINUTES: i64 = 10;
/// Numbers in a row without an answer after which the register is taken to be away.
const SILENT: u32 = 3;
/// Sweeps listed at one time.
const LISTED: u16 = 20;
/// Items about which the register is asked in one stride.
const STRIDE: u16 = 200;

/// A sweep with its worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepFile {
    /// The sweep.
    pub sweep: Sweep,
    /// Its worklist, by number.
    pub items: Vec<Versioned<SweepItem>>,
    /// The names of those who acted.
    pub officers: OfficerNames,
}

impl SweepFile {
    /// Items about which the register has not answered.
    pub fn unread(&self) -> usize {
        self.items.iter().filter(|item| item.value.finding.is_none()).count()
    }

    /// Items that wait for a person.
    pub fn waiting(&self) -> usize {
        self.items.iter().filter(|item| item.value.waits()).count()
    }

    /// Items of a finding's word.
    pub fn found(&self, word: &str) -> usize {
        let of = |item: &&Versioned<SweepItem>| {
            item.value.finding.as_ref().is_some_and(|finding| finding.as_str() == word)
        };
        self.items.iter().filter(of).count()
    }
}

/// Who begins a sweep.
#[derive(Debug, Clone, Copy)]
pub enum SweptBy<'o> {
    /// The operator, on the command line.
    Operator,
    /// An officer of the console.
    Officer(&'o Officer),
}

/// Compares organisations with the company register and acts on it.
#[derive(Clone)]
pub struct SweepCompanies {
    ports: OfficePorts,
    sweeps: Arc<dyn Sweeps>,
}

impl SweepCompanies {
    /// Creates it with these ports.
    pub fn new(ports: OfficePorts, sweeps: Arc<dyn Sweeps>) -> Self {
        Self { ports, sweeps }
    }

    /// Begins a sweep, or goes on with the one of the same day.
    ///
    /// # Errors
    /// [`Refusal::Register`] where there is no register, and the others.
    pub async fn begin(&self, by: SweptBy<'_>) -> Result<Named<Sweep>, Refusal> {
        let begun_by = match by {
            SweptBy::Operator => None,
            SweptBy::Officer(officer) => {
                permit(officer, Permission::GovernAccess)?;
                Some(officer.id)
            }
        };
        let officers = self.ports.names().await?;
        let now = self.ports.clock.now();
        let id = SweepId(self.ports.entropy.uuid(now));
        let register_of = self.ports.company_register.state_of().await?;
        let sweep = self.sweeps.begin(&Sweep { id, begun_by, begun_at: now, register_of }).await?;
        if sweep.id == id {
            let actor = begun_by.map_or(AuditActor::Operator, AuditActor::Officer);
            self.ports.changes.note(AuditEntry::new(actor, AuditAction::SweepBegin, id)).await?;
        }
        Ok(Named { value: sweep, officers })
    }

    /// Asks the register about some of what it gave no answer to yet; about how many. A number without an answer is left for
    /// ten minutes and does not keep the others waiting; after three in a row the register itself is taken to be away.
    ///
    /// # Errors
    /// The register's or the store's; the next turn goes on.
    pub async fn advance(&self) -> Result<usize, Refusal> {
        let now = self.ports.clock.now();
        let again_at = now + TimeDelta::minutes(PAUSE_MINUTES);
        let (mut asked, mut silent) = (0, 0);
        for (id, item) in self.sweeps.unread(STRIDE, now).await? {
            match self.ports.company_register.company(item.ubn).await {
                Ok(record) => {
                    let finding = Some(Finding::of(&item.name, record.as_ref()));
                    self.sweeps.found(id, &SweepItem { finding, ..item }).await?;
                    silent = 0;
                }
                Err(RegisterError::Unreadable) => {
                    self.sweeps.unanswered(id, item.ubn, again_at).await?;
                    silent += 1;
                    if silent == SILENT {
                        return Err(RegisterError::Unreadable.into());
                    }
                }
                Err(error @ RegisterError::NoSnapshot) => return Err(error.into()),
            }
            asked += 1;
        }
        Ok(asked)
    }

    /// What a sweep would find now; nothing is written. An item without a finding was not answered.
    ///
    /// # Errors
    /// [`Refusal::Register`] where there is no register, and the store's.
    pub async fn preview(&self) -> Result<Vec<SweepItem>, Refusal> {
        self.ports.company_register.state_of().await?;
        let mut items = self.sweeps.candidates().await?;
        for item in &mut items {
            if let Ok(record) = self.ports.company_register.company(item.ubn).await {
                item.finding = Some(Finding::of(&item.name, record.as_ref()));
            }
        }
        Ok(items)
    }

    /// The latest sweeps, newest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn list(&self, officer: &Officer) -> Result<Named<Vec<Sweep>>, Refusal> {
        permit(officer, Permission::ReadCases)?;
        self.ports.named(self.sweeps.latest(LISTED).await?).await
    }

    /// One sweep with its worklist.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn file(&self, officer: &Officer, id: SweepId) -> Result<SweepFile, Refusal> {
        permit(officer, Permission::ReadCases)?;
        let sweep = self.sweep(id).await?;
        let (items, officers) = (self.sweeps.items(id).await?, self.ports.names().await?);
        Ok(SweepFile { sweep, items, officers })
    }

    async fn sweep(&self, id: SweepId) -> Result<Sweep, Refusal> {
        self.sweeps.find(id).await?.ok_or(Refusal::Unknown)
    }

    async fn item(&self, id: SweepId, ubn: UnifiedBusinessNumber) -> Result<Versioned<SweepItem>, Refusal> {
        let items = self.sweeps.items(id).await?;
        items.into_iter().find(|item| item.value.ubn == ubn).ok_or(Refusal::Unknown)
    }

    /// Revokes the access of one organisation that was not found or is dissolved.
    ///
    /// # Errors
    /// [`Refusal::Ruling`] to who began the sweep, where the register gives no ground and after a ruling, and
    /// the others.
    pub async fn confirm(
        &self,
        officer: &Officer,
        id: SweepId,
        ubn: UnifiedBusinessNumber,
    ) -> Result<(), Refusal> {
        permit(officer, Permission::Confirm)?;
        let sweep = self.sweep(id).await?;
        retry(|| async {
            let read = self.item(id, ubn).await?;
            let (confirmed, reason) = read.value.confirm(&sweep, officer.id, self.ports.clock.now())?;
            let mut change = Change::default();
            self.ports.revoke(ubn, Ground::NotRegistered, reason, &mut change).await?;
            self.rule(
                officer,
                AuditAction::SweepConfirm,
                &sweep,
                Write::Update { value: confirmed, expected: read.version },
                change,
            )
            .await
        })
        .await
    }

    /// Confirms all items that were not found or are dissolved, each in its own transaction; how many. What someone
    /// else settled meanwhile is left out.
    ///
    /// # Errors
    /// [`Refusal::Ruling`] to who began the sweep, and the others.
    pub async fn confirm_all(&self, officer: &Officer, id: SweepId) -> Result<usize, Refusal> {
        permit(officer, Permission::Confirm)?;
        self.sweep(id).await?;
        let items = self.sweeps.items(id).await?.into_iter().map(|item| item.value);
        let mut confirmed = 0;
        for item in items.filter(SweepItem::waits) {
            if item.finding.as_ref().is_none_or(|finding| finding.reason().is_none()) {
                continue;
            }
            match self.confirm(officer, id, item.ubn).await {
                Ok(()) => confirmed += 1,
                Err(
                    Refusal::Precondition(Precondition::AlreadyRevoked | Precondition::NothingHeld)
                    | Refusal::Ruling(idcheck_domain::ruling::RefusedRuling::Decided),
                ) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(confirmed)
    }

    /// Leaves the access of one organisation as it is.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn keep(
        &self,
        officer: &Officer,
        id: SweepId,
        ubn: UnifiedBusinessNumber,
        reason: &Reason,
    ) -> Result<(), Refusal> {
        permit(officer, Permission::GovernAccess)?;
        let sweep = self.sweep(id).await?;
        retry(|| async {
            let read = self.item(id, ubn).await?;
            let kept = read.value.keep(officer.id, reason.clone(), self.ports.clock.now())?;
            let write = Write::Update { value: kept, expected: read.version };
            self.rule(officer, AuditAction::SweepKeep, &sweep, write, Change::default()).await
        })
        .await
    }

    async fn rule(
        &self,
        officer: &Officer,
        action: AuditAction,
        sweep: &Sweep,
        item: Write<SweepItem>,
        mut change: Change,
    ) -> Result<(), Refusal> {
        let detail = format!("sweep:{} day:{}", sweep.id, taipei::day(sweep.begun_at));
        change.audit.push(AuditEntry::new(officer, action, item.value().ubn).detail(detail));
        change.sweep_item = Some((sweep.id, item));
        self.ports.commit(change).await
    }
}
