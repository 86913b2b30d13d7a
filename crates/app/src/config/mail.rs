//! `[mail]`: how mail leaves.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How mail leaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mail {
    /// The sender's mailbox.
    pub(crate) sender: String,
    /// Write `.eml` files here instead of sending.
    pub(crate) folder: Option<PathBuf>,
    /// The SMTP server's name.
    pub(crate) smtp_host: Option<String>,
    /// Its port.
    pub(crate) smtp_port: u16,
    /// `tls`, `starttls` or `plain`.
    pub(crate) smtp_security: Security,
    /// User name, where the server asks for one.
    pub(crate) smtp_user: Option<String>,
    /// A file with the password.
    pub(crate) smtp_password_file: Option<PathBuf>,
}

/// How the SMTP connection is protected.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Security {
    /// From the first byte.
    Tls,
    /// STARTTLS, required.
    StartTls,
    /// Not at all.
    Plain,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            sender: "idcheck <noreply@idcheck.example>".to_owned(),
            folder: None,
            smtp_host: None,
            smtp_port: 587,
            smtp_security: Security::StartTls,
            smtp_user: None,
            smtp_password_file: None,
        }
    }
}
