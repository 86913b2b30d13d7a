//! A year in which the clock is moved: every mail at its time, once, over New Year, a make-up Saturday, a typhoon, a mail server that is
//! away for a week's end, a year without a query, and the end of what is kept.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Finding, Measure},
    application::{Application, ApplicationId, Approvers},
    notice::{Notice, NoticeId},
    officer::{OfficerId, Role},
    taipei,
    value::{Narrative, UnifiedBusinessNumber},
};
use idcheck_persistence::{Keep, Store};
use idcheck_testing::{
    FixedClock, SeededEntropy,
    builders::{audit, ubn},
    database::TempDatabase,
};
use idcheck_usecases::{
    Content,
    acts::{ActName, ActResult, IssueChallenge, ProveChallenge},
    application::{ReviewApplication, ReviewCommand},
    calendar::KeepCalendar,
    mail::DeliverMail,
    notice::{HandleNotices, NoticeStep},
    ports::{
        Applications, CalendarEdit, Change, Changes, Clock, MailError, MailMessage, Mailer, Officer,
        QueuedMail, Write,
    },
    reminder::{ReminderPorts, SendReminders},
};
use uuid::Uuid;
use world::{Cards, apply, ground, text};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An instant in Taipei, such as `2027-02-01 10:00`.
fn at(text: &str) -> DateTime<Utc> {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    local.and_utc() - TimeDelta::hours(8)
}

/// The days off of 2027 as they are made up here: weekends, New Year's week, and one Saturday that is worked for it.
fn days_off(year: i32) -> Vec<NaiveDate> {
    let all = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().iter_days().take_while(|day| day.year() == year);
    let new_year = day("2027-02-04")..=day("2027-02-10");
    let weekend = |day: &NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    all.filter(|one| (weekend(one) && *one != day("2027-02-20")) || new_year.contains(one)).collect()
}

/// A mail in a word.
const fn word(message: &MailMessage) -> &'static str {
    match message {
        MailMessage::Received { .. } => "received",
        MailMessage::ClarificationRequested { .. } => "asked",
        MailMessage::Approved { .. } => "approved",
        MailMessage::ClarificationDue { .. } => "due",
        MailMessage::ClarificationOverdue { .. } => "overdue",
        MailMessage::DeadlineMoved { .. } => "moved",
        MailMessage::NoticeSent { .. } => "notice",
        MailMessage::NoticeDue { .. } => "notice due",
        MailMessage::NoticeOverdue { .. } => "notice overdue",
        MailMessage::Dormant { .. } => "dormant",
        _ => "else",
    }
}

