//! The component over HTTP, its cards judged by OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Duration, Utc};
use idcheck_softcard::{CardKind, CardState, Component, DemoPki, Fault, SoftCard, refresh_crls, serve};
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    #[allow(clippy::disallowed_methods)]
    let now = std::time::SystemTime::now();
    now.into()
}

/// Keys take a while to make: all tests share one folder, made once for each build of this test.
static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let built = std::env::current_exe().and_then(|exe| exe.metadata()?.modified()).unwrap();
    let built = built.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("softcard");
    std::fs::create_dir_all(&folder).unwrap();
    // Every test is a process of its own under nextest.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let dir = folder.join(built.to_string());
    DemoPki::load_or_create(&dir, now()).unwrap();
    dir
});

fn demo() -> DemoPki {
    DemoPki::load_or_create(&DIR, now()).unwrap()
}

struct Running {
    url: String,
    component: Arc<Component>,
}

impl Running {
    async fn start(faults: Vec<Fault>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let component = Arc::new(Component::new(demo().into_cards(), faults, Arc::new(now)));
        tokio::spawn(serve(listener, Arc::clone(&component), std::future::pending()));
        Self { url, component }
    }

    fn card(&self, kind: CardKind, state: CardState) -> &SoftCard {
        self.component.cards().iter().find(|card| card.kind() == kind && card.state() == state).unwrap()
    }

    async fn post(&self, package: &str) -> Value {
        let form = format!("tbsPackage={}", percent_encode(package));
        let request = reqwest::Client::new().post(format!("{}/sign", self.url)).body(form);
        let response =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(response.headers().get("access-control-allow-origin").is_none());
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn sign(&self, card: &SoftCard, pin: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut request = json!({
            "func": "MakeSignature", "signatureType": "PKCS7", "tbs": "Y2hhbGxlbmdl", "tbsEncoding": "NONE",
            "hashAlgorithm": "SHA256", "withCardSN": "true", "pin": pin, "nonce": "", "slotDescription": card.slot(),
        });
        change(&mut request);
        self.post(&request.to_string()).await
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().bytes().await.unwrap().to_vec()
    }
}

fn percent_encode(text: &str) -> String {
    text.bytes().flat_map(|byte| ['%'.to_string(), format!("{byte:02X}")]).collect()
}

fn openssl(dir: &Path, arguments: &[&str]) -> (bool, Vec<u8>, String) {
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// OpenSSL's verdict on a signature, with revocation looked up in the demo's lists.
fn verdict(answer: &Value) -> Result<Vec<u8>, String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("message"),
        BASE64_STANDARD.decode(answer["signature"].as_str().unwrap()).unwrap(),
    )
    .unwrap();
    let trust = DIR.join("trust");
    let mut store = std::fs::read(trust.join("anchors/root.pem")).unwrap();
    for file in ["company-ca/company.pem", "intermediates/personal.pem", "intermediates/government.pem"] {
        store.extend(std::fs::read(trust.join(file)).unwrap());
    }
    for list in ["root", "company", "personal", "government"] {
        let file = trust.join(format!("crls/{list}.crl"));
        let (done, pem, _) = openssl(dir.path(), &["crl", "-inform", "DER", "-in", file.to_str().unwrap()]);
        assert!(done);
        store.extend(pem);
    }
    std::fs::write(dir.path().join("store"), store).unwrap();
    let arguments = ["cms", "-verify", "-inform", "DER", "-in", "message", "-CAfile", "store"];
    let options = ["-binary", "-purpose", "any", "-crl_check_all", "-x509_strict"];
    let (good, content, errors) = openssl(dir.path(), &[&arguments[..], &options].concat());
    if good { Ok(content) } else { Err(errors) }
}

#[tokio::test]
async fn every_card_signs_and_openssl_agrees_about_it() {
    let running = Running::start(Vec::new()).await;
    for card in running.component.cards() {
        let answer = running.sign(card, card.pin(), |request| request["nonce"] = "123".into()).await;
        if card.state() == CardState::Locked {
            assert_eq!((&answer["ret_code"], &answer["last_error"]), (&json!(0x7610_0006), &json!(0xA4)));
            continue;
        }
        assert_eq!(answer["ret_code"], 0, "{answer}");
        assert_eq!(answer["func"], "sign");
        let verdict = verdict(&answer);
        match card.state() {
            CardState::Expired => assert!(verdict.unwrap_err().contains("has expired")),
            CardState::Revoked => assert!(verdict.unwrap_err().contains("certificate revoked")),
            _ => assert_eq!(verdict.unwrap(), b"Y2hhbGxlbmdl"),
        }
    }
}

