//! Variables of the environment that look like settings and are none.
//!
//! Owns which of them anybody reads: the settings' names are those that [`Settings`] asks for, the
//! clients' those of the table of options. The one invariant: a value is never shown, for it may be
//! a secret.

use std::cell::RefCell;
use std::ffi::OsString;

use tidewire_protocol::options::OPTIONS;
use tidewire_protocol::url::{environment_name, nearest};

use super::settings::Settings;

/// What all of them begin with.
const PREFIX: &str = "TIDEWIRE_";
/// Of the command line, of the Ruby gem, and of tests.
const OTHERS: [&str; 3] = ["TIDEWIRE_URL", "TIDEWIRE_LIBRARY", "TIDEWIRE_SEED"];
/// What Kubernetes sets for a service called tidewire begins with this; and what tests do.
const FOREIGN: [&str; 3] = ["TIDEWIRE_SERVICE_", "TIDEWIRE_PORT", "TIDEWIRE_TEST_"];

/// A line for each variable that nobody reads, by name.
pub fn unread(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let settings = settings();
    // Without what they all begin with, which would make any two of them alike.
    let known: Vec<&str> =
        settings.iter().filter_map(|name| name.strip_prefix(PREFIX)).collect();
    let is_known = |name: &str| {
        settings.iter().any(|known| known == name)
            || OTHERS.contains(&name)
            || FOREIGN.iter().any(|begin| name.starts_with(begin))
            || OPTIONS.iter().any(|info| environment_name(info) == name)
    };
    let mut lines: Vec<String> = variables
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX) && !is_known(name))
        .map(|name| {
            let hint = match nearest(&name[PREFIX.len()..], &known) {
                Some(near) => format!("did you mean {PREFIX}{near}?"),
                None => "'tidewire serve --help' has all settings".to_owned(),
            };
            format!("the environment variable {name} sets nothing; {hint}")
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// The variables that settings are read from.
fn settings() -> Vec<String> {
    let names = RefCell::new(Vec::new());
    // None is there, so none is wrong.
    let _ = Settings::from_environment(|name| {
        names.borrow_mut().push(name.to_owned());
        None
    });
    names.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread_of(names: &[&str]) -> Vec<String> {
        unread(names.iter().map(|name| (OsString::from(name), OsString::from("s3cret"))))
    }

    #[test]
    fn a_variable_that_nobody_reads_is_named_with_what_was_meant() {
        assert_eq!(
            unread_of(&["TIDEWIRE_SHARD", "PATH", "TIDEWIRE_CONFIG", "TIDEWIRE_SHARDS"]),
            [
                "the environment variable TIDEWIRE_CONFIG sets nothing; 'tidewire serve --help' has \
                 all settings",
                "the environment variable TIDEWIRE_SHARD sets nothing; did you mean TIDEWIRE_SHARDS?",
            ]
        );
    }

    #[test]
    fn what_somebody_reads_is_passed_over() {
        let known = settings();
        assert!(known.iter().any(|name| name == "TIDEWIRE_MAX_CONNECTIONS"), "{known:?}");
        assert!(known.iter().all(|name| unread_of(&[name]).is_empty()), "{known:?}");
        let others = [
            "TIDEWIRE_URL",
            "TIDEWIRE_LINGER_MS",
            "TIDEWIRE_ENCRYPTION_KEYS",
            "TIDEWIRE_SERVICE_HOST",
            "TIDEWIRE_PORT_8433_TCP_ADDR",
        ];
        assert_eq!(unread_of(&others), Vec::<String>::new());
    }

    #[test]
    fn that_all_begin_alike_makes_none_of_them_meant() {
        let line = unread_of(&["TIDEWIRE_QQQ"]).remove(0);
        assert!(!line.contains("did you mean"), "{line}");
    }
}