/// When a mail was taken, which one, and its identity.
type Taken = (String, &'static str, Uuid);

/// A mail server that notes when it took what, and is away for a while.
#[derive(Clone)]
struct Server {
    clock: FixedClock,
    taken: Arc<Mutex<Vec<Taken>>>,
}

#[async_trait]
impl Mailer for Server {
    async fn send(&self, mail: &QueuedMail) -> Result<(), MailError> {
        let now = self.clock.now();
        if (at("2027-03-05 18:00")..at("2027-03-08 07:30")).contains(&now) {
            return Err(MailError::Temporary);
        }
        let local = taipei::local(now).format("%Y-%m-%d %H:%M").to_string();
        self.taken.lock().unwrap().push((local, word(&mail.message), mail.id));
        Ok(())
    }
}

struct Year {
    clock: FixedClock,
    store: Arc<Store>,
    issue: IssueChallenge,
    prove: ProveChallenge,
    review: ReviewApplication,
    notices: HandleNotices,
    calendar: KeepCalendar,
    /// Those of two nodes.
    jobs: [(SendReminders, DeliverMail); 2],
    server: Server,
}

fn officer() -> Officer {
    let id = OfficerId(Uuid::from_u128(900));
    Officer { id, username: "lin".to_owned(), role: Role::Reviewer }
}

impl Year {
    async fn new(database: &TempDatabase) -> Self {
        let store = Arc::new(database.store().await);
        let clock = database.clock.clone();
        let world::Ground { acts, office } = ground(&store, &clock);
        let server = Server { clock: clock.clone(), taken: Arc::default() };
        let jobs = || {
            let reminders = SendReminders::new(ReminderPorts {
                clock: Arc::new(clock.clone()),
                entropy: Arc::clone(&office.entropy),
                applications: Arc::clone(&store) as _,
                organisations: Arc::clone(&store) as _,
                notices: Arc::clone(&store) as _,
                dormancy: Arc::clone(&store) as _,
                calendar: Arc::clone(&store) as _,
                reminders: Arc::clone(&store) as _,
                changes: Arc::clone(&store) as _,
            });
            let outbox = Arc::clone(&store) as _;
            (reminders, DeliverMail::new(Arc::new(clock.clone()), outbox, Arc::new(server.clone())))
        };
        let entropy = Arc::new(SeededEntropy::default());
        Self {
            jobs: [jobs(), jobs()],
            calendar: KeepCalendar::new(Arc::new(clock.clone()), entropy, Arc::clone(&store) as _),
            issue: IssueChallenge::new(acts.clone()),
            prove: ProveChallenge::new(acts),
            review: ReviewApplication::new(office.clone(), Arc::new(Cards), Approvers::One),
            notices: HandleNotices::new(office),
            server,
            clock,
            store,
        }
    }

    /// Both nodes do what is due.
    async fn turn(&self) {
        let [one, other] = &self.jobs;
        let reminded = tokio::join!(one.0.execute(), other.0.execute());
        assert!(reminded.0.is_ok() && reminded.1.is_ok(), "{reminded:?}");
        loop {
            let sent = tokio::join!(one.1.execute(), other.1.execute());
            if sent.0.unwrap() + sent.1.unwrap() == 0 {
                return;
            }
        }
    }

    /// Lives until then: three turns a day, one before anybody is reminded of anything.
    async fn until(&self, when: &str) {
        let end = at(when);
        let mut date = taipei::day(self.clock.now());
        while date <= taipei::day(end) {
            for hour in [7, 8, 17] {
                let local = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap());
                let now = local.and_utc() - TimeDelta::hours(8);
                if now > self.clock.now() && now <= end {
                    self.clock.set(now);
                    self.turn().await;
                }
            }
            date = date + Days::new(1);
        }
        self.clock.set(end);
    }

    async fn sign(&self, who: UnifiedBusinessNumber, act: ActName, content: Content) -> ActResult {
        let issued = self.issue.execute(act, who, content, None, [8, 8, 8, 8].into()).await.unwrap();
        self.prove.execute(issued.id, b"cms", None).await.unwrap().result
    }

    async fn apply(&self, company: usize) -> Application {
        match self.sign(ubn(company), ActName::Apply, apply()).await {
            ActResult::Application(case) => *case,
            other => panic!("{other:?}"),
        }
    }

    async fn step(&self, id: ApplicationId, command: ReviewCommand) {
        let version = Applications::find(&*self.store, id).await.unwrap().unwrap().version;
        self.review.execute(&officer(), id, Some(version), &command).await.unwrap();
    }

    /// A case that the applicant is asked about, and the mails of it.
    async fn asked(&self, company: usize) -> Application {
        let case = self.apply(company).await;
        self.step(case.id, ReviewCommand::Claim).await;
        let question = Narrative::parse("請補充").unwrap();
        self.step(case.id, ReviewCommand::RequestClarification { question }).await;
        self.turn().await;
        Applications::find(&*self.store, case.id).await.unwrap().unwrap().value
    }

    async fn answer(&self, case: &Application, company: usize) {
        let id = case.id.to_string();
        let clarification = case.clarifications[0].id.0.to_string();
        let answer = [("/applicationId", &*id), ("/clarificationId", &clarification), ("/answer", "如附件")];
        self.sign(ubn(company), ActName::AnswerClarification, text(&answer)).await;
    }

    async fn admit(&self, company: usize) {
        let case = self.apply(company).await;
        self.step(case.id, ReviewCommand::Claim).await;
        self.step(case.id, ReviewCommand::Approve { note: None }).await;
        self.turn().await;
    }

    async fn notice(&self, company: usize) -> NoticeId {
        let id = NoticeId(Uuid::from_u128(77));
        let counts = vec![(Measure::Replays, 40)];
        let evidence = Evidence { day: taipei::day(self.clock.now()), user_id: None, counts };
        let finding = Finding { rule: AbuseRule::Replays, evidence };
        let raised = Notice::raise(id, ubn(company), finding, self.clock.now());
        let change = Change { notices: vec![Write::Insert(raised)], audit: audit(), ..Change::default() };
        self.store.commit(change).await.unwrap();
        let step = NoticeStep::Send { message: Narrative::parse("請說明").unwrap(), days: 5 };
        self.notices.take(&officer(), id, 1, &step).await.unwrap();
        self.turn().await;
        id
    }
}

