//! Requests to the world this page is of: JSON and bytes, with the reason in words when one fails.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestCredentials, RequestInit, Response};

/// Why a request has no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The server was not reached.
    Unreachable,
    /// The server refused; its own words, and its stable name for the reason, when it gave some.
    Refused { status: u16, code: String, words: String },
    /// The answer was not what this programme expects.
    Unreadable(String),
}

impl ApiError {
    /// Whether the session has ended and someone must sign in.
    pub fn is_signed_out(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the server was not reached"),
            Self::Refused { status, words, .. } => write!(f, "the server refused ({status}): {words}"),
            Self::Unreadable(problem) => write!(f, "the answer is unreadable: {problem}"),
        }
    }
}

/// The body of a write that says nothing: `{}`.
#[derive(Serialize)]
pub struct Nothing {}

pub async fn get_json<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read_json(send("GET", path, None, None).await?).await
}

/// What a JSON answer says, as objects of JavaScript.
pub async fn get_value(path: &str) -> Result<JsValue, ApiError> {
    body(&send("GET", path, None, None).await?).await
}

pub async fn get_bytes(path: &str) -> Result<Vec<u8>, ApiError> {
    let response = send("GET", path, None, None).await?;
    let buffer = response.array_buffer().map_err(unreadable)?;
    let buffer = JsFuture::from(buffer).await.map_err(|_| ApiError::Unreachable)?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Sends a write whose answer has no body to read; `csrf` is the session's token, none before signing in.
pub async fn post_only<B: Serialize>(path: &str, body: &B, csrf: Option<&str>) -> Result<(), ApiError> {
    send("POST", path, Some(encode(body)?), csrf).await.map(drop)
}

/// Sends a write and reads its answer; `csrf` as in [`post_only`].
pub async fn post_json<B: Serialize, T: DeserializeOwned>(
    path: &str,
    body: &B,
    csrf: Option<&str>,
) -> Result<T, ApiError> {
    read_json(send("POST", path, Some(encode(body)?), csrf).await?).await
}

/// Takes something of the hall itself away, whatever world the page is of: what can be taken away, tokens and worlds, is there.
pub async fn delete(path: &str, csrf: &str) -> Result<(), ApiError> {
    send_to("DELETE", path, None, Some(csrf)).await.map(drop)
}

fn encode<B: Serialize>(body: &B) -> Result<String, ApiError> {
    let text = js_sys::JSON::stringify(&to_js(body)?).map_err(unreadable)?;
    Ok(String::from(text))
}

async fn send(
    method: &str,
    path: &str,
    body: Option<String>,
    csrf: Option<&str>,
) -> Result<Response, ApiError> {
    send_to(method, &crate::world::below(path), body, csrf).await
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
async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    from_js(body(&response).await?)
}

async fn body(response: &Response) -> Result<JsValue, ApiError> {
    let text = JsFuture::from(response.text().map_err(unreadable)?);
    let text = text.await.map_err(|_| ApiError::Unreachable)?.as_string().unwrap_or_default();
    js_sys::JSON::parse(&text).map_err(unreadable)
}

/// A value as JSON would carry it, as objects of JavaScript.
pub fn to_js(value: &impl Serialize) -> Result<JsValue, ApiError> {
    let value = value.serialize(&serde_wasm_bindgen::Serializer::json_compatible());
    value.map_err(|error| ApiError::Unreadable(error.to_string()))
}

pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, ApiError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| ApiError::Unreadable(error.to_string()))
}

/// The words of a `problem+json` answer: its detail, else its title.
async fn refusal(response: Response) -> ApiError {
    let problem = body(&response).await.unwrap_or_default();
    let field = |name: &str| js_sys::Reflect::get(&problem, &JsValue::from_str(name)).ok()?.as_string();
    let words = field("detail").or_else(|| field("title")).unwrap_or_default();
    ApiError::Refused { status: response.status(), code: field("code").unwrap_or_default(), words }
}

fn unreadable(error: JsValue) -> ApiError {
    ApiError::Unreadable(format!("{error:?}"))
}
