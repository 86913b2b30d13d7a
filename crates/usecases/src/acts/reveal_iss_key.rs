//! Seeing the Iss Key.

use idcheck_domain::{key::Environment, precondition::Precondition, sandbox};

use crate::acts::{
    prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    schema::content,
};

content! {
    /// Which Iss Key.
    pub(crate) struct RevealIssKey as "RevealIssKeyContent" {
        /// `production`; the default.
        environment as "environment": Option<Environment>,
    }
}

impl RevealIssKey {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        let environment = self.environment.unwrap_or(Environment::Production);
        let account = match environment {
            Environment::Production => by.active_account(signed).await?.0.to_string(),
            Environment::Sandbox => sandbox::ACCOUNT.to_owned(),
        };
        let iss_key = by.ports.organisations.iss_key(signed.ubn, environment).await?;
        let iss_key = iss_key.ok_or(Precondition::NothingHeld)?;
        by.ports.changes.commit(signed.change(signed.ubn)).await?;
        Ok(ActResult::IssKey { account, iss_key })
    }
}
