//! A deadline before its year is imported, after it, and after a day was declared off: in the API and on the page.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use idcheck_tests::{Applicant, Console, Nodes};
use serde_json::{Value, json};

/// A year in which only weekends are off, as the government publishes it.
fn year(year: i32) -> String {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let days = first.iter_days().take_while(|day| day.year() == year);
    let off = |day: NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let week = |day: NaiveDate| {
        ["一", "二", "三", "四", "五", "六", "日"][day.weekday().num_days_from_monday() as usize]
    };
    let day = |day: NaiveDate| json!({"date": day.format("%Y%m%d").to_string(), "week": week(day), "isHoliday": off(day), "description": ""});
    days.map(day).collect::<Value>().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_is_provisional_until_its_year_is_known() {
    let nodes = Nodes::start(1).await;
    let applicant = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[0]);
    let (name, password, secret) = nodes.officers[0].clone();
    let officer = idcheck_tests::Officer::sign_in(&nodes.urls[0], &name, &password, &secret).await;
    let (name, password, secret) = nodes.officers[1].clone();
    let console = Console::sign_in(&nodes.urls[0], &name, &password, &secret).await;
    let filed = applicant.done("apply", &Applicant::application()).await;
    let path = format!("/applications/{}", filed["application"]["id"].as_str().unwrap());
    let warned = async || console.get("/officer").await.text.contains("暫定");
    let due = async || {
        let (status, case) = officer.get(&path).await;
        assert_eq!(status, 200, "{case}");
        let queue = officer.get("/applications").await.1;
        let item = &queue["applications"][0];
        assert_eq!(
            (&item["dueAt"], &item["dueProvisional"]),
            (&case["application"]["dueAt"], &case["application"]["dueProvisional"])
        );
        (item["dueAt"].clone(), item["dueProvisional"].clone())
    };
    assert_eq!(due().await.1, json!(true));
    assert!(warned().await, "the queue says that the date is provisional");
    assert_eq!(filed["application"]["dueProvisional"], json!(true), "the applicant is told too: {filed}");

    #[expect(clippy::disallowed_methods, reason = "a suite of real processes runs at the real time")]
    let now = chrono::Utc::now() + chrono::TimeDelta::hours(8);
    let folder = tempfile::tempdir().unwrap();
    for number in [now.year(), now.year() + 1] {
        let file = folder.path().join(format!("{number}.json"));
        std::fs::write(&file, year(number)).unwrap();
        nodes.succeed(&["calendar", "import", &file.display().to_string()], "");
    }
    let (known, provisional) = due().await;
    assert_eq!(provisional, json!(false));
    assert!(!warned().await);

    // The last day itself is declared off: the deadline moves.
    let end = chrono::DateTime::parse_from_rfc3339(known.as_str().unwrap()).unwrap();
    let last = (end.to_utc() + chrono::TimeDelta::hours(8)).date_naive() - Days::new(1);
    nodes.succeed(&["calendar", "day", &last.to_string(), "off"], "");
    let (moved, provisional) = due().await;
    assert!(moved.as_str() > known.as_str(), "{known} became {moved}");
    assert_eq!(provisional, json!(false));
    nodes.close();
}
