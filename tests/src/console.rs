//! The officer console as a browser without scripts uses it.

use reqwest::{Client, redirect::Policy};

use crate::people::totp;

/// A browser that is signed in at the console.
pub struct Console {
    base_url: String,
    cookies: Vec<String>,
    client: Client,
}

/// A page: its status and its text.
pub struct Shown {
    pub status: u16,
    pub text: String,
    location: Option<String>,
    cookies: Vec<String>,
}

impl Shown {
    async fn of(response: reqwest::Response) -> Self {
        let header = |name: &str| {
            let values = response.headers().get_all(name);
            values.iter().map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let cookies = header("set-cookie").iter().map(|c| c.split(';').next().unwrap().to_owned()).collect();
        let (status, location) = (response.status().as_u16(), header("location").pop());
        Self { status, location, cookies, text: response.text().await.unwrap() }
    }

    /// The value of the first hidden field of that name.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, after) = self.text.split_once(&mark).unwrap_or_else(|| panic!("no {name} in {}", self.text));
        after.split('"').next().unwrap().to_owned()
    }
}

impl Console {
    /// A browser that nobody is signed in at.
    pub async fn nobody(base_url: &str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let mut console = Self { base_url: base_url.to_owned(), cookies: Vec::new(), client };
        let page = console.get("/officer/sign-in").await;
        console.cookies = page.cookies;
        console
    }

    /// An officer of the demo's file, signed in by the form.
    pub async fn of(demo: &crate::Demo, username: &str) -> Self {
        let officers = demo.file["officers"].as_array().unwrap();
        let officer = officers.iter().find(|o| o["username"] == username).unwrap();
        let text = |name: &str| officer[name].as_str().unwrap().to_owned();
        Self::sign_in(&demo.base_url, username, &text("password"), &text("totpSecret")).await
    }

    /// An officer, signed in by the form.
    pub async fn sign_in(base_url: &str, username: &str, password: &str, secret: &str) -> Self {
        let mut console = Self::nobody(base_url).await;
        let code = totp(secret);
        let typed = [("username", username), ("password", password), ("totp", &code)];
        let page = console.submit("/officer/sign-in", "/officer/sign-in", &typed).await;
        assert_eq!((page.status, page.location.as_deref()), (303, Some("/officer")), "{}", page.text);
        console.cookies.extend(page.cookies);
        console
    }

    /// Takes up an invitation: chooses a password, sets up the second factor, and is signed in.
    pub async fn take_up(&mut self, username: &str, code: &str, password: &str) -> Shown {
        const HERE: &str = "/officer/invitation";
        let page = self.submit(HERE, HERE, &[("username", username), ("code", code)]).await;
        let Some((_, secret)) = page.text.split_once("<dd class=\"mono\">") else { return page };
        let secret = secret.split('<').next().unwrap().replace(' ', "");
        let totp = totp(&secret);
        let typed = [("username", username), ("code", code), ("password", password), ("totp", &totp)];
        let taken = self.submit(HERE, HERE, &typed).await;
        self.cookies.extend(taken.cookies.iter().cloned());
        taken
    }

    pub async fn get(&self, path: &str) -> Shown {
        let request = self.client.get(format!("{}{path}", self.base_url));
        Shown::of(request.header("cookie", self.cookies.join("; ")).send().await.unwrap()).await
    }

    /// Posts a form with the token of the page it stands on.
    pub async fn submit(&self, page: &str, path: &str, typed: &[(&str, &str)]) -> Shown {
        let csrf = self.get(page).await.hidden("csrf");
        let mut typed = typed.to_vec();
        typed.push(("csrf", &csrf));
        self.post(path, &typed).await
    }

    /// Posts a form as it is.
    pub async fn post(&self, path: &str, typed: &[(&str, &str)]) -> Shown {
        let pairs: Vec<_> =
            typed.iter().map(|(name, value)| format!("{name}={}", crate::people::percent(value))).collect();
        let request = self.client.post(format!("{}{path}", self.base_url)).body(pairs.join("&"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Shown::of(request.header("cookie", self.cookies.join("; ")).send().await.unwrap()).await
    }
}
