//! The operations document: for the organisation that holds the session, without a secret; its programs work as they stand.

use std::{collections::BTreeMap, path::Path, process::Command};

use idcheck_tests::{Applicant, Caller, Demo, Signer, interpreter, is_here};
use serde_json::{Value, json};

/// Status, type and body.
async fn document(base_url: &str, token: &str, query: &str) -> (u16, String, Vec<u8>) {
    let url = format!("{base_url}/api/v1/organisations/me/operations-document{query}");
    let reply = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(reply.status() != 200 || reply.headers()["cache-control"] == "no-store");
    (reply.status().as_u16(), kind, reply.bytes().await.unwrap().to_vec())
}

async fn session(applicant: &Applicant) -> String {
    let progress = applicant.done("progress", &json!({})).await;
    progress["session"]["token"].as_str().unwrap().to_owned()
}

/// The programs of a page by language, as a reader would copy them.
fn programs(html: &str) -> BTreeMap<String, String> {
    let blocks = html.split("<code class=\"language-").skip(1);
    let block = |block: &str| {
        let (language, rest) = block.split_once("\">").unwrap();
        let text = rest.split_once("</code>").unwrap().0;
        let text =
            text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        (language.to_owned(), text)
    };
    let mut programs = BTreeMap::new();
    for (language, text) in blocks.map(block) {
        // The first of each: the guide's tables follow, with the reply as JSON.
        programs.entry(language).or_insert(text);
    }
    programs
}

/// What runs a program of each language here: file, command.
fn commands() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let mut commands = vec![
        ("sh", "verify.sh", words(&["sh", "verify.sh"])),
        ("python", "verify.py", vec![interpreter(), "verify.py".to_owned()]),
    ];
    for (language, file, command, probe) in [
        ("javascript", "verify.mjs", &["node", "verify.mjs"][..], "--version"),
        ("java", "Verify.java", &["java", "Verify.java"], "--version"),
        ("php", "verify.php", &["php", "verify.php"], "--version"),
        ("go", "verify.go", &["go", "run", "verify.go"], "version"),
    ] {
        if is_here(command[0], probe) {
            commands.push((language, file, words(command)));
        }
    }
    commands
}

fn output(folder: &Path, command: &[String], iss_key: &str) -> Value {
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).current_dir(folder).env("ISS_KEY", iss_key);
    let output = process.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(told.trim())
        .unwrap_or_else(|_| panic!("{command:?}: {told}{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_organisation_s_own_and_its_programs_work() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let token = session(&applicant).await;
    let (status, kind, page) = document(&demo.base_url, &token, "").await;
    assert_eq!((status, kind.as_str()), (200, "text/html; charset=utf-8"));
    let page = String::from_utf8(page).unwrap();
    for told in [&caller.ubn, &caller.account, "127.0.0.1", "主機一 (legacy)", &demo.base_url] {
        assert!(page.contains(told), "{told}");
    }
    assert!(!page.contains(&caller.iss_key), "the Iss Key is in it");
    let (status, kind, pdf) = document(&demo.base_url, &token, "?format=pdf").await;
    assert_eq!((status, kind.as_str(), &pdf[..5]), (200, "application/pdf", &b"%PDF-"[..]));
    let key = caller.iss_key.as_bytes();
    assert!(!pdf.windows(key.len()).any(|bytes| bytes == key), "the Iss Key is in it");

    // The number that the programs ask about is somebody's in the register.
    let register = demo.data_dir().join("one-person.csv");
    std::fs::write(
        &register,
        "personId,applyCode,applyYyymmdd,issueSiteId,status\nA190000017,1,1080617,63000,normal\n",
    )
    .unwrap();
    let (imported, printed) = demo.run(&["registry", "import", register.to_str().unwrap()]);
    assert!(imported, "{printed}");

    let (sandbox, sandbox_iss_key) = sandbox_key(&applicant).await;
    let programs = programs(&page);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private-key.pem");
    std::fs::write(&key, sandbox.private_pem()).unwrap();
    for (language, file, command) in commands() {
        std::fs::write(folder.path().join(file), &programs[language]).unwrap();
        let reply = output(folder.path(), &command, &sandbox_iss_key);
        assert_eq!(reply["responseData"]["checkIdCardApply"], "1", "{language}: {reply}");
    }
    assert_eq!(production_rows(&demo), (0, 0), "the programs as they are printed asked about a real person");

    std::fs::write(&key, caller.signer.private_pem()).unwrap();
    for (asked, (language, file, command)) in (1..).zip(commands()) {
        std::fs::write(folder.path().join(file), switched(&programs[language])).unwrap();
        let reply = output(folder.path(), &command, &caller.iss_key);
        assert_eq!(reply["responseData"]["checkIdCardApply"], "1", "{language}: {reply}");
        assert_eq!(production_rows(&demo), (asked, 0), "{language}");
    }
}

/// A key registered for the sandbox, and the sandbox's Iss Key.
async fn sandbox_key(applicant: &Applicant) -> (Signer, String) {
    let signer = Signer::new();
    let content = json!({"publicKeyPem": signer.public_pem, "profile": "legacy", "environment": "sandbox", "label": "試行"});
    let registered = applicant.done("registerKey", &content).await;
    (signer, registered["sandbox"]["issKey"].as_str().unwrap().to_owned())
}

/// A program with its two marked lines as production wants them: what stands behind the mark takes the value's place.
fn switched(program: &str) -> String {
    let mut marked = 0;
    let lines = program.lines().map(|line| {
        let Some((code, production)) = line.split_once("production: ") else { return line.to_owned() };
        marked += 1;
        let name = &code[..=code.find('=').unwrap()];
        let blank = if name.ends_with(" =") { " " } else { "" };
        let end = if code.contains(';') { ";" } else { "" };
        format!("{name}{blank}{production}{end}")
    });
    let switched: Vec<_> = lines.collect();
    assert_eq!(marked, 2, "{program}");
    switched.join("\n") + "\n"
}

/// Records and strikes of production in the demo's database.
fn production_rows(demo: &Demo) -> (u64, u64) {
    let script = "import json, sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                  print(json.dumps([db.execute(f\"SELECT count(*) FROM {t} WHERE environment = 'production'\").fetchone()[0] \
                  for t in ('verification_records', 'strikes')]))";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(demo.data_dir().join("idcheck.db"))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_it() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let new = session(&applicant).await;
    // Before the first case there is nothing to tell.
    assert_eq!(document(&demo.base_url, &new, "").await.0, 404);
    applicant.done("apply", &Applicant::application()).await;
    let token = session(&applicant).await;
    let (status, _, page) = document(&demo.base_url, &token, "?format=html").await;
    assert_eq!(status, 200);
    assert!(String::from_utf8(page).unwrap().contains("SBX00"), "the sandbox is open before the decision");
    let (status, _, told) = document(&demo.base_url, &token, "?format=doc").await;
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((status, &told["errors"][0]["pointer"]), (422, &json!("/format")));
    let other = Applicant::of(&demo, "company", "valid", 1);
    let forged = token.replacen(&applicant.ubn, &other.ubn, 1);
    assert_ne!(forged, token);
    for wrong in [forged.as_str(), "", "0", &token[..token.len() - 1]] {
        assert_eq!(document(&demo.base_url, wrong, "").await.0, 401, "{wrong}");
    }
}
