//! A host with nothing but a terminal: takes one application through its review, one command a line.
//!
//! ```text
//! $ cargo run --example review
//! claim
//! ask 請補附主管機關函文
//! day 3
//! answer 已補附
//! approve
//! ```
//!
//! `day N` lets N days pass; also `release`, `reject REASON`, `withdraw`. What is refused changes nothing.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId, Approvers, ClarificationId, Filing, Request, State, Step},
    calendar::WorkingCalendar,
    card::SigningCard,
    consent::{CONDUCT_VERSION, Consent, NOTICE_VERSION},
    contact::Contact,
    officer::OfficerId,
    taipei,
    value::{
        AddressPolicy, Authority, CaseNumber, CompanyName, ContactName, Description, EmailAddress,
        HostAddress, HostAddresses, Mobile, Narrative, Purpose, Reason, Rule, UnifiedBusinessNumber,
    },
};
use uuid::Uuid;

/// What an outside form and a card reader would give; every value is parsed, so a wrong one ends here.
fn filing(now: DateTime<Utc>) -> Result<Filing, Box<dyn Error>> {
    let ubn = UnifiedBusinessNumber::parse("04595257")?;
    let company_name = CompanyName::parse("示範股份有限公司")?;
    let purpose = Purpose {
        authority: Authority::parse("金融監督管理委員會")?,
        rule: Rule::parse("金融機構防制洗錢辦法第三條")?,
        description: Description::parse("確認開戶客戶身分")?,
    };
    let contact = Contact::new(
        ContactName::parse("王小明")?,
        None,
        Some(Mobile::parse("0912345678")?),
        EmailAddress::parse("it@example.com")?,
    )?;
    let address = HostAddress::parse("203.66.1.2", AddressPolicy::Public)?;
    Ok(Filing {
        ubn,
        card: SigningCard {
            company_name: company_name.as_str().to_owned(),
            role: None,
            serial: "01".to_owned(),
            issuer: "O=示範機構".to_owned(),
            not_before: now,
            not_after: now + TimeDelta::days(365),
            fingerprint: "ab".repeat(32),
            chain: Vec::new(),
        },
        company_name,
        contact,
        replaces: None,
        host_addresses: HostAddresses::new(vec![address])?,
        request: Request::apply(purpose, ubn, None)?,
        consent: Consent::given(NOTICE_VERSION, CONDUCT_VERSION, now)?,
    })
}

/// The host's memory: one case and the time it thinks it is.
struct Desk {
    case: Application,
    now: DateTime<Utc>,
    calendar: WorkingCalendar,
    officer: OfficerId,
}

impl Desk {
    fn open(now: DateTime<Utc>) -> Result<Self, Box<dyn Error>> {
        // No calendar is known, so weekends count and every date is provisional.
        let calendar = WorkingCalendar::default();
        let number = CaseNumber::new(taipei::day(now), 1);
        let id = ApplicationId(Uuid::from_u128(1));
        let (case, _) = Application::receive(id, number, filing(now)?, now, &calendar);
        Ok(Self { case, now, calendar, officer: OfficerId(Uuid::from_u128(7)) })
    }

    /// Does what the line says; nothing where only time passes.
    fn act(&mut self, line: &str) -> Result<Option<Step>, Box<dyn Error>> {
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        let case = self.case.clone();
        let (now, officer, calendar) = (self.now, self.officer, &self.calendar);
        let (case, step) = match command {
            "claim" => case.claim(officer, now)?,
            "release" => case.release(officer, now)?,
            "ask" => {
                let id = ClarificationId(Uuid::from_u128(case.clarifications.len() as u128 + 1));
                case.request_clarification(id, Narrative::parse(text)?, officer, now, calendar)?
            }
            "answer" => {
                let id = case.clarifications.last().ok_or("nothing was asked")?.id;
                case.answer_clarification(id, Narrative::parse(text)?, now, calendar)?
            }
            "approve" => case.approve(officer, None, now, Approvers::One)?,
            "reject" => case.reject(officer, Reason::parse(text)?, now)?,
            "withdraw" => case.withdraw(None, now)?,
            "day" => {
                self.now += TimeDelta::days(text.parse()?);
                return Ok(None);
            }
            _ => return Err("claim, release, ask, answer, approve, reject, withdraw or day".into()),
        };
        self.case = case;
        Ok(Some(step))
    }

    fn told(&self) -> String {
        let due = match &self.case.state {
            State::Received { clock }
            | State::UnderReview { clock, .. }
            | State::ApprovalProposed { clock, .. } => Some(("decision", clock.due)),
            State::ClarificationRequested { open, .. } => Some(("answer", open.due)),
            State::Approved(_) | State::Rejected(_) | State::Withdrawn(_) => None,
        };
        let name = self.case.state.name().as_str();
        match due {
            Some((what, due)) => {
                let over = if due.is_over(self.now) { ", overdue" } else { "" };
                format!("{} {name}, {what} due {}{over}", self.case.case_number.as_str(), due.date)
            }
            None => format!("{} {name}", self.case.case_number.as_str()),
        }
    }
}

fn run(start: DateTime<Utc>, input: impl BufRead, mut output: impl Write) -> Result<(), Box<dyn Error>> {
    let mut desk = Desk::open(start)?;
    writeln!(output, "{}", desk.told())?;
    for line in input.lines() {
        if let Err(refused) = desk.act(line?.trim()) {
            writeln!(output, "refused: {refused}")?;
        }
        writeln!(output, "{}", desk.told())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run("2026-11-23T10:00:00+08:00".parse()?, io::stdin().lock(), io::stdout().lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dates by hand: five weekdays after Monday 23 November are Monday the 30th; asked on the same day, all five
    /// are left, and five weekdays after Thursday the 26th are Thursday 3 December.
    #[test]
    fn a_review_line_by_line() {
        let lines = "approve\nclaim\nask 請補附函文\nreject 逾期\nday 3\nanswer 已補附\napprove\nwithdraw";
        let mut told = Vec::new();
        run("2026-11-23T10:00:00+08:00".parse().unwrap(), lines.as_bytes(), &mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        let number = told.split(' ').next().unwrap().to_owned();
        assert_eq!(
            told.replace(&number, "N").lines().collect::<Vec<_>>(),
            [
                "N received, decision due 2026-11-30",
                "refused: Approve is refused from Received",
                "N received, decision due 2026-11-30",
                "N underReview, decision due 2026-11-30",
                "N clarificationRequested, answer due 2026-11-30",
                "refused: Reject is refused from ClarificationRequested",
                "N clarificationRequested, answer due 2026-11-30",
                "N clarificationRequested, answer due 2026-11-30",
                "N underReview, decision due 2026-12-03",
                "N approved",
                "refused: Withdraw is refused from Approved",
                "N approved",
            ]
        );
    }
}
