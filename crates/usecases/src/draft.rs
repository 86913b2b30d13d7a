//! Drafts: what was typed into a form is kept for the browser that typed it until it is signed, or for a day.

use std::{net::IpAddr, sync::Arc};

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    acts::ActName,
    kernel::{Overtaken, network, retry},
    ports::{Clock, DraftRoom, Drafts, Entries, Entropy, StoreError, StoredDraft},
};

/// How long a draft is kept from its last change: someone who goes home finds it in the morning.
const LIFE: TimeDelta = TimeDelta::days(1);

/// Why there is no draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftRefusal {
    /// None of this browser session: of another one's, signed, discarded, or over.
    #[error("no such draft")]
    Unknown,
    /// As many are kept from the same address as may be.
    #[error("too many drafts are kept")]
    TooMany,
    /// Another window of the browser changes it again and again.
    #[error("changed by another window meanwhile")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Overtaken for DraftRefusal {
    fn overtaken(&self) -> bool {
        *self == Self::Conflict
    }
}

/// What drafts need.
#[derive(Clone)]
pub struct DraftPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Drafts.
    pub drafts: Arc<dyn Drafts>,
    /// How many drafts from one address may be kept.
    pub of_address: u32,
}

/// Keeps drafts. Each call names the browser session; no other one learns that a draft exists.
#[derive(Clone)]
pub struct KeepDrafts {
    ports: DraftPorts,
}

impl KeepDrafts {
    /// Creates it with these ports.
    pub fn new(ports: DraftPorts) -> Self {
        Self { ports }
    }

    /// Opens a draft of an act, for a browser at an address.
    ///
    /// # Errors
    /// [`DraftRefusal::TooMany`], the store's.
    pub async fn open(
        &self,
        act: ActName,
        typed: Entries,
        about: Entries,
        session: [u8; 32],
        from: IpAddr,
    ) -> Result<StoredDraft, DraftRefusal> {
        let now = self.ports.clock.now();
        let id = self.ports.entropy.uuid(now);
        let expires_at = now + LIFE;
        let draft = StoredDraft { id, session, act, typed, about, challenge: None, version: 1, expires_at };
        let room = DraftRoom { origin: network(from), of_origin: self.ports.of_address, now };
        if self.ports.drafts.open(&draft, &room).await? { Ok(draft) } else { Err(DraftRefusal::TooMany) }
    }

    /// The drafts of a session, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn all(&self, session: [u8; 32]) -> Result<Vec<StoredDraft>, DraftRefusal> {
        let now = self.ports.clock.now();
        let mut drafts = self.ports.drafts.of_session(session).await?;
        drafts.retain(|draft| draft.session == session && now < draft.expires_at);
        Ok(drafts)
    }

    /// A draft of this session.
    ///
    /// # Errors
    /// [`DraftRefusal::Unknown`], the store's.
    pub async fn held(&self, id: Uuid, session: [u8; 32]) -> Result<StoredDraft, DraftRefusal> {
        let found = self.all(session).await?.into_iter().find(|draft| draft.id == id);
        found.ok_or(DraftRefusal::Unknown)
    }

    /// The draft for which this challenge was issued last; none when it is over or was discarded.
    ///
    /// # Errors
    /// The store's.
    pub async fn of_challenge(
        &self,
        challenge: Uuid,
        session: [u8; 32],
    ) -> Result<Option<StoredDraft>, DraftRefusal> {
        Ok(self.all(session).await?.into_iter().find(|draft| draft.challenge == Some(challenge)))
    }

    /// Changes what was typed, as `edit` does it to the text of now: two windows that fill in different fields both keep theirs.
    ///
    /// # Errors
    /// [`DraftRefusal`].
    pub async fn change(
        &self,
        id: Uuid,
        session: [u8; 32],
        edit: impl Fn(&mut Entries) + Send + Sync,
    ) -> Result<StoredDraft, DraftRefusal> {
        self.save(id, session, |draft| edit(&mut draft.typed)).await
    }

    /// Notes the challenge that was issued for a draft.
    ///
    /// # Errors
    /// [`DraftRefusal`].
    pub async fn signs(&self, id: Uuid, session: [u8; 32], challenge: Uuid) -> Result<(), DraftRefusal> {
        self.save(id, session, |draft| draft.challenge = Some(challenge)).await.map(drop)
    }

    async fn save(
        &self,
        id: Uuid,
        session: [u8; 32],
        edit: impl Fn(&mut StoredDraft) + Send + Sync,
    ) -> Result<StoredDraft, DraftRefusal> {
        let edit = &edit;
        retry(|| async move {
            let mut draft = self.held(id, session).await?;
            edit(&mut draft);
            draft.expires_at = self.ports.clock.now() + LIFE;
            if !self.ports.drafts.save(&draft).await? {
                return Err(DraftRefusal::Conflict);
            }
            draft.version += 1;
            Ok(draft)
        })
        .await
    }

    /// Discards a draft.
    ///
    /// # Errors
    /// [`DraftRefusal::Unknown`], the store's.
    pub async fn discard(&self, id: Uuid, session: [u8; 32]) -> Result<StoredDraft, DraftRefusal> {
        let draft = self.held(id, session).await?;
        self.ports.drafts.end(id).await?;
        Ok(draft)
    }
}
