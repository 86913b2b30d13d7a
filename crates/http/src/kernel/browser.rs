//! What a browser says it is, for who looks at a list of sessions.

use idcheck_usecases::ports::SessionOrigin;
use poem::{Request, http::header};

use super::{client_address::origin, state::App};

/// In this order: each names those behind it too.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("", ""),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
    ("", ""),
];

/// From where a request signs in.
pub(crate) fn session_origin(request: &Request, app: &App) -> SessionOrigin {
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let address = origin(request, &app.config.trusted_proxies).address.to_string();
    SessionOrigin { address, browser: agent.map(browser).unwrap_or_default() }
}

/// `Firefox 131 · Windows`; of a program that is no browser the beginning of its own name.
fn browser(agent: &str) -> String {
    let named = BROWSERS.iter().find(|(mark, _)| agent.contains(mark)).filter(|(mark, _)| !mark.is_empty());
    let Some((mark, name)) = named else {
        let own = agent.split([' ', '(']).next().unwrap_or_default();
        return own.chars().take(SessionOrigin::BROWSER).collect();
    };
    let version: String = agent.split_once(mark).map_or("", |(_, behind)| behind).chars().take(4).collect();
    let version: String = version.chars().take_while(char::is_ascii_digit).collect();
    let system = SYSTEMS.iter().find(|(mark, _)| agent.contains(mark)).map_or("", |(_, name)| name);
    [format!("{name} {version}"), system.to_owned()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn browsers_are_told_by_name_version_and_system() {
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)";
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (agent, told) in [
            (format!("{windows} {webkit} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"), "Edge 130 · Windows"),
            (format!("{windows} {webkit} Chrome/130.0.0.0 Safari/537.36"), "Chrome 130 · Windows"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0".to_owned(), "Firefox 131 · Linux"),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15"
                    .to_owned(),
                "Safari 17 · macOS",
            ),
            ("curl/8.5.0".to_owned(), "curl/8.5.0"),
            (String::new(), ""),
        ] {
            assert_eq!(browser(&agent), told);
        }
        assert_eq!(browser(&"x".repeat(500)).len(), 60);
    }
}
