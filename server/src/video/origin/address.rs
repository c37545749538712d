//! Camera addresses and credentials, kept out of logs, answers and errors.
//!
//! The whole RTSP address is a secret, not only the password: many cameras carry the account in the path or query.

use std::fmt;
use url::Url;

/// Where a stream is fetched, and as whom. Debug and Display show the host only.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    credentials: Option<Credentials>,
}

/// An account at a camera. Debug shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: String,
}

/// Why an address is not one we can dial; never repeats the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("an rtsp:// address")]
    NotAnAddress,
    /// What one reader takes for the password is the host, or a page's fragment, to another.
    #[error(
        "an address that reads only one way: within account and path write `#` as %23, `@` as %40, `/` as %2F, `?` as %3F; \
         or put the account into `username` and `password`"
    )]
    Ambiguous,
    #[error("the rtsp scheme (no rtsps, http or onvif)")]
    Scheme,
    #[error("a host in the address")]
    NoHost,
    #[error("the account either in the address or in `username` and `password`, not two different ones")]
    TwoAccounts,
    #[error("`username` and `password` without control characters")]
    Account,
}

impl Credentials {
    #[must_use]
    pub fn new(username: String, password: String) -> Self {
        Self { username, password }
    }

    pub(super) fn reveal(&self) -> retina::client::Credentials {
        retina::client::Credentials { username: self.username.clone(), password: self.password.clone() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Endpoint {
    /// Takes an address as it stands in a list, with or without an account in it, and the list's own account.
    pub fn parse(address: &str, account: Option<&Credentials>) -> Result<Self, EndpointError> {
        let address = address.trim();
        // The URL standard would quietly drop line breaks and so glue two rows of a broken list together.
        if address.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(EndpointError::NotAnAddress);
        }
        let mut url = Url::parse(address).map_err(|_| {
            // A sign of the password that ends the host leaves the `@` behind it.
            if is_rtsp(address) && address.contains('@') {
                EndpointError::Ambiguous
            } else {
                EndpointError::NotAnAddress
            }
        })?;
        if url.scheme() != "rtsp" {
            return Err(EndpointError::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointError::NoHost);
        }
        if url.fragment().is_some() || url[url::Position::AfterPort..].contains('@') {
            return Err(EndpointError::Ambiguous);
        }
        let inside = (!url.username().is_empty() || url.password().is_some()).then(|| {
            Credentials::new(decoded(url.username()), url.password().map(decoded).unwrap_or_default())
        });
        if inside.is_some() {
            url.set_username("").map_err(|()| EndpointError::NotAnAddress)?;
            url.set_password(None).map_err(|()| EndpointError::NotAnAddress)?;
        }
        let credentials = match (inside, account) {
            (Some(inside), Some(account)) if inside != *account => return Err(EndpointError::TwoAccounts),
            (Some(inside), _) => Some(inside),
            (None, account) => account.cloned(),
        };
        let unclean = |text: &str| text.chars().any(char::is_control);
        if credentials.as_ref().is_some_and(|c| unclean(&c.username) || unclean(&c.password)) {
            return Err(EndpointError::Account);
        }
        Ok(Self { url, credentials })
    }

    /// Host and port: what limits are counted by and what logs may show.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.url.port().unwrap_or(554))
    }

    pub(super) fn reveal_url(&self) -> Url {
        self.url.clone()
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Removes addresses and this endpoint's secrets from a text that came from outside, and keeps one short line.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let line = text.lines().next().unwrap_or_default();
        let mut clean = crate::logging::without_addresses(line).into_owned();
        let path_and_query = &self.url[url::Position::BeforePath..];
        let mut secrets = vec![path_and_query];
        if let Some(credentials) = &self.credentials {
            secrets.extend([credentials.password.as_str(), credentials.username.as_str()]);
        }
        for secret in secrets.into_iter().filter(|secret| secret.len() > 1) {
            clean = clean.replace(secret, "…");
        }
        clean.chars().filter(|c| !c.is_control()).take(160).collect()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}/…)", self.host())
    }
}

