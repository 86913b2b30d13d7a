//! What the handlers work with: use cases, and the few settings that a response depends on.

use std::sync::Arc;

use async_trait::async_trait;
use idcheck_usecases::{
    acts::{IssueChallenge, ProveChallenge, ReadOwn, ReadReceipt},
    application::{ReadCases, ReviewApplication},
    attachment::KeepAttachments,
    audit::ReadAudit,
    draft::KeepDrafts,
    mail::DeadLetters,
    notice::HandleNotices,
    officer::{KeepOfficers, SignIn},
    organisation::{GovernAccess, ReadOrganisations},
    plan::JudgePlans,
    ports::{Clock, Entropy, RateLimiter, StoreError, Webhooks},
    public_register::PublishRegister,
    sweep::SweepCompanies,
    template::KeepTemplates,
    usage::ReadUsage,
    user_suspension::GovernUsers,
    verify::VerifyCard,
    worklist::ReadWorklist,
};
use ipnet::IpNet;

use crate::kernel::{desk::DemoDesk, pdf::Fonts, surface::Surface};

/// Whether the process can do its work.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// What is wrong, one sentence each for the operator; empty when ready.
    async fn problems(&self) -> Vec<String>;

    /// How each background job is doing, one line each for the operator. A job that fails does not make the process unready.
    fn jobs(&self) -> Vec<String>;
}

#[derive(Clone)]
pub struct Services {
    pub issue_challenge: IssueChallenge,
    /// Prove it and act.
    pub prove_challenge: ProveChallenge,
    /// The receipt of a case just filed.
    pub read_receipt: ReadReceipt,
    /// What was typed and not signed yet.
    pub drafts: KeepDrafts,
    /// Files beside answers and explanations.
    pub attachments: KeepAttachments,
    /// Addresses of organisations that are called.
    pub webhooks: Arc<dyn Webhooks>,
    /// Where an organisation stands.
    pub read_own: ReadOwn,
    pub read_cases: ReadCases,
    /// Steps of a review.
    pub review: ReviewApplication,
    /// Organisations and what waits about them.
    pub organisations: ReadOrganisations,
    pub govern: GovernAccess,
    pub plans: JudgePlans,
    /// Notices of abnormal use.
    pub notices: HandleNotices,
    pub users: GovernUsers,
    /// The yearly sweep and the company register.
    pub sweeps: SweepCompanies,
    pub public_register: PublishRegister,
    pub audit: ReadAudit,
    pub usage: ReadUsage,
    pub templates: KeepTemplates,
    /// Mails that were given up.
    pub dead_letters: DeadLetters,
    pub sign_in: SignIn,
    /// Officers' accounts.
    pub officers: KeepOfficers,
    /// How often anybody may come to a door.
    pub rates: Arc<dyn RateLimiter>,
    /// What waits for an officer.
    pub worklist: ReadWorklist,
    /// One question about one card.
    pub verify: VerifyCard,
    /// What a demonstration shows of itself; none elsewhere.
    pub demo: Option<Arc<dyn DemoDesk>>,
    pub readiness: Arc<dyn Readiness>,
    /// Time, for what a page shows.
    pub clock: Arc<dyn Clock>,
    /// Request identities, page nonces, browser sessions.
    pub entropy: Arc<dyn Entropy>,
}

/// Who runs the service, and whom people can ask.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The agency, in Chinese and in English.
    pub agency: [String; 2],
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// Settings that responses depend on.
#[derive(Debug)]
pub struct HttpConfig {
    /// The service's address as browsers see it.
    pub base_url: String,
    /// The origin of the signing component on the applicant's computer.
    pub card_component_origin: String,
    pub contact: Contact,
    /// Fonts of documents in PDF.
    pub fonts: Fonts,
    /// Whether cookies are for TLS only.
    pub secure_cookies: bool,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// What this process serves.
    pub surfaces: Vec<Surface>,
    /// Renders the metrics for `/metrics`.
    pub metrics: fn() -> String,
}

/// What every handler gets.
#[derive(Clone)]
pub struct App {
    pub services: Services,
    pub config: Arc<HttpConfig>,
}

impl App {
    /// Whether the store answers at all is told by the use cases; this turns its silence into a log line once.
    pub(crate) fn store_failed(error: StoreError) {
        tracing::warn!(%error, "a request was refused because of the store");
    }
}
