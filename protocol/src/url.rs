//! Connection URLs and the environment: where the servers are, and options by name.
//!
//! `tidewire://[user:secret@]host[:port][,host2[:port2]…]/[?option=value[&…]]`, the same with
//! `tidewire+tls://`, or
//! `tidewire+unix://[user:secret@]/path/of/a/socket[?option=value[&…]]`. Options have the names of
//! the table in [`options`](crate::options); one that is unknown is an error, never ignored, and
//! so is one that a URL has twice. No error repeats what stands before the `@`.

use crate::auth::Secret;
use crate::batch::EncryptionKeys;
use crate::error::{Code, Error};
use crate::limits::DEFAULT_PORT;
use crate::message::Codec;
use crate::options::{OPTIONS, OptionInfo, OptionType, parse_start, producer};

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Host name or IP address, without brackets; or the path of a Unix socket.
    pub host: String,
    /// TCP port; 0 for a Unix socket.
    pub port: u16,
}

impl Address {
    /// The path, if it is a Unix socket.
    pub fn socket(&self) -> Option<&std::path::Path> {
        (self.port == 0).then(|| std::path::Path::new(&self.host))
    }
}

/// Who logs in, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name; may be empty with a token.
    pub user: String,
    /// Its password, or a token.
    pub secret: Secret,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.port == 0 {
            f.write_str(&self.host)
        } else if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A parsed connection URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Servers to try, in order; at least one.
    pub addresses: Vec<Address>,
    /// Whether they speak TLS.
    pub tls: bool,
    /// Who logs in, if it says so.
    pub credentials: Option<Credentials>,
    /// Options that it sets, each once: known names, values in range.
    pub options: Vec<(&'static OptionInfo, String)>,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// `INVALID_URL` or `INVALID_OPTION`, naming what is wrong, without credentials.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|error| {
            let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
            let authority = rest.split(['/', '?']).next().unwrap_or(rest);
            if rest.contains('@') && !authority.contains('@') {
                // The host, port, path or option that is wrong may be a piece of a secret.
                return Error::new(
                    Code::INVALID_URL,
                    format!(
                        "the URL \"{}\" cannot be read; in a user or secret, the characters \
                         / ? @ : % are written as %2F %3F %40 %3A %25",
                        without_credentials(text)
                    ),
                );
            }
            error
        })
    }

    fn read(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::new(
                Code::INVALID_URL,
                format!(
                    "{why} in \"{}\"; a URL looks like tidewire://127.0.0.1:8433",
                    without_credentials(text)
                ),
            )
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid("no scheme"));
        };
        let unix = match scheme {
            "tidewire" | "tidewire+tls" => false,
            "tidewire+unix" => true,
            _ => return Err(invalid(&format!("the scheme \"{scheme}\" is not known"))),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (userinfo, hosts) = match authority.rsplit_once('@') {
            Some((userinfo, hosts)) => (Some(userinfo), hosts),
            None => (None, authority),
        };
        let credentials = userinfo
            .map(|userinfo| parse_credentials(userinfo).map_err(invalid))
            .transpose()?;
        let addresses = if unix {
            if !hosts.is_empty() {
                return Err(invalid("a host, which a Unix socket does not have,"));
            }
            if path.len() < 2 {
                return Err(invalid("no path of a socket"));
            }
            vec![Address { host: decode_percent(path).map_err(|why| invalid(&why))?, port: 0 }]
        } else {
            if path.len() > 1 {
                return Err(invalid(&format!("an unexpected path \"{path}\"")));
            }
            hosts
                .split(',')
                .map(|part| parse_address(part).map_err(|why| invalid(&why)))
                .collect::<Result<_, _>>()?
        };
        let mut options: Vec<(&OptionInfo, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| invalid(&format!("the option \"{pair}\" without a value")))?;
            let option = check_option(name, &decode_percent(value).map_err(|w| invalid(&w))?)?;
            if option.0.ty == OptionType::Keys {
                return Err(Error::new(
                    Code::INVALID_OPTION,
                    format!(
                        "option {name} is a secret, and a URL is no place for it: use \
                         encryption_key_file, or the environment's {}",
                        environment_name(option.0)
                    ),
                ));
            }
            if let Some((_, before)) = options.iter().find(|(info, _)| info.name == name) {
                return Err(Error::new(
                    Code::INVALID_OPTION,
                    format!(
                        "option {name} stands twice in the URL, as \"{before}\" and as \"{}\"",
                        option.1
                    ),
                ));
            }
            options.push(option);
        }
        Ok(Self { addresses, tls: scheme == "tidewire+tls", credentials, options })
    }
}

