//! What several acts begin with: the organisation that acts, its case, its account.

use idcheck_domain::{
    application::{Application, ApplicationId},
    organisation::Organisation,
    precondition::Precondition,
    value::{Account, EmailAddress, IssKey},
};

use crate::{
    acts::prove::{ProofRefusal, ProveChallenge, Signed},
    ports::{MailMessage, OutgoingMail, Versioned},
};

impl ProveChallenge {
    pub(crate) async fn held(&self, signed: &Signed) -> Result<Versioned<Organisation>, ProofRefusal> {
        Ok(self.ports.organisations.find(signed.ubn).await?.ok_or(Precondition::NothingHeld)?)
    }

    pub(crate) async fn active_account(
        &self,
        signed: &Signed,
    ) -> Result<(Account, Versioned<Organisation>), ProofRefusal> {
        let held = self.held(signed).await?;
        if !held.value.access.is_active() {
            return Err(Precondition::NotActive.into());
        }
        let account = held.value.account.ok_or(Precondition::NothingHeld)?;
        Ok((account, held))
    }

    /// The case, if it is one of this organisation's: anyone else's does not exist for it (threat 24).
    pub(crate) async fn own_case(
        &self,
        signed: &Signed,
        id: ApplicationId,
    ) -> Result<Versioned<Application>, ProofRefusal> {
        match self.ports.applications.find(id).await? {
            Some(case) if case.value.ubn == signed.ubn => Ok(case),
            Some(_) | None => Err(Precondition::ApplicationUnknown.into()),
        }
    }

    pub(crate) fn draw_iss_key(&self) -> Result<IssKey, ProofRefusal> {
        // 128 bytes fall short of 32 fair ones less than once in 10^60 draws.
        IssKey::draw(self.ports.entropy.bytes::<128>()).ok_or(ProofRefusal::Conflict)
    }

    pub(crate) fn mail(&self, signed: &Signed, to: &EmailAddress, message: MailMessage) -> OutgoingMail {
        OutgoingMail { id: self.ports.entropy.uuid(signed.now), about: signed.ubn, to: to.clone(), message }
    }
}
