//! Where the service is.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ureq::http::Uri;

/// The address of a service: `https://host[:port][/prefix]`, or `http://` on this machine. Two addresses are equal when they
/// lead to the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    base: String,
    encrypted: bool,
    loopback: bool,
}

/// A text that is no address of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the address {address:?} must be https://HOST[:PORT][/PATH] (or http://), without user, query and fragment")]
pub struct AddressError {
    address: String,
}

impl Server {
    /// Whether a secret may be sent there: over TLS, or to this machine.
    pub const fn may_hear_secrets(&self) -> bool {
        self.encrypted || self.loopback
    }

    /// Whether it is this machine.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The address of an operation; `path` begins with a slash.
    pub(crate) fn operation(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.base)
    }

    /// The address of a page; `path` begins with a slash.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl FromStr for Server {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError { address: text.chars().filter(|c| !c.is_control()).take(200).collect() };
        let text = text.trim();
        if text.contains(['#', '@']) {
            return Err(wrong());
        }
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_ascii_lowercase();
        if uri.query().is_some() {
            return Err(wrong());
        }
        let default_port = if encrypted { 443 } else { 80 };
        let port = match uri.port_u16() {
            // `https://host:` and a port that is no number have no `port_u16`, and say so with the colon.
            None if uri.authority().is_some_and(|authority| authority.as_str().len() != host.len()) => {
                return Err(wrong());
            }
            Some(port) if port != default_port => format!(":{port}"),
            _ => String::new(),
        };
        let scheme = if encrypted { "https" } else { "http" };
        let base = format!("{scheme}://{host}{port}{}", uri.path().trim_end_matches('/'));
        Ok(Self { base, encrypted, loopback: is_loopback(&host) })
    }
}

/// A name or address of this machine.
fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_place_are_equal() {
        for (text, base) in [
            ("https://thimble.example.org", "https://thimble.example.org"),
            ("https://Thimble.Example.org:443/", "https://thimble.example.org"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
            (" https://example.org/thimble/ ", "https://example.org/thimble"),
        ] {
            assert_eq!(text.parse::<Server>().map(|server| server.to_string()), Ok(base.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "example.org",
            "localhost:8080",
            "ftp://example.org",
            "https://",
            "https://user:secret@example.org",
            "https://example.org?x=1",
            "https://example.org#x",
            "https://example.org:",
            "https://example.org:99999",
            "https://exa mple.org",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_go_over_tls_or_to_this_machine() {
        for (text, may) in [
            ("https://example.org", true),
            ("http://localhost:1", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8080", true),
            ("http://example.org", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
        ] {
            assert_eq!(text.parse::<Server>().map(|server| server.may_hear_secrets()), Ok(may), "{text}");
        }
    }
}
