//! Lists and OCSP answers over HTTP, made by OpenSSL, served by a socket that counts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use idcheck_certificate::{FetchPolicy, Fetcher, FolderVerifier, Policy, StatusOrder};
use idcheck_usecases::ports::{CardRefusal, CardVerifier};
use support::{CA, COMPANY, COMPANY_SUBJECT, Pki, TEXT, now};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A web server with fixed bodies for paths; `/ocsp` hands the question to `openssl ocsp`.
struct Authority {
    address: String,
    bodies: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Authority {
    async fn start(dir: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (bodies, requests) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (served, seen) = (Arc::clone(&bodies), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &dir, &served, &seen).await;
            }
        });
        Self { address, bodies, requests }
    }

    fn serve(&self, path: &str, body: Vec<u8>) {
        self.bodies.lock().unwrap().insert(path.to_owned(), body);
    }

    fn count(&self, path: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|seen| *seen == path).count()
    }
}

async fn answer(
    mut stream: TcpStream,
    dir: &std::path::Path,
    bodies: &Mutex<HashMap<String, Vec<u8>>>,
    seen: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
            let length: usize = length.unwrap_or(0);
            if request.len() >= end + 4 + length {
                break (end + 4, length);
            }
        }
    };
    let path = String::from_utf8_lossy(&request).split(' ').nth(1).unwrap().to_owned();
    seen.lock().unwrap().push(path.clone());
    let body = if path == "/ocsp" {
        std::fs::write(dir.join("question"), &request[head..head + length]).unwrap();
        ocsp(dir)
    } else {
        bodies.lock().unwrap().get(&path).cloned()
    };
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let body = body.unwrap_or_default();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

/// What OpenSSL answers to `question` by the company CA's index, signed by `responder`.
fn ocsp(dir: &std::path::Path) -> Option<Vec<u8>> {
    let arguments = "ocsp -index company.index -CA company.pem -rsigner responder.pem -rkey responder.key \
                     -reqin question -respout answer -nmin 60";
    let done = Command::new("openssl").args(arguments.split_whitespace()).current_dir(dir).output().unwrap();
    done.status.success().then(|| std::fs::read(dir.join("answer")).unwrap())
}

fn der(pem: &[u8]) -> Vec<u8> {
    der::pem::decode_vec(pem).unwrap().1
}

struct Scene {
    pki: Pki,
    authority: Authority,
    message: Vec<u8>,
}

impl Scene {
    async fn new() -> Self {
        let pki = Pki::new();
        let authority = Authority::start(pki.dir.path().to_owned()).await;
        let address = &authority.address;
        let points = format!(
            "crlDistributionPoints=URI:{address}/company.crl\nauthorityInfoAccess=OCSP;URI:{address}/ocsp\n[sda]"
        );
        // It ends before its CA does.
        pki.key("card", "EC");
        let extensions = COMPANY.replace("[sda]", &points);
        pki.certify("card", COMPANY_SUBJECT, "company", &extensions, &["-days", "200"]);
        let delegated = "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n\
                         subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
        pki.issue("responder", "/C=TW/O=Responder", "company", delegated, "EC");
        let message = pki.sign("card", &[]);
        Self { pki, authority, message }
    }

    /// A verifier with the root's list only, fetching the rest.
    fn verifier(&self, order: StatusOrder, min_interval: Duration) -> FolderVerifier {
        let dir = self.pki.trust_dir();
        std::fs::create_dir_all(dir.join("crls")).unwrap();
        std::fs::copy(self.pki.path("root.crl"), dir.join("crls/root.crl")).unwrap();
        let policy = FetchPolicy { order, timeout: Duration::from_secs(2), max_crl: 64 * 1024, min_interval };
        FolderVerifier::load(&dir, Policy::default()).unwrap().fetching(Fetcher::new(policy).unwrap())
    }

    async fn verdict(&self, verifier: &FolderVerifier, now: DateTime<Utc>) -> Result<(), CardRefusal> {
        verifier.verify(&self.message, TEXT, now).await.map(drop)
    }
}

const ZERO: Duration = Duration::ZERO;

#[tokio::test]
async fn lists_are_fetched_once_and_kept() {
    let scene = Scene::new().await;
    let verifier = scene.verifier(StatusOrder::CrlOnly, Duration::from_mins(1));
    assert_eq!(scene.verdict(&verifier, now()).await, Err(CardRefusal::StatusUnavailable));
    scene.authority.serve("/company.crl", der(&scene.pki.read("company.crl")));
    assert_eq!(
        scene.verdict(&verifier, now()).await,
        Err(CardRefusal::StatusUnavailable),
        "asked a moment ago"
    );
    let later = now() + chrono::Duration::seconds(61);
    for _ in 0..3 {
        assert_eq!(scene.verdict(&verifier, later).await, Ok(()));
    }
    assert_eq!(scene.authority.count("/company.crl"), 2);
    // Past nextUpdate it is fetched again; the same old list does not help.
    let stale = now() + chrono::Duration::days(31);
    assert_eq!(scene.verdict(&verifier, stale).await, Err(CardRefusal::StatusUnavailable));
    assert_eq!(scene.authority.count("/company.crl"), 3);
}

