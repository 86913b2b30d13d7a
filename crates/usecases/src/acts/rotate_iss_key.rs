//! Replacing a leaked Iss Key: the old one is refused from then on.

use idcheck_domain::key::Environment;

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{GivenIssKey, MailMessage, Write},
};

content! {
    /// Nothing.
    pub(crate) struct RotateIssKey as "EmptyContent" {}
}

impl RotateIssKey {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let (account, held) = by.active_account(signed).await?;
            let iss_key = by.draw_iss_key()?;
            let mut change = signed.change(signed.ubn);
            let company = held.value.name.as_str().to_owned();
            change.mail.push(by.mail(
                signed,
                held.value.contact.email(),
                MailMessage::IssKeyRotated { company },
            ));
            change.iss_key = Some(GivenIssKey {
                ubn: signed.ubn,
                environment: Environment::Production,
                iss_key: iss_key.clone(),
            });
            // The version ties the new key to the access it was given for.
            change.organisation = Some(Write::Update { value: held.value, expected: held.version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::IssKey { account: account.to_string(), iss_key })
        })
        .await
    }
}
