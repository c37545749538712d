//! Who may watch: Basic and Digest (RFC 7616, MD5 as cameras still use it), checked on each request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::message::{Answer, Request};

const REALM: &str = "Gridhall camera";

/// What the camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthScheme {
    Basic,
    #[default]
    Digest,
    /// Offers both; a good client takes Digest.
    Both,
}

/// Name and password a camera wants. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: String,
    pub scheme: AuthScheme,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Whether the request carries these credentials in a form the scheme allows.
    pub fn admit(&self, request: &Request, nonce: &str) -> bool {
        let Some((kind, value)) = request.header("Authorization").and_then(|header| header.split_once(' '))
        else {
            return false;
        };
        let (basic, digest) = match self.scheme {
            AuthScheme::Basic => (true, false),
            AuthScheme::Digest => (false, true),
            AuthScheme::Both => (true, true),
        };
        if kind.eq_ignore_ascii_case("Basic") {
            let expected = STANDARD.encode(format!("{}:{}", self.username, self.password));
            basic && value.trim() == expected
        } else if kind.eq_ignore_ascii_case("Digest") {
            digest && self.digest_matches(request, nonce, value)
        } else {
            false
        }
    }

    fn digest_matches(&self, request: &Request, nonce: &str, fields: &str) -> bool {
        let field = |name: &str| {
            fields.split(',').find_map(|field| {
                let (known, value) = field.split_once('=')?;
                known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        let (Some(user), Some(sent_nonce), Some(uri), Some(response)) =
            (field("username"), field("nonce"), field("uri"), field("response"))
        else {
            return false;
        };
        if user != self.username || sent_nonce != nonce {
            return false;
        }
        let secret = hash(&format!("{user}:{REALM}:{}", self.password));
        let target = hash(&format!("{}:{uri}", request.method));
        let expected = match (field("qop"), field("nc"), field("cnonce")) {
            (Some(qop), Some(count), Some(client)) => {
                hash(&format!("{secret}:{nonce}:{count}:{client}:{qop}:{target}"))
            }
            _ => hash(&format!("{secret}:{nonce}:{target}")),
        };
        expected == response
    }
}

/// The 401 that asks for credentials.
pub fn challenge(scheme: AuthScheme, nonce: &str) -> Answer {
    let digest = format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\"");
    let basic = format!("Basic realm=\"{REALM}\"");
    let answer = Answer::new("401 Unauthorized");
    match scheme {
        AuthScheme::Basic => answer.with("WWW-Authenticate", basic),
        AuthScheme::Digest => answer.with("WWW-Authenticate", digest),
        AuthScheme::Both => answer.with("WWW-Authenticate", digest).with("WWW-Authenticate", basic),
    }
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
