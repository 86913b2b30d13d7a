//! An organisation (申請(使用)機構): what it holds, and what the approval of a case changes.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    access::{Access, Ground},
    application::{Application, Kind, Request},
    contact::Contact,
    key::{Environment, MAX_KEYS, RegisteredKey},
    precondition::Precondition,
    reason::RecordedReason,
    value::{Account, CompanyName, HostAddress, HostAddresses, Purpose, Reason, UnifiedBusinessNumber},
};

/// The addresses from which an organisation may ask, over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPlan {
    /// The set in force, or in force until `next` takes over.
    pub current: HostAddresses,
    /// The set that takes over, when, and until when the current one stays valid as well.
    pub next: Option<CutOver>,
}

/// A change of addresses at a set time (注意事項 七; the overlap is **decided**).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOver {
    /// The new set.
    pub addresses: HostAddresses,
    /// When it takes over.
    pub at: DateTime<Utc>,
    /// Until when the old set stays valid; not before `at`.
    pub overlap_until: DateTime<Utc>,
}

impl AddressPlan {
    /// One set, from now on.
    pub fn fixed(current: HostAddresses) -> Self {
        Self { current, next: None }
    }

    /// Whether a query from `address` passes at `now`.
    pub fn admits(&self, address: HostAddress, now: DateTime<Utc>) -> bool {
        let current = self.current.as_slice().contains(&address);
        match &self.next {
            None => current,
            Some(next) => {
                (current && now < next.overlap_until)
                    || (now >= next.at && next.addresses.as_slice().contains(&address))
            }
        }
    }

    /// The set that people should be shown at `now`.
    pub fn shown(&self, now: DateTime<Utc>) -> &HostAddresses {
        match &self.next {
            Some(next) if now >= next.at => &next.addresses,
            Some(_) | None => &self.current,
        }
    }
}

/// An organisation as the service knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its unified business number.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub name: CompanyName,
    /// What it holds.
    pub access: Access,
    /// Its account; kept for ever once given.
    pub account: Option<Account>,
    /// Where it may ask from; none before the first approval.
    pub addresses: Option<AddressPlan>,
    /// Whom to write to.
    pub contact: Contact,
    /// For what it may ask; none before the first approval. Shown in the public register.
    pub purpose: Option<Purpose>,
    /// The number before a change of number, as the approved application named it (注意事項 八(三)): while this organisation
    /// has access, that one must not.
    pub former: Option<UnifiedBusinessNumber>,
    /// Its public keys, withdrawn ones too.
    pub keys: Vec<RegisteredKey>,
}

/// What the approval of a case gives or takes, in addition to the organisation's new state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Access: a fresh Iss Key is to be made in the same transaction (圖8).
    Granted,
    /// New addresses.
    AddressesReplaced,
    /// Access ended: open `ChangeAddress` and `Suspend` cases are closed.
    Ended,
}

impl Organisation {
    /// An organisation that files its first case.
    pub fn new(ubn: UnifiedBusinessNumber, name: CompanyName, contact: Contact) -> Self {
        Self {
            ubn,
            name,
            access: Access::None,
            account: None,
            addresses: None,
            contact,
            purpose: None,
            former: None,
            keys: Vec::new(),
        }
    }

