//! The program, as a process: what it prints, how it ends, and what it never shows.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod double;

use std::{
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use double::{Does, Double, ISS_KEY, RSA_PEM, answer, refused};
use idcheck_client::{Profile, Question, SigningKey};
use serde_json::{Value, json};
use tempfile::TempDir;

const QUESTION: &str =
    r#"{"personId":"A123456789","applyCode":"1","applyYyymmdd":"1080617","issueSiteId":"63000"}"#;

fn run(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_idcheck-client"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its command line does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// The exit status, standard output and standard error.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Settings of a company in a folder.
struct Company {
    dir: TempDir,
    config: String,
}

impl Company {
    fn of(base_url: &str, more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        secret(&dir.path().join("key.pem"), &RSA_PEM);
        secret(&dir.path().join("iss-key"), &format!("{ISS_KEY}\n"));
        let settings = format!(
            "base_url = '{base_url}'\nunified_business_number = '04595257'\naccount = 'AW001'\n\
             iss_key_file = '{}'\nprivate_key_file = '{}'\ntimeout_seconds = 1\n{more}",
            dir.path().join("iss-key").display(),
            dir.path().join("key.pem").display(),
        );
        let config = dir.path().join("client.toml");
        std::fs::write(&config, settings).unwrap();
        Self { config: config.display().to_string(), dir }
    }

    async fn run(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let arguments: Vec<_> =
            arguments.iter().chain(&["--config", &self.config]).map(ToString::to_string).collect();
        let input = input.to_owned();
        let output = tokio::task::spawn_blocking(move || {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            run(&arguments, &[], &input)
        });
        told(&output.await.unwrap())
    }
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_help_of_every_command() {
    for (name, arguments) in [
        ("help", vec!["--help"]),
        ("help_keygen", vec!["keygen", "--help"]),
        ("help_verify", vec!["verify", "--help"]),
        ("help_explain", vec!["explain", "--help"]),
    ] {
        let (status, printed, _) = told(&run(&arguments, &[("COLUMNS", "100")], ""));
        assert_eq!(status, 0);
        insta::assert_snapshot!(name, printed);
    }
}

#[test]
fn a_key_is_made_once_and_only_for_its_owner() {
    for (kind, profiles) in [
        ("rsa-2048", json!(["legacy", "strict"])),
        ("p256", json!(["strict"])),
        ("ed25519", json!(["strict"])),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("keys");
        let arguments = ["keygen", "--kind", kind, "--out", out.to_str().unwrap()];
        let (status, printed, shown) = told(&run(&arguments, &[], ""));
        assert_eq!(status, 0, "{shown}");
        let printed = json(&printed);
        let private = PathBuf::from(printed["privateKeyFile"].as_str().unwrap());
        assert_eq!(std::fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o600);
        let pem = std::fs::read_to_string(&private).unwrap();
        let key = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(printed["fingerprint"], json!(key.fingerprint()));
        assert_eq!(printed["profiles"], profiles);
        let public = std::fs::read_to_string(printed["publicKeyFile"].as_str().unwrap()).unwrap();
        assert_eq!(public, key.public_pem());
        assert!(key.algorithms(Profile::Strict).len() <= 2);

        let (status, _, shown) = told(&run(&arguments, &[], ""));
        assert_eq!(status, 2);
        assert!(shown.contains("is there already"), "{shown}");
        assert_eq!(std::fs::read_to_string(&private).unwrap(), pem, "a key is never overwritten");
    }
}

#[tokio::test]
async fn every_outcome_has_its_json_and_its_exit_status() {
    let refusal = |status, message: &str| Does::Says(status, &[], refused(false, status, message, "").1);
    let rows = [
        (Does::Answers, 0, json!({"result": "match", "code": "1"})),
        (
            Does::Says(200, &[], answer(false, 3)),
            1,
            json!({"result": "mismatch", "code": "3", "attemptsLeft": 1}),
        ),
        (Does::Says(200, &[], answer(false, 5)), 1, json!({"result": "locked", "code": "5"})),
        (Does::Says(200, &[], answer(false, 8)), 1, json!({"result": "userSuspended", "code": "8"})),
        (refusal(401, "signature invalid"), 3, json!({"error": "signature-invalid", "mayAskAgain": true})),
        (refusal(403, "address not registered"), 3, json!({"error": "address-not-registered"})),
        (refusal(429, "too many requests"), 4, json!({"error": "too-many-requests", "mayAskAgain": true})),
        (
            Does::Says(503, &[("retry-after", "3600")], String::new()),
            4,
            json!({"error": "unavailable", "mayAskAgain": false, "retryAfterSeconds": 3600}),
        ),
        // Without a reply the same token goes once more.
        (Does::Closes, 0, json!({"result": "match"})),
        (Does::RecordsAndCloses, 5, json!({"error": "already-recorded", "mayAskAgain": false})),
    ];
    for (does, expected_status, expected) in rows {
        let service = Double::start(std::slice::from_ref(&does)).await;
        let company = Company::of(&service.base_url, "");
        let (status, printed, shown) = company.run(&["verify"], QUESTION).await;
        assert_eq!(status, expected_status, "{does:?}: {printed}{shown}");
        let printed_json = json(&printed);
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&printed_json[name], value, "{does:?}: {printed}");
        }
        assert_eq!(shown.is_empty(), status < 3, "{shown}");
        assert_eq!(service.tokens(), 1);
        nothing_personal(&[&printed, &shown]);
    }
}

fn nothing_personal(texts: &[&str]) {
    for text in texts {
        for secret in ["A123456789", "1080617", "2019-06-17", ISS_KEY] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[tokio::test]
async fn retries_can_be_turned_off() {
    for (more, requests) in [("retries = 0\n", 1), ("retries = 2\n", 3)] {
        let busy = Does::Says(429, &[("retry-after", "0")], String::new());
        let service = Double::start(&vec![busy; 5]).await;
        let company = Company::of(&service.base_url, more);
        assert_eq!(company.run(&["verify"], QUESTION).await.0, 4);
        assert_eq!((service.requests().len(), service.tokens()), (requests, 1), "{more}");
    }
}

#[tokio::test]
async fn the_question_comes_from_input_or_flags() {
    let service = Double::start(&[]).await;
    let company = Company::of(&service.base_url, "user = 'clerk01'\n");
    let iso = QUESTION.replace("applyYyymmdd", "applyDate").replace("1080617", "2019-06-17");
    let flags = [
        "verify",
        "--person-id",
        "A123456789",
        "--apply-code",
        "1",
        "--apply-date",
        "1080617",
        "--issue-site",
        "63000",
    ];
    assert_eq!(company.run(&["verify"], QUESTION).await.0, 0);
    assert_eq!(company.run(&["verify"], &iso).await.0, 0);
    assert_eq!(company.run(&flags, "").await.0, 0);
    assert_eq!(company.run(&["verify", "--user", "clerk02"], QUESTION).await.0, 0);
    let claims: Vec<_> = service.requests().iter().map(double::Request::claims).collect();
    assert!(claims.windows(2).all(|pair| pair[0]["conditionMap"] == pair[1]["conditionMap"]));
    assert_eq!([&claims[0]["userId"], &claims[3]["userId"]], ["clerk01", "clerk02"]);
}

#[tokio::test]
async fn the_profile_flag_goes_before_the_settings() {
    let service = Double::start(&[]).await;
    let company = Company::of(&service.base_url, "profile = 'legacy'\nenvironment = 'production'\n");
    let (status, printed, shown) =
        company.run(&["verify", "--profile", "strict", "--environment", "sandbox"], QUESTION).await;
    assert_eq!(status, 0, "{shown}");
    assert_eq!(json(&printed)["requestId"], "r-1");
    assert_eq!(service.requests()[0].path, "/sandbox/api/v1/verifications");
}

#[tokio::test]
async fn mistakes_are_named_without_their_values() {
    let service = Double::start(&[]).await;
    let good = Company::of(&service.base_url, "");
    let bad_id = QUESTION.replace("A123456789", "A123456780");
    let number = QUESTION.replace("\"1\"", "1");
    for (arguments, input, expected) in [
        (&["verify"][..], bad_id.as_str(), "personId: person-id-checksum"),
        (&["verify"], number.as_str(), "line 1, column"),
        (&["verify"], "", "line 1, column"),
        (&["verify", "--user", "no such user"], QUESTION, "userId"),
        (&["verify", "--person-id", "A123456789"], "", "--apply-code"),
        (&["verify", "--profile", "other"], QUESTION, "legacy or strict"),
        (&["verify", "--base-url", "http://idcheck.example"], QUESTION, "https"),
        (&["explain", "--token", "/no/such/file"], "", "/no/such/file"),
    ] {
        let (status, printed, shown) = good.run(arguments, input).await;
        assert_eq!((status, printed.as_str()), (2, ""), "{arguments:?}: {shown}");
        assert!(shown.contains(expected), "{arguments:?}: {shown}");
        assert!(!shown.contains("A12345678"), "{shown}");
    }
    for (more, expected) in [
        ("strange = 1\n", "there is no `strange`"),
        ("user = 'not a user'\n", "user: not 1 to 12"),
        ("profile = 'other'\n", "profile: not legacy or strict"),
        ("key_id = 5\n", "key_id: not a string"),
        ("account = 'x'\n", "TOML parse error at line"),
    ] {
        let (status, _, shown) = Company::of(&service.base_url, more).run(&["verify"], QUESTION).await;
        assert_eq!(status, 2, "{more}");
        assert!(shown.contains(expected), "{more}: {shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn a_secret_that_others_may_read_is_not_used() {
    for (file, mode) in [("key.pem", 0o640), ("iss-key", 0o604)] {
        let company = Company::of("http://127.0.0.1:1", "");
        let path = company.dir.path().join(file);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let (status, _, shown) = company.run(&["verify"], QUESTION).await;
        assert_eq!(status, 2);
        assert!(shown.contains("chmod 600") && shown.contains(file), "{shown}");
    }
    let company = Company::of("http://127.0.0.1:1", &format!("iss_key = '{ISS_KEY}'\n"));
    let (status, _, shown) = company.run(&["verify"], QUESTION).await;
    assert_eq!(status, 2);
    assert!(shown.contains("chmod 600") && !shown.contains(ISS_KEY), "{shown}");
}

#[test]
fn everything_may_stand_in_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    secret(&key, &RSA_PEM);
    let environment = [
        ("IDCHECK_CLIENT_BASE_URL", "http://127.0.0.1:1"),
        ("IDCHECK_CLIENT_UNIFIED_BUSINESS_NUMBER", "04595257"),
        ("IDCHECK_CLIENT_ACCOUNT", "AW001"),
        ("IDCHECK_CLIENT_ISS_KEY", ISS_KEY),
        ("IDCHECK_CLIENT_PRIVATE_KEY_FILE", key.to_str().unwrap()),
        ("IDCHECK_CLIENT_TIMEOUT_SECONDS", "1"),
        ("IDCHECK_CLIENT_RETRIES", "0"),
        ("IDCHECK_CLIENT_LANG", "en"),
    ];
    let (status, printed, shown) = told(&run(&["verify"], &environment, QUESTION));
    assert_eq!((status, &json(&printed)["error"]), (4, &json!("connection-refused")), "{shown}");
    assert!(shown.contains("Nothing listens there."), "{shown}");
    let (status, _, shown) = told(&run(&["verify"], &environment[1..], QUESTION));
    assert_eq!(status, 2);
    assert!(shown.contains("IDCHECK_CLIENT_BASE_URL"), "{shown}");
}

#[test]
fn a_proxy_of_the_environment_gets_a_tunnel_and_no_token() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut heard = vec![0; 4096];
        let length = stream.read(&mut heard).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(heard[..length].to_vec()).unwrap()
    });
    let company = Company::of("https://idcheck.example", "");
    let arguments = ["verify", "--config", company.config.as_str()];
    let (status, printed, _) = told(&run(&arguments, &[("HTTPS_PROXY", &address)], QUESTION));
    assert_eq!((status, &json(&printed)["mayAskAgain"]), (4, &json!(true)), "{printed}");
    let heard = heard.join().unwrap();
    assert!(heard.starts_with("CONNECT idcheck.example:443 ") && !heard.contains("Bearer"), "{heard}");
}

#[tokio::test]
async fn plain_http_never_goes_to_a_proxy() {
    let service = Double::start(&[]).await;
    let company = Company::of(&service.base_url, "");
    let proxies = [
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ];
    let config = company.config.clone();
    let asked =
        tokio::task::spawn_blocking(move || told(&run(&["verify", "--config", &config], &proxies, QUESTION)));
    assert_eq!(asked.await.unwrap().0, 0);
    assert_eq!(service.recorded(), 1);
}

#[tokio::test]
async fn explain_finds_the_step_that_fails() {
    let says = |status, message: &str| Does::Says(status, &[], refused(false, status, message, "").1);
    let malformed = json!({"httpCode": "200", "httpMessage": "OK", "rdCode": "RS3822", "responseData": {}});
    let passed = Does::Says(200, &[], malformed.to_string());
    let rows = [
        (says(401, "key unknown"), 3, 2, "Show the Iss Key on the progress page"),
        (says(403, "address not registered"), 3, 3, "file a change of host addresses"),
        (says(401, "signature invalid"), 3, 4, "Register this public key"),
        (says(401, "expired"), 3, 5, "NTP"),
        (says(403, "access suspended or revoked"), 3, 6, "suspended or revoked"),
        (says(404, "x"), 4, 0, "not the verification API"),
        (Does::Says(503, &[], String::new()), 4, 0, "Ask again later"),
        (passed, 0, 8, "Everything is right"),
    ];
    for (does, expected_status, expected_passed, expected_words) in rows {
        let service = Double::start(std::slice::from_ref(&does)).await;
        let company = Company::of(&service.base_url, "");
        let (status, printed, shown) = company.run(&["explain", "--lang", "en"], "").await;
        assert_eq!(status, expected_status, "{printed}{shown}");
        assert_eq!(printed.matches("[passed]").count(), expected_passed, "{printed}");
        assert_eq!(
            printed.matches("[not reached]").count(),
            7_usize.saturating_sub(expected_passed),
            "{printed}"
        );
        assert!(printed.contains(expected_words), "{printed}");
        let claims = service.requests()[0].claims();
        assert_eq!(claims["conditionMap"], "{}", "nobody is asked about");
        nothing_personal(&[&printed]);
    }
}

#[tokio::test]
async fn explain_in_the_sandbox_leaves_out_what_it_does_not_check() {
    let malformed = json!({"type": "/problems/content", "status": 422}).to_string();
    let service = Double::start(&[Does::Says(422, &[], malformed)]).await;
    let company = Company::of(&service.base_url, "environment = 'sandbox'\nprofile = 'strict'\n");
    let (status, printed, shown) = company.run(&["explain", "--lang", "en"], "").await;
    assert_eq!(status, 0, "{printed}{shown}");
    assert_eq!(printed.matches("[passed]").count(), 6, "{printed}");
    assert_eq!(printed.matches("[not checked here]").count(), 2, "{printed}");
    let request = service.requests().remove(0);
    assert_eq!(
        (request.path.as_str(), request.body.as_slice()),
        ("/sandbox/api/v1/verifications", &b"{}"[..])
    );
}

#[tokio::test]
async fn explain_compares_clock_and_fingerprint() {
    let body =
        json!({"httpCode": "200", "httpMessage": "OK", "rdCode": "RS3822", "responseData": {}}).to_string();
    let past = Does::Says(200, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], body);
    let fingerprint = SigningKey::from_pem(&RSA_PEM).unwrap().fingerprint();
    let service = Double::start(&[past.clone(), past]).await;
    let company = Company::of(&service.base_url, "");
    let (status, printed, _) =
        company.run(&["explain", "--fingerprint", &fingerprint.to_uppercase()], "").await;
    assert_eq!(status, 3);
    assert!(printed.contains("[不通過] 時鐘：本機快") && printed.contains("NTP"), "{printed}");
    assert!(printed.contains("[通過] 金鑰：與登記的指紋相同"), "{printed}");
    assert!(printed.contains("127.0.0.1"), "{printed}");
    let (status, printed, _) = company.run(&["explain", "--fingerprint", &"0".repeat(64)], "").await;
    assert_eq!(status, 3);
    assert!(printed.contains("[不通過] 金鑰：與登記的指紋相同"), "{printed}");
}

