//! The service over HTTP on a real store, without a socket: cards, tokens and mail texts are the test's.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    Violation,
    application::Approvers,
    card::SigningCard,
    key::{Environment, Profile},
    officer::{OfficerId, Role},
    outcome::QueryRefusal,
    value::{AddressPolicy, UnifiedBusinessNumber},
};
use idcheck_http::{App, Contact, Fonts, HttpConfig, Readiness, Services, Surface, routes};
use idcheck_testing::{
    SeededEntropy,
    builders::{audit, signing_card},
    database::{Store, TempDatabase},
};
use idcheck_usecases::{
    OfficePorts,
    acts::{ActPorts, IssueChallenge, OpenChallenges, ProveChallenge, ReadOwn, ReadReceipt},
    application::{ReadCases, ReviewApplication},
    attachment::{AttachmentPorts, KeepAttachments},
    audit::ReadAudit,
    draft::{DraftPorts, KeepDrafts},
    mail::DeadLetters,
    notice::HandleNotices,
    officer::{KeepOfficers, OfficerPorts, SignIn, SignInMethods},
    organisation::{GovernAccess, ReadOrganisations},
    plan::JudgePlans,
    ports::{
        CardFacts, CardRefusal, CardVerifier, Clock, Condition, Credentials, Door, Entropy, Exceeded,
        KeyReader, Ledger, LedgerAnswer, LedgerEntry, LedgerError, LimitName, Limits, MailComposer,
        MailMessage, MailText, Officer, OfficerCredential, Officers as _, ParsedKey, RateLimiter, ReadToken,
        TextMembers, TokenReader, TokenRefusal,
    },
    public_register::PublishRegister,
    sweep::SweepCompanies,
    template::KeepTemplates,
    user_suspension::GovernUsers,
    verify::{CallerSnapshot, VerifyCard, VerifyPorts},
    worklist::ReadWorklist,
};
use poem::{EndpointExt as _, Response, test::TestClient};

/// The company whose card signs everything here.
pub(crate) const COMPANY: &str = "04595257";
/// The password that is right, and the code.
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const CODE: &str = "123456";

/// Cards, keys, tokens, passwords, rates and a ledger as the test wants them.
struct Parts {
    /// Whether a door is open.
    open: bool,
}

#[async_trait]
impl CardVerifier for Parts {
    async fn verify(&self, cms: &[u8], _: &[u8], now: DateTime<Utc>) -> Result<CardFacts, CardRefusal> {
        if cms == b"refused" {
            return Err(CardRefusal::Revoked);
        }
        let ubn = UnifiedBusinessNumber::parse(COMPANY).unwrap();
        Ok(CardFacts { ubn, card: signing_card(ubn, now) })
    }

    async fn recheck(&self, _: &SigningCard, _: DateTime<Utc>) -> Result<(), CardRefusal> {
        Ok(())
    }
}

impl KeyReader for Parts {
    fn read(&self, pem: &str, _: Profile) -> Result<ParsedKey, Violation> {
        Err(if pem == "PRIVATE" { Violation::PrivateKey } else { Violation::PublicKeyFormat })
    }
}

impl TokenReader for Parts {
    fn read<'t>(&'t self, _: &'t str) -> Result<Box<dyn ReadToken + 't>, TokenRefusal> {
        Err(TokenRefusal::Malformed)
    }

    fn members(&self, _: &[u8]) -> Option<TextMembers> {
        None
    }

    fn condition<'t>(&self, _: &'t str) -> Option<Condition<'t>> {
        None
    }
}

#[async_trait]
impl Credentials for Parts {
    async fn password_matches<'a>(&self, password: &'a str, hash: Option<&'a str>) -> Option<bool> {
        Some(hash.is_some() && password == PASSWORD)
    }

    fn totp_step(&self, _: &[u8], code: &str, now: DateTime<Utc>) -> Option<u64> {
        (code == CODE).then(|| u64::try_from(now.timestamp()).unwrap() / 30)
    }

    async fn hash_password(&self, _: &str) -> String {
        "hash".to_owned()
    }
}

