//! Acts on what an organisation holds: progress, Iss Key, public keys, contact.

use idcheck_domain::{
    access::Precondition,
    contact::Contact,
    key::{Environment, KeyId, Profile, RegisteredKey},
    organisation::Organisation,
    value::{Account, EmailAddress, IssKey, KeyLabel},
};

use crate::{
    acts::{
        own,
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    },
    kernel::retry,
    ports::{Change, GivenIssKey, MailMessage, OutgoingMail, Versioned, Write},
};

impl ProveChallenge {
    pub(crate) async fn progress(&self, signed: &Signed) -> Result<ActResult, ProofRefusal> {
        self.ports.changes.commit(signed.change(signed.ubn)).await?;
        let session = own::session(&self.ports, signed.ubn, signed.now);
        let progress = own::stands(&self.ports, session, signed.now).await?;
        Ok(ActResult::Progress(Box::new(progress)))
    }

    pub(crate) async fn held(&self, signed: &Signed) -> Result<Versioned<Organisation>, ProofRefusal> {
        Ok(self.ports.organisations.find(signed.ubn).await?.ok_or(Precondition::NothingHeld)?)
    }

    pub(crate) async fn reveal_iss_key(&self, signed: &Signed) -> Result<ActResult, ProofRefusal> {
        let (account, _) = self.active_account(signed).await?;
        let iss_key = self
            .ports
            .organisations
            .iss_key(signed.ubn, Environment::Production)
            .await?
            .ok_or(Precondition::NothingHeld)?;
        self.ports.changes.commit(signed.change(signed.ubn)).await?;
        Ok(ActResult::IssKey { account, iss_key })
    }

    pub(crate) async fn rotate_iss_key(&self, signed: &Signed) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let (account, held) = self.active_account(signed).await?;
            let iss_key = self.draw_iss_key()?;
            let mut change = signed.change(signed.ubn);
            change.mail.push(self.mail(
                signed,
                held.value.contact.email(),
                MailMessage::IssKeyRotated { company: held.value.name.as_str().to_owned() },
            ));
            change.iss_key = Some(GivenIssKey {
                ubn: signed.ubn,
                environment: Environment::Production,
                iss_key: iss_key.clone(),
            });
            // The version ties the new key to the access it was given for.
            change.organisation = Some(Write::Update { value: held.value, expected: held.version });
            self.ports.changes.commit(change).await?;
            Ok(ActResult::IssKey { account, iss_key })
        })
        .await
    }

    async fn active_account(
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

    fn draw_iss_key(&self) -> Result<IssKey, ProofRefusal> {
        // 128 bytes fall short of 32 fair ones less than once in 10^60 draws.
        IssKey::draw(self.ports.entropy.bytes::<128>()).ok_or(ProofRefusal::Conflict)
    }

    pub(crate) async fn register_key(
        &self,
        signed: &Signed,
        pem: &str,
        profile: Profile,
        environment: Environment,
        label: &KeyLabel,
    ) -> Result<ActResult, ProofRefusal> {
        let fingerprint = self.ports.keys.read(pem, profile).map_err(|_| ProofRefusal::Expired)?.fingerprint;
        retry(|| async {
            let Versioned { value: mut organisation, version } = self.held(signed).await?;
            organisation.admits_key(environment, &fingerprint)?;
            let key = RegisteredKey {
                id: KeyId(self.ports.entropy.uuid(signed.now)),
                fingerprint: fingerprint.clone(),
                public_key_pem: pem.to_owned(),
                profile,
                environment,
                label: label.clone(),
                registered_at: signed.now,
                revoked_at: None,
            };
            let mut change = signed.change(key.id);
            change.mail.push(self.mail(
                signed,
                organisation.contact.email(),
                MailMessage::KeyRegistered {
                    company: organisation.name.as_str().to_owned(),
                    label: label.as_str().to_owned(),
                    fingerprint: fingerprint.clone(),
                },
            ));
            organisation.keys.push(key.clone());
            change.organisation = Some(Write::Update { value: organisation, expected: version });
            let result = match environment {
                Environment::Production => ActResult::KeyRegistered(Box::new(key)),
                Environment::Sandbox => {
                    let iss_key = self.sandbox_iss_key(signed, &mut change).await?;
                    ActResult::SandboxKeyRegistered { key: Box::new(key), iss_key }
                }
            };
            self.ports.changes.commit(change).await?;
            Ok(result)
        })
        .await
    }

    /// The Iss Key of the sandbox: made with the first key, told with every further one. Two first keys at once are
    /// kept apart by the organisation's version, which both write.
    async fn sandbox_iss_key(&self, signed: &Signed, change: &mut Change) -> Result<IssKey, ProofRefusal> {
        let environment = Environment::Sandbox;
        if let Some(held) = self.ports.organisations.iss_key(signed.ubn, environment).await? {
            return Ok(held);
        }
        let iss_key = self.draw_iss_key()?;
        change.iss_key = Some(GivenIssKey { ubn: signed.ubn, environment, iss_key: iss_key.clone() });
        Ok(iss_key)
    }

    pub(crate) async fn revoke_key(&self, signed: &Signed, id: KeyId) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let Versioned { value: mut organisation, version } = self.held(signed).await?;
            let key = organisation
                .keys
                .iter_mut()
                .find(|key| key.id == id && key.in_force())
                .ok_or(Precondition::KeyUnknown)?;
            key.revoked_at = Some(signed.now);
            let key = key.clone();
            let mut change = signed.change(id);
            change.mail.push(self.mail(
                signed,
                organisation.contact.email(),
                MailMessage::KeyRevoked {
                    company: organisation.name.as_str().to_owned(),
                    label: key.label.as_str().to_owned(),
                    fingerprint: key.fingerprint.clone(),
                },
            ));
            change.organisation = Some(Write::Update { value: organisation, expected: version });
            self.ports.changes.commit(change).await?;
            Ok(ActResult::KeyRevoked(Box::new(key)))
        })
        .await
    }

    pub(crate) async fn change_contact(
        &self,
        signed: &Signed,
        contact: &Contact,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let Versioned { value: mut organisation, version } = self.held(signed).await?;
            let mut change = signed.change(signed.ubn);
            let mut told = vec![organisation.contact.email().clone()];
            if contact.email() != &told[0] {
                told.push(contact.email().clone());
            }
            for to in &told {
                let company = organisation.name.as_str().to_owned();
                change.mail.push(self.mail(signed, to, MailMessage::ContactChanged { company }));
            }
            organisation.contact = contact.clone();
            change.organisation = Some(Write::Update { value: organisation.clone(), expected: version });
            self.ports.changes.commit(change).await?;
            Ok(ActResult::Contact(Box::new(organisation)))
        })
        .await
    }

    fn mail(&self, signed: &Signed, to: &EmailAddress, message: MailMessage) -> OutgoingMail {
        OutgoingMail { id: self.ports.entropy.uuid(signed.now), to: to.clone(), message }
    }
}
