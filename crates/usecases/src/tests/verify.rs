//! The order of checks of one query: each row of the table, with everything after it broken too.

use std::{
    borrow::Cow,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::{Environment, KeyId, Profile},
    organisation::AddressPlan,
    value::{Account, IssKey},
    verification::VerificationResult,
};
use uuid::Uuid;

use super::{addresses, clock, now, ubn};
use crate::{
    ports::{
        Ask, CallerKey, CallerRecord, Condition, KeyMaterial, LedgerAnswer, LedgerEntry, LedgerError,
        LegacyClaims, Limits, MockCallerSource, MockKeyReader, MockLedger, MockRateLimiter, ParsedKey,
        RefusalCode, TokenReader, TokenRefusal,
    },
    verify::{CallerSnapshot, Verdict, VerifyCard, VerifyPorts},
};

const ISS: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

#[derive(Debug)]
struct AnyKey;

impl KeyMaterial for AnyKey {
    fn verify(&self, _: &str, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// A query; every field is right in [`RIGHT`].
#[derive(Clone)]
struct Query {
    token: Option<&'static str>,
    address: &'static str,
    active: bool,
    signature: Result<(), TokenRefusal>,
    account: &'static str,
    job: &'static str,
    person: &'static str,
    rate: Result<(), Duration>,
    ledger: Result<LedgerAnswer, LedgerError>,
}

const RIGHT: Query = Query {
    token: Some(ISS),
    address: "8.8.8.8",
    active: true,
    signature: Ok(()),
    account: "AW001",
    job: "V2C201",
    person: "A123456789",
    rate: Ok(()),
    ledger: Ok(LedgerAnswer::Result(VerificationResult::Match)),
};

struct Tokens(Query);

impl TokenReader for Tokens {
    fn issuer<'t>(&self, token: &'t str) -> Result<Cow<'t, str>, TokenRefusal> {
        if token == "garbage" { Err(TokenRefusal::Malformed) } else { Ok(Cow::Borrowed(token)) }
    }

    fn verify_legacy(
        &self,
        _: &str,
        _: &[CallerKey],
        now: DateTime<Utc>,
    ) -> Result<LegacyClaims, TokenRefusal> {
        self.0.signature?;
        Ok(LegacyClaims {
            org_id: Some(ubn().to_string()),
            ap_id: Some(self.0.account.to_owned()),
            user_id: Some("user1".to_owned()),
            sub: Some("綠色便民專案".to_owned()),
            job_id: Some(self.0.job.to_owned()),
            op_type: Some("RW".to_owned()),
            condition_map: Some(String::new()),
            jti: "j".to_owned(),
            expires_at: now,
        })
    }

    fn condition(&self, _: &str) -> Option<Condition> {
        Some(Condition {
            person_id: self.0.person.to_owned(),
            apply_code: "1".to_owned(),
            apply_yyymmdd: "1080617".to_owned(),
            issue_site_id: "63000".to_owned(),
        })
    }
}

async fn ask(query: Query) -> (Verdict, Vec<LedgerEntry>) {
    let mut source = MockCallerSource::new();
    source.expect_epoch().returning(|| Ok(1));
    let active = query.active;
    source.expect_load().returning(move || {
        Ok(vec![CallerRecord {
            iss_key: IssKey::parse(ISS).unwrap(),
            environment: Environment::Production,
            ubn: ubn(),
            account: Account::FIRST,
            active,
            addresses: AddressPlan::fixed(addresses()),
            keys: vec![(KeyId(Uuid::from_u128(1)), Profile::Legacy, String::new())],
        }])
    });
    let mut keys = MockKeyReader::new();
    keys.expect_read()
        .returning(|_, _| Ok(ParsedKey { material: Arc::new(AnyKey), fingerprint: String::new() }));
    let callers = CallerSnapshot::new(Arc::new(source), Arc::new(keys));
    callers.refresh().await.unwrap();
    let mut rates = MockRateLimiter::new();
    rates.expect_admit().return_const(query.rate);
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
        limits: Limits { quota: 10, budget: 10 },
    });
    let address: IpAddr = query.address.parse().unwrap();
    let verdict = verify.execute(query.token, address, Environment::Production).await;
    let recorded = recorded.lock().unwrap().clone();
    (verdict, recorded)
}

#[tokio::test]
async fn a_right_query_is_answered_with_what_was_recorded() {
    let (verdict, recorded) = ask(RIGHT).await;
    assert_eq!(verdict, Verdict::Result(VerificationResult::Match));
    assert_eq!(recorded[0].user_id, "user1");
    assert!(matches!(recorded[0].ask, Ask::Card { .. }));
}

#[tokio::test]
async fn checks_one_and_two_leave_no_record() {
    for (token, refusal) in [
        (None, TokenRefusal::Missing),
        (Some("garbage"), TokenRefusal::Malformed),
        (Some("unknown"), TokenRefusal::KeyUnknown),
    ] {
        let (verdict, recorded) = ask(Query { token, ..RIGHT }).await;
        assert_eq!(verdict, Verdict::Token(refusal));
        assert!(recorded.is_empty());
    }
}

/// Breaks one check after the other, from the last to the first: the first broken one decides.
#[tokio::test]
async fn the_first_broken_check_decides_and_is_recorded() {
    type Break = (fn(&mut Query), RefusalCode, Verdict);
    let mut query = Query { ledger: Ok(LedgerAnswer::Recorded), ..RIGHT };
    let wait = Duration::from_secs(2);
    let steps: [Break; 6] = [
        (
            |q| q.rate = Err(Duration::from_secs(2)),
            RefusalCode::RateExceeded,
            Verdict::TooMany { retry_after: wait },
        ),
        (|q| q.person = "A123456780", RefusalCode::ConditionMalformed, Verdict::ConditionMalformed),
        (|q| q.account = "AW002", RefusalCode::AccountMismatch, Verdict::AccountMismatch),
        (|q| q.active = false, RefusalCode::AccessEnded, Verdict::AccessEnded),
        (
            |q| q.signature = Err(TokenRefusal::SignatureInvalid),
            RefusalCode::SignatureInvalid,
            Verdict::Token(TokenRefusal::SignatureInvalid),
        ),
        (|q| q.address = "9.9.9.9", RefusalCode::AddressNotRegistered, Verdict::AddressNotRegistered),
    ];
    for (breaks, code, expected) in steps {
        breaks(&mut query);
        let (verdict, recorded) = ask(query.clone()).await;
        assert_eq!(verdict, expected);
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0].ask, Ask::Refused(code));
    }
}

#[tokio::test]
async fn fixed_claims_are_fixed() {
    let query = Query { job: "V2C202", ledger: Ok(LedgerAnswer::Recorded), ..RIGHT };
    assert_eq!(ask(query).await.0, Verdict::ConditionMalformed);
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
    let until_midnight = (midnight - now()).to_std().unwrap();
    for (answer, expected) in [
        (LedgerAnswer::Replayed, Verdict::Token(TokenRefusal::AlreadyUsed)),
        (LedgerAnswer::AccessEnded, Verdict::AccessEnded),
        (LedgerAnswer::BudgetExceeded, Verdict::TooMany { retry_after: until_midnight }),
        (LedgerAnswer::QuotaExceeded, Verdict::TooMany { retry_after: until_midnight }),
    ] {
        assert_eq!(ask(Query { ledger: Ok(answer), ..RIGHT }).await.0, expected);
    }
}
