//! A server's settings, from wherever they were given.
//!
//! Owns the order of precedence (flags, environment, file, default) and the checks that need no
//! server. The one invariant: a setting is the same, by name and meaning, in all three places.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use tidewire_protocol::limits::ServerLimit;
use tidewire_protocol::url::nearest;
use tidewire_server::{
    Config, Credentials, Limits, MAX_BUSY_POLL_US, MAX_SHARDS, READ_MEMORY_BYTES_RANGE,
    TlsFiles,
};

use super::self_signed;
use crate::args::serve::ServeArgs;
use crate::at_rest;
use crate::failure::Failure;

/// Where a server listens by default.
const DEFAULT_LISTEN: &str = "127.0.0.1:8433";

/// In place of a directory: there is no Unix socket.
const NO_SOCKET: &str = "none";

/// Most threads for calls that block; each costs a stack, and more do not make a disk faster.
const MAX_IO_THREADS: usize = 256;

/// Settings by name; those that are `None` were not given.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The data directory.
    pub data: Option<PathBuf>,
    /// Where to listen.
    pub listen: Option<String>,
    /// Threads that own partitions and connections.
    pub shards: Option<usize>,
    /// No credentials, loopback only.
    pub dev: Option<bool>,
    /// Where a Unix socket is made; `none` makes none.
    pub socket_dir: Option<PathBuf>,
    /// The server's certificate.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// Roots of clients' certificates.
    pub tls_client_ca: Option<PathBuf>,
    /// A certificate of the server's own making.
    pub tls_self_signed: Option<bool>,
    /// A file with the keys that segments are encrypted with.
    pub at_rest_key_file: Option<PathBuf>,
    /// Threads for calls that block.
    pub io_threads: Option<usize>,
    /// Bytes of batches that consumers may hold in memory.
    pub read_memory_bytes: Option<usize>,
    /// Time that a stop gives to requests under way, in milliseconds.
    pub drain_timeout_ms: Option<u32>,
    /// How long a shard may look for requests before it sleeps, in microseconds.
    pub busy_poll_us: Option<u32>,
    /// A filter of log lines.
    pub log: Option<String>,
    /// Where the audit log is.
    pub audit_log: Option<PathBuf>,
    /// See `ServerLimit::MaxConnections`.
    pub max_connections: Option<u64>,
    /// See `ServerLimit::MaxUserConnections`.
    pub max_user_connections: Option<u64>,
    /// See `ServerLimit::MaxAddressConnections`.
    pub max_address_connections: Option<u64>,
    /// See `ServerLimit::MaxShardInFlightBytes`.
    pub max_shard_in_flight_bytes: Option<u64>,
    /// See `ServerLimit::FrameTimeoutMs`.
    pub frame_timeout_ms: Option<u64>,
    /// See `ServerLimit::MaxUserRequestsPerSec`.
    pub max_user_requests_per_sec: Option<u64>,
    /// See `ServerLimit::MaxUserInBytesPerSec`.
    pub max_user_in_bytes_per_sec: Option<u64>,
    /// See `ServerLimit::MaxUserOutBytesPerSec`.
    pub max_user_out_bytes_per_sec: Option<u64>,
    /// See `ServerLimit::MaxServerTopics`.
    pub max_server_topics: Option<u64>,
    /// See `ServerLimit::MaxServerPartitions`.
    pub max_server_partitions: Option<u64>,
}

