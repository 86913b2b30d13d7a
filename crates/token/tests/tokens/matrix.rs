//! Threat 3: a token of one profile or key used for another. Every key of one profile beside every token of the other,
//! with the claims of both: none is accepted.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_domain::key::Profile;
use idcheck_token::PublicKeys;
use idcheck_usecases::ports::{CallerKey, KeyReader};
use serde_json::json;

use crate::support::{self, BASE_URL, ISS, Signer, caller_key, now, tokens};

const BODY: &[u8] = b"{}";

#[test]
fn no_token_passes_where_it_was_not_made_for() {
    // Good for both profiles, had they but one kind of key.
    let claims = json!({
        "orgId": "04595257", "apId": "AW001", "userId": "user1", "iss": ISS, "sub": "user1", "aud": BASE_URL,
        "iat": now().timestamp(), "exp": now().timestamp() + 200, "jti": "1", "conditionMap": "{}",
        "digest": URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, BODY)),
    });
    let (mut accepted, mut refused) = (0, 0);
    for signer in Signer::all() {
        let token = signer.token(&json!({}), &claims);
        let held: Vec<CallerKey> = [Profile::Legacy, Profile::Strict]
            .into_iter()
            .filter(|profile| PublicKeys.read(&signer.pem(), *profile).is_ok())
            .map(|profile| caller_key(&signer.pem(), profile, 1))
            .collect();
        for key in held {
            let legacy = support::legacy(&token, std::slice::from_ref(&key), now()).is_ok();
            let strict = support::strict(&tokens(), &token, BODY, std::slice::from_ref(&key)).is_ok();
            let (own, foreign) = match key.profile {
                Profile::Legacy => (legacy, strict),
                Profile::Strict => (strict, legacy),
            };
            assert!(!foreign, "{} of {:?} passes in the other profile", signer.algorithm(), key.profile);
            accepted += usize::from(own);
            refused += 1;
        }
    }
    // RS256 in both, PS256, ES256 and EdDSA in the strict one; a PS256 token by a key of the legacy profile in none.
    assert_eq!((accepted, refused), (5, 6));
}
