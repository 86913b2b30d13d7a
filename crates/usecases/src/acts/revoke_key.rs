//! Withdrawing a public key.

use idcheck_domain::{key::KeyId, precondition::Precondition};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{MailMessage, Versioned, Write},
};

content! {
    /// The key to withdraw.
    pub(crate) struct RevokeKey as "RevokeKeyContent" {
        key as "keyId": KeyId,
    }
}

impl RevokeKey {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let Versioned { value: mut organisation, version } = by.held(signed).await?;
            let key = organisation.keys.iter_mut().find(|key| key.id == self.key && key.revoked_at.is_none());
            let key = key.ok_or(Precondition::KeyUnknown)?;
            key.revoked_at = Some(signed.now);
            let key = key.clone();
            let mut change = signed.change(key.id);
            change.mail.push(by.mail(
                signed,
                organisation.contact.email(),
                MailMessage::KeyRevoked {
                    company: organisation.name.as_str().to_owned(),
                    label: key.label.as_str().to_owned(),
                    fingerprint: key.fingerprint.clone(),
                },
            ));
            change.organisation = Some(Write::Update { value: organisation, expected: version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::KeyRevoked(Box::new(key)))
        })
        .await
    }
}
