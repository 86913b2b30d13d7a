//! One token of each kind: taken apart, verified, its claims read. On one core, without IO.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../tests/tokens/support.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod support;

use std::hint::black_box;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use idcheck_domain::key::Profile;
use idcheck_usecases::ports::TokenReader;
use serde_json::json;
use support::{BASE_URL, ISS, Rsa, Signer, caller_key, now, tokens};

fn legacy(criterion: &mut Criterion) {
    let (tokens, signer) = (tokens(), Rsa::new());
    let keys = [signer.key(Profile::Legacy)];
    let condition =
        r#"{"personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617","issueSiteId":"63000"}"#;
    let claims = json!({
        "orgId": "04595257", "apId": "AW001", "userId": "user1", "iss": ISS, "sub": "綠色便民專案",
        "aud": "2026/11/23 10:00:00", "jobId": "V2C201", "opType": "RW", "iat": now().timestamp() - 180,
        "exp": now().timestamp() + 180, "jti": "0123456789abcdef", "conditionMap": condition,
    });
    let token = signer.token(r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string());
    criterion.bench_function("read", |b| b.iter(|| tokens.read(black_box(&token)).is_ok()));
    criterion.bench_function("condition", |b| b.iter(|| tokens.condition(black_box(condition)).is_some()));
    criterion.bench_function("legacy RS256", |b| {
        b.iter(|| tokens.read(black_box(&token)).is_ok_and(|read| read.verify_legacy(&keys, now()).is_ok()));
    });
}

fn strict(criterion: &mut Criterion) {
    let tokens = tokens();
    let body = br#"{"personId":"A123456789","applyCode":"1","applyDate":"2019-06-17","issueSiteId":"63000"}"#;
    for signer in Signer::all() {
        let keys = [caller_key(&signer.pem(), Profile::Strict, 1)];
        let claims = json!({
            "iss": ISS, "sub": "user1", "aud": BASE_URL, "iat": now().timestamp(), "exp": now().timestamp() + 200,
            "jti": "0123456789abcdef",
            "digest": URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, body)),
        });
        let token = signer.token(&json!({}), &claims);
        criterion.bench_function(&format!("strict {}", signer.algorithm()), |b| {
            b.iter(|| {
                tokens
                    .read(black_box(&token))
                    .is_ok_and(|read| read.verify_strict(body, &keys, now()).is_ok())
            });
        });
    }
}

criterion_group!(benches, legacy, strict);
criterion_main!(benches);
