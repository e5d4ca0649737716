//! Options by name, from wherever they were given.
//!
//! Owns the order of precedence: what a builder was told, then the URL, then the environment
//! (`TIDEWIRE_` and the option's name in capitals), then the protocol's table of defaults. Names,
//! ranges and defaults are that table's. The one invariant: every value in a [`Settings`] was
//! checked against it, so reading one cannot fail.

use std::sync::Arc;

use tidewire_protocol::auth::Secret;
use tidewire_protocol::batch::EncryptionKeys;
use tidewire_protocol::message::{Acks, Codec};
use tidewire_protocol::options::{OPTIONS, OptionInfo, OptionType, Scope, consumer, producer};
use tidewire_protocol::url::{Url, check_option, environment_name, nearest};

use crate::error::{Code, Error};
use crate::{AutoCommit, OnOutOfRange, QueueFull, Start};

/// Checks an option that a builder was given by name, for what it makes.
pub(crate) fn by_name(scope: Scope, name: &str, value: &str) -> Result<(), Error> {
    let mut of_scope = OPTIONS.iter().filter(|info| info.scope == scope);
    if !of_scope.clone().any(|info| info.name == name) {
        let known: Vec<&str> = of_scope.by_ref().map(|info| info.name).collect();
        let what = format!("{scope:?}").to_lowercase();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it has {}", known.join(", ")),
        };
        let text = format!("a {what} has no option \"{name}\"; {hint}");
        return Err(Error::new(Code::INVALID_OPTION, text));
    }
    check_option(name, value)?;
    Ok(())
}

/// The method that sets any option of a builder by its name.
macro_rules! option_by_name {
    ($scope:ident: $($name:ident),* $(,)?) => {
        /// Sets an option by its name, to a value as it is written in a URL: for programs that
        /// read options from elsewhere.
        ///
        /// # Errors
        /// `INVALID_OPTION` for a name that is none, or a value that is not allowed.
        pub fn option(mut self, name: &str, value: &str) -> Result<Self, $crate::Error> {
            $crate::options::by_name(
                tidewire_protocol::options::Scope::$scope, name, value,
            )?;
            match name {
                // A value that was checked and is none of the type's stands for the default.
                $(stringify!($name) => self.$name = value.parse().ok(),)*
                _ => {}
            }
            Ok(self)
        }
    };
}
pub(crate) use option_by_name;

/// Options that the URL or the environment sets, for a client and all that is made from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    values: Vec<(&'static OptionInfo, String)>,
    /// What the environment says of the option `encryption_keys`, which no URL has.
    encryption_keys: Option<Secret>,
    /// The keys of both options, once they were read.
    pub(crate) keys: Arc<EncryptionKeys>,
}

