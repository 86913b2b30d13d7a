//! Ending the calls.

use idcheck_domain::precondition::Precondition;

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{MailMessage, WebhookChange},
};

content! {
    /// Nothing.
    pub(crate) struct RemoveWebhook as "EmptyContent" {}
}

impl RemoveWebhook {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let held = by.ports.organisations.find(signed.ubn).await?.ok_or(Precondition::NothingHeld)?;
            let webhook = by.ports.webhooks.webhook(signed.ubn).await?.ok_or(Precondition::NothingHeld)?;
            let mut change = signed.change(signed.ubn);
            let company = held.value.name.as_str().to_owned();
            let message = MailMessage::WebhookRemoved { company, host: webhook.url.host().to_owned() };
            change.mail.push(by.mail(signed, held.value.contact.email(), message));
            change.webhook = Some(WebhookChange::Remove(signed.ubn));
            by.ports.changes.commit(change).await?;
            Ok(ActResult::WebhookRemoved(Box::new(webhook)))
        })
        .await
    }
}
