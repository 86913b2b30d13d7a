//! What a demonstration shows of itself.

use chrono::{DateTime, Utc};

/// A card in the demo's readers.
#[derive(Debug, Clone)]
pub struct DemoCard {
    /// The reader.
    pub slot: String,
    /// Whose it is; empty for a person's.
    pub holder: String,
    /// The company's number, where it is a company's.
    pub number: Option<String>,
    /// `valid`, `expired`, `revoked` or `locked`.
    pub state: String,
    pub pin: String,
}

/// An officer of the demo.
#[derive(Debug, Clone)]
pub struct DemoOfficer {
    pub username: String,
    pub role: String,
    pub password: String,
    /// The second factor's code of this moment.
    pub code: String,
}

/// A mail that was sent.
#[derive(Debug, Clone)]
pub struct DemoMail {
    /// By which it is opened.
    pub id: String,
    pub to: String,
    pub subject: String,
    pub at: Option<DateTime<Utc>>,
    pub text: String,
}

/// What a demonstration shows of itself.
pub trait DemoDesk: Send + Sync {
    fn cards(&self) -> Vec<DemoCard>;
    fn officers(&self) -> Vec<DemoOfficer>;
    /// The mails, newest first.
    fn mails(&self) -> Vec<DemoMail>;
}
