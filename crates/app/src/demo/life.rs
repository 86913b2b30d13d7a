//! What happened before the demo began: made-up organisations with cases in every state, notices, a revocation that waits for its
//! second person, a plan, a sweep, and a month of queries. All of it is done by the use cases themselves, with a clock that was set
//! back; only the cards are taken at their word, whose certificates are real ones of the demo's authority.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, anyhow};
use async_trait::async_trait;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    access::Ground,
    application::{Application, ApplicationId, Approvers},
    card::SigningCard,
    company::CompanyRecord,
    key::Environment,
    taipei,
    value::{Narrative, PersonId, Reason, UnifiedBusinessNumber},
};
use idcheck_persistence::{LedgerWriter, Store};
use idcheck_softcard::DemoPki;
use idcheck_usecases::{
    Content, Leaf, OfficePorts,
    acts::{ActName, ActResult, IssueChallenge, ProveChallenge},
    application::{ReviewApplication, ReviewCommand},
    attachment::KeepAttachments,
    notice::{HandleNotices, NoticeStep, WatchUsage},
    organisation::{GovernAccess, RevocationRuling},
    ports::{
        Ask, CardFacts, CardQuestion, CardRefusal, CardVerifier, Changes as _, Clock, CompanySnapshots as _,
        Entropy, Ledger as _, LedgerEntry, Limits, Officer, Officers as _,
    },
    sweep::{SweepCompanies, SweptBy},
};

use super::persons::persons;
use crate::{
    config::Config,
    keyfile::MasterKey,
    system::{SystemClock, SystemEntropy},
    wiring::{acts, card, office, store},
};

/// The organisations. Their numbers are the first right ones from [`FIRST`] on; no card of the demo has one of them.
const NAMES: [&str; 15] = [
    "示範第一商業銀行股份有限公司",
    "示範電子支付股份有限公司",
    "示範人壽保險股份有限公司",
    "示範證券股份有限公司",
    "示範電信股份有限公司",
    "示範融資租賃股份有限公司",
    "示範保險代理人股份有限公司",
    "示範不動產經紀有限公司",
    "示範資產管理股份有限公司",
    "示範數位銀行股份有限公司",
    "示範支付科技有限公司",
    "示範典當有限公司",
    "示範快遞股份有限公司",
    "示範旅行社股份有限公司",
    "示範汽車租賃有限公司",
];
const FIRST: u32 = 99_910_000;

/// Places in [`NAMES`].
mod who {
    pub(super) const BANK: usize = 0;
    pub(super) const PAYMENT: usize = 1;
    pub(super) const INSURER: usize = 2;
    pub(super) const BROKER: usize = 3;
    pub(super) const TELECOM: usize = 4;
    pub(super) const LEASING: usize = 5;
    pub(super) const AGENT: usize = 6;
    pub(super) const ESTATE: usize = 7;
    pub(super) const ASSETS: usize = 8;
    pub(super) const DIGITAL: usize = 9;
    pub(super) const FINTECH: usize = 10;
    pub(super) const PAWN: usize = 11;
    pub(super) const COURIER: usize = 12;
    pub(super) const TRAVEL: usize = 13;
    pub(super) const CARS: usize = 14;
}

/// A clock that is set.
struct Past(Mutex<DateTime<Utc>>);

impl Clock for Past {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a company's word for its signature, which is its number.
struct Taken(HashMap<UnifiedBusinessNumber, CardFacts>);

#[async_trait]
impl CardVerifier for Taken {
    async fn verify(&self, cms: &[u8], _: &[u8], _: DateTime<Utc>) -> Result<CardFacts, CardRefusal> {
        let number = std::str::from_utf8(cms).ok().and_then(|text| UnifiedBusinessNumber::parse(text).ok());
        number.and_then(|number| self.0.get(&number).cloned()).ok_or(CardRefusal::Malformed)
    }