impl Settings {
    /// Gathers flags, the file that they name, and the environment. `variable` reads a variable
    /// of the environment.
    pub fn gather(
        args: ServeArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let file = match &args.config {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        Ok(Self::from_flags(args).or(Self::from_environment(variable)?).or(file))
    }

    fn from_flags(args: ServeArgs) -> Self {
        let limits = args.limits;
        Self {
            data: args.data,
            listen: args.listen,
            shards: args.shards,
            dev: args.dev.then_some(true),
            socket_dir: args.socket_dir,
            tls_cert: args.tls_cert,
            tls_key: args.tls_key,
            tls_client_ca: args.tls_client_ca,
            tls_self_signed: args.tls_self_signed.then_some(true),
            at_rest_key_file: args.at_rest_key_file,
            io_threads: args.io_threads,
            read_memory_bytes: args.read_memory_bytes,
            drain_timeout_ms: args.drain_timeout_ms,
            busy_poll_us: args.busy_poll_us,
            log: args.log,
            audit_log: args.audit_log,
            max_connections: limits.max_connections,
            max_user_connections: limits.max_user_connections,
            max_address_connections: limits.max_address_connections,
            max_shard_in_flight_bytes: limits.max_shard_in_flight_bytes,
            frame_timeout_ms: limits.frame_timeout_ms,
            max_user_requests_per_sec: limits.max_user_requests_per_sec,
            max_user_in_bytes_per_sec: limits.max_user_in_bytes_per_sec,
            max_user_out_bytes_per_sec: limits.max_user_out_bytes_per_sec,
            max_server_topics: limits.max_server_topics,
            max_server_partitions: limits.max_server_partitions,
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::io(format_args!("reading the config file {shown}"), &error)
        })?;
        toml::from_str(&text).map_err(|error| {
            let failure = Failure::new(format!("config file {shown}: {error}"));
            match meant(error.message()) {
                Some(name) => failure.hint(format!("did you mean {name}?")),
                None => failure,
            }
        })
    }

    /// Checks a file of settings, as far as that can be done without starting a server.
    pub fn check(path: &Path) -> Result<(), Failure> {
        let settings = Self::read(path)?;
        let listen = settings.listen()?;
        let data = settings.data.clone().unwrap_or_default();
        // What it would make itself, it does not make here.
        let own = settings.tls_self_signed == Some(true)
            && settings.tls_cert.is_none()
            && settings.tls_key.is_none();
        let config = match own {
            true => Self { tls_self_signed: None, tls_client_ca: None, ..settings.clone() },
            false => settings.clone(),
        };
        let config = config.config(&data, listen)?;
        if let Some(tls) = &config.tls {
            tls.check().map_err(|error| Failure::new(error.to_string()))?;
        }
        super::log::filter(settings.log_filter()).map(drop)
    }