impl Settings {
    /// The options of `url`, and those of the environment that it does not set. `variable` reads
    /// an environment variable.
    pub(crate) fn new(
        url: &Url,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut values = url.options.clone();
        let mut encryption_keys = None;
        for info in OPTIONS {
            if values.iter().any(|(known, _)| known.name == info.name) {
                continue;
            }
            let name = environment_name(info);
            if let Some(value) = variable(&name) {
                let checked = check_option(info.name, &value)
                    .map_err(|error| Error::from(error).about(format!("environment {name}")))?;
                match info.ty {
                    OptionType::Keys => encryption_keys = Some(Secret::new(value)),
                    _ => values.push(checked),
                }
            }
        }
        Ok(Self { values, encryption_keys, keys: Arc::default() })
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(info, _)| info.name == name).map(|(_, v)| v.as_str())
    }

    /// The option `encryption_keys`.
    pub(crate) fn encryption_keys(&self, given: Option<Secret>) -> Option<Secret> {
        given.or_else(|| self.encryption_keys.clone())
    }

    /// A text option.
    pub(crate) fn text(&self, name: &str, given: Option<String>, default: &str) -> String {
        given.or_else(|| self.find(name).map(str::to_owned)).unwrap_or(default.to_owned())
    }

    /// A numeric option: `given` if it is in range, else what is set by name, else `default`.
    pub(crate) fn number<T>(&self, name: &str, given: Option<T>, default: T) -> Result<T, Error>
    where
        T: Into<u64> + std::str::FromStr + Copy,
    {
        if let Some(value) = given {
            if let Some(info) = OptionInfo::find(name) {
                info.check(value.into())?;
            }
            return Ok(value);
        }
        Ok(self.find(name).and_then(|value| value.parse().ok()).unwrap_or(default))
    }

    /// The option `acks`.
    pub(crate) fn acks(&self, given: Option<Acks>) -> Result<Acks, Error> {
        match given {
            Some(acks @ (Acks::None | Acks::Written | Acks::Synced)) => return Ok(acks),
            Some(other) => {
                return Err(Error::new(
                    Code::INVALID_OPTION,
                    format!("acks is {other:?}, but should be none, written or synced"),
                ));
            }
            None => {}
        }
        // Whatever is kept here was checked.
        let text = self.find("acks").unwrap_or(producer::ACKS);
        Ok(text.parse().unwrap_or(Acks::Synced))
    }

    /// The option `queue_full`.
    pub(crate) fn queue_full(&self, given: Option<QueueFull>) -> QueueFull {
        let text = self.find("queue_full").unwrap_or(producer::QUEUE_FULL);
        given.unwrap_or_else(|| text.parse().unwrap_or_default())
    }

    /// The option `codec`, of producers and topics alike; `None` is the topic's own, or its
    /// server's default.
    pub(crate) fn codec(&self, given: Option<Codec>) -> Result<Option<Codec>, Error> {
        match given {
            Some(Codec::Other(other)) => Err(Error::new(
                Code::INVALID_OPTION,
                format!("codec is {other}, but should be none, lz4 or zstd"),
            )),
            Some(codec) => Ok(Some(codec)),
            // What names no codec is the default, "topic".
            None => Ok(self.find("codec").and_then(|text| text.parse().ok())),
        }
    }

    /// The option `auto_commit`.
    pub(crate) fn auto_commit(&self, given: Option<AutoCommit>) -> AutoCommit {
        let text = self.find("auto_commit").unwrap_or(consumer::AUTO_COMMIT);
        given.unwrap_or_else(|| text.parse().unwrap_or(AutoCommit::Off))
    }

    /// The option `on_out_of_range`.
    pub(crate) fn on_out_of_range(&self, given: Option<OnOutOfRange>) -> OnOutOfRange {
        let text = self.find("on_out_of_range").unwrap_or(consumer::ON_OUT_OF_RANGE);
        given.unwrap_or_else(|| text.parse().unwrap_or(OnOutOfRange::Earliest))
    }

    /// The option `start`.
    pub(crate) fn start(&self, given: Option<Start>) -> Start {
        let text = self.find("start").unwrap_or(consumer::START);
        // Whatever is kept here was checked.
        given.unwrap_or_else(|| text.parse().unwrap_or(Start::Latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::new(&Url::parse(url)?, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn a_builder_wins_over_the_url_over_the_environment_over_the_default() {
        let environment = [("TIDEWIRE_LINGER_MS", "1"), ("TIDEWIRE_BATCH_BYTES", "4096")];
        let settings = settings("tidewire://a/?linger_ms=2", &environment).expect("good");
        let number = |name, given| settings.number::<u32>(name, given, 9).expect("in range");
        assert_eq!(number("linger_ms", Some(3)), 3);
        assert_eq!(number("linger_ms", None), 2);
        assert_eq!(number("batch_bytes", None), 4096);
        assert_eq!(number("max_in_flight", None), 9);
    }

    #[test]
    fn keys_are_shown_nowhere() {
        let key = crate::new_encryption_key(5).expect("a key").text();
        let hidden = &key[6..];
        let environment = [("TIDEWIRE_ENCRYPTION_KEYS", key.as_str())];
        let found = settings("tidewire://a/", &environment).expect("good");
        assert!(!format!("{found:?}").contains(hidden));
        assert_eq!(found.encryption_keys(None).expect("there").expose(), key.as_str());
        let given = Secret::new("twk_1_");
        assert_eq!(found.encryption_keys(Some(given.clone())), Some(given));
        let builder = crate::Client::builder().option("encryption_keys", &key).expect("a key");
        assert!(!format!("{builder:?}").contains(hidden));

        let url = format!("tidewire://a/?encryption_keys={}", *key);
        let in_url = settings(&url, &[]).expect_err("in a URL");
        let cut = crate::Client::builder().option("encryption_keys", &key[..60]);
        let broken = [("TIDEWIRE_ENCRYPTION_KEYS", &key[..60])];
        let broken = settings("tidewire://a/", &broken).expect_err("cut");
        for error in [in_url, cut.expect_err("cut"), broken] {
            assert_eq!(error.code(), Code::INVALID_OPTION);
            assert!(!error.to_string().contains(&key[6..50]), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_refused_wherever_it_stands() {
        let error = settings("tidewire://a", &[("TIDEWIRE_LINGER_MS", "x")]).expect_err("bad");
        assert_eq!(error.code(), Code::INVALID_OPTION);
        assert!(error.to_string().contains("TIDEWIRE_LINGER_MS"), "{error}");
        let error =
            Settings::default().number("linger_ms", Some(60_001u32), 5).expect_err("bad");
        assert!(error.to_string().contains("60000"), "{error}");
    }

    /// Every option of the table can be set by name on what it belongs to, to its default; but for
    /// those that the blocking client's builder has to itself.
    #[test]
    fn builders_take_every_option_of_the_table() {
        let mut client = crate::ClientBuilder::default();
        let mut topic = crate::TopicConfig::default();
        for info in OPTIONS {
            match info.scope {
                Scope::Client if ["runtime_threads", "busy_poll_us"].contains(&info.name) => {}
                Scope::Client => client = client.option(info.name, info.default).expect("one"),
                Scope::Topic => topic = topic.option(info.name, info.default).expect("one"),
                Scope::Producer | Scope::Consumer => {
                    by_name(info.scope, info.name, info.default).expect("one");
                }
            }
        }
        let expected = crate::TopicConfig::default()
            .partitions(1)
            .segment_bytes(268_435_456)
            .codec(Codec::None)
            .retention_ms(0)
            .retention_bytes(0)
            .dedup_window_ms(0);
        assert_eq!(topic, expected);
        let error = topic.option("linger_ms", "5").expect_err("a producer's");
        assert_eq!(error.code(), Code::INVALID_OPTION);
        assert!(error.to_string().contains("retention_bytes"), "{error}");
        let error = topic.option("partitions", "many").expect_err("no number");
        assert!(error.to_string().contains("many"), "{error}");
    }

    #[test]
    fn a_codec_that_is_not_chosen_is_the_topics() {
        let codec = |query, given| {
            let url = format!("tidewire://a/?{query}");
            settings(&url, &[]).expect("good").codec(given).map_err(|error| error.code())
        };
        assert_eq!(codec("", None), Ok(None));
        assert_eq!(codec("codec=topic", None), Ok(None));
        assert_eq!(codec("codec=none", None), Ok(Some(Codec::None)));
        assert_eq!(codec("codec=lz4", None), Ok(Some(Codec::Lz4)));
        assert_eq!(codec("codec=lz4", Some(Codec::Zstd)), Ok(Some(Codec::Zstd)));
        assert_eq!(codec("", Some(Codec::Other(9))), Err(Code::INVALID_OPTION));
    }

    #[test]
    fn what_a_consumer_does_by_itself_is_read_by_name() {
        use AutoCommit::{After, Before, Interval, Off};
        for (text, auto_commit) in
            [("off", Off), ("interval", Interval), ("after", After), ("before", Before)]
        {
            let url = format!("tidewire://a/?auto_commit={text}");
            assert_eq!(settings(&url, &[]).expect("good").auto_commit(None), auto_commit);
        }
        for (text, wanted) in [
            ("earliest", OnOutOfRange::Earliest),
            ("latest", OnOutOfRange::Latest),
            ("error", OnOutOfRange::Error),
        ] {
            let url = format!("tidewire://a/?on_out_of_range={text}");
            assert_eq!(settings(&url, &[]).expect("good").on_out_of_range(None), wanted);
        }
        assert_eq!(Settings::default().auto_commit(Some(After)), After);
    }

    #[test]
    fn start_and_acks_are_read_by_name() {
        let settings =
            settings("tidewire://a/?start=17&acks=written&queue_full=drop", &[]).expect("good");
        assert_eq!(settings.start(None), Start::Offset(17));
        assert_eq!(settings.start(Some(Start::Earliest)), Start::Earliest);
        assert_eq!(settings.acks(None).expect("good"), Acks::Written);
        assert_eq!(Settings::default().queue_full(None), QueueFull::Block);
        assert_eq!(settings.queue_full(None), QueueFull::Drop);
        assert_eq!(settings.queue_full(Some(QueueFull::Error)), QueueFull::Error);
        assert_eq!(Settings::default().start(None), Start::Latest);
        let settings = Settings::default();
        assert_eq!(settings.auto_commit(None), AutoCommit::Off);
        assert_eq!(settings.on_out_of_range(None), OnOutOfRange::Earliest);
        assert_eq!(Settings::default().acks(None).expect("good"), Acks::Synced);
    }
}
