//! Requests to the world this page is of: JSON and bytes, and why one failed.

mod objects;

use domain::catalogue::Name;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestCredentials, RequestInit, Response};

use crate::language::pick;
use crate::words::{Language, say};

/// Why a request has no answer that can be used. It is kept as it came, and put in words where it is shown: a page whose language
/// is changed says it in the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server was not reached.
    Unreachable,
    /// The server refused; its own words, and its stable name for the reason, when it gave some. Words of one language stand for both.
    Refused { status: u16, code: String, words: Name },
    /// The answer was not what this programme expects.
    Unreadable(String),
}

impl ApiError {
    /// Whether the session has ended and someone must sign in.
    pub fn is_signed_out(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// The server's own words for its refusal, else the bare status.
    pub fn refusal(status: u16, words: &Name, language: Language) -> String {
        let words = pick(language, words);
        if words.is_empty() { status.to_string() } else { words }
    }

    /// For a place that has no better words of its own.
    pub fn words(&self, language: Language) -> String {
        match self {
            Self::Unreachable => say!(language, common.unreachable),
            Self::Refused { status, words, .. } => Self::refusal(*status, words, language),
            Self::Unreadable(problem) => say!(language, common.unreadable, problem = problem),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the server was not reached"),
            Self::Refused { status, code, .. } => write!(f, "the server refused ({status}): {code}"),
            Self::Unreadable(problem) => write!(f, "the answer is unreadable: {problem}"),
        }
    }
}

/// The body of a write that says nothing: `{}`.
#[derive(Serialize)]
pub struct Nothing {}

pub async fn get_json<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    from_js(get_value(path).await?)
}

/// What a JSON answer says, as objects of JavaScript.
pub async fn get_value(path: &str) -> Result<JsValue, ApiError> {
    body(&get(path).await?).await
}

pub async fn get_bytes(path: &str) -> Result<Vec<u8>, ApiError> {
    let response = get(path).await?;
    let buffer = response.array_buffer().map_err(unreadable)?;
    let buffer = JsFuture::from(buffer).await.map_err(|_| ApiError::Unreachable)?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// A write as it goes to the server. Sent again it is the same, with the key it may carry.
#[derive(Debug, Clone)]
pub struct Order {
    method: &'static str,
    address: String,
    body: Option<String>,
}

impl Order {
    pub fn post<B: Serialize>(path: &str, body: &B) -> Result<Self, ApiError> {
        Ok(Self { method: "POST", address: crate::world::below(path), body: Some(encode(body)?) })
    }

    /// Takes something of the hall itself away, whatever world the page is of: what can be taken away, tokens and worlds, is there.
    pub fn delete(path: String) -> Self {
        Self { method: "DELETE", address: path, body: None }
    }

    /// Sends it; `csrf` is the session's token, none before signing in. What the answer says, nothing where it says nothing.
    pub async fn go(&self, csrf: Option<&str>) -> Result<JsValue, ApiError> {
        body(&send_to(self.method, &self.address, self.body.clone(), csrf).await?).await
    }
}

/// Sends a write once and reads its answer, for what nobody waits for: forms are sent by `submit`.
pub async fn post_json<B: Serialize, T: DeserializeOwned>(
    path: &str,
    body: &B,
    csrf: Option<&str>,
) -> Result<T, ApiError> {
    from_js(Order::post(path, body)?.go(csrf).await?)
}

fn encode<B: Serialize>(body: &B) -> Result<String, ApiError> {
    let text = js_sys::JSON::stringify(&to_js(body)?).map_err(unreadable)?;
    Ok(String::from(text))
}

async fn get(path: &str) -> Result<Response, ApiError> {
    send_to("GET", &crate::world::below(path), None, None).await
}

async fn send_to(
    method: &str,
    path: &str,
    body: Option<String>,
    csrf: Option<&str>,
) -> Result<Response, ApiError> {
    let headers = Headers::new().map_err(unreadable)?;
    let init = RequestInit::new();
    init.set_method(method);
    init.set_credentials(RequestCredentials::SameOrigin);
    if let Some(body) = &body {
        headers.set("Content-Type", "application/json").map_err(unreadable)?;
        init.set_body(&JsValue::from_str(body));
    }
    if let Some(csrf) = csrf {
        headers.set("X-CSRF-Token", csrf).map_err(unreadable)?;
    }
    // Refusals come in the language of the screen, not of the browser.
    let language = leptos::prelude::document().document_element().and_then(|root| root.get_attribute("lang"));
    if let Some(language) = language {
        headers.set("Accept-Language", &language).map_err(unreadable)?;
    }
    init.set_headers(&headers);
    let request = Request::new_with_str_and_init(path, &init).map_err(unreadable)?;
    let answer = JsFuture::from(leptos::prelude::window().fetch_with_request(&request)).await;
    let response: Response = answer.map_err(|_| ApiError::Unreachable)?.unchecked_into();
    if response.ok() { Ok(response) } else { Err(refusal(response).await) }
}

/// The browser reads the JSON: it has a parser already, and the programme needs none.
async fn body(response: &Response) -> Result<JsValue, ApiError> {
    let text = JsFuture::from(response.text().map_err(unreadable)?);
    let text = text.await.map_err(|_| ApiError::Unreachable)?.as_string().unwrap_or_default();
    if text.is_empty() { Ok(JsValue::UNDEFINED) } else { js_sys::JSON::parse(&text).map_err(unreadable) }
}

/// A value as JSON would carry it, as objects of JavaScript.
pub fn to_js(value: &impl Serialize) -> Result<JsValue, ApiError> {
    let value = value.serialize(&serde_wasm_bindgen::Serializer::json_compatible());
    value.map_err(|error| ApiError::Unreadable(error.to_string()))
}

pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, ApiError> {
    objects::read(value).map_err(|error| ApiError::Unreadable(error.to_string()))
}

/// What a `problem+json` answer says: in both languages, or in the one that was asked for.
async fn refusal(response: Response) -> ApiError {
    let problem = body(&response).await.unwrap_or_default();
    let field = |name: &str| js_sys::Reflect::get(&problem, &JsValue::from_str(name)).ok();
    let text = |name: &str| field(name)?.as_string();
    let both = field("said").and_then(|said| from_js::<Name>(said).ok());
    let words = both.unwrap_or_else(|| Name {
        zh: text("detail").or_else(|| text("title")).unwrap_or_default(),
        en: String::new(),
    });
    ApiError::Refused { status: response.status(), code: text("code").unwrap_or_default(), words }
}

fn unreadable(error: JsValue) -> ApiError {
    ApiError::Unreadable(format!("{error:?}"))
}
