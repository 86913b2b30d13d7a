//! Mail: the texts (zh-Hant-TW with English below) and the transports (SMTP, or files in the embedded default).
//!
//! A mail's Message-ID is made of its identity alone, so that a mail sent twice after a crash is still one mail for
//! its reader. What people typed goes into bodies only; headers hold texts of ours and typed addresses.

mod text;
mod transport;

pub use text::{Composer, compose};
pub use transport::{FileMailer, SetUpError, Smtp, SmtpMailer, SmtpSecurity, is_mailbox};