    async fn recheck(&self, _: &SigningCard, _: DateTime<Utc>) -> Result<(), CardRefusal> {
        Ok(())
    }
}

/// The past while it is being made.
struct Life {
    today: NaiveDate,
    clock: Arc<Past>,
    store: Arc<Store>,
    ports: OfficePorts,
    entropy: Arc<dyn Entropy>,
    attachments: KeepAttachments,
    issue: IssueChallenge,
    prove: ProveChallenge,
    review: ReviewApplication,
    notices: HandleNotices,
    govern: GovernAccess,
    sweeps: SweepCompanies,
    ubns: Vec<UnifiedBusinessNumber>,
    officers: HashMap<String, Officer>,
}

fn numbers() -> Vec<UnifiedBusinessNumber> {
    let right = (FIRST..).filter_map(|n| UnifiedBusinessNumber::parse(&n.to_string()).ok());
    right.take(NAMES.len()).collect()
}

/// What the cards of these companies say, as the verifier reads it today.
async fn cards(
    config: &Config,
    pki: &DemoPki,
    ubns: &[UnifiedBusinessNumber],
) -> anyhow::Result<HashMap<UnifiedBusinessNumber, CardFacts>> {
    const CONTENT: &[u8] = b"before the demo";
    let verifier = card::card_verifier(config)?;
    let now = SystemClock.now();
    let companies: Vec<_> = ubns.iter().zip(NAMES).map(|(ubn, name)| (ubn.as_str(), name)).collect();
    let mut facts = HashMap::new();
    for cms in pki.sign_for(&companies, CONTENT, now)? {
        let read = verifier.verify(&cms, CONTENT, now).await?;
        facts.insert(read.ubn, read);
    }
    Ok(facts)
}

/// Makes it.
pub(super) async fn make(config: &Config, key: &MasterKey, pki: &DemoPki) -> anyhow::Result<()> {
    let ubns = numbers();
    let facts = cards(config, pki, &ubns).await?;
    let clock = Arc::new(Past(Mutex::new(SystemClock.now())));
    let store = Arc::new(
        Store::connect(&config.database_url, store::vault(key)?, Arc::clone(&clock) as _)
            .await
            .context("the demo's database")?,
    );
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
    let told: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let ports: OfficePorts =
        office::ports(&store, &told, &entropy, Arc::clone(&store) as _, Arc::clone(&store) as _);
    let verifier: Arc<dyn CardVerifier> = Arc::new(Taken(facts));
    let attachments = acts::attachments(config, &store, &ports);
    let acts = acts::act_ports(config, &store, &ports, Arc::clone(&verifier));
    let mut officers = HashMap::new();
    for listed in store.list().await? {
        officers.insert(listed.officer.username.clone(), listed.officer);
    }
    let life = Life {
        today: taipei::day(SystemClock.now()),
        clock,
        attachments,
        issue: IssueChallenge::new(acts.clone()),
        prove: ProveChallenge::new(acts),
        review: ReviewApplication::new(ports.clone(), verifier, Approvers::One),
        notices: HandleNotices::new(ports.clone()),
        govern: GovernAccess::new(ports.clone()),
        sweeps: SweepCompanies::new(ports.clone(), Arc::clone(&store) as _),
        ports,
        store,
        entropy,
        ubns,
        officers,
    };
    life.happens().await
}

/// What a company attaches to its explanation.
const TRAINING: &[u8] = include_bytes!("training.pdf");

/// From where the companies of the past send.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn content(pairs: &[(&str, &str)]) -> Content {
    pairs.iter().map(|(at, text)| ((*at).to_owned(), Leaf::Text((*text).to_owned()))).collect()
}

const CONSENT: [(&str, &str); 2] = [
    ("/consent/noticeVersion", idcheck_domain::consent::NOTICE_VERSION),
    ("/consent/conductVersion", idcheck_domain::consent::CONDUCT_VERSION),
];

