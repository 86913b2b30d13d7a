//! What an operator meets: imports with bad rows, a database that goes away, an address that is taken.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use idcheck_tests::{Applicant, Caller, Nodes, Officer, Site, idcheck};
use tempfile::TempDir;

/// Runs a command on this environment; exit status and all that it printed.
fn run(environment: &[(&str, String)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = idcheck(arguments, environment, "");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

/// A database in a file, with a key.
fn sqlite(dir: &Path) -> Vec<(&'static str, String)> {
    let key = dir.join("key");
    fs::write(&key, "07".repeat(32)).unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    vec![
        ("IDCHECK_DATABASE_URL", format!("sqlite://{}", dir.join("idcheck.db").display())),
        ("IDCHECK_KEY_FILE", key.display().to_string()),
        ("IDCHECK_TRUST_DIR", dir.display().to_string()),
    ]
}

/// 100,000 rows and, at known lines, three that break a rule.
fn register(dir: &Path) -> String {
    let file = dir.join("register.csv").display().to_string();
    let (status, printed) = run(&[], &["registry", "generate", "--count", "100000", &file]);
    assert_eq!(status, Some(0), "{printed}");
    let mut lines: Vec<String> = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 100_001);
    lines.insert(10, "A123456780,1,0950102,63000,normal".to_owned());
    lines.insert(50_000, "A123456789,1,0950230,63000,normal".to_owned());
    lines.insert(99_000, "A123456789,1,0950102".to_owned());
    fs::write(&file, lines.join("\n")).unwrap();
    file
}

fn import_on(environment: &[(&str, String)], dir: &TempDir) {
    let file = register(dir.path());
    let (status, printed) = run(environment, &["registry", "import", &file, "--stop-on-error"]);
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.contains("0 rows imported before the batch of line 11"), "{printed}");
    let begun = Instant::now();
    let (status, printed) = run(environment, &["registry", "import", &file]);
    println!("100,000 persons in {:?}", begun.elapsed());
    assert_eq!(status, Some(1), "refused rows are told by the exit status too: {printed}");
    assert!(printed.contains("100000 rows imported, 3 refused"), "{printed}");
    for told in ["line 11: personId:", "line 50001: applyYyymmdd:", "line 99001: status:"] {
        assert!(printed.contains(told), "{told} in {printed}");
    }
    assert!(!printed.contains("A123456780"), "a refused row's values are personal data");
    let (status, printed) = run(environment, &["registry", "import", &file]);
    assert!(status == Some(1) && printed.contains("the register holds 100000 persons"), "{printed}");
    replaced_on(environment, &file, dir.path());
}

/// A file as the whole register: what is doubtful leaves the old one in force.
fn replaced_on(environment: &[(&str, String)], with_bad_rows: &str, dir: &Path) {
    let replace = |file: &str, more: &[&str]| {
        run(environment, &[&["registry", "import", "--replace", file], more].concat())
    };
    let (status, printed) = replace(with_bad_rows, &[]);
    assert!(status == Some(1) && printed.contains("3 rows refused: the register stays"), "{printed}");
    let (status, printed) = replace(with_bad_rows, &["--stop-on-error"]);
    assert!(status == Some(1) && printed.contains("stopped at line 11: the register stays"), "{printed}");
    let small = dir.join("small.csv").display().to_string();
    assert_eq!(run(&[], &["registry", "generate", "--count", "89000", &small]).0, Some(0));
    let (status, printed) = replace(&small, &[]);
    assert!(status == Some(1) && printed.contains("89000 persons, the register 100000"), "{printed}");
    let (status, printed) = replace(&small, &["--force"]);
    assert!(status == Some(0) && printed.contains("the register holds 89000 persons"), "{printed}");
}

#[test]
fn an_import_tells_bad_rows_by_line_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let environment = sqlite(dir.path());
    assert_eq!(run(&environment, &["migrate", "up"]).0, Some(0));
    import_on(&environment, &dir);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_tells_bad_rows_by_line_on_postgres() {
    let nodes = Nodes::start(0).await;
    nodes.query("WITH gone AS (DELETE FROM household_register RETURNING 1) SELECT count(*) FROM gone");
    import_on(nodes.environment(), &tempfile::tempdir().unwrap());
    nodes.close();
}