async fn a_year(database: &TempDatabase) {
    let year = Year::new(database).await;
    year.clock.set(at("2027-01-04 09:00"));
    for of in [2027, 2028] {
        year.calendar.change(&CalendarEdit::Year { year: of, days_off: days_off(of) }).await.unwrap();
    }
    // Two that get access and never ask.
    year.until("2027-02-01 10:00").await;
    year.admit(0).await;
    // Asked on the day before New Year's week, and never answered.
    year.until("2027-02-03 10:00").await;
    year.asked(1).await;
    // The make-up Saturday is a working day of these five.
    year.until("2027-02-16 10:00").await;
    let answered_late = year.asked(2).await;
    year.until("2027-02-22 16:00").await;
    year.answer(&answered_late, 2).await;
    // On a Saturday, while the mail server is away.
    year.until("2027-03-06 10:00").await;
    year.apply(3).await;
    // A notice that is explained a day too late.
    year.until("2027-05-03 10:00").await;
    let notice = year.notice(0).await;
    year.until("2027-05-11 10:00").await;
    let explained = [("/noticeId", &*notice.to_string()), ("/explanation", "已改善")];
    year.sign(ubn(0), ActName::Explain, text(&explained)).await;
    // A typhoon on the fourth of five days, told on the evening before.
    year.until("2027-07-28 10:00").await;
    let in_a_storm = year.asked(4).await;
    year.until("2027-08-02 20:00").await;
    year.calendar.change(&CalendarEdit::Day { day: day("2027-08-03"), off: true }).await.unwrap();
    year.until("2027-08-05 20:00").await;
    year.answer(&in_a_storm, 4).await;
    year.until("2028-03-01 10:00").await;

    let taken = year.server.taken.lock().unwrap().clone();
    // Two nodes send at once: of one moment there is no order.
    let mut told: Vec<_> = taken.iter().map(|(when, what, _)| format!("{when} {what}")).collect();
    told.sort();
    let mut expected = [
        "2027-02-01 10:00 received",
        "2027-02-01 10:00 approved",
        "2027-02-03 10:00 received",
        "2027-02-03 10:00 asked",
        "2027-02-16 08:00 due",
        "2027-02-16 10:00 received",
        "2027-02-16 10:00 asked",
        "2027-02-18 08:00 overdue",
        "2027-02-20 08:00 due",
        "2027-03-08 08:00 received",
        "2027-05-03 10:00 notice",
        "2027-05-07 08:00 notice due",
        "2027-05-11 08:00 notice overdue",
        "2027-07-28 10:00 received",
        "2027-07-28 10:00 asked",
        "2027-08-03 07:00 moved",
        "2027-08-04 08:00 due",
        "2028-02-01 08:00 dormant",
    ];
    expected.sort_unstable();
    assert_eq!(told, expected);
    let mut ids: Vec<_> = taken.iter().map(|(_, _, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), taken.len(), "a mail was sent twice");

    // What is kept for a year ends with it, and the log tells of it and verifies.
    let before = year.clock.now() - TimeDelta::days(365);
    let keep = Keep { records_before: before, mails_before: before, organisations_before: before };
    let removed = year.store.retain(&keep).await.unwrap();
    assert_eq!(removed.mails, 9, "those sent until 1 March 2027");
    assert_eq!(year.store.retain(&keep).await.unwrap().mails, 0);
    assert_eq!(year.store.verify_chain(1).await.unwrap().first_bad, None);
}

#[tokio::test]
async fn every_mail_at_its_time_on_sqlite() {
    a_year(&TempDatabase::sqlite().await).await;
}

#[tokio::test]
async fn every_mail_at_its_time_on_postgres() {
    let database = TempDatabase::postgres().await;
    a_year(&database).await;
    database.close().await;
}
