//! Wycheproof's RSA signatures (2048 bits, SHA-256): 0 wrong accepts, 0 wrong refusals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use idcheck_certificate::signature::{Digest, PublicKey, Scheme};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    number_of_tests: usize,
    test_groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    public_key_der: String,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    tc_id: u32,
    comment: String,
    msg: String,
    sig: String,
    result: String,
}

#[test]
fn rsa_signatures_agree_with_wycheproof() {
    let file = support::data("wycheproof/rsa_signature_2048_sha256_test.json");
    let vectors: Vectors = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut count = 0;
    for group in &vectors.test_groups {
        let key = PublicKey::parse(&hex::decode(&group.public_key_der).unwrap()).unwrap();
        for case in &group.tests {
            let (message, signature) = (hex::decode(&case.msg).unwrap(), hex::decode(&case.sig).unwrap());
            let accepted = key.verify(Scheme::RsaPkcs1(Digest::Sha256), &message, &signature, false).is_ok();
            // "acceptable" (a missing NULL, legacy) is refused too.
            assert_eq!(accepted, case.result == "valid", "{}: {}", case.tc_id, case.comment);
            count += 1;
        }
    }
    assert_eq!(count, vectors.number_of_tests);
    println!("Wycheproof RSA: {count} of {count}");
}