/// No answer without its record: with the database away a query gets RS7007, and as soon as it is back an answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_and_comes_back() {
    let site = Site::postgres(1).await;
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    let Site::Postgres(nodes) = &site else { return };
    let (url, person) = (site.url(), site.person(0));
    nodes.shut_database();
    for _ in 0..3 {
        let begun = Instant::now();
        let reply = caller.send(&url, &caller.token(&person)).await;
        assert_eq!((reply.status, reply.rd_code.as_str()), (503, "RS7007"), "{reply:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
    let client = reqwest::Client::new();
    let get = |path: &str| client.get(format!("{url}{path}")).send();
    assert_eq!(get("/readyz").await.unwrap().status(), 503);
    assert_eq!(get("/livez").await.unwrap().status(), 200, "restarting the process would not help");
    let (status, problem) = officer.get("/applications").await;
    assert_eq!(status, 503, "{problem}");

    nodes.open_database();
    let begun = Instant::now();
    loop {
        let reply = caller.send(&url, &caller.token(&person)).await;
        if reply.status == 200 {
            assert_eq!(reply.result, "1");
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(get("/readyz").await.unwrap().status(), 200);
    assert!(site.audit().0);
    site.close();
}

#[test]
fn what_keeps_it_from_starting_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = dir.path().join("demo").display().to_string();
    let (status, printed) = run(&[], &["demo", "--data-dir", &data, "--listen", &address]);
    assert!(status == Some(2) && printed.contains(&address) && printed.contains("--listen"), "{printed}");

    let mut environment = sqlite(dir.path());
    environment[0].1 = "postgres://nobody@127.0.0.1:1/nothing".to_owned();
    let (status, printed) = run(&environment, &["serve"]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.lines().count() <= 3, "{printed}");

    environment[0].1 = format!("sqlite://{}", dir.path().join("new.db").display());
    let (status, printed) = run(&environment, &["serve"]);
    assert!(status == Some(2) && printed.contains("idcheck migrate up"), "{printed}");

    environment.push(("IDCHECK_LIMITS__QUOTAS", "7".to_owned()));
    let (status, printed) = run(&environment, &["serve"]);
    assert!(status == Some(2) && printed.contains("quotas"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_in_a_process_of_its_own() {
    let mut nodes = Nodes::start(0).await;
    let portal = nodes.add("portal").await;
    let console = nodes.add("officer").await;
    let verify = nodes.add("verify").await;
    let applicant = Applicant::with(&portal, &nodes.card_url, &nodes.cards[0]);
    let filed = applicant.done("apply", &Applicant::application()).await;
    let (name, password, secret) = nodes.officers[0].clone();
    let officer = Officer::sign_in(&console, &name, &password, &secret).await;
    officer.approve(filed["application"]["id"].as_str().unwrap()).await;
    let caller = Caller::equipped(&applicant).await;
    // In force here within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(caller.ask(&verify, &nodes.persons[0]).await, "1");

    let status = async |url: String| reqwest::get(url).await.unwrap().status().as_u16();
    for (node, path, expected) in [
        (&portal, "/", 200),
        (&portal, "/officer/sign-in", 404),
        (&portal, "/integration/rwv2c2", 404),
        (&console, "/officer/sign-in", 200),
        (&console, "/progress", 404),
        (&verify, "/", 404),
        (&verify, "/api/v1/openapi.json", 404),
        (&verify, "/metrics", 200),
    ] {
        assert_eq!(status(format!("{node}{path}")).await, expected, "{node}{path}");
    }
    let scraped = reqwest::get(format!("{verify}/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        "idcheck_http_request_seconds_count{surface=\"verify\",status=\"2xx\"} ",
        "idcheck_ledger_batch_queries_bucket{le=\"1\"} ",
        "idcheck_ledger_transaction_seconds_bucket{le=\"3\"} ",
    ] {
        assert!(scraped.contains(line), "{line} in {scraped}");
    }

    assert_eq!(nodes.query("SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL"), "0", "no worker yet");
    nodes.add("worker").await;
    for _ in 0..100 {
        if nodes.query("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == "0" {
            nodes.close();
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the worker sent no mail within 10 s");
}

/// Names of metrics in a text: as the code spells them in quotation marks, as the list does in backquotes.
fn metric_names(text: &str, mark: char) -> std::collections::BTreeSet<String> {
    let names = text.split(mark).filter(|part| part.starts_with("idcheck_"));
    let whole = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    names.filter(whole).map(str::to_owned).collect()
}

#[test]
fn the_list_of_metrics_is_the_codes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut folders, mut code) = (vec![root.join("crates")], String::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(path).unwrap();
                // Only the names that a macro of `metrics` records under.
                code += &text
                    .split("metrics::")
                    .skip(1)
                    .map(|rest| rest.lines().next().unwrap())
                    .collect::<String>();
            }
        }
    }
    let listed = metric_names(&fs::read_to_string(root.join("docs/metrics.md")).unwrap(), '`');
    assert_eq!(metric_names(&code, '"'), listed);
    assert!(listed.len() >= 6, "{listed:?}");
}