/// The URL as it may be shown. What looks like credentials goes, even where the rest is wrong: a
/// secret may hold what ends it elsewhere.
pub fn without_credentials(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    match rest.rsplit_once('@') {
        Some((_, rest)) => format!("{scheme}•••@{rest}"),
        None => text.to_owned(),
    }
}

/// Reads `user:secret` or a token alone; never repeats it.
fn parse_credentials(text: &str) -> Result<Credentials, &'static str> {
    let (user, secret) = match text.split_once(':') {
        Some(parts) => parts,
        None if text.starts_with(crate::auth::TOKEN_PREFIX) => ("", text),
        None => return Err("a user without a secret (user:secret@, or a token alone)"),
    };
    let decode = |part| decode_percent(part).map_err(|_| "credentials that cannot be read");
    let (user, secret) = (decode(user)?, Secret::new(decode(secret)?));
    if secret.expose().is_empty() {
        return Err("an empty secret");
    }
    Ok(Credentials { user, secret })
}

/// Checks an option's name and value, wherever it comes from.
pub fn check_option(name: &str, value: &str) -> Result<(&'static OptionInfo, String), Error> {
    let Some(info) = OptionInfo::find(name) else {
        let mut known: Vec<&str> = OPTIONS.iter().map(|row| row.name).collect();
        known.sort_unstable();
        known.dedup();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the options are {}", known.join(", ")),
        };
        let text = format!("there is no option \"{name}\"; {hint}");
        return Err(Error::new(Code::INVALID_OPTION, text));
    };
    let wrong = |expected: &str| {
        Error::new(
            Code::INVALID_OPTION,
            format!("option {name} is \"{value}\", but should be {expected}"),
        )
    };
    match info.ty {
        OptionType::String => {}
        OptionType::Keys => EncryptionKeys::default().add_text(value)?,
        OptionType::U32 | OptionType::U64 => {
            let number: u64 = value.parse().map_err(|_| wrong("a whole number"))?;
            info.check(number)?;
        }
        OptionType::Acks => {
            if !["none", "written", "synced"].contains(&value) {
                return Err(wrong("none, written or synced"));
            }
        }
        OptionType::QueueFull => {
            if !["block", "error", "drop"].contains(&value) {
                return Err(wrong("block, error or drop"));
            }
        }
        OptionType::AutoCommit => {
            if !["off", "interval", "after", "before"].contains(&value) {
                return Err(wrong("off, interval, after or before"));
            }
        }
        OptionType::OnOutOfRange => {
            if !["earliest", "latest", "error"].contains(&value) {
                return Err(wrong("earliest, latest or error"));
            }
        }
        OptionType::Start => {
            if parse_start(value).is_none() {
                return Err(wrong("earliest, latest, an offset, last:N or time:MICROSECONDS"));
            }
        }
        OptionType::Codec => {
            // "topic" is every producer's default; where a topic is made it sets nothing.
            if value != producer::CODEC && value.parse::<Codec>().is_err() {
                return Err(wrong("none, lz4, zstd or topic"));
            }
        }
    }
    Ok((info, value.to_owned()))
}

/// The option of these that `name` is probably a slip of.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    // No name is longer than 32, and what is much longer is none of them.
    let slips = |other: &str| strsim::damerau_levenshtein(name, other);
    let near = known.iter().filter(|_| name.len() <= 40).min_by_key(|other| slips(other))?;
    (slips(near) <= 3.min(near.len() / 3)).then_some(near)
}

/// The environment variable of an option: `TIDEWIRE_` and its name in capitals.
pub fn environment_name(option: &OptionInfo) -> String {
    format!("TIDEWIRE_{}", option.name.to_uppercase())
}

/// Reads `host`, `host:port` or `[v6]:port`.
fn parse_address(text: &str) -> Result<Address, String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) =
                rest.split_once(']').ok_or_else(|| format!("an open bracket \"{text}\""))?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(format!("an impossible address \"{text}\"")),
            }
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("an empty host".to_owned());
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => match port.parse() {
            Ok(port) if port != 0 => port,
            _ => return Err(format!("the port \"{port}\", which is not 1 to 65535,")),
        },
    };
    Ok(Address { host: host.to_owned(), port })
}