impl MailComposer for Parts {
    fn compose(&self, _: &MailMessage) -> MailText {
        MailText { subject: String::new(), plain: String::new(), html: String::new() }
    }
}

impl RateLimiter for Parts {
    fn admit(&self, _: UnifiedBusinessNumber, _: Environment, _: IpAddr) -> Result<(), Exceeded> {
        Ok(())
    }

    fn hear(&self, _: IpAddr) -> Result<(), Exceeded> {
        Ok(())
    }

    fn refused(&self, _: IpAddr, _: Option<QueryRefusal>) -> Result<(), Exceeded> {
        Ok(())
    }

    fn enter(&self, _: Door, _: IpAddr) -> Result<(), Exceeded> {
        let (window, retry_after) = (std::time::Duration::from_mins(1), std::time::Duration::from_secs(7));
        let exceeded = Exceeded { limit: LimitName::Challenges, allowed: 30, window, retry_after };
        if self.open { Ok(()) } else { Err(exceeded) }
    }
}

#[async_trait]
impl Ledger for Parts {
    async fn record(&self, _: LedgerEntry) -> Result<LedgerAnswer, LedgerError> {
        Err(LedgerError::Unavailable)
    }
}

#[async_trait]
impl Readiness for Parts {
    async fn problems(&self) -> Vec<String> {
        Vec::new()
    }