#[tokio::test]
async fn explain_reads_a_reply_that_was_kept() {
    let company = Company::of("http://127.0.0.1:1", "lang = 'en'\n");
    for (arguments, body, status, words) in [
        (&["explain", "--answer", "-"][..], refused(false, 401, "already used", "").1, 3, "Make a new jti"),
        (&["explain", "--answer", "-"], refused(true, 401, "", "digest-wrong").1, 3, "exact bytes"),
        (&["explain", "--answer", "-"], answer(false, 3), 0, "left about this ID number today: 1"),
        (&["explain", "--answer", "-"], answer(true, 7), 0, "reported the card lost"),
        (
            &["explain", "--answer", "-", "--status", "502"],
            "<html>".to_owned(),
            3,
            "Send the same token again",
        ),
        (&["explain", "--answer", "-"], "<html>".to_owned(), 3, "--status"),
    ] {
        let (found, printed, shown) = company.run(arguments, &body).await;
        assert_eq!(found, status, "{printed}{shown}");
        assert!(printed.contains(words), "{printed}");
    }
}

#[tokio::test]
async fn explain_looks_at_a_token_and_shows_nothing_of_it() {
    let service = Double::start(&[]).await;
    let company = Company::of(&service.base_url, "");
    let client = double::builder(&service.base_url).build().unwrap();
    client.verify(&Question::parse("A123456789", "1", "1080617", "63000").unwrap()).await.unwrap();
    let token = service.requests()[0].token().to_owned();

    let (status, printed, _) = company.run(&["explain", "--lang", "en", "--token", "-"], &token).await;
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("profile legacy, algorithm RS256") && printed.contains("Nothing is wrong"),
        "{printed}"
    );
    nothing_personal(&[&printed]);

    let (status, printed, _) = told(&run(&["explain", "--lang", "en", "--token", "-"], &[], &token));
    assert_eq!(status, 0);
    assert!(printed.contains("It was not compared"), "{printed}");

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged =
        format!("{signed}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    let (status, printed, _) = company.run(&["explain", "--token", "-"], &forged).await;
    assert_eq!(status, 3);
    assert!(printed.contains("簽章不是由設定的金鑰所簽"), "{printed}");
}
