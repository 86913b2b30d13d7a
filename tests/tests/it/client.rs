//! The client program against the real service, by the guide and by the mistakes that companies make.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use idcheck_tests::{Applicant, Caller, Demo, Officer, json, python, shell};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A company with access, and a folder for its client.
struct Company {
    demo: Demo,
    applicant: Applicant,
    account: String,
    iss_key: String,
    dir: TempDir,
}

impl Company {
    async fn admitted() -> Self {
        let demo = Demo::start().await;
        let applicant = Applicant::of(&demo, "company", "valid", 0);
        let filed = applicant.done("apply", &Applicant::application()).await;
        let id = filed["application"]["id"].as_str().unwrap();
        Officer::of(&demo, "reviewer1").await.approve(id).await;
        let revealed = applicant.done("revealIssKey", &json!({})).await;
        let text = |name: &str| revealed[name].as_str().unwrap().to_owned();
        let (account, iss_key) = (text("account"), text("issKey"));
        Self { demo, applicant, account, iss_key, dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn shell(&self, lines: &str, input: &str) -> (i32, String) {
        let Output { status, stdout, stderr } = shell(lines, self.dir.path(), input);
        let printed = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!printed.contains(&self.iss_key), "{lines} shows the Iss Key");
        (status.code().unwrap(), printed)
    }

    /// Runs the program about a person.
    fn verify(&self, config: &str, person: &Value) -> (i32, Value) {
        let question = question(person).to_string();
        let (status, printed) = self.shell(&format!("idcheck-client verify --config {config}"), &question);
        assert!(!printed.contains(person["personId"].as_str().unwrap()), "the ID number is shown");
        (status, json(printed.lines().next().unwrap().as_bytes()))
    }

    /// Registers the public key in a folder, and gives its fingerprint.
    async fn register(&self, folder: &str) -> String {
        let registered = self.register_for(folder, "legacy", "production").await;
        registered["key"]["fingerprint"].as_str().unwrap().to_owned()
    }

    async fn register_for(&self, folder: &str, profile: &str, environment: &str) -> Value {
        let pem = std::fs::read_to_string(self.path(folder).join("public-key.pem")).unwrap();
        let content =
            json!({"publicKeyPem": pem, "profile": profile, "environment": environment, "label": "主機一"});
        self.applicant.done("registerKey", &content).await
    }

    fn person(&self, number: usize) -> Value {
        let persons = self.demo.file["persons"].as_array().unwrap();
        persons.iter().filter(|p| p["status"] == "normal").nth(number).unwrap().clone()
    }

    /// Settings with the right values but these.
    fn settings(&self, name: &str, changes: &[(&str, &str)]) {
        let mut settings = [
            ("base_url", self.demo.base_url.as_str()),
            ("unified_business_number", &self.applicant.ubn),
            ("account", &self.account),
            ("iss_key", &self.iss_key),
            ("private_key_file", "keys/private-key.pem"),
            ("profile", "legacy"),
            ("environment", "production"),
            ("lang", "en"),
        ];
        for (name, value) in changes {
            settings.iter_mut().find(|(known, _)| known == name).unwrap().1 = value;
        }
        let lines = settings.map(|(name, value)| format!("{name} = '{value}'"));
        secret(&self.path(name), &format!("{}\nretries = 0\n", lines.join("\n")));
    }
}

fn secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

fn question(person: &Value) -> Value {
    let members = ["personId", "applyCode", "applyYyymmdd", "issueSiteId"];
    members
        .iter()
        .map(|name| ((*name).to_owned(), person[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The blocks of a language in a guide, in their order.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides").join(guide);
    let guide = std::fs::read_to_string(guide).unwrap();
    let opening = format!("```{language}\n");
    guide.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_guide_from_approval_to_the_first_answer() {
    let company = Company::admitted().await;
    let [keygen, iss_key, explain, verify] = blocks("client.md", "sh").try_into().unwrap();
    let [settings] = blocks("client.md", "toml").try_into().unwrap();
    let [question] = blocks("client.md", "json").try_into().unwrap();

    let (status, printed) = company.shell(&keygen, "");
    assert_eq!(status, 0, "{printed}");
    let registered = company.register_for("keys", "legacy", "sandbox").await;
    assert_eq!(json(printed.as_bytes())["fingerprint"], registered["key"]["fingerprint"]);
    assert_eq!(registered["sandbox"]["account"], "SBX00", "as in the guide");
    let (status, printed) = company.shell(&iss_key, registered["sandbox"]["issKey"].as_str().unwrap());
    assert_eq!(status, 0, "{printed}");
    let settings = settings.replace("https://idcheck.example", &company.demo.base_url);
    std::fs::write(company.path("client.toml"), settings.replace("04595257", &company.applicant.ubn))
        .unwrap();
    let (status, printed) = company.shell(&explain, "");
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("Everything is right"), "{printed}");
    std::fs::write(company.path("question.json"), question).unwrap();
    let (status, printed) = company.shell(&verify, "");
    assert_eq!(status, 0, "{printed}");
    assert_eq!(json(printed.as_bytes())["result"], "match");
}

/// `/docs` as programmers use it: its commands make the key, its programs ask, and both are answered as it says.
#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_the_first_page_for_programmers() {
    let company = Company::admitted().await;
    let guide = "api.md";
    let [make_key] = blocks(guide, "sh").try_into().unwrap();
    // The third verifies events (see `webhook.rs`).
    let [legacy, strict, _] = <[String; 3]>::try_from(blocks(guide, "python")).unwrap();
    let [answer, _] = <[String; 2]>::try_from(blocks(guide, "json")).unwrap();
    for (program, profile, expected) in [
        (legacy, "legacy", json(answer.as_bytes())),
        (strict, "strict", json!({"result": "match", "code": "1"})),
    ] {
        let (status, printed) = company.shell(&make_key, "");
        assert_eq!(status, 0, "{printed}");
        let registered = company.register_for(".", profile, "sandbox").await;
        let iss_key = registered["sandbox"]["issKey"].as_str().unwrap();
        let program = program
            .replace("https://idcheck.example", &company.demo.base_url)
            .replace("04595257", &company.applicant.ubn)
            .replace("ISS-KEY", iss_key)
            .replace(
                "print(json.load(urllib.request.urlopen(request)))",
                "print(urllib.request.urlopen(request).read().decode())",
            );
        let program =
            program.replace("private-key.pem", &company.path("private-key.pem").display().to_string());
        let file = company.path("ask.py");
        std::fs::write(&file, program).unwrap();
        let Output { status, stdout, stderr } = python(&file.display().to_string(), &[]);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        let mut answered = json(&stdout);
        answered.as_object_mut().unwrap().remove("requestId");
        assert_eq!(answered, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_the_lock_out_and_explanations_that_cost_nothing() {
    let company = Company::admitted().await;
    assert_eq!(company.shell("idcheck-client keygen --out keys", "").0, 0);
    let fingerprint = company.register("keys").await;
    company.settings("client.toml", &[]);
    let known = company.person(0);
    let wrong = Caller::wrong(&known);

    let explain = |config: &str, more: &str| {
        company.shell(&format!("idcheck-client explain --config {config} {more}"), "")
    };
    for left in [2, 1] {
        let (status, printed) = company.verify("client.toml", &wrong);
        assert_eq!(
            (status, &printed["result"], &printed["attemptsLeft"]),
            (1, &json!("mismatch"), &json!(left))
        );
        assert_eq!(explain("client.toml", "").0, 0);
    }
    assert_eq!(company.verify("client.toml", &known).0, 0);
    assert_eq!(company.verify("client.toml", &wrong).1["attemptsLeft"], 0);
    let (status, printed) = company.verify("client.toml", &known);
    assert_eq!((status, &printed["result"]), (1, &json!("locked")));

    assert_eq!(company.shell("idcheck-client keygen --out other", "").0, 0);
    let strange_key = "z".repeat(32);
    for (config, change, error, words) in [
        (
            "key.toml",
            ("private_key_file", "other/private-key.pem"),
            "signature-invalid",
            "Register this public key",
        ),
        ("iss.toml", ("iss_key", strange_key.as_str()), "key-unknown", "Show the Iss Key"),
        ("account.toml", ("account", "AW999"), "account-mismatch", "do not belong to this Iss Key"),
    ] {
        company.settings(config, &[change]);
        let (status, printed) = company.verify(config, &company.person(1));
        assert_eq!((status, &printed["error"], &printed["mayAskAgain"]), (3, &json!(error), &json!(true)));
        let (status, printed) = explain(config, "");
        assert_eq!(status, 3, "{printed}");
        assert!(printed.contains("[FAILED]") && printed.contains(words), "{printed}");
    }
    let (status, printed) = explain("client.toml", &format!("--fingerprint {fingerprint}"));
    assert_eq!(status, 0, "{printed}");
    let (status, printed) = explain("key.toml", &format!("--fingerprint {fingerprint}"));
    assert_eq!(status, 3);
    assert!(printed.contains("[FAILED] Key: the registered fingerprint"), "{printed}");

    let (intact, printed) = company.demo.run(&["audit", "verify"]);
    assert!(intact, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strict_profile_with_every_kind_of_key() {
    let company = Company::admitted().await;
    for kind in ["rsa-2048", "p256", "ed25519"] {
        assert_eq!(company.shell(&format!("idcheck-client keygen --kind {kind} --out {kind}"), "").0, 0);
        company.register_for(kind, "strict", "production").await;
        let key = format!("{kind}/private-key.pem");
        company.settings("strict.toml", &[("private_key_file", &key), ("profile", "strict")]);
        let (status, printed) = company.shell("idcheck-client explain --config strict.toml", "");
        assert_eq!(status, 0, "{kind}: {printed}");
        let (status, printed) = company.verify("strict.toml", &company.person(0));
        assert_eq!((status, &printed["result"]), (0, &json!("match")), "{kind}");
        assert!(printed["requestId"].is_string(), "{printed}");
    }
    // The key is good, but for the other profile.
    company.settings("legacy.toml", &[("private_key_file", "rsa-2048/private-key.pem")]);
    assert_eq!(company.verify("legacy.toml", &company.person(0)).1["error"], "signature-invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_plays_every_answer_and_refusal() {
    let company = Company::admitted().await;
    let cases = [
        ("A190000017", 0, "match"),
        ("A190000026", 1, "mismatch"),
        ("A190000044", 1, "mismatch"),
        ("A190000053", 1, "locked"),
        ("A190000062", 1, "outOfUse"),
        ("A190000071", 1, "reportedLost"),
        ("A190000080", 1, "userSuspended"),
        ("A190000115", 3, "token-missing"),
        ("A190000124", 3, "token-malformed"),
        ("A190000133", 3, "key-unknown"),
        ("A190000142", 3, "signature-invalid"),
        ("A190000151", 3, "not-yet-valid"),
        ("A190000160", 3, "expired"),
        ("A190000179", 5, "already-recorded"),
        ("A190000188", 3, "address-not-registered"),
        ("A190000197", 3, "access-ended"),
        ("A190000213", 3, "question-malformed"),
        ("A190000222", 4, "too-many-requests"),
        ("A190000231", 4, "unavailable"),
    ];
    for profile in ["legacy", "strict"] {
        assert_eq!(company.shell(&format!("idcheck-client keygen --out {profile}"), "").0, 0);
        let registered = company.register_for(profile, profile, "sandbox").await;
        let text = |name: &str| registered["sandbox"][name].as_str().unwrap().to_owned();
        let (account, iss_key) = (text("account"), text("issKey"));
        let key = format!("{profile}/private-key.pem");
        let changes = [
            ("profile", profile),
            ("environment", "sandbox"),
            ("account", account.as_str()),
            ("iss_key", iss_key.as_str()),
            ("private_key_file", key.as_str()),
        ];
        company.settings("sandbox.toml", &changes);
        let (status, printed) = company.shell("idcheck-client explain --config sandbox.toml", "");
        assert_eq!(status, 0, "{printed}");
        for (number, expected, word) in cases {
            let person = json!({"personId": number, "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"});
            let (status, printed) = company.verify("sandbox.toml", &person);
            let told = printed.get("result").or(printed.get("error"));
            assert_eq!((status, told), (expected, Some(&json!(word))), "{profile} {number}: {printed}");
        }
        let other = if profile == "legacy" { "account-mismatch" } else { "question-malformed" };
        let person = json!({"personId": "A190000204", "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"});
        assert_eq!(company.verify("sandbox.toml", &person).1["error"], other);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_that_ended_is_explained() {
    let company = Company::admitted().await;
    assert_eq!(company.shell("idcheck-client keygen --out keys", "").0, 0);
    company.register("keys").await;
    company.settings("client.toml", &[]);
    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let filed = company.applicant.done("suspend", &json!({"reason": "系統停用", "consent": consent})).await;
    let id = filed["application"]["id"].as_str().unwrap();
    Officer::of(&company.demo, "reviewer2").await.approve(id).await;
    let (status, printed) =
        company.shell("idcheck-client explain --config client.toml --lang zh-Hant-TW", "");
    assert_eq!(status, 3, "{printed}");
    assert!(printed.contains("[不通過] 查驗權限：有效") && printed.contains("已停用或註銷"), "{printed}");
}
