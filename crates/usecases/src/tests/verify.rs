//! The order of checks of one query, in both profiles: each row of the table, with everything after it broken too.

use idcheck_domain::outcome::QueryRefusal;
use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    key::{Environment, KeyId, Profile},
    organisation::AddressPlan,
    sandbox,
    value::{Account, IssKey},
    verification::VerificationResult,
};
use uuid::Uuid;

use crate::{
    ports::{
        Ask, CallerKey, CallerKeyRecord, CallerRecord, Condition, Exceeded, KeyMaterial, LedgerAnswer,
        LedgerEntry, LedgerError, LegacyClaims, LimitName, Limits, LoadedCallers, MockCallerSource,
        MockKeyReader, MockLedger, MockRateLimiter, ParsedKey, ReadToken, Standing, StrictClaims,
        TextMembers, TokenReader, TokenRefusal,
    },
    tests::{addresses, clock, now, ubn},
    verify::{Arrival, CallerSnapshot, Verdict, VerifyCard, VerifyPorts},
};

const ISS: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

#[derive(Debug)]
pub(crate) struct AnyKey;

impl KeyMaterial for AnyKey {
    fn verify(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

const WAIT: Exceeded = Exceeded {
    limit: LimitName::OrganisationRate,
    allowed: 5,
    window: Duration::from_secs(1),
    retry_after: Duration::from_secs(2),
};

/// A query; every field is right in [`RIGHT`].
#[derive(Clone)]
struct Query {
    profile: Profile,
    environment: Environment,
    asked_in: Environment,
    token: Option<&'static str>,
    address: &'static str,
    address_known: bool,
    active: bool,
    signature: Result<(), TokenRefusal>,
    restored_at: Option<DateTime<Utc>>,
    account: &'static str,
    job: &'static str,
    user: &'static str,
    person: &'static str,
    body: &'static str,
    rate: Result<(), Exceeded>,
    heard: Result<(), Exceeded>,
    refused: Result<(), Exceeded>,
    ledger: Result<LedgerAnswer, LedgerError>,
}

const RIGHT: Query = Query {
    profile: Profile::Legacy,
    environment: Environment::Production,
    asked_in: Environment::Production,
    token: Some(ISS),
    address: "8.8.8.8",
    address_known: true,
    active: true,
    signature: Ok(()),
    restored_at: None,
    account: "AW001",
    job: "V2C201",
    user: "user1",
    person: "A123456789",
    body: "{}",
    rate: Ok(()),
    heard: Ok(()),
    refused: Ok(()),
    ledger: Ok(LedgerAnswer::Result(VerificationResult::Match)),
};

/// The same in the strict profile, and in the sandbox.
const STRICT: Query = Query { profile: Profile::Strict, ..RIGHT };
const SANDBOX: Query = Query {
    environment: Environment::Sandbox,
    asked_in: Environment::Sandbox,
    account: sandbox::ACCOUNT,
    active: false,
    address: "9.9.9.9",
    ..RIGHT
};

struct Tokens(Query);

/// What every token says, whatever its text; its text is the issuer.
struct Token {
    query: Query,
    issuer: String,
    ubn: String,
}

impl ReadToken for Token {
    fn issuer(&self) -> Result<&str, TokenRefusal> {
        Ok(&self.issuer)
    }

    fn verify_legacy(&self, _: &[CallerKey], now: DateTime<Utc>) -> Result<LegacyClaims<'_>, TokenRefusal> {
        self.query.signature?;
        Ok(LegacyClaims {
            org_id: Some(&self.ubn),
            ap_id: Some(self.query.account),
            user_id: Some(self.query.user),
            sub: Some("綠色便民專案"),
            job_id: Some(self.query.job),
            op_type: Some("RW"),
            condition_map: Some(""),
            jti: "j",
            valid_from: now,
            expires_at: now,
        })
    }

    fn verify_strict(
        &self,
        body: &[u8],
        _: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<StrictClaims<'_>, TokenRefusal> {
        assert_eq!(body, self.query.body.as_bytes(), "the token is bound to another body");
        self.query.signature?;
        Ok(StrictClaims { user_id: Some(self.query.user), jti: "j", valid_from: now, expires_at: now })
    }
}

impl TokenReader for Tokens {
    fn read<'t>(&'t self, token: &'t str) -> Result<Box<dyn ReadToken + 't>, TokenRefusal> {
        if token == "garbage" {
            return Err(TokenRefusal::Malformed);
        }
        Ok(Box::new(Token { query: self.0.clone(), issuer: token.to_owned(), ubn: ubn().to_string() }))
    }