impl Life {
    /// Sets the clock to an hour and minute of a day so many days ago, in Taipei; never into the future.
    fn at(&self, days_ago: u64, hour: i64, minute: i64) {
        let day = self.today - Days::new(days_ago);
        let midnight = taipei::end_of(day - Days::new(1));
        let at = (midnight + TimeDelta::minutes(hour * 60 + minute)).min(SystemClock.now());
        *self.clock.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn officer(&self, name: &str) -> anyhow::Result<&Officer> {
        self.officers.get(name).ok_or_else(|| anyhow!("no officer {name}"))
    }

    /// An act that the company signs.
    async fn act(&self, company: usize, act: ActName, pairs: &[(&str, &str)]) -> anyhow::Result<ActResult> {
        let ubn = self.ubns[company];
        let challenge = self.issue.execute(act, ubn, content(pairs), None, HERE).await?;
        let proven = self.prove.execute(challenge.id, ubn.as_str().as_bytes(), None).await?;
        Ok(proven.result)
    }

    async fn case(&self, company: usize, act: ActName, own: &[(&str, &str)]) -> anyhow::Result<Application> {
        let pairs = [own, &CONSENT].concat();
        match self.act(company, act, &pairs).await? {
            ActResult::Application(application) => Ok(*application),
            _ => Err(anyhow!("{act:?} made no case")),
        }
    }

    async fn apply(&self, company: usize) -> anyhow::Result<Application> {
        let address = format!("127.0.1.{}", 10 + company);
        let mail = format!("it{company}@example.com");
        let own = [
            ("/companyName", NAMES[company]),
            ("/hostAddresses/0", &address),
            ("/contact/name", ["王小明", "陳美玲", "林志豪", "張雅婷"][company % 4]),
            ("/contact/landline", "(02)23456789"),
            ("/contact/email", &mail),
            ("/purpose/authority", "金融監督管理委員會"),
            ("/purpose/rule", "金融機構防制洗錢辦法第三條"),
            ("/purpose/description", "辦理開戶及確認客戶身分時，查驗國民身分證之領補換資料"),
        ];
        self.case(company, ActName::Apply, &own).await
    }

    async fn step(&self, by: &str, id: ApplicationId, command: ReviewCommand) -> anyhow::Result<()> {
        let read = idcheck_usecases::ports::Applications::find(&*self.store, id).await?;
        let version = read.context("the case")?.version;
        self.review.execute(self.officer(by)?, id, Some(version), &command).await?;
        Ok(())
    }

    /// A company that got its access so many days ago.
    async fn admit(&self, company: usize, days_ago: u64) -> anyhow::Result<()> {
        self.at(days_ago + 3, 10, 20);
        let case = self.apply(company).await?;
        self.at(days_ago + 1, 9, 5);
        self.step("reviewer1", case.id, ReviewCommand::Claim).await?;
        self.at(days_ago, 15, 40);
        self.step("reviewer1", case.id, ReviewCommand::Approve { note: None }).await
    }

    async fn happens(&self) -> anyhow::Result<()> {
        self.organisations().await?;
        self.ends().await?;
        self.cases().await?;
        self.queries().await?;
        self.notices().await?;
        self.sweep().await
    }

    async fn organisations(&self) -> anyhow::Result<()> {
        self.admit(who::COURIER, 430).await?;
        self.admit(who::BANK, 320).await?;
        self.admit(who::PAWN, 300).await?;
        self.admit(who::INSURER, 250).await?;
        self.admit(who::FINTECH, 240).await?;
        self.admit(who::PAYMENT, 200).await?;
        self.admit(who::BROKER, 150).await?;
        self.admit(who::TELECOM, 120).await?;
        self.admit(who::TRAVEL, 90).await?;
        self.admit(who::LEASING, 60).await
    }

    /// Access that ended, and what waits because of it.
    async fn ends(&self) -> anyhow::Result<()> {
        self.at(100, 11, 0);
        let own = [("/reason", "業務調整，不再辦理相關業務")];
        let case = self.case(who::PAWN, ActName::Suspend, &own).await?;
        self.at(98, 14, 0);
        self.step("reviewer2", case.id, ReviewCommand::Claim).await?;
        self.step("reviewer2", case.id, ReviewCommand::Approve { note: None }).await?;

        self.at(62, 10, 0);
        let reason = Reason::parse("將查驗結果提供第三人使用，經查屬實")?;
        let (first, second) = (self.officer("reviewer2")?, self.officer("supervisor1")?);
        let ubn = self.ubns[who::FINTECH];
        let asked = self.govern.ask(first, ubn, Ground::Conduct, &reason).await?.value;
        self.at(61, 9, 30);
        let (id, version) = (asked.value.id, asked.version);
        self.govern.rule(second, id, version, &RevocationRuling::Confirm).await?;
        self.at(2, 16, 10);
        let plan = "已終止與第三人之介接，改由總公司集中查驗，並每季稽核查驗紀錄。";
        self.act(who::FINTECH, ActName::SubmitImprovementPlan, &[("/plan", plan)]).await?;

        self.at(1, 16, 45);
        let reason = Reason::parse("經查該公司以公用電腦查驗，且未留存客戶同意書")?;
        let ubn = self.ubns[who::TRAVEL];
        self.govern.ask(self.officer("reviewer1")?, ubn, Ground::Conduct, &reason).await?;
        Ok(())
    }

    /// Cases in every state.
    async fn cases(&self) -> anyhow::Result<()> {
        let reason = |text: &str| Reason::parse(text);
        self.at(25, 13, 0);
        let case = self.apply(who::DIGITAL).await?;
        self.at(20, 10, 0);
        self.step("reviewer2", case.id, ReviewCommand::Claim).await?;
        let why = reason("所附依據未載明查驗國民身分證之必要，請補充後重新申請")?;
        self.step("reviewer2", case.id, ReviewCommand::Reject { reason: why }).await?;

        self.at(19, 9, 30);
        let case = self.apply(who::CARS).await?;
        self.at(18, 9, 30);
        let id = case.id.to_string();
        let own = [("/applicationId", id.as_str()), ("/reason", "暫緩辦理")];
        self.act(who::CARS, ActName::Withdraw, &own).await?;

        self.at(12, 14, 20);
        let case = self.apply(who::ESTATE).await?;
        self.at(11, 10, 0);
        self.step("reviewer2", case.id, ReviewCommand::Claim).await?;

        self.at(6, 11, 15);
        let case = self.apply(who::ASSETS).await?;
        self.at(5, 9, 40);
        self.step("reviewer1", case.id, ReviewCommand::Claim).await?;
        let question = Narrative::parse("請說明查驗之業務場景，並補充主管機關核准文號。")?;
        self.step("reviewer1", case.id, ReviewCommand::RequestClarification { question }).await?;

        self.at(15, 9, 0);
        let own = [("/hostAddresses/0", "127.0.1.210"), ("/reason", "機房搬遷")];
        let case = self.case(who::BANK, ActName::ChangeAddress, &own).await?;
        self.at(13, 11, 0);
        self.step("reviewer1", case.id, ReviewCommand::Claim).await?;
        self.step("reviewer1", case.id, ReviewCommand::Approve { note: None }).await?;

        self.at(3, 10, 5);
        let own = [
            ("/hostAddresses/0", "127.0.1.201"),
            ("/hostAddresses/1", "127.0.1.202"),
            ("/reason", "主機汰換，另增設備援主機"),
        ];
        let case = self.case(who::INSURER, ActName::ChangeAddress, &own).await?;
        self.at(2, 9, 50);
        self.step("reviewer1", case.id, ReviewCommand::Claim).await?;

        self.at(1, 15, 30);
        self.apply(who::DIGITAL).await?;
        self.at(0, 8, 50);
        self.apply(who::AGENT).await?;
        Ok(())
    }

    /// A month of queries, and what one organisation did yesterday.
    async fn queries(&self) -> anyhow::Result<()> {
        let ledger = LedgerWriter::start(&self.store);
        let known = persons(super::PERSONS);
        let mut entries = Vec::new();
        let busy = [
            (who::BANK, 24),
            (who::PAYMENT, 30),
            (who::INSURER, 9),
            (who::BROKER, 7),
            (who::TELECOM, 12),
            (who::TRAVEL, 3),
            (who::LEASING, 4),
        ];
        for days_ago in (1..=30_u64).rev() {
            for (company, a_day) in busy {
                // Fewer at the week's end, and never at the same minutes.
                let day = self.today - Days::new(days_ago);
                let quiet = chrono::Datelike::weekday(&day).num_days_from_monday() > 4;
                let count = if quiet { a_day / 3 } else { a_day + (days_ago * 7 + company as u64) % 5 };
                for query in 0..count {
                    let number = days_ago * 131 + query * 17 + company as u64 * 7;
                    let person = &known[usize::try_from(number).unwrap_or(0) % known.len()];
                    let minute = 540 + i64::try_from((query * 541 + number * 37) % 510).unwrap_or(0);
                    self.at(days_ago, 0, minute);
                    let mut data = person.data;
                    // Three in a hundred are mistyped.
                    if number % 33 == 5 {
                        data.applied_on =
                            known[(usize::try_from(number).unwrap_or(0) + 1) % known.len()].data.applied_on;
                    }
                    entries.push(self.query(
                        company,
                        query % 3,
                        CardQuestion { person_id: person.person_id, data },
                    ));
                }
            }
        }
        // Somebody tries one number after the other.
        for query in 0..39_u64 {
            self.at(1, 13, 5 + i64::try_from(query * query % 170).unwrap_or(0));
            let stem = format!("F12345{:03}", 600 + query / 3);
            let number = (0..10).find_map(|digit| PersonId::parse(&format!("{stem}{digit}")).ok());
            let person_id = number.context("an ID number")?;
            let data = known[usize::try_from(query).unwrap_or(0)].data;
            entries.push(self.query(who::LEASING, 7, CardQuestion { person_id, data }));
        }
        entries.sort_by_key(|entry| entry.at);
        for some in entries.chunks(200) {
            let mut tasks = tokio::task::JoinSet::new();
            for entry in some.iter().cloned() {
                let ledger = ledger.clone();
                tasks.spawn(async move { ledger.record(entry).await });
            }
            while let Some(recorded) = tasks.join_next().await {
                recorded??;
            }
        }
        self.at(1, 23, 58);
        let thresholds = idcheck_domain::abuse::Thresholds::default();
        let (ports, tally) = (self.ports.clone(), Arc::clone(&self.store) as _);
        WatchUsage::new(ports, tally, thresholds).execute().await?;
        Ok(())
    }

    fn query(&self, company: usize, user: u64, question: CardQuestion) -> LedgerEntry {
        let at = self.clock.now();
        let host = u8::try_from(10 + company).unwrap_or(10);
        LedgerEntry {
            at,
            ubn: self.ubns[company],
            environment: Environment::Production,
            user_id: format!("teller{}", user + 1),
            address: [127, 0, 1, host].into(),
            epoch: None,
            ask: Ask::Card {
                question,
                jti: self.entropy.uuid(at).to_string(),
                token_expires_at: at + TimeDelta::minutes(3),
                limits: Limits { quota: 100_000, budget: 100_000 },
            },
        }
    }

    /// A notice that was explained, one that was not in time, and one that was put away.
    async fn notices(&self) -> anyhow::Result<()> {
        use idcheck_domain::abuse::{AbuseRule, Evidence, Finding, Measure};
        let officer = self.officer("reviewer2")?;
        let message = Narrative::parse("請說明當日查驗不符筆數偏高之原因及改善情形。")?;
        for (company, rule, days_ago) in [
            (who::BROKER, AbuseRule::MismatchRatio, 8),
            (who::TELECOM, AbuseRule::Replays, 16),
            (who::BANK, AbuseRule::MachinePaced, 25),
        ] {
            let counts = match rule {
                AbuseRule::MismatchRatio => vec![(Measure::Answers, 96), (Measure::Wrong, 34)],
                AbuseRule::Replays => vec![(Measure::Replays, 41)],
                _ => vec![(Measure::Gaps, 180), (Measure::Even, 171), (Measure::Queries, 181)],
            };
            let user_id = (rule == AbuseRule::MachinePaced).then(|| "batch01".to_owned());
            let evidence = Evidence { day: self.today - Days::new(days_ago), user_id, counts };
            self.at(days_ago, 17, 30);
            let id = self.raise(company, Finding { rule, evidence }).await?;
            self.at(days_ago - 1, 9, 20);
            if rule == AbuseRule::MachinePaced {
                let reason = Reason::parse("係該行系統切換時之連線測試，已請其改用測試環境")?;
                self.notices.take(officer, id, 1, &NoticeStep::Dismiss { reason }).await?;
                continue;
            }
            let step = NoticeStep::Send { message: message.clone(), days: 5 };
            self.notices.take(officer, id, 1, &step).await?;
            if rule == AbuseRule::MismatchRatio {
                self.at(days_ago - 3, 14, 0);
                let id = id.to_string();
                let text = "新進人員操作不熟，已完成教育訓練，並改由系統帶入資料。";
                let file = self.attachments.keep("教育訓練紀錄.pdf", TRAINING, None, HERE).await?;
                let file = file.reference.to_string();
                let own = [("/noticeId", id.as_str()), ("/explanation", text), ("/attachments/0", &file)];
                self.act(company, ActName::Explain, &own).await?;
            }
        }
        Ok(())
    }

    async fn raise(
        &self,
        company: usize,
        finding: idcheck_domain::abuse::Finding,
    ) -> anyhow::Result<idcheck_domain::notice::NoticeId> {
        use idcheck_domain::notice::{Notice, NoticeId};
        use idcheck_usecases::ports::{AuditAction, AuditActor, AuditEntry, Change, Write};
        let now = self.clock.now();
        let id = NoticeId(self.entropy.uuid(now));
        let ubn = self.ubns[company];
        let detail = format!("organisation:{ubn} rule:{}", finding.rule.as_str());
        let entry = AuditEntry::new(AuditActor::System, AuditAction::NoticeRaise, id).detail(detail);
        let notice = Notice::raise(id, ubn, finding, now);
        let change = Change { notices: vec![Write::Insert(notice)], audit: vec![entry], ..Change::default() };
        self.store.commit(change).await?;
        Ok(id)
    }

    /// The company register, in which one is missing and one has another name, and the sweep that found it.
    async fn sweep(&self) -> anyhow::Result<()> {
        self.at(4, 9, 0);
        let now = self.clock.now();
        let company = |place: usize| {
            let name = match place {
                who::TELECOM => "示範全通電信股份有限公司",
                place => NAMES[place],
            };
            CompanyRecord { ubn: self.ubns[place], name: name.to_owned(), status: None }
        };
        let records: Vec<_> = (0..NAMES.len()).filter(|place| *place != who::COURIER).map(company).collect();
        let digest = [0xde; 32];
        self.store.begin(&digest, now).await?;
        self.store.append(&digest, &records, records.len() as u64).await?;
        self.store.complete(&digest, now).await?;
        self.at(3, 10, 0);
        self.sweeps.begin(SweptBy::Officer(self.officer("supervisor1")?)).await?;
        while self.sweeps.advance().await? > 0 {}
        Ok(())
    }
}
