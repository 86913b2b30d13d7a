//! A provider that lies, over a real connection. `tests/browser/sign_in.mjs` signs in with one that does not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::needless_pass_by_value, reason = "as poem hands it to a handler")]

use std::sync::Mutex;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use chrono::TimeZone;
use poem::{EndpointExt, Route, Server, get, handler, listener::TcpAcceptor, post, web::Data};
use serde_json::{Value, json};

use super::*;

const CLIENT: &str = "idcheck";
const NOW: i64 = 1_800_000_000;

fn settings(issuer: &str) -> ProviderSettings {
    ProviderSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: None,
        acr: Vec::new(),
        redirect_uri: "https://idcheck.example/officer/sign-in/callback".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        Utc.timestamp_opt(NOW, 0).unwrap()
    }
}

/// What the provider answers with.
#[derive(Clone)]
struct Answers {
    metadata: Value,
    keys: Value,
    token: (u16, String),
    asked: Vec<String>,
}

type Shared<'d> = Data<&'d Arc<Mutex<Answers>>>;

#[handler]
fn tell_metadata(answers: Shared<'_>) -> String {
    answers.0.lock().unwrap().metadata.to_string()
}

#[handler]
fn tell_keys(answers: Shared<'_>) -> String {
    answers.0.lock().unwrap().keys.to_string()
}

#[handler]
fn tell_token(answers: Shared<'_>, body: String) -> poem::Response {
    let mut answers = answers.0.lock().unwrap();
    answers.asked.push(body);
    let status = StatusCode::from_u16(answers.token.0).unwrap();
    poem::Response::builder().status(status).body(answers.token.1.clone())
}

/// A provider with one RSA and one P-256 key.
struct Liar {
    issuer: String,
    answers: Arc<Mutex<Answers>>,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
}

