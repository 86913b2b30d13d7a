//! How often one query asks for memory, from its token to the ledger's door.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "tokens/support.rs"]
#[expect(dead_code, reason = "shared with the other suite")]
mod support;

use idcheck_domain::outcome::QueryRefusal;
use std::{alloc::System, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{
    key::{Environment, KeyId, Profile},
    organisation::AddressPlan,
    value::{Account, AddressPolicy, HostAddress, HostAddresses, IssKey, UnifiedBusinessNumber},
    verification::VerificationResult,
};
use idcheck_token::PublicKeys;
use idcheck_usecases::{
    ports::{
        CallerKeyRecord, CallerRecord, CallerSource, Clock, Door, Exceeded, Ledger, LedgerAnswer,
        LedgerEntry, LedgerError, Limits, LoadedCallers, RateLimiter, Standing, StoreError,
    },
    verify::{Arrival, CallerSnapshot, Verdict, VerifyCard, VerifyPorts},
};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{ISS, Rsa, now, tokens};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of one right query of the legacy profile, the ledger's own left out.
const BOUND: usize = 18;

struct World {
    pem: String,
}

#[async_trait]
impl CallerSource for World {
    async fn epoch(&self) -> Result<i64, StoreError> {
        Ok(1)
    }

    async fn load(&self) -> Result<LoadedCallers, StoreError> {
        let address = HostAddress::parse("8.8.8.8", AddressPolicy::Public).unwrap();
        Ok(LoadedCallers {
            damaged: 0,
            callers: vec![CallerRecord {
                iss_key: IssKey::parse(ISS).unwrap(),
                ubn: UnifiedBusinessNumber::parse("04595257").unwrap(),
                standing: Standing::Production {
                    account: Account::FIRST,
                    active: true,
                    addresses: AddressPlan::fixed(HostAddresses::new(vec![address]).unwrap()),
                },
                keys: vec![CallerKeyRecord {
                    id: KeyId(Uuid::from_u128(1)),
                    profile: Profile::Legacy,
                    pem: self.pem.clone(),
                    expires_at: None,
                }],
            }],
        })
    }

    async fn restored_at(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }
}

struct Always;

impl Clock for Always {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

impl RateLimiter for Always {
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
        Ok(())
    }
}

#[async_trait]
impl Ledger for Always {
    async fn record(&self, _: LedgerEntry) -> Result<LedgerAnswer, LedgerError> {
        Ok(LedgerAnswer::Result(VerificationResult::Match))
    }
}

#[tokio::test]
async fn one_query_allocates_no_more_than_stated() {
    let signer = Rsa::new();
    let source = World { pem: signer.pem.clone() };
    let callers = CallerSnapshot::new(Arc::new(source), Arc::new(PublicKeys));
    callers.refresh().await.unwrap();
    let verify = VerifyCard::new(VerifyPorts {
        clock: Arc::new(Always),
        callers: Arc::new(callers),
        tokens: Arc::new(tokens()),
        rates: Arc::new(Always),
        ledger: Arc::new(Always),
        limits: Limits { quota: 10, budget: 10 },
    });
    let condition = json!({"personId": "A123456789", "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"});
    let claims = json!({
        "orgId": "04595257", "apId": "AW001", "userId": "user1", "iss": ISS, "sub": "綠色便民專案",
        "aud": "2026/11/23 10:00:00", "jobId": "V2C201", "opType": "RW", "iat": now().timestamp() - 180,
        "exp": now().timestamp() + 180, "jti": "0123456789abcdef", "conditionMap": condition.to_string(),
    });
    let token = signer.token(r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string());
    let arrival = Arrival {
        address_known: true,
        token: Some(&token),
        address: IpAddr::from([8, 8, 8, 8]),
        environment: Environment::Production,
    };
    // What is made once is made now.
    assert_eq!(verify.legacy(arrival).await, Verdict::Result(VerificationResult::Match));
    let region = Region::new(ALLOCATOR);
    let verdict = verify.legacy(arrival).await;
    let change = region.change();
    assert_eq!(verdict, Verdict::Result(VerificationResult::Match));
    let made = change.allocations + change.reallocations;
    assert!(made > 0, "nothing was counted");
    assert!(made <= BOUND, "{made} allocations, {} bytes", change.bytes_allocated);
    assert_eq!(change.allocations, change.deallocations, "something is kept for each query");
}
