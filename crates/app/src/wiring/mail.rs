//! How mail leaves.

use std::sync::Arc;

use anyhow::Context;
use idcheck_email::{FileMailer, Smtp, SmtpMailer, SmtpSecurity};
use idcheck_usecases::ports::Mailer;

use crate::{
    config::{Mail, Security},
    keyfile,
};

pub(crate) fn mailer(mail: &Mail) -> anyhow::Result<Arc<dyn Mailer>> {
    if let Some(folder) = &mail.folder {
        return Ok(Arc::new(FileMailer::new(folder.clone(), &mail.sender)?));
    }
    Ok(Arc::new(smtp(mail)?))
}

/// Mail by SMTP.
///
/// # Errors
/// What of the configuration can't be used.
pub(crate) fn smtp(mail: &Mail) -> anyhow::Result<SmtpMailer> {
    Ok(SmtpMailer::new(smtp_settings(mail)?)?)
}

/// Whether the section on mail can be used; nothing is made and nobody asked.
///
/// # Errors
/// What of it can't.
pub(crate) fn mail_settings(mail: &Mail) -> anyhow::Result<()> {
    if mail.folder.is_none() {
        smtp(mail)?;
    }
    Ok(())
}

fn smtp_settings(mail: &Mail) -> anyhow::Result<Smtp> {
    let host = mail
        .smtp_host
        .clone()
        .context("mail: set `mail.smtp_host`, or `mail.folder` to keep mail as files")?;
    let credentials = match (&mail.smtp_user, &mail.smtp_password_file) {
        (Some(user), Some(file)) => {
            let password = keyfile::secret(file, "mail.smtp_password_file")?;
            Some((user.clone(), password.trim_end().to_owned()))
        }
        (None, None) => None,
        _ => anyhow::bail!("mail: `smtp_user` and `smtp_password_file` go together"),
    };
    let security = match mail.smtp_security {
        Security::Tls => SmtpSecurity::Tls,
        Security::StartTls => SmtpSecurity::StartTls,
        Security::Plain => SmtpSecurity::Plain,
    };
    Ok(Smtp { host, port: mail.smtp_port, security, credentials, sender: mail.sender.clone() })
}