    /// The settings of the environment; it asks `variable` for each that there is.
    pub(super) fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let number = |name| parsed(&variable, name, "a whole number");
        Ok(Self {
            data: variable("TIDEWIRE_DATA").map(PathBuf::from),
            listen: variable("TIDEWIRE_LISTEN"),
            shards: parsed(&variable, "TIDEWIRE_SHARDS", "a whole number")?,
            dev: parsed(&variable, "TIDEWIRE_DEV", "true or false")?,
            socket_dir: variable("TIDEWIRE_SOCKET_DIR").map(PathBuf::from),
            tls_cert: variable("TIDEWIRE_TLS_CERT").map(PathBuf::from),
            tls_key: variable("TIDEWIRE_TLS_KEY").map(PathBuf::from),
            tls_client_ca: variable("TIDEWIRE_TLS_CLIENT_CA").map(PathBuf::from),
            tls_self_signed: parsed(&variable, "TIDEWIRE_TLS_SELF_SIGNED", "true or false")?,
            at_rest_key_file: variable("TIDEWIRE_AT_REST_KEY_FILE").map(PathBuf::from),
            io_threads: parsed(&variable, "TIDEWIRE_IO_THREADS", "a whole number")?,
            read_memory_bytes: parsed(&variable, "TIDEWIRE_READ_MEMORY_BYTES", "bytes")?,
            drain_timeout_ms: parsed(&variable, "TIDEWIRE_DRAIN_TIMEOUT_MS", "milliseconds")?,
            busy_poll_us: parsed(&variable, "TIDEWIRE_BUSY_POLL_US", "microseconds")?,
            log: variable("TIDEWIRE_LOG"),
            audit_log: variable("TIDEWIRE_AUDIT_LOG").map(PathBuf::from),
            max_connections: number("TIDEWIRE_MAX_CONNECTIONS")?,
            max_user_connections: number("TIDEWIRE_MAX_USER_CONNECTIONS")?,
            max_address_connections: number("TIDEWIRE_MAX_ADDRESS_CONNECTIONS")?,
            max_shard_in_flight_bytes: number("TIDEWIRE_MAX_SHARD_IN_FLIGHT_BYTES")?,
            frame_timeout_ms: number("TIDEWIRE_FRAME_TIMEOUT_MS")?,
            max_user_requests_per_sec: number("TIDEWIRE_MAX_USER_REQUESTS_PER_SEC")?,
            max_user_in_bytes_per_sec: number("TIDEWIRE_MAX_USER_IN_BYTES_PER_SEC")?,
            max_user_out_bytes_per_sec: number("TIDEWIRE_MAX_USER_OUT_BYTES_PER_SEC")?,
            max_server_topics: number("TIDEWIRE_MAX_SERVER_TOPICS")?,
            max_server_partitions: number("TIDEWIRE_MAX_SERVER_PARTITIONS")?,
        })
    }

    /// These settings, and `other`'s where there is none.
    fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            shards: self.shards.or(other.shards),
            dev: self.dev.or(other.dev),
            socket_dir: self.socket_dir.or(other.socket_dir),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            tls_client_ca: self.tls_client_ca.or(other.tls_client_ca),
            tls_self_signed: self.tls_self_signed.or(other.tls_self_signed),
            at_rest_key_file: self.at_rest_key_file.or(other.at_rest_key_file),
            io_threads: self.io_threads.or(other.io_threads),
            read_memory_bytes: self.read_memory_bytes.or(other.read_memory_bytes),
            drain_timeout_ms: self.drain_timeout_ms.or(other.drain_timeout_ms),
            busy_poll_us: self.busy_poll_us.or(other.busy_poll_us),
            log: self.log.or(other.log),
            audit_log: self.audit_log.or(other.audit_log),
            max_connections: self.max_connections.or(other.max_connections),
            max_user_connections: self.max_user_connections.or(other.max_user_connections),
            max_address_connections: self
                .max_address_connections
                .or(other.max_address_connections),
            max_shard_in_flight_bytes: self
                .max_shard_in_flight_bytes
                .or(other.max_shard_in_flight_bytes),
            frame_timeout_ms: self.frame_timeout_ms.or(other.frame_timeout_ms),
            max_user_requests_per_sec: self
                .max_user_requests_per_sec
                .or(other.max_user_requests_per_sec),
            max_user_in_bytes_per_sec: self
                .max_user_in_bytes_per_sec
                .or(other.max_user_in_bytes_per_sec),
            max_user_out_bytes_per_sec: self
                .max_user_out_bytes_per_sec
                .or(other.max_user_out_bytes_per_sec),
            max_server_topics: self.max_server_topics.or(other.max_server_topics),
            max_server_partitions: self.max_server_partitions.or(other.max_server_partitions),
        }
    }

    /// What is logged.
    pub fn log_filter(&self) -> &str {
        self.log.as_deref().unwrap_or(super::log::DEFAULT_FILTER)
    }

    /// Whether it serves without credentials.
    pub fn is_dev(&self) -> bool {
        self.dev == Some(true)
    }

    /// Whether what travels by TCP is encrypted.
    pub fn speaks_tls(&self) -> bool {
        self.tls_cert.is_some() || self.tls_self_signed == Some(true)
    }

    /// Checks that there is a mode to serve in, and where to listen.
    pub fn listen(&self) -> Result<SocketAddr, Failure> {
        if !self.is_dev() && self.data.is_none() {
            return Err(Failure::new("there is no data directory")
                .hint("name one with --data DIR; --dev is for trying it out without"));
        }
        let text = self.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listen: SocketAddr = text.parse().map_err(|_| {
            Failure::new(format!("the listen address \"{text}\" is not an address and a port"))
                .hint(format!("it looks like {DEFAULT_LISTEN} or [::1]:8433"))
        })?;
        if self.is_dev() && !listen.ip().is_loopback() {
            return Err(Failure::new(format!(
                "the listen address {listen} can be reached from other machines, and --dev has \
                 no credentials"
            ))
            .hint(format!(
                "listen on a loopback address, such as 127.0.0.1:{}",
                listen.port()
            )));
        }
        Ok(listen)
    }

    /// What the server speaks TLS with; made in its data directory, if it is to make it itself.
    fn tls(&self, data: &Path, listen: SocketAddr) -> Result<Option<TlsFiles>, Failure> {
        let client_ca = self.tls_client_ca.clone();
        match (&self.tls_cert, &self.tls_key, self.tls_self_signed == Some(true)) {
            (Some(cert), Some(key), false) => {
                Ok(Some(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca }))
            }
            (None, None, true) => {
                let (cert, key) = self_signed::files(data, listen)?;
                Ok(Some(TlsFiles { cert, key, client_ca }))
            }
            (None, None, false) if client_ca.is_none() => Ok(None),
            (None, None, false) => Err(Failure::new("there is tls_client_ca, but no tls_cert")),
            (Some(_), None, _) => Err(Failure::new("there is tls_cert, but no tls_key")),
            (None, Some(_), _) => Err(Failure::new("there is tls_key, but no tls_cert")),
            (Some(_), Some(_), true) => {
                Err(Failure::new("there is tls_cert, and tls_self_signed would make another"))
            }
        }
    }

    /// The limits, of which those that were not given are the defaults.
    pub fn limits(&self) -> Result<Limits, Failure> {
        let given = [
            (ServerLimit::MaxConnections, self.max_connections),
            (ServerLimit::MaxUserConnections, self.max_user_connections),
            (ServerLimit::MaxAddressConnections, self.max_address_connections),
            (ServerLimit::MaxShardInFlightBytes, self.max_shard_in_flight_bytes),
            (ServerLimit::FrameTimeoutMs, self.frame_timeout_ms),
            (ServerLimit::MaxUserRequestsPerSec, self.max_user_requests_per_sec),
            (ServerLimit::MaxUserInBytesPerSec, self.max_user_in_bytes_per_sec),
            (ServerLimit::MaxUserOutBytesPerSec, self.max_user_out_bytes_per_sec),
            (ServerLimit::MaxServerTopics, self.max_server_topics),
            (ServerLimit::MaxServerPartitions, self.max_server_partitions),
        ];
        let mut limits = Limits::default();
        for (limit, value) in given {
            if let Some(value) = value {
                let set = limits.set(limit, value);
                set.map_err(|error| Failure::new(error.to_string()))?;
            }
        }
        Ok(limits)
    }

    /// Settings that differ from `other`'s and cannot change while a server runs.
    pub fn fixed_changes(&self, other: &Self) -> Vec<&'static str> {
        let same = [
            ("data", self.data == other.data),
            ("listen", self.listen == other.listen),
            ("shards", self.shards == other.shards),
            ("dev", self.dev == other.dev),
            ("socket_dir", self.socket_dir == other.socket_dir),
            ("tls_cert", self.tls_cert == other.tls_cert),
            ("tls_key", self.tls_key == other.tls_key),
            ("tls_client_ca", self.tls_client_ca == other.tls_client_ca),
            ("tls_self_signed", self.tls_self_signed == other.tls_self_signed),
            ("at_rest_key_file", self.at_rest_key_file == other.at_rest_key_file),
            ("io_threads", self.io_threads == other.io_threads),
            ("read_memory_bytes", self.read_memory_bytes == other.read_memory_bytes),
            ("drain_timeout_ms", self.drain_timeout_ms == other.drain_timeout_ms),
            ("busy_poll_us", self.busy_poll_us == other.busy_poll_us),
            ("audit_log", self.audit_log == other.audit_log),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    /// The server's configuration, for a data directory and an address.
    pub fn config(&self, data: &Path, listen: SocketAddr) -> Result<Config, Failure> {
        let mut config = Config::new(data, listen);
        if let Some(shards) = self.shards {
            config.shards = in_range("shards", shards, &(1..=MAX_SHARDS))?;
        }
        if let Some(io_threads) = self.io_threads {
            config.io_threads = in_range("io_threads", io_threads, &(1..=MAX_IO_THREADS))?;
        }
        if let Some(bytes) = self.read_memory_bytes {
            config.read_memory_bytes =
                in_range("read_memory_bytes", bytes, &READ_MEMORY_BYTES_RANGE)?;
        }
        if let Some(drain_timeout_ms) = self.drain_timeout_ms {
            config.drain_timeout_ms = drain_timeout_ms;
        }
        if let Some(busy_poll_us) = self.busy_poll_us {
            config.busy_poll_us =
                in_range("busy_poll_us", busy_poll_us, &(0..=MAX_BUSY_POLL_US))?;
        }
        if !self.is_dev() {
            config.credentials = Credentials::Required;
        }
        config.limits = self.limits()?;
        config.tls = self.tls(data, listen)?;
        config.at_rest_keys = at_rest::keys(self.at_rest_key_file.as_deref())?;
        config.socket_dir = match &self.socket_dir {
            Some(directory) if directory.as_os_str() == NO_SOCKET => None,
            Some(directory) => Some(directory.clone()),
            None => (!self.is_dev()).then(crate::client::socket_directory),
        };
        Ok(config)
    }
}