#[tokio::test]
async fn content_digest_and_attributes_as_asked() {
    let running = Running::start(Vec::new()).await;
    let card = running.card(CardKind::Company, CardState::Valid);
    let answer = running.sign(card, card.pin(), |request| request["tbsEncoding"] = "base64".into()).await;
    assert_eq!(verdict(&answer).unwrap(), b"challenge");
    let der = |answer: &Value| BASE64_STANDARD.decode(answer["signature"].as_str().unwrap()).unwrap();
    let contains = |answer: &Value, part: &[u8]| der(answer).windows(part.len()).any(|window| window == part);
    // 1.2.840.113549.1.9.25.3 and 2.16.886.1.100.2.204 as they are encoded.
    let (nonce, card_number) =
        (&b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x19\x03"[..], &b"\x60\x86\x76\x01\x64\x02\x81\x4c"[..]);
    assert!(!contains(&answer, nonce) && contains(&answer, card_number));
    for hash in ["SHA384", "SHA512"] {
        let answer = running
            .sign(card, card.pin(), |request| {
                request["hashAlgorithm"] = hash.into();
                request["nonce"] = "n".into();
                request["withCardSN"] = "false".into();
            })
            .await;
        assert!(contains(&answer, nonce) && !contains(&answer, card_number));
        assert!(verdict(&answer).is_ok(), "{hash}");
    }
    for (member, value, code) in [
        ("hashAlgorithm", "SHA1", 0x7600_000C),
        ("signatureType", "PKCS1", 0x7600_000E),
        ("tbs", "", 0x7600_0003),
        ("tbsEncoding", "hex", 0x7600_000C),
        ("slotDescription", "no such reader", 0x7600_0006),
        ("pin", "", 0x7600_0998),
    ] {
        let answer = running.sign(card, card.pin(), |request| request[member] = value.into()).await;
        assert_eq!(answer["ret_code"], code, "{member}");
        assert!(answer.get("signature").is_none());
    }
    assert_eq!(running.post("no json").await["ret_code"], 0x7600_000B);
}

#[tokio::test]
async fn three_wrong_pins_lock_a_card() {
    let running = Running::start(Vec::new()).await;
    let card = running.card(CardKind::Company, CardState::Valid);
    let wrong = if card.pin() == "00000000" { "00000001" } else { "00000000" };
    let try_pin = async |pin: &str| running.sign(card, pin, |_| ()).await["last_error"].as_i64().unwrap();
    assert_eq!(try_pin(wrong).await, -2_147_483_646);
    assert_eq!(try_pin("12").await, 0xA2, "too short to count");
    assert_eq!(try_pin(wrong).await, -2_147_483_647);
    assert_eq!(try_pin(card.pin()).await, 0, "the right one clears the count");
    assert_eq!(try_pin(wrong).await, -2_147_483_646);
    assert_eq!(try_pin(wrong).await, -2_147_483_647);
    assert_eq!(try_pin(wrong).await, 0xA4);
    assert_eq!(try_pin(card.pin()).await, 0xA4, "locked for good");
}

#[tokio::test]
async fn faults_answer_their_codes() {
    for (fault, ret_code, last_error) in [
        (Fault::NotTrusted, 0x7600_0031, 0),
        (Fault::ForbiddenSite, 0x7600_000F, 0),
        (Fault::NoReader, 0x7610_0003, 0),
        (Fault::NoCard, 0x7600_0006, 0),
        (Fault::WrongPin, 0x7610_0006, 0xA0),
        (Fault::Locked, 0x7610_0006, 0xA4),
        (Fault::Cancelled, 0x7600_0999, 0),
        (Fault::NotYetValid, 0x7650_0001, 0),
        (Fault::Expired, 0x7650_0002, 0),
    ] {
        let running = Running::start(vec![fault]).await;
        let card = running.card(CardKind::Company, CardState::Valid);
        let answer = running.sign(card, card.pin(), |_| ()).await;
        assert_eq!(
            (answer["ret_code"].as_i64(), answer["last_error"].as_i64()),
            (Some(ret_code), Some(last_error)),
            "{fault}"
        );
        assert_eq!(fault.to_string().parse(), Ok(fault));
        let running = Running::start(vec![fault, Fault::NegativeCodes]).await;
        let answer = running.sign(card, card.pin(), |_| ()).await;
        assert_eq!(answer["ret_code"].as_i64(), Some(ret_code - 0x1_0000_0000));
        let running = Running::start(vec![fault, Fault::WideCodes]).await;
        let answer = running.sign(card, card.pin(), |_| ()).await;
        assert_eq!(answer["ret_code"].as_u64(), Some((ret_code - 0x1_0000_0000).cast_unsigned()));
    }
    let running = Running::start(vec![Fault::SeveralCards]).await;
    let card = running.card(CardKind::Company, CardState::Valid);
    let answer = running
        .sign(card, card.pin(), |request| drop(request.as_object_mut().unwrap().remove("slotDescription")))
        .await;
    assert_eq!(answer["ret_code"], 0x7610_000C);
    assert!("nonsense".parse::<Fault>().is_err());
}

#[tokio::test]
async fn a_site_is_trusted_after_add_domain() {
    let running = Running::start(vec![Fault::NotTrusted]).await;
    let card = running.card(CardKind::Company, CardState::Valid);
    running.get("/addDomain?domain=portal.example").await;
    let package = json!({"func": "MakeSignature", "signatureType": "PKCS7", "tbs": "x", "tbsEncoding": "NONE",
        "hashAlgorithm": "SHA256", "withCardSN": "true", "pin": card.pin(), "nonce": "", "slotDescription": card.slot()});
    for (origin, code) in [("https://portal.example:8443", 0), ("https://other.example", 0x7600_0031)] {
        let form =
            format!("tbsPackage={}&origin={}", percent_encode(&package.to_string()), percent_encode(origin));
        let request = reqwest::Client::new().post(format!("{}/sign", running.url)).body(form);
        let response =
            request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["ret_code"], code, "{origin}");
    }
}

