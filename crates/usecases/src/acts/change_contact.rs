//! Changing the contact; no review. The old contact is notified too.

use idcheck_domain::contact::Contact;

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{MailMessage, Versioned, Write},
};

content! {
    /// The new contact.
    pub(crate) struct ChangeContact as "ChangeContactContent" {
        contact as "contact": Contact,
    }
}

impl ChangeContact {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let Versioned { value: mut organisation, version } = by.held(signed).await?;
            let mut change = signed.change(signed.ubn);
            let mut told = vec![organisation.contact.email().clone()];
            if self.contact.email() != &told[0] {
                told.push(self.contact.email().clone());
            }
            for to in &told {
                let company = organisation.name.as_str().to_owned();
                change.mail.push(by.mail(signed, to, MailMessage::ContactChanged { company }));
            }
            organisation.contact = self.contact.clone();
            change.organisation = Some(Write::Update { value: organisation.clone(), expected: version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::Contact(Box::new(organisation)))
        })
        .await
    }
}