    fn members(&self, json: &[u8]) -> Option<TextMembers> {
        if json == b"no object" {
            return None;
        }
        let text = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let mut members = vec![
            text("personId", self.0.person),
            text("applyCode", "1"),
            text("applyDate", "2019-06-17"),
            text("issueSiteId", "63000"),
        ];
        match json {
            b"odd" => {
                members[1].1 = None;
                members[2] = text("applyDate", "2019-02-29");
                members[3] = text("a/b~c", "1");
            }
            b"spelling" => members[2] = text("applyDate", "2019-6-17"),
            b"future" => members[2] = text("applyDate", "2026-11-24"),
            _ => {}
        }
        Some(members)
    }

    fn condition<'t>(&self, _: &'t str) -> Option<Condition<'t>> {
        Some(Condition {
            person_id: self.0.person.into(),
            apply_code: "1".into(),
            apply_yyymmdd: "1080617".into(),
            issue_site_id: "63000".into(),
        })
    }
}

async fn ask(query: Query) -> (Verdict, Vec<LedgerEntry>) {
    let mut source = MockCallerSource::new();
    source.expect_epoch().returning(|| Ok(1));
    source.expect_restored_at().return_const(Ok(query.restored_at));
    let standing = match query.environment {
        Environment::Production => Standing::Production {
            account: Account::FIRST,
            active: query.active,
            addresses: AddressPlan::fixed(addresses()),
        },
        Environment::Sandbox => Standing::Sandbox,
    };
    source.expect_load().returning(move || {
        Ok(LoadedCallers {
            damaged: 0,
            callers: vec![CallerRecord {
                iss_key: IssKey::parse(ISS).unwrap(),
                ubn: ubn(),
                standing: standing.clone(),
                keys: vec![CallerKeyRecord {
                    id: KeyId(Uuid::from_u128(1)),
                    profile: Profile::Legacy,
                    pem: String::new(),
                    expires_at: None,
                }],
            }],
        })
    });
    let mut keys = MockKeyReader::new();
    keys.expect_read()
        .returning(|_, _| Ok(ParsedKey { material: Arc::new(AnyKey), fingerprint: String::new() }));
    let callers = CallerSnapshot::new(Arc::new(source), Arc::new(keys));
    callers.refresh().await.unwrap();
    let mut rates = MockRateLimiter::new();
    rates.expect_admit().return_const(query.rate);
    rates.expect_hear().return_const(query.heard);
    rates.expect_refused().return_const(query.refused);
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let mut ledger = MockLedger::new();
    let (sink, answer) = (Arc::clone(&recorded), query.ledger);
    ledger.expect_record().returning(move |entry| {
        sink.lock().unwrap().push(entry);
        answer
    });
    let verify = VerifyCard::new(VerifyPorts {
        clock: clock(),
        callers: Arc::new(callers),
        tokens: Arc::new(Tokens(query.clone())),
        rates: Arc::new(rates),
        ledger: Arc::new(ledger),
        limits: Limits { quota: 10, budget: 20 },
    });
    let address: IpAddr = query.address.parse().unwrap();
    let arrival = Arrival {
        token: query.token,
        address,
        address_known: query.address_known,
        environment: query.asked_in,
    };
    let verdict = match query.profile {
        Profile::Legacy => verify.legacy(arrival).await,
        Profile::Strict => verify.strict(arrival, query.body.as_bytes()).await,
    };
    let recorded = recorded.lock().unwrap().clone();
    (verdict, recorded)
}

#[tokio::test]
async fn a_right_query_is_answered_with_what_was_recorded() {
    let mut questions = Vec::new();
    for query in [RIGHT, STRICT] {
        let (verdict, recorded) = ask(query).await;
        assert_eq!(verdict, Verdict::Result(VerificationResult::Match));
        assert_eq!(recorded[0].user_id, "user1");
        questions.push(recorded[0].ask.clone());
    }
    assert!(matches!(questions[0], Ask::Card { .. }));
    assert_eq!(questions[0], questions[1], "the same question in both profiles");
}

