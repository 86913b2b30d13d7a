//! The company register over the GCIS open-data service (經濟部商工登記公示資料, 公司登記基本資料).
//!
//! One number a request. Only an empty body or an empty list says "not found"; whatever is not the expected JSON — the
//! service tells its errors as plain text with status 200 — is no answer.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use idcheck_domain::{company::CompanyRecord, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{CompanyRegister, RegisterError};
use reqwest::{StatusCode, redirect::Policy};
use serde::Deserialize;

/// Greatest length of one answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// The company register over HTTP.
pub struct Gcis {
    client: reqwest::Client,
    url: String,
}

/// The members of an answer that count; the service sends more.
#[derive(Deserialize)]
struct Company {
    #[serde(rename = "Business_Accounting_NO")]
    number: String,
    #[serde(rename = "Company_Name")]
    name: String,
    #[serde(rename = "Company_Status_Desc")]
    status: Option<String>,
}

impl Gcis {
    /// At an address; one request takes `timeout` at most.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(url: &str, timeout: Duration) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().timeout(timeout).redirect(Policy::none()).build()?;
        Ok(Self { client, url: url.to_owned() })
    }

    /// The body of an answer with status 200, and of no other: a redirect is no register.
    async fn asked(&self, ubn: UnifiedBusinessNumber) -> reqwest::Result<Result<Vec<u8>, StatusCode>> {
        let filter = format!("%24format=json&%24filter=Business_Accounting_NO%20eq%20{ubn}&%24top=1");
        let joint = if self.url.contains('?') { '&' } else { '?' };
        let request = self.client.get(format!("{}{joint}{filter}", self.url));
        let mut response = request.send().await?;
        if response.status() != StatusCode::OK {
            return Ok(Err(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                break;
            }
        }
        Ok(Ok(body))
    }
}

/// Why what came is no answer.
type NoAnswer = &'static str;

/// Reads an answer about a number.
fn read(body: &[u8], ubn: UnifiedBusinessNumber) -> Result<Option<CompanyRecord>, NoAnswer> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let companies: Vec<Company> =
        serde_json::from_slice(body).map_err(|_| "it is not the JSON of this service")?;
    let Some(company) = companies.into_iter().next() else { return Ok(None) };
    // An answer about another company is none about this one.
    if company.number != ubn.as_str() {
        return Err("it tells of another company");
    }
    if company.name.trim().is_empty() {
        return Err("the company has no name in it");
    }
    let status = company.status.filter(|status| !status.trim().is_empty());
    Ok(Some(CompanyRecord { ubn, name: company.name, status }))
}

#[async_trait]
impl CompanyRegister for Gcis {
    async fn company(&self, ubn: UnifiedBusinessNumber) -> Result<Option<CompanyRecord>, RegisterError> {
        let answered = match self.asked(ubn).await {
            Ok(Ok(body)) => read(&body, ubn),
            Ok(Err(status)) => {
                tracing::warn!(%status, %ubn, "the company register gave no answer");
                return Err(RegisterError::Unreadable);
            }
            Err(error) => {
                tracing::warn!(error = %error.without_url(), "the company register does not answer");
                return Err(RegisterError::Unreadable);
            }
        };
        answered.map_err(|why| {
            tracing::warn!(why, %ubn, "what the company register sent is no answer");
            RegisterError::Unreadable
        })
    }

    async fn state_of(&self) -> Result<Option<DateTime<Utc>>, RegisterError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn ubn() -> UnifiedBusinessNumber {
        UnifiedBusinessNumber::parse("04595257").unwrap()
    }

    #[test]
    fn only_an_empty_answer_says_not_found() {
        for empty in ["", " \r\n", "[]", " [ ] ", "\u{feff}[]"] {
            assert_eq!(read(empty.as_bytes(), ubn()), Ok(None), "{empty:?}");
        }
        for no_answer in [
            "很抱歉，您目前無法使用此服務",
            "<html>busy</html>",
            "{}",
            "null",
            "[{}]",
            r#"[{"Business_Accounting_NO":"20828393","Company_Name":"別家","Company_Status_Desc":"核准設立"}]"#,
            r#"[{"Business_Accounting_NO":"04595257","Company_Name":" ","Company_Status_Desc":"核准設立"}]"#,
            r#"[{"Business_Accounting_NO":"04595257","Company_Name":"甲","Company_Status_Desc":"#,
        ] {
            assert!(read(no_answer.as_bytes(), ubn()).is_err(), "{no_answer}");
        }
    }

    /// A redirect, followed, would end at a page that is not the register's: an empty one would end a company's access.
    #[tokio::test]
    async fn a_redirect_is_no_answer() {
        use tokio::{
            io::{AsyncReadExt, AsyncWriteExt},
            net::TcpListener,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut asked = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                asked += 1;
                let answer = if asked == 1 {
                    format!("HTTP/1.1 302 Found\r\nlocation: http://{address}/empty\r\ncontent-length: 0\r\n")
                } else {
                    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n".to_owned()
                };
                let body = if asked == 1 { "" } else { "[]" };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(format!("{answer}connection: close\r\n\r\n{body}").as_bytes()).await;
            }
        });
        let gcis = Gcis::new(&format!("http://{address}/api"), Duration::from_secs(5)).unwrap();
        assert_eq!(gcis.company(ubn()).await, Err(RegisterError::Unreadable));
        assert_eq!(gcis.company(ubn()).await, Ok(None), "an empty list is an answer");
        server.abort();
    }

    #[test]
    fn a_company_without_a_word_on_its_state_stands() {
        for status in ["null", "\" \""] {
            let body = format!(
                "\u{feff}[{{\"Business_Accounting_NO\":\"04595257\",\"Company_Name\":\"甲\",\"Company_Status_Desc\":{status}}}]"
            );
            let read = read(body.as_bytes(), ubn()).unwrap().unwrap();
            assert_eq!((read.name.as_str(), read.ended()), ("甲", None));
        }
    }

    #[test]
    fn more_members_do_not_matter() {
        let body = r#"[{"Business_Accounting_NO":"04595257","Company_Name":"甲","Company_Status_Desc":"解散","Capital_Stock_Amount":1}]"#;
        let read = read(body.as_bytes(), ubn()).unwrap().unwrap();
        assert_eq!((read.name.as_str(), read.ended()), ("甲", Some("解散")));
    }
}
