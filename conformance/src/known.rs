//! What is known to fail, and what an SDK is known not to reach: `known/<sdk>.toml`.
//!
//! A known failure is still played. It has a reason and a day on which it expires; from then on it
//! is a failure like any other. One that passes is *stale*, and fails the run: the list must
//! shrink.

use std::path::Path;

use serde::Deserialize;

use crate::case::fits;

/// The list of one SDK.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Failures.
    #[serde(default)]
    pub failure: Vec<Failure>,
    /// Kinds, options and errors that no case reaches through this SDK.
    #[serde(default)]
    pub gap: Vec<Gap>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Cases, `*` and `**` allowed.
    pub case: String,
    pub reason: String,
    /// `2027-01-31`.
    pub expires: jiff::civil::Date,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// `kind:NAME`, `option:scope.name` or `error:NAME`, several.
    pub what: Vec<String>,
    pub reason: String,
}

impl Known {
    /// The list of an SDK; an SDK without a file has none.
    pub fn read(directory: &Path, sdk: &str) -> Result<Self, String> {
        let path = directory.join(format!("{sdk}.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// Why a case is known to fail today, if it is.
    pub fn failure(&self, case: &str, today: jiff::civil::Date) -> Option<&Failure> {
        self.failure.iter().find(|known| fits(&known.case, case) && today <= known.expires)
    }

    /// Why something is known not to be reached.
    pub fn gap(&self, what: &str) -> Option<&Gap> {
        self.gap.iter().find(|gap| gap.what.iter().any(|each| each == what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_failure_ends_with_its_day() {
        let known: Known = toml::from_str(
            "[[failure]]\ncase = \"net/*\"\nreason = \"r\"\nexpires = \"2030-05-01\"\n",
        )
        .expect("a list");
        let day = |text: &str| text.parse().expect("a day");
        assert!(known.failure("net/cut", day("2030-05-01")).is_some());
        assert!(known.failure("net/cut", day("2030-05-02")).is_none());
        assert!(known.failure("cons/first", day("2030-01-01")).is_none());
    }

    #[test]
    fn a_failure_without_a_reason_or_a_day_is_refused() {
        assert!(
            toml::from_str::<Known>("[[failure]]\ncase = \"a/b\"\nreason = \"r\"\n").is_err()
        );
    }
}
