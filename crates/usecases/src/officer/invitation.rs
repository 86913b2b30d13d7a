//! Taking up an invitation: the officer shows its code, chooses a password, and proves that the second factor was set up.

use idcheck_domain::officer::OfficerId;

use crate::ports::{AuditAction, AuditActor, AuditEntry, Officer, OfficerCredential, SessionOrigin};

use super::{
    OpenedSession, SecondFactor, SignIn, SignInRefusal,
    keep::password_well_formed,
    sign_in::{Compared, unspaced},
};

/// An invitation whose code was shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    id: OfficerId,
    code_hash: String,
    /// The second factor that was made for it.
    pub factor: SecondFactor,
}

/// Why an invitation was not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationRefusal {
    /// User name or code is wrong, the invitation ended or was taken up, or the account is locked: which of them is not told.
    #[error(transparent)]
    SignIn(#[from] SignInRefusal),
    /// Shorter than 12 characters or longer than 128.
    #[error("a password has 12 to 128 characters")]
    Password,
    /// The second factor's code is not the one of this moment.
    #[error("the second factor's code is wrong")]
    Totp,
}

impl SignIn {
    /// The invitation of a user name and a code, which may be typed without hyphens and in small letters.
    ///
    /// # Errors
    /// [`SignInRefusal`]; a wrong code counts as a failure to sign in.
    pub async fn invitation(&self, username: &str, code: &str) -> Result<Invitation, SignInRefusal> {
        let now = self.ports.clock.now();
        let code = as_made(code);
        let compared = self.compared(username, &code, now, |credential| match credential {
            OfficerCredential::Invited { code_hash, totp_secret, until } => {
                Some((code_hash, (totp_secret, until)))
            }
            OfficerCredential::Local { .. } | OfficerCredential::Provider { .. } => None,
        });
        let compared = compared.await?;
        let Compared { officer: Officer { id, .. }, hash: code_hash, right, beside: (secret, until) } =
            compared;
        if !right {
            self.failed(id, now).await?;
            return Err(SignInRefusal::Refused);
        }
        if until <= now {
            return Err(SignInRefusal::Refused);
        }
        Ok(Invitation { id, code_hash, factor: SecondFactor(secret) })
    }

    /// Takes it up, and opens a session.
    ///
    /// # Errors
    /// [`InvitationRefusal`].
    pub async fn take_up(
        &self,
        username: &str,
        invitation: &Invitation,
        password: &str,
        totp: &str,
        origin: &SessionOrigin,
    ) -> Result<OpenedSession, InvitationRefusal> {
        if !password_well_formed(password) {
            return Err(InvitationRefusal::Password);
        }
        let now = self.ports.clock.now();
        let Invitation { id, code_hash, factor } = invitation;
        let step = self.ports.credentials.totp_step(&factor.0, &unspaced(totp), now);
        let step = step.ok_or(InvitationRefusal::Totp)?;
        let password_hash = self.ports.credentials.hash_password(password).await;
        let entry = AuditEntry::new(AuditActor::Officer(*id), AuditAction::OfficerAccept, *id);
        let accepted = self.ports.officers.accept(*id, code_hash, &password_hash, step, now, entry).await;
        if !accepted.map_err(SignInRefusal::from)? {
            return Err(SignInRefusal::Refused.into());
        }
        let record = self.ports.officers.find_by_username(username).await.map_err(SignInRefusal::from)?;
        let officer = record.filter(|record| record.officer.id == *id).ok_or(SignInRefusal::Refused)?.officer;
        Ok(self.opened(officer, origin, now).await?)
    }
}

/// A code as it was made: capitals, a hyphen after each fifth.
fn as_made(typed: &str) -> String {
    let mut code = String::new();
    let kept = typed.chars().filter(char::is_ascii_alphanumeric).take(40);
    for (place, c) in kept.enumerate() {
        if place > 0 && place.is_multiple_of(5) {
            code.push('-');
        }
        code.push(c.to_ascii_uppercase());
    }
    code
}
