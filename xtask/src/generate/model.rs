//! The tables of `protocol/spec` as they are read, and the checks that keep them sound.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// All tables.
pub(super) struct Spec {
    pub(super) limits: Vec<Limit>,
    pub(super) server_limits: Vec<ServerLimit>,
    pub(super) errors: Vec<Error>,
    pub(super) options: Vec<Opt>,
    pub(super) kinds: Kinds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) name: String,
    pub(super) value: u64,
    pub(super) unit: String,
    pub(super) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerLimit {
    pub(super) name: String,
    pub(super) default: u64,
    pub(super) min: u64,
    /// The smallest value other than 0, where that is more than `min` says.
    #[serde(default)]
    pub(super) least: u64,
    pub(super) max: u64,
    pub(super) unit: String,
    pub(super) error: Option<String>,
    pub(super) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Error {
    pub(super) number: u16,
    pub(super) name: String,
    pub(super) class: String,
    pub(super) disposition: Vec<String>,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opt {
    pub(super) scope: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: String,
    pub(super) default: toml::Value,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
    pub(super) unit: Option<String>,
    pub(super) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kinds {
    #[serde(rename = "enum")]
    pub(super) enums: Vec<Enum>,
    #[serde(rename = "struct")]
    pub(super) structs: Vec<Struct>,
    #[serde(rename = "kind")]
    pub(super) kinds: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) variants: Vec<Variant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) value: u8,
    pub(super) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: String,
    pub(super) doc: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tlv {
    pub(super) tag: u16,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: String,
    #[serde(default)]
    pub(super) critical: bool,
    pub(super) doc: String,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Direction {
    Request,
    Push,
    OneWay,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum Payload {
    Request,
    Response,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) number: u16,
    pub(super) version: u8,
    pub(super) direction: Direction,
    #[serde(default)]
    pub(super) planned: bool,
    pub(super) payload: Option<Payload>,
    pub(super) doc: String,
    pub(super) request: Vec<Field>,
    #[serde(default)]
    pub(super) request_tlvs: Vec<Tlv>,
    #[serde(default)]
    pub(super) response: Vec<Field>,
    #[serde(default)]
    pub(super) response_tlvs: Vec<Tlv>,
}

impl Spec {
    /// Reads and checks the tables in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Limits {
            limit: Vec<Limit>,
            server_limit: Vec<ServerLimit>,
        }
        #[derive(Deserialize)]
        struct Errors {
            error: Vec<Error>,
        }
        #[derive(Deserialize)]
        struct Options {
            option: Vec<Opt>,
        }
        let Limits { limit, server_limit } = read(dir, "limits.toml")?;
        let spec = Self {
            limits: limit,
            server_limits: server_limit,
            errors: read::<Errors>(dir, "errors.toml")?.error,
            options: read::<Options>(dir, "options.toml")?.option,
            kinds: read(dir, "kinds.toml")?,
        };
        spec.check()?;
        Ok(spec)
    }

    fn check(&self) -> Result<(), String> {
        unique("error number", self.errors.iter().map(|e| e.number))?;
        unique("error name", self.errors.iter().map(|e| &e.name))?;
        unique("limit", self.limits.iter().map(|l| &l.name))?;
        unique("limit of a server", self.server_limits.iter().map(|l| &l.name))?;
        for limit in &self.server_limits {
            let known = |name: &String| self.errors.iter().any(|error| error.name == *name);
            if limit.error.as_ref().is_some_and(|name| !known(name)) {
                return Err(format!("limit {}: its error does not exist", limit.name));
            }
        }
        unique("option", self.options.iter().map(|o| (&o.scope, &o.name)))?;
        for option in &self.options {
            // A URL has no scopes: one value has to suit all options of a name.
            let first = self.options.iter().find(|o| o.name == option.name);
            if first.is_some_and(|first| first.ty != option.ty) {
                return Err(format!("option {}: two types under one name", option.name));
            }
        }
        unique("kind number", self.kinds.kinds.iter().map(|k| k.number))?;
        unique("kind name", self.kinds.kinds.iter().map(|k| &k.name))?;
        for kind in &self.kinds.kinds {
            unique("tag", kind.request_tlvs.iter().map(|t| t.tag))?;
            unique("tag", kind.response_tlvs.iter().map(|t| t.tag))?;
            if kind.number & 0x8000 != 0 || kind.number == 0 {
                return Err(format!("kind {}: number out of range", kind.name));
            }
            if kind.direction != Direction::Request && !kind.response.is_empty() {
                return Err(format!("kind {}: only a request has a response", kind.name));
            }
            let tlvs = kind.request_tlvs.iter().chain(&kind.response_tlvs);
            if tlvs.clone().any(|t| t.tag == 0 || t.tag & 0x8000 != 0) {
                return Err(format!("kind {}: a tag is 1 to 32767", kind.name));
            }
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<T, String> {
    let path = dir.join(name);
    let text =
        std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn unique<T: std::hash::Hash + Eq + std::fmt::Debug>(
    what: &str,
    items: impl Iterator<Item = T>,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    for item in items {
        let text = format!("{item:?}");
        if !seen.insert(item) {
            return Err(format!("{what} {text} stands twice"));
        }
    }
    Ok(())
}
