//! Seeing the Iss Key.

use idcheck_domain::{key::Environment, precondition::Precondition};

use crate::acts::{
    prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    schema::content,
};

content! {
    /// Nothing.
    pub(crate) struct RevealIssKey as "EmptyContent" {}
}

impl RevealIssKey {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        let (account, _) = by.active_account(signed).await?;
        let iss_key = by.ports.organisations.iss_key(signed.ubn, Environment::Production).await?;
        let iss_key = iss_key.ok_or(Precondition::NothingHeld)?;
        by.ports.changes.commit(signed.change(signed.ubn)).await?;
        Ok(ActResult::IssKey { account, iss_key })
    }
}