impl Liar {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let rsa = RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let told = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize?realm=gov"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        });
        let answers =
            Answers { metadata: told, keys: json!({}), token: (500, String::new()), asked: Vec::new() };
        let liar = Self { issuer, answers: Arc::new(Mutex::new(answers)), rsa, p256 };
        liar.answers.lock().unwrap().keys = json!({"keys": [liar.rsa_key("r"), liar.p256_key("p")]});
        let routes = Route::new()
            .at("/.well-known/openid-configuration", get(tell_metadata))
            .at("/keys", get(tell_keys))
            .at("/token", post(tell_token))
            .data(Arc::clone(&liar.answers));
        tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap()).run(routes));
        liar
    }

    fn rsa_key(&self, kid: &str) -> Value {
        let public = self.rsa.public_key();
        json!({"kty": "RSA", "kid": kid, "use": "sig",
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero())})
    }

    fn p256_key(&self, kid: &str) -> Value {
        let point = self.p256.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])})
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let random = SystemRandom::new();
        let rsa = |padding: &'static dyn aws_lc_rs::signature::RsaEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(padding, &random, text.as_bytes(), &mut signature).unwrap();
            signature
        };
        let signature = match header["alg"].as_str().unwrap() {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "ES256" => self.p256.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            "HS256" => {
                // What anybody can make who takes a public key for a secret.
                let modulus = self.rsa.public_key().modulus();
                let key = aws_lc_rs::hmac::Key::new(
                    aws_lc_rs::hmac::HMAC_SHA256,
                    modulus.big_endian_without_leading_zero(),
                );
                aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn says(&self, header: &Value, claims: &Value) {
        let token = self.signed(header, claims);
        self.answers.lock().unwrap().token =
            (200, json!({"id_token": token, "access_token": "x"}).to_string());
    }

    fn claims(&self) -> Value {
        json!({"iss": self.issuer, "aud": CLIENT, "sub": "lin-1", "exp": NOW + 300, "iat": NOW,
            "nonce": attempt().nonce()})
    }

    fn provider(&self, change: impl FnOnce(&mut ProviderSettings)) -> OpenIdProvider {
        let mut settings = settings(&self.issuer);
        change(&mut settings);
        OpenIdProvider::new(settings, Arc::new(FixedClock)).unwrap()
    }

    async fn subject(&self) -> Result<String, ProviderError> {
        self.provider(|_| {}).subject(&attempt(), "c", None).await
    }
}

fn attempt() -> SignInAttempt {
    SignInAttempt::new([7; 32])
}

#[tokio::test]
async fn the_word_of_each_kind_of_key_counts() {
    let liar = Liar::start().await;
    for header in [
        json!({"alg": "RS256", "kid": "r"}),
        json!({"alg": "PS256", "kid": "r"}),
        json!({"alg": "ES256", "kid": "p"}),
        // One key fits, so that it need not be named.
        json!({"alg": "ES256"}),
    ] {
        liar.says(&header, &liar.claims());
        assert_eq!(liar.subject().await, Ok("lin-1".to_owned()), "{header}");
    }
    let asked = liar.answers.lock().unwrap().asked[0].clone();
    let verifier = attempt().code_verifier();
    assert_eq!(
        asked,
        format!(
            "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fidcheck.example%2Fofficer%2Fsign-in\
             %2Fcallback&code_verifier={verifier}&client_id=idcheck"
        )
    );
}

#[tokio::test]
async fn what_does_not_hold_is_refused() {
    let liar = Liar::start().await;
    let good = json!({"alg": "RS256", "kid": "r"});
    for (header, member, lie) in [
        (&good, "iss", json!("https://other.example")),
        (&good, "aud", json!("another")),
        (&good, "aud", json!([CLIENT, "another"])),
        (&good, "aud", Value::Null),
        (&good, "azp", json!("another")),
        (&good, "sub", Value::Null),
        (&good, "exp", json!(NOW - 61)),
        (&good, "exp", Value::Null),
        (&good, "iat", json!(NOW + 61)),
        (&good, "iat", json!(NOW - 601)),
        (&good, "nonce", json!("of another attempt")),
        (&good, "nonce", Value::Null),
        (&json!({"alg": "none"}), "sub", json!("lin-1")),
        (&json!({"alg": "HS256", "kid": "r"}), "sub", json!("lin-1")),
        (&json!({"alg": "RS256", "kid": "p"}), "sub", json!("lin-1")),
        (&json!({"alg": "RS256", "kid": "unknown"}), "sub", json!("lin-1")),
    ] {
        let mut claims = liar.claims();
        if lie.is_null() {
            claims.as_object_mut().unwrap().remove(member)
        } else {
            claims[member] = lie;
            None
        };
        liar.says(header, &claims);
        assert_eq!(liar.subject().await, Err(ProviderError::Refused), "{header} {claims}");
    }
    // The same words, with one bit of the signature changed.
    let token = liar.signed(&good, &liar.claims());
    let (words, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    signature[9] ^= 1;
    let token = format!("{words}.{}", URL_SAFE_NO_PAD.encode(signature));
    liar.answers.lock().unwrap().token = (200, json!({"id_token": token}).to_string());
    assert_eq!(liar.subject().await, Err(ProviderError::Refused));
}

#[tokio::test]
async fn a_key_for_encryption_or_another_algorithm_signs_nothing() {
    let liar = Liar::start().await;
    liar.says(&json!({"alg": "RS256", "kid": "r"}), &liar.claims());
    for (member, value) in [("use", "enc"), ("alg", "RS512"), ("alg", "RSA-OAEP")] {
        let mut key = liar.rsa_key("r");
        key[member] = json!(value);
        liar.answers.lock().unwrap().keys = json!({"keys": [key]});
        assert_eq!(liar.subject().await, Err(ProviderError::Refused), "{member}: {value}");
    }
}

#[tokio::test]
async fn a_new_key_of_the_provider_is_looked_up() {
    let liar = Liar::start().await;
    let provider = liar.provider(|_| {});
    liar.answers.lock().unwrap().keys = json!({"keys": []});
    provider.authorization_url(&attempt()).await.unwrap();
    liar.says(&json!({"alg": "RS256", "kid": "r"}), &liar.claims());
    let before = provider.subject(&attempt(), "c", None).await;
    assert_eq!(before, Err(ProviderError::Refused), "looked at less than a minute ago");
    // A minute later.
    let kept = provider.known(KEPT).await.unwrap();
    let old = Known { metadata: kept.metadata.clone(), keys: JwkSet::default(), at: kept.at - AGAIN };
    *provider.known.write().unwrap() = Some(Arc::new(old));
    liar.answers.lock().unwrap().keys = json!({"keys": [liar.rsa_key("r")]});
    assert_eq!(provider.subject(&attempt(), "c", None).await, Ok("lin-1".to_owned()));
}

#[tokio::test]
async fn the_way_of_signing_in_and_the_sender_of_the_answer_count_where_asked_for() {
    let liar = Liar::start().await;
    let provider = liar.provider(|config| config.acr = vec!["mfa".to_owned()]);
    for (acr, expected) in
        [(json!("mfa"), Ok("lin-1".to_owned())), (json!("pwd"), Err(ProviderError::Refused))]
    {
        let mut claims = liar.claims();
        claims["acr"] = acr;
        liar.says(&json!({"alg": "ES256", "kid": "p"}), &claims);
        assert_eq!(provider.subject(&attempt(), "c", None).await, expected);
    }
    liar.says(&json!({"alg": "ES256", "kid": "p"}), &liar.claims());
    assert_eq!(provider.subject(&attempt(), "c", None).await, Err(ProviderError::Refused), "no acr");

    let other = liar.provider(|_| {}).subject(&attempt(), "c", Some("https://other.example")).await;
    assert_eq!(other, Err(ProviderError::Refused));
    liar.answers.lock().unwrap().metadata["authorization_response_iss_parameter_supported"] = json!(true);
    let provider = liar.provider(|_| {});
    assert_eq!(provider.subject(&attempt(), "c", None).await, Err(ProviderError::Refused), "no iss");
    assert_eq!(provider.subject(&attempt(), "c", Some(&liar.issuer)).await, Ok("lin-1".to_owned()));
}

#[tokio::test]
async fn a_provider_that_can_not_be_understood_is_not_believed() {
    let liar = Liar::start().await;
    liar.says(&json!({"alg": "RS256", "kid": "r"}), &liar.claims());
    let right = liar.answers.lock().unwrap().clone();
    let mut wrong = Vec::new();
    for (member, value) in [
        ("issuer", json!(format!("{}/", liar.issuer))),
        ("issuer", json!("https://other.example")),
        ("token_endpoint", json!("http://provider.example/token")),
        ("token_endpoint", json!("not an address")),
        ("jwks_uri", Value::Null),
    ] {
        let mut answers = right.clone();
        answers.metadata[member] = value;
        wrong.push(answers);
    }
    wrong.push(Answers { keys: json!("none"), ..right.clone() });
    wrong.push(Answers { token: (200, "{}".to_owned()), ..right.clone() });
    wrong.push(Answers { token: (200, "x".repeat(MAX_ANSWER + 1)), ..right.clone() });
    wrong.push(Answers { token: (302, String::new()), ..right.clone() });
    wrong.push(Answers { token: (400, r#"{"error":"invalid_client"}"#.to_owned()), ..right.clone() });
    for answers in wrong {
        *liar.answers.lock().unwrap() = answers;
        let told = liar.answers.lock().unwrap().metadata.clone();
        assert_eq!(liar.subject().await, Err(ProviderError::Unavailable), "{told}");
    }
    *liar.answers.lock().unwrap() =
        Answers { token: (400, r#"{"error":"invalid_grant"}"#.to_owned()), ..right };
    assert_eq!(liar.subject().await, Err(ProviderError::Refused), "a code that was used");
}

#[tokio::test]
async fn the_browser_is_sent_with_what_binds_the_answer_to_it() {
    let liar = Liar::start().await;
    let provider = liar.provider(|config| config.acr = vec!["mfa".to_owned(), "loa3".to_owned()]);
    let url = Url::parse(&provider.authorization_url(&attempt()).await.unwrap()).unwrap();
    let member = |name| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    // RFC 7636 §4.2: the challenge is the verifier's SHA-256.
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, attempt().code_verifier().as_bytes()));
    for (name, expected) in [
        ("realm", "gov"),
        ("response_type", "code"),
        ("scope", "openid"),
        ("client_id", CLIENT),
        ("redirect_uri", "https://idcheck.example/officer/sign-in/callback"),
        ("state", &attempt().state()),
        ("nonce", &attempt().nonce()),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("acr_values", "mfa loa3"),
    ] {
        assert_eq!(member(name), expected, "{name}");
    }
}

#[test]
fn an_issuer_that_anybody_in_between_could_play_is_refused() {
    let configured = |issuer: &str| OpenIdProvider::new(settings(issuer), Arc::new(FixedClock)).map(drop);
    for good in ["https://login.gov.example", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"] {
        assert!(configured(good).is_ok(), "{good}");
    }
    for bad in ["http://login.gov.example", "login.gov.example", "ftp://127.0.0.1"] {
        assert!(configured(bad).is_err(), "{bad}");
    }
}
