//! How mail leaves: by SMTP, or as `.eml` files in a folder.

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use idcheck_usecases::ports::{MailError, Mailer, QueuedMail};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::authentication::Credentials,
};

use crate::compose;

/// Why a transport can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The sender is no mailbox.
    #[error("the sender {0:?} is not a mailbox such as 'idcheck <noreply@example.gov.tw>'")]
    Sender(String),
    /// The folder can't be made.
    #[error("the mail folder {path}: {error}")]
    Folder { path: PathBuf, error: std::io::Error },
    /// TLS can't be set up for the server's name.
    #[error("the SMTP server {0:?} is not a name that TLS can be set up for")]
    Server(String),
}

/// Whether a text can be a sender: a mailbox, with a name or without.
pub fn is_mailbox(text: &str) -> bool {
    sender(text).is_ok()
}

fn sender(text: &str) -> Result<Mailbox, SetUpError> {
    text.parse().map_err(|_| SetUpError::Sender(text.to_owned()))
}

/// Builds the message; an address that lettre refuses never becomes deliverable.
fn message(sender: &Mailbox, mail: &QueuedMail) -> Result<Message, MailError> {
    let text = compose(&mail.message);
    let to = mail.to.as_str().parse().map_err(|_| MailError::Permanent)?;
    Message::builder()
        .from(sender.clone())
        .to(Mailbox::new(None, to))
        .subject(text.subject)
        .message_id(Some(format!("<{}@{}>", mail.id, sender.email.domain())))
        .date(mail.queued_at.into())
        .multipart(MultiPart::alternative_plain_html(text.plain, text.html))
        .map_err(|_| MailError::Permanent)
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// STARTTLS, required (port 587).
    StartTls,
    /// Nothing: for a server on this host.
    Plain,
}

/// Where mail is sent.
#[derive(Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// User name and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
    pub sender: String,
}

pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Mailbox,
}

/// How long a server may take for one command.
const TIMEOUT: Duration = Duration::from_secs(20);

impl SmtpMailer {
    /// Sets the transport up; it connects with the first mail.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn new(smtp: Smtp) -> Result<Self, SetUpError> {
        let sender = sender(&smtp.sender)?;
        let named = |_| SetUpError::Server(smtp.host.clone());
        let builder = match smtp.security {
            SmtpSecurity::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&smtp.host).map_err(named)?,
            SmtpSecurity::StartTls => {
                AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&smtp.host).map_err(named)?
            }
            SmtpSecurity::Plain => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host),
        };
        let mut builder = builder.port(smtp.port).timeout(Some(TIMEOUT));
        if let Some((user, password)) = smtp.credentials {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self { transport: builder.build(), sender })
    }

    /// Whether the server takes a connection as configured: greeting, TLS and password included. No mail is sent.
    pub async fn answers(&self) -> bool {
        self.transport.test_connection().await.unwrap_or(false)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &QueuedMail) -> Result<(), MailError> {
        let message = message(&self.sender, mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Permanent),
            Err(_) => Err(MailError::Temporary),
        }
    }
}

/// Writes each mail as `<identity>.eml` into a folder; the same mail again replaces itself.
pub struct FileMailer {
    folder: PathBuf,
    sender: Mailbox,
}

impl FileMailer {
    /// Makes the folder.
    ///
    /// # Errors
    /// [`SetUpError`].
    pub fn new(folder: PathBuf, sender_mailbox: &str) -> Result<Self, SetUpError> {
        let sender = sender(sender_mailbox)?;
        if let Err(error) = std::fs::create_dir_all(&folder) {
            return Err(SetUpError::Folder { path: folder, error });
        }
        Ok(Self { folder, sender })
    }
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, mail: &QueuedMail) -> Result<(), MailError> {
        let bytes = message(&self.sender, mail)?.formatted();
        let path = self.folder.join(format!("{}.eml", mail.id));
        let partial = self.folder.join(format!("{}.eml.part", mail.id));
        let written = async {
            tokio::fs::write(&partial, bytes).await?;
            tokio::fs::rename(&partial, &path).await
        };
        written.await.map_err(|_| MailError::Temporary)
    }
}