#[tokio::test]
async fn readers_are_listed_by_popup_and_by_image() {
    let running = Running::start(Vec::new()).await;
    let info: Value = serde_json::from_slice(&running.get("/pkcs11info").await).unwrap();
    assert_eq!(info["func"], "pkcs11info");
    let slots = info["slots"].as_array().unwrap();
    assert_eq!(slots.len(), running.component.cards().len());
    let cert = &slots[0]["token"]["certs"][0];
    assert_eq!(cert["usage"], "digitalSignature");
    assert_eq!(cert["subjectID"].as_str(), running.component.cards()[0].unified_business_number());
    assert_eq!(
        cert["certb64"].as_str().unwrap(),
        BASE64_STANDARD.encode(running.component.cards()[0].certificate())
    );

    let image = running.get("/p11Image.bmp").await;
    let text: Vec<u8> = image[54..].chunks(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
    let end = text.iter().position(|octet| *octet == 0).expect("the text fits");
    let from_image: Value = serde_json::from_slice(&text[..end]).unwrap();
    assert_eq!(from_image["slots"].as_array().unwrap().len(), slots.len());

    let empty = Running::start(vec![Fault::NoCard]).await;
    let info: Value = serde_json::from_slice(&empty.get("/pkcs11info").await).unwrap();
    assert!(info["slots"][0].get("token").is_none());
    assert!(String::from_utf8(running.get("/popupForm").await).unwrap().contains("getTbs"));
    assert!(String::from_utf8(running.get("/selfTest.htm").await).unwrap().contains("pkcs11info"));
}

#[tokio::test]
async fn odd_versions_of_the_component() {
    let running = Running::start(vec![Fault::Utf16, Fault::NoAttributes, Fault::OldVersion]).await;
    let card = running.card(CardKind::Company, CardState::Valid);
    let answer = running.sign(card, card.pin(), |request| request["tbs"] = "ab".into()).await;
    assert_eq!(verdict(&answer).unwrap(), b"a\0b\0");
    assert_eq!(answer["serverVersion"], "1.0.0.1");
    let absent = Running::start(vec![Fault::Absent]).await;
    tokio::task::yield_now().await;
    assert!(reqwest::get(format!("{}/popupForm", absent.url)).await.is_err());
}

#[test]
fn cards_stay_the_same_and_lists_stay_current() {
    let dir = tempfile::tempdir().unwrap();
    let start = now();
    let first = DemoPki::load_or_create(dir.path(), start).unwrap();
    let certificates =
        |pki: &DemoPki| pki.cards().iter().map(|card| card.certificate().to_vec()).collect::<Vec<_>>();
    let again = DemoPki::load_or_create(dir.path(), start + Duration::days(1)).unwrap();
    assert_eq!(certificates(&first), certificates(&again));
    assert_eq!(first.cards()[0].pin(), again.cards()[0].pin());
    assert!(!refresh_crls(dir.path(), start + Duration::days(9)).unwrap());
    assert!(refresh_crls(dir.path(), start + Duration::days(45)).unwrap());
    assert!(!refresh_crls(dir.path(), start + Duration::days(46)).unwrap());
    assert!(refresh_crls(dir.path(), start).unwrap(), "a clock set back makes the lists future ones");
}

#[test]
fn enough_cards_of_every_kind() {
    let pki = demo();
    let count =
        |kind, state| pki.cards().iter().filter(|card| card.kind() == kind && card.state() == state).count();
    assert!(count(CardKind::Company, CardState::Valid) >= 6);
    assert_eq!(count(CardKind::Personal, CardState::Valid), 1);
    assert_eq!(count(CardKind::Government, CardState::Valid), 1);
    for state in [CardState::Expired, CardState::Revoked, CardState::Locked] {
        assert_eq!(count(CardKind::Company, state), 1);
    }
    let mut slots: Vec<&str> = pki.cards().iter().map(SoftCard::slot).collect();
    slots.dedup();
    assert_eq!(slots.len(), pki.cards().len());
    for number in pki.cards().iter().filter_map(SoftCard::unified_business_number) {
        // By the rule from before 2023, which implies the one in force.
        let digits = number.bytes().map(|digit| u32::from(digit - b'0'));
        let products = digits.zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(digit, weight)| digit * weight);
        let sum: u32 = products.map(|product| product / 10 + product % 10).sum();
        assert!(
            sum.is_multiple_of(10) || (number.as_bytes()[6] == b'7' && (sum + 1).is_multiple_of(10)),
            "{number}"
        );
    }
}
