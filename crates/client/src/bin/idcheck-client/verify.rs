//! `verify`: one question, one line of JSON.

use std::path::Path;

use anyhow::{anyhow, bail};
use clap::Args;
use idcheck_client::{Answer, Answered, Error, Question, QuestionError, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    ConnectionArguments, read_input,
    settings::{Connection, HELP},
    words::Lang,
};

const STATUSES: &str = "\
Prints one JSON object: result, code, attemptsLeft, jti and requestId of an answer; or error, mayAskAgain and \
retryAfterSeconds.

Exit status:
  0  the data match
  1  they do not, or the number is locked, out of use, reported lost, or the user is suspended
  2  the command line, a setting or a value can't be used; nothing was sent
  3  refused before comparing; nothing was counted
  4  unavailable, or too many questions; ask again later
  5  the question was sent and its answer is lost; asked anew, it may count twice

Without a reply the same token is sent once more, which never counts twice.";

/// What to ask.
#[derive(Args)]
#[command(after_help = STATUSES, after_long_help = format!("{STATUSES}\n\n{HELP}"))]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    question: QuestionArguments,
    /// Who asks, instead of the setting `user`.
    #[arg(long)]
    user: Option<String>,
}

/// The question, all four or none.
#[derive(Args)]
struct QuestionArguments {
    /// The national ID number. Other users of this computer can see a command line: without these four the question
    /// is read from standard input, a JSON object with personId, applyCode, applyDate (or applyYyymmdd), issueSiteId.
    #[arg(long, requires_all = ["apply_code", "apply_date", "issue_site"])]
    person_id: Option<String>,
    /// Why the card was issued: 0, 1, 2 or 3.
    #[arg(long, requires = "person_id")]
    apply_code: Option<String>,
    /// When: 1080617 (ROC calendar) or 2019-06-17.
    #[arg(long, requires = "person_id")]
    apply_date: Option<String>,
    /// Where: five digits.
    #[arg(long, requires = "person_id")]
    issue_site: Option<String>,
}

/// The question as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    person_id: String,
    apply_code: String,
    #[serde(alias = "applyYyymmdd")]
    apply_date: String,
    issue_site_id: String,
}

fn question(arguments: &QuestionArguments) -> anyhow::Result<Question> {
    let QuestionArguments { person_id, apply_code, apply_date, issue_site } = arguments;
    let asked = if let (Some(person_id), Some(apply_code), Some(apply_date), Some(issue_site)) =
        (person_id, apply_code, apply_date, issue_site)
    {
        Question::parse(person_id, apply_code, apply_date, issue_site)
    } else {
        let text = read_input(Path::new("-"))?;
        // The message of the parser may hold a value.
        let asked: Asked = serde_json::from_str(&text).map_err(|error| {
            anyhow!("question: not as it must be at line {}, column {}", error.line(), error.column())
        })?;
        Question::parse(&asked.person_id, &asked.apply_code, &asked.apply_date, &asked.issue_site_id)
    };
    asked.map_err(told)
}

fn told(error: QuestionError) -> anyhow::Error {
    anyhow!("question: {error}")
}

/// Asks, and prints the outcome.
pub(crate) async fn run(arguments: VerifyArguments) -> anyhow::Result<u8> {
    let connection = Connection::read(arguments.connection)?;
    let client = connection.client()?;
    let mut question = question(&arguments.question)?;
    if let Some(user) = arguments.user {
        question = question.asked_by(UserId::parse(&user).map_err(told)?);
    }
    let outcome = match client.verify(&question).await {
        Err(Error::OutcomeUnknown { unanswered, .. }) => client.send_again(&unanswered).await,
        outcome => outcome,
    };
    match outcome {
        Ok(answered) => Ok(print_answer(&answered)),
        Err(Error::Question(error)) => Err(told(error)),
        Err(Error::Signing) => bail!("the key did not sign"),
        Err(error) => Ok(print_error(&error, connection.lang)),
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print_answer(answered: &Answered) -> u8 {
    let mut printed = json!({
        "result": answered.answer.code(), "code": answered.answer.digit().to_string(), "jti": answered.jti,
    });
    if let Answer::Mismatch { attempts_left } = answered.answer {
        printed["attemptsLeft"] = json!(attempts_left);
    }
    if let Some(request_id) = &answered.request_id {
        printed["requestId"] = json!(request_id);
    }
    println!("{printed}");
    u8::from(answered.answer != Answer::Match)
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
fn print_error(error: &Error, lang: Lang) -> u8 {
    let retry_after = error.retry_after().map_or(Value::Null, |wait| json!(wait.as_secs()));
    let printed = json!({"error": error.code(), "mayAskAgain": error.may_ask_again(), "retryAfterSeconds": retry_after});
    println!("{printed}");
    eprintln!("{}", lang.reason(error.code()));
    match error {
        Error::Refused(_) => 3,
        Error::OutcomeUnknown { .. } | Error::AlreadyRecorded => 5,
        _ => 4,
    }
}