    /// Whether a case of `kind` may be filed, and still be approved (注意事項 七–十). That no other case of the kind
    /// is open is kept by the store, where it can be kept under concurrency.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admits_case(&self, kind: Kind) -> Result<(), Precondition> {
        match kind {
            Kind::Apply => self.access.may_apply(),
            Kind::ChangeAddress | Kind::Suspend => {
                if self.access.is_active() {
                    Ok(())
                } else {
                    Err(Precondition::NotActive)
                }
            }
        }
    }

    /// Carries out an approved case. `fresh_account` is given to an organisation that has none yet.
    ///
    /// # Errors
    /// The precondition of the kind, checked again at the decision.
    pub fn approve(
        mut self,
        application: &Application,
        fresh_account: Account,
        at: DateTime<Utc>,
    ) -> Result<(Self, Effect), Precondition> {
        self.admits_case(application.kind())?;
        let effect = match &application.request {
            Request::Apply { purpose, former_ubn } => {
                self.former = *former_ubn;
                self.access = Access::Active { since: at };
                self.account.get_or_insert(fresh_account);
                self.addresses = Some(AddressPlan::fixed(application.host_addresses.clone()));
                self.purpose = Some(purpose.clone());
                self.name = application.company_name.clone();
                Effect::Granted
            }
            Request::ChangeAddress { cut_over_at, overlap_days, .. } => {
                self.addresses = Some(self.readdressed(application, *cut_over_at, *overlap_days, at));
                Effect::AddressesReplaced
            }
            Request::Suspend { reason } => {
                self.access = Access::Suspended { since: at, reason: reason.clone() };
                Effect::Ended
            }
        };
        if application.replaces.as_ref() == Some(&self.contact) {
            self.contact = application.contact.clone();
        }
        Ok((self, effect))
    }

    /// Takes access away (註銷, 注意事項 九, 十一; 管理規範 五). Every key is dropped with it, those of the sandbox too
    /// (**decided**): after a return, keys have to be registered again.
    ///
    /// # Errors
    /// [`Precondition::NothingHeld`] or [`Precondition::AlreadyRevoked`].
    pub fn revoke(
        mut self,
        ground: Ground,
        reason: RecordedReason,
        at: DateTime<Utc>,
    ) -> Result<Self, Precondition> {
        self.access.may_be_revoked()?;
        self.access = Access::Revoked { since: at, ground, reason, may_return: false };
        for key in self.keys.iter_mut().filter(|key| key.revoked_at.is_none()) {
            key.revoked_at = Some(at);
        }
        Ok(self)
    }

    /// Stops access on a documented request where the card of a former number is dead (注意事項 八(三), **decided**).
    ///
    /// # Errors
    /// [`Precondition::NotActive`].
    pub fn suspend(mut self, reason: Reason, at: DateTime<Utc>) -> Result<Self, Precondition> {
        if !self.access.is_active() {
            return Err(Precondition::NotActive);
        }
        self.access = Access::Suspended { since: at, reason };
        Ok(self)
    }

    /// Opens the way back after an approved improvement plan (注意事項 十).
    ///
    /// # Errors
    /// [`Access::improved`].
    pub fn improved(mut self) -> Result<Self, Precondition> {
        self.access = self.access.improved()?;
        Ok(self)
    }

    /// Opens the way back after the company was found registered again (注意事項 十一).
    ///
    /// # Errors
    /// [`Access::registered_again`].
    pub fn registered_again(mut self) -> Result<Self, Precondition> {
        self.access = self.access.registered_again()?;
        Ok(self)
    }

    fn readdressed(
        &self,
        application: &Application,
        cut_over_at: Option<DateTime<Utc>>,
        overlap_days: u8,
        at: DateTime<Utc>,
    ) -> AddressPlan {
        let addresses = application.host_addresses.clone();
        match (&self.addresses, cut_over_at) {
            (Some(plan), Some(cut_over)) if cut_over > at || overlap_days > 0 => {
                let starts = cut_over.max(at);
                let overlap_until = starts + TimeDelta::days(i64::from(overlap_days));
                AddressPlan {
                    current: plan.shown(at).clone(),
                    next: Some(CutOver { addresses, at: starts, overlap_until }),
                }
            }
            _ => AddressPlan::fixed(addresses),
        }
    }

    /// Whether the key with this fingerprint may be registered. One that is in force is not registered again, and one
    /// that was withdrawn does not come back to the environment it was withdrawn from: it may be known to others
    /// (**decided**). Keys of other organisations do not matter.
    ///
    /// # Errors
    /// [`Precondition::NotActive`] for a production key without access, [`Precondition::KeyKnown`],
    /// [`Precondition::TooManyKeys`].
    pub fn admits_key(
        &self,
        environment: Environment,
        fingerprint: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Precondition> {
        if environment == Environment::Production && !self.access.is_active() {
            return Err(Precondition::NotActive);
        }
        let known = |key: &RegisteredKey| {
            key.fingerprint == fingerprint && (key.revoked_at.is_none() || key.environment == environment)
        };
        if self.keys.iter().any(known) {
            return Err(Precondition::KeyKnown);
        }
        let in_force = self.keys.iter().filter(|k| k.environment == environment && k.in_force(now)).count();
        if in_force >= MAX_KEYS { Err(Precondition::TooManyKeys) } else { Ok(()) }
    }
}
