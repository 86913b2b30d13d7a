//! Wycheproof's vectors for JWS and JWK: what is invalid must not verify, and each valid one that is refused has a
//! reason.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_domain::key::Profile;
use idcheck_token::PublicKeys;
use idcheck_usecases::ports::{CallerKey, KeyReader, TokenRefusal};
use serde_json::Value;

use crate::support::{self, ED25519, P256, P384, RSA_NULL, now, pkcs1, spki, tokens};

fn vectors(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/wycheproof");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The key of a JWK as somebody would register it; `None` for a kind that has no public key.
fn pem_of(jwk: &Value) -> Option<String> {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    match (jwk["kty"].as_str()?, jwk["crv"].as_str()) {
        ("RSA", _) => Some(spki(RSA_NULL, &pkcs1(&part("n")?, &part("e")?))),
        ("EC", Some(curve)) => {
            let point = [vec![4], part("x")?, part("y")?].concat();
            Some(spki(if curve == "P-256" { P256 } else { P384 }, &point))
        }
        ("OKP", _) => Some(spki(ED25519, &part("x")?)),
        _ => None,
    }
}

fn key_of(jwk: &Value, profile: Profile) -> Option<CallerKey> {
    let material = PublicKeys.read(&pem_of(jwk)?, profile).ok()?.material;
    Some(CallerKey {
        id: idcheck_domain::key::KeyId(uuid::Uuid::nil()),
        profile,
        material,
        expires_at: None,
        used: std::sync::Arc::default(),
    })
}

/// Whether the signature of a JWS is taken. The vectors sign other claims than ours: past the signature they end as
/// malformed, so a token that reads as far as its algorithm and is malformed was signed. In the strict profile a `kid`
/// names a key that we gave it to; those of the vectors name none, and so the key itself is asked too.
fn signed(jws: &str, jwk: &Value, profile: Profile) -> bool {
    let (Some(key), Some(algorithm)) = (key_of(jwk, profile), algorithm(jws)) else { return false };
    match profile {
        Profile::Legacy => {
            let outcome = support::legacy(jws, &[key], now());
            !matches!(outcome, Err(TokenRefusal::SignatureInvalid))
        }
        Profile::Strict => {
            let (input, signature) = jws.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let taken = key.material.verify(&algorithm, input.as_bytes(), &signature);
            let outcome = support::strict(&tokens(), jws, b"", std::slice::from_ref(&key));
            let refused = matches!(outcome, Err(TokenRefusal::SignatureInvalid));
            assert_eq!(refused, !taken || names_a_key(jws), "{jws}: {:?}", outcome.err());
            taken
        }
    }
}

fn header(jws: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jws.split('.').next()?).ok()?).ok()
}

fn names_a_key(jws: &str) -> bool {
    header(jws).is_some_and(|header| header.get("kid").is_some())
}

/// The algorithm of a token that reads.
fn algorithm(jws: &str) -> Option<String> {
    let parts: Option<Vec<_>> = jws.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).ok()).collect();
    parts.filter(|parts| parts.len() == 3)?;
    let header = header(jws)?;
    if header.get("crit").is_some() {
        return None;
    }
    header["alg"].as_str().map(str::to_owned)
}

/// Why a valid vector is refused.
fn reason(jws: &str, jwk: &Value, profile: Profile) -> &'static str {
    let header = header(jws).unwrap_or_default();
    match (jwk["kty"].as_str(), header["alg"].as_str(), profile) {
        (None | Some("oct"), ..) => "a shared secret is no public key",
        (_, Some("RS384" | "RS512" | "PS384" | "PS512" | "ES384" | "ES512" | "ES521"), _) => {
            "an algorithm that neither profile has"
        }
        (_, Some("PS256" | "ES256"), Profile::Legacy) => "an algorithm that the legacy profile has not",
        (Some("EC"), ..) if jwk["crv"] != "P-256" => "a curve that neither profile has",
        _ if jwk["kid"] == "bilbo.baggins@hobbiton.example" => "the private key is published in RFC 7520",
        _ => "",
    }
}

#[test]
fn no_invalid_jws_is_accepted() {
    let vectors = vectors("json_web_signature_test.json");
    for profile in [Profile::Legacy, Profile::Strict] {
        let (mut accepted, mut refused) = (0, BTreeMap::<_, usize>::new());
        for group in vectors["testGroups"].as_array().unwrap() {
            let jwk = &group["public"];
            for test in group["tests"].as_array().unwrap() {
                let Some(jws) = test["jws"].as_str() else {
                    assert_eq!(test["result"], "invalid", "a JSON serialization");
                    continue;
                };
                let name = format!("{profile:?} {}: {}", test["tcId"], test["comment"]);
                if signed(jws, jwk, profile) {
                    // What a JWK says of its own use, which a PEM does not carry: here a registration says it.
                    let told_by_jwk = ["rejectWrongUse", "rejectWrongKeyOps", "UsingRS256", "UsingPS256"];
                    let excused = told_by_jwk.iter().any(|comment| test["comment"] == *comment);
                    assert!(test["result"] == "valid" || excused, "{name} is accepted");
                    accepted += usize::from(!excused);
                } else if test["result"] == "valid" {
                    let reason = reason(jws, jwk, profile);
                    assert!(!reason.is_empty(), "{name} is refused");
                    *refused.entry(reason).or_default() += 1;
                }
            }
        }
        assert!(accepted > 3, "{profile:?}: {accepted} are hardly any");
        println!("{profile:?}: {accepted} accepted; refused though valid: {refused:?}");
    }
}

/// Every vector of an invalid key: it has no public half to register, or is not taken, or does not verify what comes
/// with it. What only a JWK says, `use` and `alg`, a PEM does not carry: here a registration says it.
#[test]
fn no_invalid_jwk_is_taken() {
    const TOLD_BY_THE_JWK: [u64; 4] = [6, 19, 20, 21];
    let vectors = vectors("json_web_key_test.json");
    let (mut shared_secrets, mut refused, mut told_by_the_jwk) = (0, 0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = group["public"]["keys"].as_array();
        let keys = keys.cloned().unwrap_or_else(|| vec![group["public"].clone()]);
        for test in group["tests"].as_array().unwrap().iter().filter(|test| test["result"] == "invalid") {
            let jws = test["jws"].as_str().unwrap();
            let keys: Vec<_> = keys.iter().filter(|jwk| pem_of(jwk).is_some()).collect();
            let taken = |profile| keys.iter().any(|jwk| signed(jws, jwk, profile));
            match (keys.is_empty(), taken(Profile::Legacy) || taken(Profile::Strict)) {
                (true, _) => shared_secrets += 1,
                (false, false) => refused += 1,
                (false, true) => told_by_the_jwk.push(test["tcId"].as_u64().unwrap()),
            }
        }
    }
    assert_eq!(told_by_the_jwk, TOLD_BY_THE_JWK);
    assert_eq!((shared_secrets, refused), (12, 5));
}
