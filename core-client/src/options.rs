//! Options by name, from wherever they were given.
//!
//! Owns the order of precedence: what a builder was told, then the URL, then the environment
//! (`TIDEWIRE_` and the option's name in capitals), then the protocol's table of defaults. Names,
//! ranges and defaults are that table's. The one invariant: every value in a [`Settings`] was
//! checked against it, so reading one cannot fail.

use tidewire_protocol::message::{Acks, Codec};
use tidewire_protocol::options::OptionInfo;
use tidewire_protocol::url::{Url, check_option, environment_name};

use crate::error::{Code, Error};
use crate::{QueueFull, Start};

/// Options that the URL or the environment sets, for a client and all that is made from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    values: Vec<(&'static OptionInfo, String)>,
}

impl Settings {
    /// The options of `url`, and those of the environment that it does not set. `variable` reads
    /// an environment variable.
    pub(crate) fn new(
        url: &Url,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut values = url.options.clone();
        for info in tidewire_protocol::options::OPTIONS {
            if values.iter().any(|(known, _)| known.name == info.name) {
                continue;
            }
            let name = environment_name(info);
            if let Some(value) = variable(&name) {
                let checked = check_option(info.name, &value)
                    .map_err(|error| Error::from(error).about(format!("environment {name}")))?;
                values.push(checked);
            }
        }
        Ok(Self { values })
    }

    fn find(&self, name: &str) -> Option<&str> {
        // The last of several in a URL counts.
        self.values.iter().rev().find(|(info, _)| info.name == name).map(|(_, v)| v.as_str())
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
        let text = self.find("acks").unwrap_or(tidewire_protocol::options::producer::ACKS);
        Ok(match text {
            "none" => Acks::None,
            "written" => Acks::Written,
            _ => Acks::Synced,
        })
    }

    /// The option `queue_full`.
    pub(crate) fn queue_full(&self, given: Option<QueueFull>) -> QueueFull {
        let default = tidewire_protocol::options::producer::QUEUE_FULL;
        given.unwrap_or_else(|| match self.find("queue_full").unwrap_or(default) {
            "error" => QueueFull::Error,
            "drop" => QueueFull::Drop,
            _ => QueueFull::Block,
        })
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

    /// The option `start`.
    pub(crate) fn start(&self, given: Option<Start>) -> Start {
        let text = self.find("start").unwrap_or(tidewire_protocol::options::consumer::START);
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
    fn a_value_out_of_range_is_refused_wherever_it_stands() {
        let error = settings("tidewire://a", &[("TIDEWIRE_LINGER_MS", "x")]).expect_err("bad");
        assert_eq!(error.code(), Code::INVALID_OPTION);
        assert!(error.to_string().contains("TIDEWIRE_LINGER_MS"), "{error}");
        let error =
            Settings::default().number("linger_ms", Some(60_001u32), 5).expect_err("bad");
        assert!(error.to_string().contains("60000"), "{error}");
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
        assert_eq!(Settings::default().acks(None).expect("good"), Acks::Synced);
    }
}