    fn jobs(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A service, and the database that is its own.
pub(crate) struct Service {
    pub(crate) http: TestClient<poem::endpoint::BoxEndpoint<'static, Response>>,
    pub(crate) database: TempDatabase,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::with(true, false).await
    }

    /// With doors that are closed nothing that costs may be asked for by who is not known.
    pub(crate) async fn with_doors(open: bool) -> Self {
        Self::with(open, false).await
    }

    /// Reached over TLS only.
    pub(crate) async fn over_tls() -> Self {
        Self::with(true, true).await
    }

    async fn with(open: bool, tls: bool) -> Self {
        let database = TempDatabase::sqlite().await;
        let store = Arc::new(database.store().await);
        let officers = [("chen", Role::Reviewer), ("lin", Role::Supervisor), ("audit", Role::Auditor)];
        for (number, (username, role)) in (1..).zip(officers) {
            let id = OfficerId(uuid::Uuid::from_u128(number));
            let officer = Officer { id, username: username.to_owned(), role };
            let credential =
                OfficerCredential::Local { password_hash: "hash".to_owned(), totp_secret: vec![1; 20] };
            let entry = audit().remove(0);
            assert!(store.add(officer, credential, database.clock.now(), entry).await.unwrap());
        }
        let callers = Arc::new(CallerSnapshot::new(Arc::clone(&store) as _, Arc::new(Parts { open })));
        callers.refresh().await.unwrap();
        let app = App { services: services(&database, &store, callers, open), config: Arc::new(config(tls)) };
        Self { http: TestClient::new(routes(app).boxed()), database }
    }

    /// A session of an officer, as bearer token.
    pub(crate) async fn signed_in(&self, username: &str) -> String {
        let body = serde_json::json!({"username": username, "password": PASSWORD, "totp": CODE});
        let response = self.http.post("/api/v1/officer/session").body_json(&body).send().await;
        response.assert_status(poem::http::StatusCode::CREATED);
        let body = response.json().await;
        format!("Bearer {}", body.value().object().get("token").string())
    }
}

fn config(tls: bool) -> HttpConfig {
    HttpConfig {
        base_url: "http://localhost".to_owned(),
        card_component_origin: "http://localhost:61161".to_owned(),
        contact: Contact {
            agency: ["內政部戶政司", "Department of Household Registration"].map(str::to_owned),
            phone: Some("02-12345678".to_owned()),
            email: Some("idcheck@example.gov.tw".to_owned()),
        },
        fonts: Fonts::new(&[]),
        secure_cookies: tls,
        trusted_proxies: Vec::new(),
        surfaces: Surface::ALL.to_vec(),
        metrics: String::new,
    }
}

/// Ports that the store is, and those that are the test's.
macro_rules! all {
    ($of:expr) => {
        Arc::clone($of) as _
    };
}

fn office(
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    store: &Arc<Store>,
    parts: &Arc<Parts>,
) -> OfficePorts {
    OfficePorts {
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        applications: all!(store),
        organisations: all!(store),
        company_register: all!(store),
        revocations: all!(store),
        plans: all!(store),
        notices: all!(store),
        users: all!(store),
        counts: all!(store),
        dormancy: all!(store),
        templates: all!(store),
        calendar: all!(store),
        officers: all!(store),
        composer: all!(parts),
        changes: all!(store),
    }
}

fn acts(office: &OfficePorts, store: &Arc<Store>, parts: &Arc<Parts>) -> ActPorts {
    ActPorts {
        clock: Arc::clone(&office.clock),
        entropy: Arc::clone(&office.entropy),
        cards: all!(parts),
        keys: all!(parts),
        challenges: all!(store),
        sessions: store.own_sessions(),
        applications: all!(store),
        organisations: all!(store),
        attachments: all!(store),
        webhooks: all!(store),
        plans: all!(store),
        uses: all!(store),
        notices: all!(store),
        calendar: all!(store),
        usage: office.usage(),
        changes: all!(store),
        challenge_life: TimeDelta::minutes(15),
        address_policy: AddressPolicy::Public,
        open_challenges: OpenChallenges { of_organisation: 5, of_address: 50 },
    }
}

fn services(
    database: &TempDatabase,
    store: &Arc<Store>,
    callers: Arc<CallerSnapshot>,
    open: bool,
) -> Services {
    let clock: Arc<dyn Clock> = Arc::new(database.clock.clone());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::default());
    let parts = Arc::new(Parts { open });
    let office = office(&clock, &entropy, store, &parts);
    let acts = acts(&office, store, &parts);
    let sign_in = OfficerPorts {
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        officers: all!(store),
        sessions: all!(store),
        credentials: all!(&parts),
        changes: all!(store),
        methods: SignInMethods::Local,
        passkeys: None,
    };
    let verify = VerifyPorts {
        clock: Arc::clone(&clock),
        callers,
        tokens: all!(&parts),
        rates: all!(&parts),
        ledger: all!(&parts),
        limits: Limits { quota: 1000, budget: 100 },
    };
    Services {
        issue_challenge: IssueChallenge::new(acts.clone()),
        prove_challenge: ProveChallenge::new(acts.clone()),
        read_own: ReadOwn::new(acts.clone()),
        read_receipt: ReadReceipt::new(acts),
        drafts: KeepDrafts::new(DraftPorts {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            drafts: all!(store),
            of_address: 50,
        }),
        webhooks: all!(store),
        attachments: KeepAttachments::new(AttachmentPorts {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            attachments: all!(store),
            changes: all!(store),
            of_address: 50,
            of_all: 500,
        }),
        read_cases: ReadCases::new(office.clone(), all!(&parts), Approvers::One),
        review: ReviewApplication::new(office.clone(), all!(&parts), Approvers::One),
        worklist: ReadWorklist::new(Arc::clone(&clock), all!(store), all!(store), all!(store)),
        organisations: ReadOrganisations::new(office.clone()),
        govern: GovernAccess::new(office.clone()),
        plans: JudgePlans::new(office.clone()),
        users: GovernUsers::new(office.clone()),
        notices: HandleNotices::new(office.clone()),
        sweeps: SweepCompanies::new(office.clone(), all!(store)),
        audit: ReadAudit::new(all!(store), all!(store), all!(store), all!(store)),
        public_register: PublishRegister::new(Arc::clone(&clock), all!(store), all!(store)),
        usage: office.usage(),
        templates: KeepTemplates::new(Arc::clone(&clock), Arc::clone(&entropy), all!(store), all!(store)),
        dead_letters: DeadLetters::new(Arc::clone(&clock), all!(store), all!(&parts), all!(store)),
        demo: None,
        officers: KeepOfficers::new(sign_in.clone()),
        sign_in: SignIn::new(sign_in),
        rates: all!(&parts),
        verify: VerifyCard::new(verify),
        readiness: all!(&parts),
        clock,
        entropy,
    }
}