/// The key that a wrong one is probably a slip of, of what an error says of both.
fn meant(message: &str) -> Option<&str> {
    let mut names = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    nearest(wrong, &names.collect::<Vec<_>>())
}

fn parsed<T: FromStr>(
    variable: impl Fn(&str) -> Option<String>,
    name: &str,
    expected: &str,
) -> Result<Option<T>, Failure> {
    variable(name)
        .map(|value| {
            value.parse().map_err(|_| {
                Failure::new(format!(
                    "the environment variable {name} is \"{value}\", but should be {expected}"
                ))
            })
        })
        .transpose()
}

fn in_range<T>(name: &str, value: T, range: &RangeInclusive<T>) -> Result<T, Failure>
where
    T: PartialOrd + std::fmt::Display,
{
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(Failure::new(format!("{name} is {value}, outside {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use tidewire_protocol::limits::SERVER_LIMITS;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(flags: &[&str]) -> ServeArgs {
        let cli = Cli::parse_from([&["tidewire", "serve"], flags].concat());
        let Command::Serve(args) = cli.command else { panic!("not serve") };
        *args
    }

    fn gather(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        Settings::gather(args(flags), |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn flags_win_over_the_environment_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tidewire.toml");
        std::fs::write(&file, "shards = 2\nlisten = \"127.0.0.1:2\"\ndev = true\n").unwrap();
        let file = file.to_str().unwrap();
        let variables = [
            ("TIDEWIRE_SHARDS", "3"),
            ("TIDEWIRE_LISTEN", "127.0.0.1:3"),
            ("TIDEWIRE_LOG", "warn"),
        ];
        let settings = gather(&["--shards", "1", "--config", file], &variables).unwrap();
        assert_eq!(settings.shards, Some(1));
        assert_eq!(settings.listen.as_deref(), Some("127.0.0.1:3"));
        assert_eq!(settings.log.as_deref(), Some("warn"));
        assert_eq!(settings.dev, Some(true));
    }

    #[test]
    fn unknown_keys_in_the_file_are_errors_that_name_file_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tidewire.toml");
        std::fs::write(&file, "shard = 2\n").unwrap();
        let error = gather(&["--config", file.to_str().unwrap()], &[]).unwrap_err().to_string();
        assert!(error.contains("tidewire.toml") && error.contains("`shard`"), "{error}");
        for (wrong, right) in [
            ("shard", "shards"),
            ("drain_timeout", "drain_timeout_ms"),
            ("tls_crt", "tls_cert"),
        ] {
            let error = toml::from_str::<Settings>(&format!("{wrong} = 1")).unwrap_err();
            assert_eq!(meant(error.message()), Some(right), "{error}");
        }
        let error = toml::from_str::<Settings>("something_else = 1").unwrap_err();
        assert_eq!(meant(error.message()), None, "{error}");
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error = gather(&[], &[("TIDEWIRE_DEV", "yes")]).unwrap_err().to_string();
        assert!(error.contains("TIDEWIRE_DEV") && error.contains("true or false"), "{error}");
    }

    #[test]
    fn dev_listens_on_loopback_only_and_others_need_a_directory() {
        let listen = |flags: &[&str]| gather(flags, &[]).and_then(|settings| settings.listen());
        assert!(listen(&[]).unwrap_err().to_string().contains("data directory"));
        assert_eq!(listen(&["--data", "x"]).unwrap().to_string(), DEFAULT_LISTEN);
        assert!(listen(&["--data", "x", "--listen", "0.0.0.0:0"]).is_ok());
        assert_eq!(listen(&["--dev"]).unwrap().to_string(), DEFAULT_LISTEN);
        assert!(listen(&["--dev", "--listen", "[::1]:0"]).is_ok());
        for bad in ["0.0.0.0:8433", "192.168.1.2:8433", "[::]:8433", "8433", "localhost"] {
            assert!(listen(&["--dev", "--listen", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn credentials_are_required_unless_dev_says_otherwise() {
        let config = |flags: &[&str]| {
            let settings = gather(flags, &[]).unwrap();
            settings.config(Path::new("x"), "127.0.0.1:1".parse().unwrap()).unwrap()
        };
        let dev = config(&["--dev"]);
        assert_eq!((dev.credentials, dev.socket_dir), (Credentials::None, None));
        let safe = config(&["--data", "x"]);
        assert_eq!(safe.credentials, Credentials::Required);
        assert_eq!(safe.socket_dir, Some(crate::client::socket_directory()));
        assert_eq!(config(&["--data", "x", "--socket-dir", "none"]).socket_dir, None);
        let own = config(&["--dev", "--socket-dir", "/s"]);
        assert_eq!(own.socket_dir, Some(PathBuf::from("/s")));
    }

    #[test]
    fn tls_wants_both_files_or_makes_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let tls = |text: &str| {
            let settings: Settings = toml::from_str(text).unwrap();
            settings.tls(dir.path(), "127.0.0.1:1".parse().unwrap())
        };
        assert_eq!(tls("").unwrap(), None);
        let both = tls("tls_cert = \"c\"\ntls_key = \"k\"").unwrap().unwrap();
        assert_eq!((both.cert, both.key), ("c".into(), "k".into()));
        for bad in ["tls_cert = \"c\"", "tls_key = \"k\"", "tls_client_ca = \"c\""] {
            assert!(tls(bad).is_err(), "{bad}");
        }
        let own = tls("tls_self_signed = true").unwrap().unwrap();
        let pem = std::fs::read_to_string(&own.cert).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE"), "{pem}");
        assert_eq!(tls("tls_self_signed = true").unwrap().unwrap(), own);
        assert_eq!(std::fs::read_to_string(&own.cert).unwrap(), pem);
    }

    #[test]
    fn every_limit_of_the_table_is_a_flag_a_key_and_a_variable() {
        for info in SERVER_LIMITS {
            let value = info.least.max(1) + 1;
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("tidewire.toml");
            std::fs::write(&file, format!("{} = {value}\n", info.name)).unwrap();
            let flag = format!("--{}", info.name.replace('_', "-"));
            let variable = format!("TIDEWIRE_{}", info.name.to_uppercase());
            let text = value.to_string();
            let ways = [
                gather(&[&flag, &text], &[]),
                gather(&["--config", file.to_str().unwrap()], &[]),
                gather(&[], &[(variable.as_str(), text.as_str())]),
            ];
            for settings in ways {
                assert_eq!(
                    settings.unwrap().limits().unwrap().get(info.limit),
                    value,
                    "{flag}"
                );
            }
            let error = gather(&[&flag, &(info.max + 1).to_string()], &[]).unwrap().limits();
            assert!(error.unwrap_err().to_string().contains(info.name), "{flag}");
        }
    }

    #[test]
    fn what_cannot_change_is_named() {
        let before = gather(&["--dev", "--shards", "2", "--log", "info"], &[]).unwrap();
        let after = gather(
            &[
                "--dev",
                "--shards",
                "3",
                "--log",
                "debug",
                "--audit-log",
                "a",
                "--max-connections",
                "9",
            ],
            &[],
        );
        assert_eq!(before.fixed_changes(&after.unwrap()), ["shards", "audit_log"]);
    }

    #[test]
    fn numbers_have_limits() {
        let config = |flags: &[&str]| {
            gather(flags, &[])?.config(Path::new("x"), "127.0.0.1:1".parse().unwrap())
        };
        assert_eq!(config(&["--shards", "256"]).unwrap().shards, 256);
        for bad in [["--shards", "0"], ["--shards", "257"], ["--io-threads", "0"]] {
            assert!(config(&bad).unwrap_err().to_string().contains("1 to 256"), "{bad:?}");
        }
        let memory = |bytes| config(&["--read-memory-bytes", bytes]);
        assert_eq!(memory("2000000").unwrap().read_memory_bytes, 2_000_000);
        let error = memory("65536").unwrap_err().to_string();
        assert!(error.contains("read_memory_bytes is 65536, outside 1048576 to"), "{error}");
    }
}
