//! The yearly sweep, end to end: the register imported or asked over HTTP, the worklist, two persons.

use std::{fs, path::Path, time::Duration};

use idcheck_tests::{Applicant, Caller, Console, Demo, FileServer, Nodes, Officer, idcheck};
use serde_json::{Value, json};

const HEADER: &str = "營業地址,統一編號,總機構統一編號,營業人名稱,資本額,設立日期,組織別名稱,使用統一發票";

fn environment(demo: &Demo) -> Vec<(&'static str, String)> {
    let data = demo.data_dir();
    vec![
        ("IDCHECK_DATABASE_URL", format!("sqlite://{}", data.join("idcheck.db").display())),
        ("IDCHECK_KEY_FILE", data.join("key").display().to_string()),
    ]
}

/// Runs a command on the demo's data; exit status and all that it printed.
fn run(environment: &[(&str, String)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = idcheck(arguments, environment, "");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

fn import(environment: &[(&str, String)], file: &Path, content: impl AsRef<[u8]>) -> (Option<i32>, String) {
    fs::write(file, content).unwrap();
    run(environment, &["company", "import", file.to_str().unwrap()])
}

/// The file of the open data with these companies, below the line that tells its date.
fn register(companies: &[(&str, &str)]) -> String {
    let rows =
        companies.iter().map(|(ubn, name)| format!("臺北市,{ubn},,{name},1000000,0990101,股份有限公司,Y"));
    [HEADER.to_owned(), "23-NOV-26,,,,,,,".to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

fn person(demo: &Demo) -> Value {
    demo.file["persons"].as_array().unwrap().iter().find(|p| p["status"] == "normal").unwrap().clone()
}

/// A company with access, and its program.
async fn admitted(demo: &Demo, number: usize, reviewer: &Officer) -> (Applicant, Caller) {
    let applicant = Applicant::of(demo, "company", "valid", number);
    let filed = applicant.done("apply", &Applicant::application()).await;
    reviewer.approve(filed["application"]["id"].as_str().unwrap()).await;
    let caller = Caller::equipped(&applicant).await;
    (applicant, caller)
}

/// The worklist once the register has been asked about everybody.
async fn settled(officer: &Officer, id: &str) -> Value {
    for _ in 0..100 {
        let (status, worklist) = officer.get(&format!("/sweeps/{id}")).await;
        assert_eq!(status, 200, "{worklist}");
        if worklist["counts"]["unread"] == 0 {
            return worklist;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    unreachable!("the register was not asked about all")
}

fn finding<'w>(worklist: &'w Value, ubn: &str) -> &'w Value {
    let items = worklist["items"].as_array().unwrap();
    &items.iter().find(|item| item["unifiedBusinessNumber"] == ubn).unwrap()["finding"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_revokes_who_is_not_registered_by_two_persons() {
    let demo = Demo::start().await;
    let reviewer = Officer::of(&demo, "reviewer1").await;
    let (stays, staying) = admitted(&demo, 0, &reviewer).await;
    let (goes, going) = admitted(&demo, 1, &reviewer).await;
    let (renamed, renaming) = admitted(&demo, 2, &reviewer).await;
    let (url, known, environment) = (&demo.base_url, person(&demo), environment(&demo));
    let supervisor = Officer::of(&demo, "supervisor1").await;
    let (status, refusal) = supervisor.post("/sweeps", None).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/no-register")), "{refusal}");
    let (status, printed) = run(&environment, &["sweep"]);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("idcheck company import"), "{printed}");

    let name = Applicant::application()["companyName"].as_str().unwrap().to_owned();
    let spelled = format!(" {name}　");
    let file = demo.data_dir().join("register.csv");
    let content = register(&[(&stays.ubn, &spelled), (&renamed.ubn, "改名後股份有限公司")]);
    let (status, printed) = import(&environment, &file, &content);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("2 companies in force, 0 rows refused"), "{printed}");
    let (_, printed) = run(&environment, &["sweep"]);
    assert!(printed.contains(&format!("{}  notFound", goes.ubn)), "{printed}");
    assert_eq!(supervisor.get("/sweeps").await.1["sweeps"], json!([]), "a dry run leaves nothing");

    let (status, sweep) = supervisor.post("/sweeps", None).await;
    assert_eq!((status, &sweep["begunBy"]), (201, &json!("supervisor1")), "{sweep}");
    let id = sweep["id"].as_str().unwrap();
    assert_eq!(supervisor.post("/sweeps", None).await.1["id"], sweep["id"], "one sweep a day");
    let worklist = settled(&supervisor, id).await;
    assert_eq!(finding(&worklist, &stays.ubn), "matches");
    assert_eq!(finding(&worklist, &goes.ubn), "notFound");
    assert_eq!(finding(&worklist, &renamed.ubn), "nameDiffers");
    assert_eq!(going.ask(url, &known).await, "1", "a sweep alone takes nothing away");

    let own = supervisor.post(&format!("/sweeps/{id}/confirm"), None).await;
    assert_eq!((own.0, &own.1["type"]), (409, &json!("/problems/same-person")));
    let second = Officer::of(&demo, "supervisor2").await;
    let path = format!("/sweeps/{id}/items/{}/confirm", renamed.ubn);
    let differs = second.post(&path, None).await;
    assert_eq!((differs.0, &differs.1["type"]), (409, &json!("/problems/no-ground")));
    let (status, worklist) = second.post(&format!("/sweeps/{id}/confirm"), None).await;
    assert_eq!(status, 200, "{worklist}");
    assert_eq!(going.send(url, &going.token(&known)).await.status, 401, "the keys went with the access");
    assert_eq!((staying.ask(url, &known).await, renaming.ask(url, &known).await), ("1".into(), "1".into()));
    let progress = goes.done("progress", &json!({})).await;
    assert_eq!(progress["organisation"]["revocationGround"], "notRegistered");

    // What is left is settled on the page.
    let console = Console::of(&demo, "reviewer2").await;
    let page = format!("/officer/sweeps/{id}");
    let empty = console.submit(&page, &format!("{page}/keep"), &[("ubn", &renamed.ubn), ("text", " ")]).await;
    assert_eq!(empty.status, 422, "{}", empty.text);
    let typed = [("ubn", renamed.ubn.as_str()), ("text", "已函請辦理變更")];
    assert_eq!(console.submit(&page, &format!("{page}/keep"), &typed).await.status, 303);
    let (_, worklist) = second.get(&format!("/sweeps/{id}")).await;
    assert_eq!(worklist["counts"]["waiting"], 0, "{worklist}");
    let (intact, printed) = demo.run(&["audit", "verify"]);
    assert!(intact, "{printed}");
}

/// Two nodes on PostgreSQL: begun on one, confirmed by another person on the other, in force on the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_over_two_nodes_on_postgres() {
    let mut nodes = Nodes::start(2).await;
    let supervisors = ["supervisor1", "supervisor2"].map(|name| nodes.add_officer(name, "supervisor"));
    let signed_in = async |officer: usize, node: usize| {
        let (name, password, secret) = &nodes.officers[officer];
        Officer::sign_in(&nodes.urls[node], name, password, secret).await
    };
    let reviewer = signed_in(0, 0).await;
    let mut companies = Vec::new();
    for number in 0..2 {
        let applicant = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[number]);
        let filed = applicant.done("apply", &Applicant::application()).await;
        reviewer.approve(filed["application"]["id"].as_str().unwrap()).await;
        let caller = Caller::equipped(&applicant).await;
        companies.push((applicant, caller));
    }
    let [(stays, staying), (goes, going)] = companies.try_into().ok().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("register.csv");
    let name = Applicant::application()["companyName"].as_str().unwrap().to_owned();
    fs::write(&file, register(&[(&stays.ubn, &name)])).unwrap();
    nodes.succeed(&["company", "import", file.to_str().unwrap()], "");

    let first = signed_in(supervisors[0], 0).await;
    let (status, sweep) = first.post("/sweeps", None).await;
    assert_eq!(status, 201, "{sweep}");
    let id = sweep["id"].as_str().unwrap();
    let second = signed_in(supervisors[1], 1).await;
    // Both nodes ask the register; each organisation is found once.
    let worklist = settled(&second, id).await;
    assert_eq!(worklist["items"].as_array().unwrap().len(), 2, "{worklist}");
    assert_eq!(finding(&worklist, &stays.ubn), "matches");
    assert_eq!(finding(&worklist, &goes.ubn), "notFound");
    let own = first.post(&format!("/sweeps/{id}/confirm"), None).await;
    assert_eq!((own.0, &own.1["type"]), (409, &json!("/problems/same-person")));
    let (status, worklist) = second.post(&format!("/sweeps/{id}/confirm"), None).await;
    assert_eq!((status, &worklist["counts"]["waiting"]), (200, &json!(0)), "{worklist}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let known = nodes.persons.iter().find(|person| person["status"] == "normal").unwrap().clone();
    assert_eq!(going.send(&nodes.urls[0], &going.token(&known)).await.status, 401);
    assert_eq!(staying.ask(&nodes.urls[0], &known).await, "1");
    let (intact, printed) = nodes.run(&["audit", "verify"]);
    assert!(intact, "{printed}");
    nodes.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_file_that_is_wrong_leaves_the_one_before_in_force() {
    let demo = Demo::start().await;
    let (environment, file) = (environment(&demo), demo.data_dir().join("register.csv"));
    let made = file.to_str().unwrap();
    assert_eq!(run(&[], &["company", "generate", "--count", "12000", made]).0, Some(0));
    let good = fs::read_to_string(&file).unwrap();
    let (status, printed) = run(&environment, &["company", "import", made]);
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("12000 companies in force"), "{printed}");
    assert!(run(&environment, &["company", "import", made]).1.contains("nothing to do"));

    // 營業地址,統一編號 in Big5.
    let big5 = b"\xc0\xe7\xb7~\xa6a\xa7},\xb2\xce\xa4@\xbds\xb8\xb9\n";
    let (status, printed) = import(&environment, &file, big5);
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("iconv -f BIG5"), "{printed}");
    let (status, printed) = import(&environment, &file, "營業地址,統一編號,資本額\n");
    assert_eq!(status, Some(2), "{printed}");
    assert!(printed.contains("lacks 營業人名稱"), "{printed}");
    let lines: Vec<&str> = good.lines().collect();
    let twice =
        [&lines[..50], &[lines[7], "臺北市,12345678,,甲,1,0990101,獨資,Y"], &lines[50..]].concat().join("\n");
    let (status, printed) = import(&environment, &file, &twice);
    assert_eq!(status, Some(1), "{printed}");
    for told in ["line 51: 統一編號: stands in a line before", "line 52: 統一編號", "1 of 12002 rows refused"]
    {
        assert!(printed.contains(told), "{told}: {printed}");
    }
    let (status, printed) = import(&environment, &file, lines[..6001].join("\n"));
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.contains("6000 rows, where the snapshot in force has 12000"), "{printed}");
    let (status, printed) = run(&environment, &["company", "import", made, "--allow-refused"]);
    assert_eq!(status, Some(1), "one switch is not the other: {printed}");
    let (status, printed) = import(&environment, &file, HEADER);
    assert_eq!(status, Some(1), "an empty register is none: {printed}");
    fs::write(&file, &good).unwrap();
    assert!(
        run(&environment, &["company", "import", made]).1.contains("nothing to do"),
        "it stayed in force"
    );
    // The official data holds numbers with a wrong check digit: they are counted, and no doubt.
    let odd = [&lines[..50], &["臺北市,12345678,,甲,1,0990101,獨資,Y"], &lines[50..]].concat().join("\n");
    let (status, printed) = import(&environment, &file, &odd);
    assert_eq!(status, Some(0), "{printed}");
    assert!(
        printed.contains("12000 companies in force, 1 rows refused, 1 of them for their check digit"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_over_http_that_does_not_answer_is_not_an_empty_one() {
    let demo = Demo::start().await;
    let (one, _) = Caller::admitted(&demo, 0, "reviewer1").await;
    let server = FileServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut environment = environment(&demo);
    environment.push(("IDCHECK_COMPANY_REGISTER__GCIS", format!("{}/companies", server.url)));
    let answer = |ubn: &str, body: &str| {
        let query = format!("%24format=json&%24filter=Business_Accounting_NO%20eq%20{ubn}&%24top=1");
        fs::write(folder.path().join(format!("companies?{query}")), body).unwrap();
    };
    let swept = || run(&environment, &["sweep"]);
    let (status, printed) = swept();
    assert_eq!(status, Some(1), "{printed}");
    assert!(printed.contains(&format!("{}  no answer", one.ubn)), "it is switched off: {printed}");
    server.serve(folder.path().to_path_buf());
    let name = Applicant::application()["companyName"].clone();
    let company = |status: &str| {
        let company =
            json!([{"Business_Accounting_NO": one.ubn, "Company_Name": name, "Company_Status_Desc": status}]);
        company.to_string()
    };
    for (body, told) in [
        ("很抱歉，系統忙碌中".to_owned(), "no answer"),
        (String::new(), "notFound"),
        ("[]".to_owned(), "notFound"),
        (company("解散"), "dissolved"),
    ] {
        answer(&one.ubn, &body);
        let (_, printed) = swept();
        assert!(printed.contains(&format!("{}  {told}", one.ubn)), "{body}: {printed}");
    }
    answer(&one.ubn, &company("核准設立"));
    let (_, printed) = swept();
    assert!(!printed.contains(&format!("{}  ", one.ubn)), "a match is not listed: {printed}");
}