#[tokio::test]
async fn checks_one_and_two_leave_no_record() {
    for query in [RIGHT, STRICT] {
        for (token, refusal) in [
            (None, TokenRefusal::Missing),
            (Some("garbage"), TokenRefusal::Malformed),
            (Some("unknown"), TokenRefusal::KeyUnknown),
        ] {
            let (verdict, recorded) = ask(Query { token, ..query.clone() }).await;
            assert_eq!(verdict, Verdict::Token(refusal));
            assert!(recorded.is_empty());
        }
    }
}

/// Breaks one check after the other, from the last to the first: the first broken one decides.
#[tokio::test]
async fn the_first_broken_check_decides_and_is_recorded() {
    type Break = (fn(&mut Query), QueryRefusal, Verdict);
    let legacy_malformed = Verdict::ConditionMalformed(Vec::new());
    let strict_malformed = Verdict::ConditionMalformed(vec![crate::FieldViolation {
        pointer: "/personId".to_owned(),
        violation: Violation::PersonIdChecksum,
    }]);
    for (profile, malformed) in [(Profile::Legacy, legacy_malformed), (Profile::Strict, strict_malformed)] {
        let mut query = Query { profile, ledger: Ok(LedgerAnswer::Recorded), ..RIGHT };
        let steps: [Break; 7] = [
            (|q| q.rate = Err(WAIT), QueryRefusal::RateExceeded, Verdict::TooMany(WAIT)),
            (|q| q.person = "A123456780", QueryRefusal::ConditionMalformed, malformed),
            (|q| q.account = "AW002", QueryRefusal::AccountMismatch, Verdict::AccountMismatch),
            (|q| q.active = false, QueryRefusal::AccessEnded, Verdict::AccessEnded),
            (
                |q| q.signature = Err(TokenRefusal::SignatureInvalid),
                QueryRefusal::SignatureInvalid,
                Verdict::Token(TokenRefusal::SignatureInvalid),
            ),
            (
                |q| q.address = "9.9.9.9",
                QueryRefusal::AddressUnproven,
                Verdict::AddressNotRegistered([9, 9, 9, 9].into()),
            ),
            (
                |q| (q.address, q.address_known) = ("8.8.8.8", false),
                QueryRefusal::AddressUnproven,
                Verdict::AddressNotRegistered([8, 8, 8, 8].into()),
            ),
        ];
        for (breaks, code, expected) in steps {
            breaks(&mut query);
            // The strict profile has no check 7.
            if profile == Profile::Strict && code == QueryRefusal::AccountMismatch {
                continue;
            }
            let (verdict, recorded) = ask(query.clone()).await;
            assert_eq!(verdict, expected);
            assert_eq!(recorded.len(), 1);
            assert_eq!(recorded[0].ask, Ask::Refused(code));
        }
    }
}

/// Only what the company's own key signed, sent from elsewhere, is held against the company.
#[tokio::test]
async fn an_address_counts_against_a_company_only_with_its_signature() {
    for query in [RIGHT, STRICT] {
        for (signature, code) in [
            (Ok(()), QueryRefusal::AddressNotRegistered),
            (Err(TokenRefusal::SignatureInvalid), QueryRefusal::AddressUnproven),
        ] {
            let ledger = Ok(LedgerAnswer::Recorded);
            let (verdict, recorded) =
                ask(Query { address: "9.9.9.9", signature, ledger, ..query.clone() }).await;
            assert_eq!(verdict, Verdict::AddressNotRegistered([9, 9, 9, 9].into()));
            assert_eq!(recorded[0].ask, Ask::Refused(code));
        }
    }
}

/// Who knows no more than an Iss Key can't fill the records of its company, nor keep the service busy.
#[tokio::test]
async fn over_the_rate_of_refused_queries_nothing_is_looked_at_or_recorded() {
    for query in [RIGHT, STRICT] {
        let unheard = Query { heard: Err(WAIT), ..query.clone() };
        assert_eq!(ask(unheard).await, (Verdict::TooMany(WAIT), vec![]));
        for breaks in [
            (|q: &mut Query| q.token = Some("unknown")) as fn(&mut Query),
            |q| q.signature = Err(TokenRefusal::SignatureInvalid),
            |q| q.address = "9.9.9.9",
            |q| q.person = "A123456780",
        ] {
            let mut query = Query { refused: Err(WAIT), ..query.clone() };
            breaks(&mut query);
            assert_eq!(ask(query).await, (Verdict::TooMany(WAIT), vec![]));
        }
        let sound = Query { refused: Err(WAIT), ..query };
        assert_eq!(ask(sound).await.0, Verdict::Result(VerificationResult::Match));
    }
}

