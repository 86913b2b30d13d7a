//! Registering a public key; no review.

use idcheck_domain::{
    Violation,
    key::{Environment, KeyId, Profile, RegisteredKey, Validity},
    value::{IssKey, KeyLabel},
};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Group, Member, Reading, Shape, content},
    },
    kernel::{content::Fields, retry},
    ports::{Change, GivenIssKey, MailMessage, Versioned, Write},
};

/// Longest PEM taken: RSA-8192 takes less than 1,600 characters.
const MAX_PEM: usize = 4096;

/// A public key as it was typed.
#[derive(Debug)]
struct Pem(String);

impl Member for Pem {
    const SHAPE: Shape = Shape::PublicKey;

    /// A key that is private is told whatever else is wrong: it is to be thrown away.
    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        fields.required(at, |text| match text.len() {
            0..=MAX_PEM => match with.keys.read(text, Profile::Legacy) {
                Err(Violation::PrivateKey) => Err(Violation::PrivateKey),
                _ => Ok(Self(text.to_owned())),
            },
            _ => Err(Violation::TooLong { max: MAX_PEM }),
        })
    }
}

content! {
    /// A public key.
    struct Members as "RegisterKeyContent" {
        label as "label": KeyLabel,
        /// `production`; the default.
        environment as "environment": Option<Environment>,
        /// `legacy` or `strict`.
        profile as "profile": Profile,
        /// How long it is good for: `P1Y`, `P2Y` or `P3Y`, with the end of the day in Taipei, or `unlimited`; the default.
        validity as "validity": Option<Validity>,
        pem as "publicKeyPem": Pem,
    }
}

#[derive(Debug)]
pub(crate) struct RegisterKey {
    label: KeyLabel,
    environment: Environment,
    profile: Profile,
    validity: Validity,
    pem: String,
    fingerprint: String,
}

impl RegisterKey {
    pub(crate) const GROUP: Group = Members::GROUP;

    /// Whether a key will do depends on the profile that it is for.
    pub(crate) fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let Members { label, environment, profile, validity, pem: Pem(pem) } =
            Members::read(fields, at, with)?;
        let parsed = fields.check(&format!("{at}/publicKeyPem"), with.keys.read(&pem, profile))?;
        let environment = environment.unwrap_or(Environment::Production);
        let validity = validity.unwrap_or(Validity::Unlimited);
        Some(Self { label, environment, profile, validity, pem, fingerprint: parsed.fingerprint })
    }

    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let Versioned { value: mut organisation, version } = by.held(signed).await?;
            organisation.admits_key(self.environment, &self.fingerprint, signed.now)?;
            let key = self.key(KeyId(by.ports.entropy.uuid(signed.now)), signed);
            let mut change = signed.change(key.id);
            change.mail.push(by.mail(
                signed,
                organisation.contact.email(),
                MailMessage::KeyRegistered {
                    company: organisation.name.as_str().to_owned(),
                    label: self.label.as_str().to_owned(),
                    fingerprint: self.fingerprint.clone(),
                },
            ));
            organisation.keys.push(key.clone());
            change.organisation = Some(Write::Update { value: organisation, expected: version });
            let result = match self.environment {
                Environment::Production => ActResult::KeyRegistered(Box::new(key)),
                Environment::Sandbox => {
                    let iss_key = sandbox_iss_key(by, signed, &mut change).await?;
                    ActResult::SandboxKeyRegistered { key: Box::new(key), iss_key }
                }
            };
            by.ports.changes.commit(change).await?;
            Ok(result)
        })
        .await
    }

    fn key(&self, id: KeyId, signed: &Signed) -> RegisteredKey {
        RegisteredKey {
            id,
            fingerprint: self.fingerprint.clone(),
            public_key_pem: self.pem.clone(),
            profile: self.profile,
            environment: self.environment,
            label: self.label.clone(),
            registered_at: signed.now,
            expires_at: self.validity.end(signed.now),
            revoked_at: None,
        }
    }
}

/// The Iss Key of the sandbox: made with the first key, shown with every further one. Two first keys at once are
/// kept apart by the organisation's version, which both write.
async fn sandbox_iss_key(
    by: &ProveChallenge,
    signed: &Signed,
    change: &mut Change,
) -> Result<IssKey, ProofRefusal> {
    let environment = Environment::Sandbox;
    if let Some(held) = by.ports.organisations.iss_key(signed.ubn, environment).await? {
        return Ok(held);
    }
    let iss_key = by.draw_iss_key()?;
    change.iss_key = Some(GivenIssKey { ubn: signed.ubn, environment, iss_key: iss_key.clone() });
    Ok(iss_key)
}