fn is_rtsp(address: &str) -> bool {
    address.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("rtsp://"))
}

/// Percent-decoding of an address's account; invalid escapes stay as they are.
fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_in_the_address_moves_out_of_it_and_is_never_shown() {
        let endpoint = Endpoint::parse("rtsp://admin:p%40ss%2Fword@10.0.0.9/ch1?token=abcdef", None).unwrap();
        assert_eq!(endpoint.reveal_url().as_str(), "rtsp://10.0.0.9/ch1?token=abcdef");
        let account = endpoint.credentials().unwrap();
        assert_eq!(account.reveal().password, "p@ss/word");
        let shown = format!("{endpoint:?} {account:?}");
        assert_eq!(shown, "Endpoint(10.0.0.9:554/…) Credentials(…)");
    }

    #[test]
    fn an_outside_text_loses_addresses_accounts_and_its_other_lines() {
        let account = Credentials::new("operator".into(), "hunter22".into());
        let endpoint =
            Endpoint::parse("rtsp://10.0.0.9:8554/user=operator_password=x9/ch1", Some(&account)).unwrap();
        let text = "cannot SETUP \"rtsp://operator:hunter22@10.0.0.9/ch1/track1\" as operator: bad /user=operator_password=x9/ch1\nconn: secret";
        assert_eq!(endpoint.scrub(text), "cannot SETUP \"rtsp://…\" as …: bad …");
    }

    /// The word between `@` and `#` was dialled as the host, and got the account's name.
    #[test]
    fn an_address_that_reads_two_ways_is_refused_and_says_how_to_write_it() {
        for address in [
            "rtsp://admin:Grid@localhost#1@127.0.0.1:18146/live",
            "rtsp://admin:Grid#2024@127.0.0.1:18146/live",
            "rtsp://admin:Grid2024?@127.0.0.1:18146/live",
            "rtsp://admin:Grid/2024@127.0.0.1:18146/live",
            "rtsp://admin:Grid@localhost/1@127.0.0.1:18146/live",
            "rtsp://admin:12#34@127.0.0.1/live",
            "rtsp://admin:12?34@127.0.0.1/live",
            "rtsp://admin/12@127.0.0.1/live",
            "RTSP://admin:Grid/2024@127.0.0.1/live",
            "rtsp://127.0.0.1/live#part",
        ] {
            let error = Endpoint::parse(address, None).unwrap_err();
            assert_eq!(error, EndpointError::Ambiguous, "{address}");
            for word in ["%23", "%40", "`username` and `password`"] {
                assert!(error.to_string().contains(word), "{error}");
            }
        }
        for (address, password) in [
            ("rtsp://admin:Grid@2024@127.0.0.1:18145/live", "Grid@2024"),
            ("rtsp://admin:Grid%40localhost%231@127.0.0.1:18146/live%40main", "Grid@localhost#1"),
        ] {
            let endpoint = Endpoint::parse(address, None).unwrap();
            assert_eq!(endpoint.host().split(':').next(), Some("127.0.0.1"), "{address}");
            assert_eq!(endpoint.credentials().unwrap().reveal().password, password);
        }
    }

    #[test]
    fn addresses_that_cannot_be_dialled_are_refused_with_the_expectation() {
        let account = Credentials::new("a".into(), "b".into());
        let cases = [
            ("10.0.0.9/ch1", None, EndpointError::NotAnAddress),
            ("rtsp://10.0.0.9/ch1\nB,rtsp://10.0.0.8/ch1", None, EndpointError::NotAnAddress),
            ("http://10.0.0.9/ch1", None, EndpointError::Scheme),
            ("rtsps://10.0.0.9/ch1", None, EndpointError::Scheme),
            ("rtsp:///ch1", None, EndpointError::NoHost),
            ("rtsp://x:y@10.0.0.9/ch1", Some(&account), EndpointError::TwoAccounts),
            ("rtsp://x%0d:y@10.0.0.9/ch1", None, EndpointError::Account),
        ];
        for (address, account, expected) in cases {
            assert_eq!(Endpoint::parse(address, account), Err(expected), "{address}");
        }
    }
}