/// Threat 26: a restored backup does not know which of the tokens made before were spent.
#[tokio::test]
async fn a_token_from_before_a_restored_backup_is_refused() {
    for profile in [Profile::Legacy, Profile::Strict] {
        let query = |restored_at| Query { profile, restored_at: Some(restored_at), ..RIGHT };
        let (verdict, recorded) = ask(query(now() + chrono::TimeDelta::microseconds(1))).await;
        assert_eq!(verdict, Verdict::Token(TokenRefusal::Expired));
        assert_eq!(recorded[0].ask, Ask::Refused(QueryRefusal::TokenTimes));
        assert_eq!(ask(query(now())).await.0, Verdict::Result(VerificationResult::Match));
    }
}

#[tokio::test]
async fn every_broken_rule_of_a_strict_question_is_told_with_its_pointer() {
    let told = async |query: Query| match ask(Query { ledger: Ok(LedgerAnswer::Recorded), ..query }).await.0 {
        Verdict::ConditionMalformed(violations) => {
            violations.into_iter().map(|v| (v.pointer, v.violation)).collect::<Vec<_>>()
        }
        verdict => panic!("{verdict:?}"),
    };
    let pointer = |pointer: &str, violation| (pointer.to_owned(), violation);
    assert_eq!(told(Query { body: "no object", ..STRICT }).await, []);
    assert_eq!(
        told(Query { body: "odd", user: "way too long for a user", ..STRICT }).await,
        [
            pointer("/sub", Violation::UserIdFormat),
            pointer("/applyCode", Violation::WrongType),
            pointer("/applyDate", Violation::RocDateImpossible),
            pointer("/issueSiteId", Violation::Required),
            pointer("/a~1b~0c", Violation::UnknownMember),
        ]
    );
    let date = |violation| vec![pointer("/applyDate", violation)];
    assert_eq!(told(Query { body: "spelling", ..STRICT }).await, date(Violation::IsoDateFormat));
    assert_eq!(told(Query { body: "future", ..STRICT }).await, date(Violation::DateInFuture));
}

#[tokio::test]
async fn environments_are_apart() {
    for profile in [Profile::Legacy, Profile::Strict] {
        for query in [
            Query { asked_in: Environment::Sandbox, profile, ..RIGHT },
            Query { asked_in: Environment::Production, profile, ..SANDBOX },
        ] {
            let (verdict, recorded) = ask(query).await;
            assert_eq!(verdict, Verdict::Token(TokenRefusal::KeyUnknown));
            assert!(recorded.is_empty());
        }
    }
}

#[tokio::test]
async fn the_sandbox_asks_for_neither_address_nor_access() {
    for profile in [Profile::Legacy, Profile::Strict] {
        let (verdict, recorded) = ask(Query { profile, ..SANDBOX }).await;
        assert_eq!(verdict, Verdict::Result(VerificationResult::Match));
        assert_eq!(recorded[0].environment, Environment::Sandbox);
    }
    let wrong = Query { account: "AW001", ledger: Ok(LedgerAnswer::Recorded), ..SANDBOX };
    assert_eq!(ask(wrong).await.0, Verdict::AccountMismatch);
}

/// Each reserved number gives its refusal without a record, and in production nothing of the kind.
#[tokio::test]
async fn the_sandbox_plays_refusals() {
    let mut verdicts = Vec::new();
    for (person, played) in sandbox::PLAYED {
        let (verdict, recorded) = ask(Query { person, ..SANDBOX }).await;
        match played {
            sandbox::Played::Result(_) => assert_eq!(recorded.len(), 1, "left to the ledger"),
            sandbox::Played::Refusal(refusal) => {
                assert!(recorded.is_empty(), "{refusal:?}");
                assert!(!matches!(verdict, Verdict::Result(_)), "{refusal:?}");
                assert!(!verdicts.contains(&verdict), "{refusal:?} is told twice");
                verdicts.push(verdict);
            }
        }
        assert_eq!(ask(Query { person, ..RIGHT }).await.0, Verdict::Result(VerificationResult::Match));
    }
    // A played refusal is told only to who passes every other check.
    let broken = Query { rate: Err(WAIT), ledger: Ok(LedgerAnswer::Recorded), ..SANDBOX };
    assert_eq!(ask(Query { person: "A190000231", ..broken }).await.0, Verdict::TooMany(WAIT));
}

