//! Naming the address that is called when something happens (**decided**).

use idcheck_domain::{
    precondition::Precondition,
    webhook::{WebhookSecret, WebhookUrl},
};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Member, Reading, Shape, content},
    },
    kernel::{content::Fields, retry},
    ports::{MailMessage, Webhook, WebhookChange},
};

impl Member for WebhookUrl {
    const SHAPE: Shape = Shape::Line { max: Some(Self::MAX), autocomplete: "off" };

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        fields.required(at, |text| Self::parse(text, with.addresses))
    }
}

content! {
    /// The address that is called when something happens to the organisation.
    pub(crate) struct SetWebhook as "SetWebhookContent" {
        /// `https`, a host name or a public address, and a path.
        url as "url": WebhookUrl,
    }
}

impl SetWebhook {
    /// Each setting draws another secret, also for the address that is there.
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        let secret = WebhookSecret::new(by.ports.entropy.bytes());
        retry(|| async {
            let held = by.ports.organisations.find(signed.ubn).await?.ok_or(Precondition::NothingHeld)?;
            let webhook = Webhook {
                ubn: signed.ubn,
                url: self.url.clone(),
                secret: secret.clone(),
                set_at: signed.now,
            };
            let mut change = signed.change(signed.ubn);
            let company = held.value.name.as_str().to_owned();
            let message = MailMessage::WebhookSet { company, host: self.url.host().to_owned() };
            change.mail.push(by.mail(signed, held.value.contact.email(), message));
            change.webhook = Some(WebhookChange::Set(webhook.clone()));
            by.ports.changes.commit(change).await?;
            Ok(ActResult::WebhookSet(Box::new(webhook)))
        })
        .await
    }
}
