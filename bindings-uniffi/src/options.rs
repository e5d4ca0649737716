//! Options by name, for each thing that has some.
//!
//! Owns nothing of their meaning: names, ranges and defaults are the core's. The one invariant: a
//! name or a value that the core does not know is refused, never left out.

use std::collections::HashMap;

use tidewire::blocking::ClientBuilder;
use tidewire::{ConsumerBuilder, Error, ProducerBuilder, Secret, Start, TopicConfig};

use crate::failure::NativeError;

/// Values by name, written as in a URL.
pub(crate) type Options = HashMap<String, String>;

fn apply<B>(
    options: &Options,
    builder: B,
    set: impl Fn(B, &str, &str) -> Result<B, Error>,
) -> Result<B, NativeError> {
    // In the order of the names, so that of several errors it is always the same that is told.
    let mut names: Vec<&String> = options.keys().collect();
    names.sort();
    let mut builder = builder;
    for name in names {
        builder = set(builder, name, &options[name])?;
    }
    Ok(builder)
}

pub(crate) fn client(
    options: &Options,
    builder: ClientBuilder,
) -> Result<ClientBuilder, NativeError> {
    apply(options, builder, |builder, name, value| match name {
        // It is none of the options that a URL or the environment may set.
        "secret" => Ok(builder.secret(Secret::new(value))),
        _ => builder.option(name, value),
    })
}

pub(crate) fn producer(
    options: &Options,
    builder: ProducerBuilder,
) -> Result<ProducerBuilder, NativeError> {
    apply(options, builder, |builder, name, value| builder.option(name, value))
}

pub(crate) fn consumer(
    options: &Options,
    builder: ConsumerBuilder,
) -> Result<ConsumerBuilder, NativeError> {
    apply(options, builder, |builder, name, value| builder.option(name, value))
}

pub(crate) fn topic(options: &Options) -> Result<TopicConfig, NativeError> {
    apply(options, TopicConfig::default(), |config, name, value| config.option(name, value))
}

/// `earliest`, `latest`, an offset, `last:N` or `time:T`.
pub(crate) fn start(text: &str) -> Result<Start, NativeError> {
    Ok(text.parse::<Start>()?)
}