#[tokio::test]
async fn fixed_claims_are_fixed() {
    let query = Query { job: "V2C202", ledger: Ok(LedgerAnswer::Recorded), ..RIGHT };
    assert_eq!(ask(query).await.0, Verdict::ConditionMalformed(Vec::new()));
}

#[tokio::test]
async fn an_address_written_as_mapped_ipv6_is_the_same_address() {
    assert_eq!(
        ask(Query { address: "::ffff:8.8.8.8", ..RIGHT }).await.0,
        Verdict::Result(VerificationResult::Match)
    );
}

#[tokio::test]
async fn without_a_record_there_is_no_answer() {
    for error in [LedgerError::Busy, LedgerError::Unavailable] {
        assert_eq!(ask(Query { ledger: Err(error), ..RIGHT }).await.0, Verdict::Unavailable);
        let refused = Query { ledger: Err(error), address: "9.9.9.9", ..RIGHT };
        assert_eq!(ask(refused).await.0, Verdict::Unavailable);
    }
}

#[tokio::test]
async fn what_the_ledger_refuses_is_told() {
    let midnight = idcheck_domain::taipei::end_of(idcheck_domain::taipei::day(now()));
    let retry_after = (midnight - now()).to_std().unwrap();
    let window = Duration::from_hours(24);
    let day = |limit, allowed| Verdict::TooMany(Exceeded { limit, allowed, window, retry_after });
    for (answer, expected) in [
        (LedgerAnswer::Replayed, Verdict::Token(TokenRefusal::AlreadyUsed)),
        (LedgerAnswer::AccessEnded, Verdict::AccessEnded),
        (LedgerAnswer::BudgetExceeded, day(LimitName::WrongAnswers, 20)),
        (LedgerAnswer::QuotaExceeded, day(LimitName::DailyQuota, 10)),
    ] {
        assert_eq!(ask(Query { ledger: Ok(answer), ..RIGHT }).await.0, expected);
    }
}

/// What was used last is kept once, and goes on to be known when the callers are loaded again.
#[tokio::test]
async fn last_uses_are_kept_once_and_outlive_a_refresh() {
    let mut source = MockCallerSource::new();
    let mut epoch = 0;
    source.expect_epoch().returning(move || {
        epoch += 1;
        Ok(epoch)
    });
    source.expect_restored_at().returning(|| Ok(None));
    source.expect_load().returning(|| {
        let addresses = AddressPlan::fixed(addresses());
        let standing = Standing::Production { account: Account::FIRST, active: true, addresses };
        let (id, iss_key) = (KeyId(Uuid::from_u128(1)), IssKey::parse(ISS).unwrap());
        let key = CallerKeyRecord { id, profile: Profile::Legacy, pem: String::new(), expires_at: None };
        let caller = CallerRecord { iss_key, ubn: ubn(), standing, keys: vec![key] };
        Ok(LoadedCallers { damaged: 0, callers: vec![caller] })
    });
    let mut keys = MockKeyReader::new();
    keys.expect_read()
        .returning(|_, _| Ok(ParsedKey { material: Arc::new(AnyKey), fingerprint: String::new() }));
    let callers = CallerSnapshot::new(Arc::new(source), Arc::new(keys));
    callers.refresh().await.unwrap();
    let caller = callers.find(ISS).unwrap();
    let address: IpAddr = "8.8.8.8".parse().unwrap();
    caller.keys[0].used.note(now());
    caller.asked_from(address, now());
    caller.asked_from("9.9.9.9".parse().unwrap(), now());
    callers.refresh().await.unwrap();
    let kept = |used, at| crate::ports::KeptUse { ubn: ubn(), used, at };
    let (key, host) =
        (crate::ports::Used::Key(KeyId(Uuid::from_u128(1))), crate::ports::Used::Address(address));
    for (outcome, expected) in [
        (Err(crate::ports::StoreError::Unavailable), Some(vec![kept(key, now()), kept(host, now())])),
        (Ok(()), Some(vec![kept(key, now()), kept(host, now())])),
        (Ok(()), None),
    ] {
        let mut store = crate::ports::MockLastUses::new();
        if let Some(expected) = expected {
            store.expect_keep_uses().withf(move |uses| uses == expected).times(1).return_const(outcome);
        }
        assert_eq!(callers.keep_uses(&store).await, outcome);
    }
}