#[tokio::test]
async fn a_refreshed_list_revokes() {
    let scene = Scene::new().await;
    let verifier = scene.verifier(StatusOrder::CrlOnly, ZERO);
    scene.authority.serve("/company.crl", der(&scene.pki.read("company.crl")));
    assert_eq!(scene.verdict(&verifier, now()).await, Ok(()));
    scene.pki.crl("company", &["card"], 30);
    scene.authority.serve("/company.crl", der(&scene.pki.read("company.crl")));
    verifier.refresh(now()).await;
    assert_eq!(scene.verdict(&verifier, now()).await, Err(CardRefusal::Revoked));
    let lists = verifier.lists();
    assert_eq!(lists.len(), 2, "the root's of the folder and the company CA's, the newer of two: {lists:?}");
    assert!(lists.iter().all(|list| list.next_update > Some(now()) && !list.key.is_empty()));
}

#[tokio::test]
async fn a_card_is_judged_again_by_what_is_known_then() {
    let scene = Scene::new().await;
    let verifier = scene.verifier(StatusOrder::CrlOnly, ZERO);
    scene.authority.serve("/company.crl", der(&scene.pki.read("company.crl")));
    let card = verifier.verify(&scene.message, TEXT, now()).await.unwrap().card;
    assert_eq!(card.chain.len(), 2, "the card's certificate and its CA's, not the anchor");
    assert_eq!(verifier.recheck(&card, now()).await, Ok(()));

    let after_its_end = card.not_after + chrono::Duration::seconds(1);
    assert_eq!(verifier.recheck(&card, after_its_end).await, Err(CardRefusal::Expired));
    let stale = now() + chrono::Duration::days(31);
    assert_eq!(verifier.recheck(&card, stale).await, Err(CardRefusal::StatusUnavailable));

    scene.pki.crl("company", &["card"], 30);
    scene.authority.serve("/company.crl", der(&scene.pki.read("company.crl")));
    verifier.refresh(now()).await;
    assert_eq!(verifier.recheck(&card, now()).await, Err(CardRefusal::Revoked));

    let mut forged = card.clone();
    forged.chain[0] = b"no certificate".to_vec();
    assert_eq!(verifier.recheck(&forged, now()).await, Err(CardRefusal::Malformed));
    forged.chain.clear();
    assert_eq!(verifier.recheck(&forged, now()).await, Err(CardRefusal::Malformed));
}

#[tokio::test]
async fn unusable_lists_clear_nobody() {
    let scene = Scene::new().await;
    let verifier = scene.verifier(StatusOrder::CrlOnly, ZERO);
    for body in [b"no list".to_vec(), vec![0x30; 100_000], der(&scene.pki.read("personal.crl"))] {
        scene.authority.serve("/company.crl", body);
        assert_eq!(scene.verdict(&verifier, now()).await, Err(CardRefusal::StatusUnavailable));
    }
}

#[tokio::test]
async fn ocsp_answers_in_both_orders() {
    for order in [StatusOrder::OcspThenCrl, StatusOrder::CrlThenOcsp] {
        let scene = Scene::new().await;
        let verifier = scene.verifier(order, ZERO);
        // Neither list nor responder.
        assert_eq!(scene.verdict(&verifier, now()).await, Err(CardRefusal::StatusUnavailable), "{order:?}");
        index(&scene.pki, 'V');
        assert_eq!(scene.verdict(&verifier, now()).await, Ok(()), "{order:?}");
        let asked = scene.authority.count("/ocsp");
        assert_eq!(scene.verdict(&verifier, now()).await, Ok(()));
        assert_eq!(scene.authority.count("/ocsp"), asked, "the answer is kept while it is current");
        index(&scene.pki, 'R');
        let later = now() + chrono::Duration::hours(2);
        let refusal = scene.verdict(&scene.verifier(order, ZERO), now()).await;
        assert_eq!(refusal, Err(CardRefusal::Revoked), "{order:?}");
        assert_ne!(scene.verdict(&verifier, later).await, Ok(()), "an old answer does not count");
    }
}

#[tokio::test]
async fn only_the_issuer_or_its_delegate_answers() {
    let scene = Scene::new().await;
    index(&scene.pki, 'V');
    let usual =
        "keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
    for (issuer, extensions) in [
        ("company", usual.to_owned()),
        ("company", format!("extendedKeyUsage=OCSPSigning\n{usual}")),
        ("personal", format!("extendedKeyUsage=OCSPSigning\nnoCheck=ignored\n{usual}")),
        ("personal", CA.to_owned()),
    ] {
        scene.pki.certify("responder", "/C=TW/O=Responder", issuer, &extensions, &[]);
        let verdict = scene.verdict(&scene.verifier(StatusOrder::OcspThenCrl, ZERO), now()).await;
        assert_eq!(verdict, Err(CardRefusal::StatusUnavailable), "{issuer} {extensions}");
    }
    for file in ["pem", "key"] {
        std::fs::copy(
            scene.pki.path(&format!("company.{file}")),
            scene.pki.path(&format!("responder.{file}")),
        )
        .unwrap();
    }
    assert_eq!(
        scene.verdict(&scene.verifier(StatusOrder::OcspThenCrl, ZERO), now()).await,
        Ok(()),
        "the issuer itself"
    );
}

/// Writes OpenSSL's index with the card as valid or revoked.
fn index(pki: &Pki, state: char) {
    let serial = Command::new("openssl")
        .args(["x509", "-in", "card.pem", "-noout", "-serial"])
        .current_dir(pki.dir.path())
        .output()
        .unwrap();
    let serial = String::from_utf8(serial.stdout).unwrap().trim().replace("serial=", "");
    let since = if state == 'R' { "250101000000Z" } else { "" };
    pki.write("company.index", format!("{state}\t491231235959Z\t{since}\t{serial}\tunknown\t/O=card\n"));
}
