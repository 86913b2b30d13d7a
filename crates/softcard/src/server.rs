//! The component's HTTP server: a popup for pages, a form for programs. It sends no CORS headers, as the real one.

#![allow(clippy::needless_pass_by_value)] // Extractors come by value.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use poem::listener::TcpAcceptor;
use poem::web::{Data, Form, Html, Query};
use poem::{EndpointExt as _, IntoResponse, Response, Route, Server, get, handler, post};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::component::Component;
use crate::fault::Fault;

const POPUP: &str = include_str!("popup.html");
const SELF_TEST: &str = include_str!("self_test.html");
/// Longer than the 3.5 s that a page waits for the popup (card.md).
const SLOW: Duration = Duration::from_secs(13);
/// One line of pixels, three characters each.
const IMAGE_WIDTH: u32 = 2000;

/// Answers on `listener` until `shutdown` resolves.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    component: Arc<Component>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    if component.has(Fault::Absent) {
        drop(listener);
        shutdown.await;
        return Ok(());
    }
    let app = Route::new()
        .at("/popupForm", get(popup))
        .at("/sign", post(sign))
        .at("/pkcs11info", get(info).post(info))
        .at("/p11Image.bmp", get(probe_image))
        .at("/selfTest.htm", get(self_test))
        .at("/addDomain", get(add_domain))
        .data(component);
    let acceptor = TcpAcceptor::from_tokio(listener)?;
    Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(app, shutdown, Some(Duration::from_secs(1)))
        .await
}

async fn delay(component: &Component) {
    if component.has(Fault::Slow) {
        tokio::time::sleep(SLOW).await;
    }
}

#[handler]
async fn popup(component: Data<&Arc<Component>>) -> Html<&'static str> {
    delay(&component).await;
    Html(POPUP)
}

#[handler]
fn self_test() -> Html<&'static str> {
    Html(SELF_TEST)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignForm {
    tbs_package: String,
    origin: Option<String>,
}

#[handler]
async fn sign(component: Data<&Arc<Component>>, Form(form): Form<SignForm>) -> Response {
    delay(&component).await;
    let component = Arc::clone(&component);
    // An RSA signature takes a millisecond: off the threads that serve.
    let answer = tokio::task::spawn_blocking(move || {
        component.make_signature(&form.tbs_package, form.origin.as_deref())
    })
    .await;
    match answer {
        Ok(answer) => poem::web::Json(answer).into_response(),
        Err(_) => poem::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[handler]
async fn info(component: Data<&Arc<Component>>) -> Response {
    delay(&component).await;
    poem::web::Json(component.info(true)).into_response()
}

#[derive(Deserialize)]
struct Domain {
    domain: String,
}

#[handler]
fn add_domain(component: Data<&Arc<Component>>, Query(query): Query<Domain>) -> Html<&'static str> {
    component.trust_site(&query.domain);
    Html(
        "<!doctype html><html lang=\"zh-Hant\"><meta charset=\"utf-8\"><title>信任網站</title><p>已加入信任網站。",
    )
}

/// The probe without a popup: the readers as JSON in the pixels of an image.
#[handler]
fn probe_image(component: Data<&Arc<Component>>) -> Response {
    let json = serde_json::to_string(&component.info(false)).unwrap_or_default();
    Response::builder()
        .content_type("image/bmp")
        .header("cache-control", "no-store")
        .body(bitmap(&ascii(&json)))
}

/// JSON with everything beyond ASCII as `\uXXXX`: a pixel holds octets.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// A 24-bit bitmap of one line. Characters stand in each pixel's third, second, first octet; zeros end the text.
fn bitmap(text: &str) -> Vec<u8> {
    const HEADER: u32 = 54;
    const DATA: u32 = IMAGE_WIDTH * 3;
    let mut image = Vec::with_capacity((HEADER + DATA) as usize);
    image.extend(b"BM");
    for field in [HEADER + DATA, 0, HEADER, 40, IMAGE_WIDTH, 1, 1 | 24 << 16, 0, DATA, 0, 0, 0, 0] {
        image.extend(field.to_le_bytes());
    }
    let mut octets = text.bytes();
    for _ in 0..IMAGE_WIDTH {
        let mut next = || octets.next().unwrap_or(0);
        let (third, second, first) = (next(), next(), next());
        image.extend([first, second, third]);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_carry_the_text() {
        let image = bitmap(&ascii("{\"a\":\"甲\"}"));
        assert_eq!(image.len(), 6054);
        assert_eq!(u32::from_le_bytes(image[2..6].try_into().unwrap()), 6054);
        let text: Vec<u8> = image[54..].chunks(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        let end = text.iter().position(|octet| *octet == 0).unwrap();
        assert_eq!(std::str::from_utf8(&text[..end]).unwrap(), "{\"a\":\"\\u7532\"}");
    }
}