fn decode_percent(text: &str) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => out.push((high * 16 + low) as u8),
            _ => return Err(format!("a broken percent escape \"{text}\"")),
        }
    }
    String::from_utf8(out).map_err(|_| format!("an option that is not UTF-8 \"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_servers_and_options_are_read() {
        let url = Url::parse("tidewire://a:1,b,[::1]:3/?linger_ms=7&client_name=x%20y")
            .expect("good");
        let shown: Vec<String> = url.addresses.iter().map(Address::to_string).collect();
        assert_eq!(shown, ["a:1", "b:8433", "[::1]:3"]);
        let options: Vec<_> =
            url.options.iter().map(|(info, value)| (info.name, value.as_str())).collect();
        assert_eq!(options, [("linger_ms", "7"), ("client_name", "x y")]);
    }

    #[test]
    fn credentials_are_read_and_never_shown() {
        let url = Url::parse("tidewire://ada:s%40crE%2ft:x@a,b/").expect("good");
        let credentials = url.credentials.as_ref().expect("some");
        assert_eq!(credentials.user, "ada");
        assert_eq!(credentials.secret.expose(), "s@crE/t:x");
        assert!(!format!("{url:?}").contains("crE"));
        let url = Url::parse("tidewire://twt_1_00@a").expect("good");
        assert_eq!(url.credentials.expect("some").user, "");
        for bad in [
            "tidewire://ada:s@crEt@a:0",
            "tidewire://ada:crEt%zz@a",
            "tidewire://crEt@a",
            "tidewire://ada:crE/t@a",
            "tidewire://ada:crE?t=@a",
            "tidewire+unix://ada:crEt@host/path",
            "http://ada:crEt@a",
            "ada:crEt@a",
        ] {
            let error = Url::parse(bad).expect_err(bad);
            assert!(!error.to_string().contains("crE"), "{error}");
        }
    }

    #[test]
    fn a_unix_socket_is_a_path() {
        let url = Url::parse("tidewire+unix:///run/a%20b.sock?linger_ms=7").expect("good");
        assert_eq!(url.addresses[0].socket(), Some(std::path::Path::new("/run/a b.sock")));
        assert_eq!(url.addresses[0].to_string(), "/run/a b.sock");
        assert_eq!(url.options.len(), 1);
    }

    #[test]
    fn a_slip_is_told_what_was_meant() {
        let said = |name| check_option(name, "1").expect_err(name).message;
        assert_eq!(
            said("lingr_ms"),
            "there is no option \"lingr_ms\"; did you mean linger_ms?"
        );
        assert_eq!(
            said("partition"),
            "there is no option \"partition\"; did you mean partitions?"
        );
        assert_eq!(said("Acks"), "there is no option \"Acks\"; did you mean acks?");
        for other in ["nope", "", "ak", "queue", &"x".repeat(5000)] {
            assert!(said(other).contains("; the options are acks, "), "{other}");
        }
    }

    #[test]
    fn an_option_that_stands_twice_is_refused_with_both_values() {
        let url = "tidewire://a/?linger_ms=1&acks=none&linger_ms=2";
        assert_eq!(
            Url::parse(url).expect_err("twice").message,
            "option linger_ms stands twice in the URL, as \"1\" and as \"2\""
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (bad, code) in [
            ("127.0.0.1:8433", Code::INVALID_URL),
            ("http://a", Code::INVALID_URL),
            ("tidewire://", Code::INVALID_URL),
            ("tidewire://a:0", Code::INVALID_URL),
            ("tidewire://a:65536", Code::INVALID_URL),
            ("tidewire://a,,b", Code::INVALID_URL),
            ("tidewire://a/path", Code::INVALID_URL),
            ("tidewire://a/?linger_ms", Code::INVALID_URL),
            ("tidewire+unix://", Code::INVALID_URL),
            ("tidewire+unix:///", Code::INVALID_URL),
            ("tidewire+unix://a/b", Code::INVALID_URL),
            ("tidewire://ada@a", Code::INVALID_URL),
            ("tidewire://ada:@a", Code::INVALID_URL),
            ("tidewire://a/?client_name=%zz", Code::INVALID_URL),
            ("tidewire://a/?nope=1", Code::INVALID_OPTION),
            ("tidewire://a/?linger_ms=x", Code::INVALID_OPTION),
            ("tidewire://a/?linger_ms=60001", Code::INVALID_OPTION),
            ("tidewire://a/?acks=all", Code::INVALID_OPTION),
            ("tidewire://a/?codec=gzip", Code::INVALID_OPTION),
            ("tidewire://a/?queue_full=wait", Code::INVALID_OPTION),
            ("tidewire://a/?auto_commit=on", Code::INVALID_OPTION),
            ("tidewire://a/?on_out_of_range=skip", Code::INVALID_OPTION),
            ("tidewire://a/?max_in_flight=17", Code::INVALID_OPTION),
            ("tidewire://a/?acks=none&acks=none", Code::INVALID_OPTION),
        ] {
            assert_eq!(Url::parse(bad).expect_err(bad).code, code, "{bad}");
        }
    }
}
