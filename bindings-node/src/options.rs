//! Options by name, as the skin hands them over: pairs of name and value, checked there against
//! the tables.
//!
//! Owns which builder's method a name is. The one invariant: a name or value that is not known
//! here is refused, never left out.

use std::str::FromStr;

use tidewire::blocking::ClientBuilder;
use tidewire::{
    Acks, Code, Codec, ConsumerBuilder, ProducerBuilder, QueueFull, Secret, Start, TopicConfig,
};

use crate::failure::Failure;

type Applied<T> = Result<T, Failure>;

fn bad(name: &str, value: &str) -> Failure {
    Failure::invalid(Code::INVALID_OPTION, format!("option {name} cannot be \"{value}\""))
}

fn unknown(name: &str) -> Failure {
    Failure::invalid(Code::INVALID_OPTION, format!("there is no option {name}"))
}

fn parse<T: FromStr>(name: &str, value: &str) -> Applied<T> {
    value.parse().map_err(|_| bad(name, value))
}

/// Name and value, in turn.
pub(crate) struct Options(Vec<String>);

impl Options {
    pub(crate) fn new(flat: Vec<String>) -> Self {
        Self(flat)
    }

    fn apply<B>(
        &self,
        builder: B,
        mut set: impl FnMut(B, &str, &str) -> Applied<B>,
    ) -> Applied<B> {
        self.0.chunks_exact(2).try_fold(builder, |builder, pair| {
            let [name, value] = pair else { return Ok(builder) };
            set(builder, name, value)
        })
    }

    pub(crate) fn client(&self, builder: ClientBuilder) -> Applied<ClientBuilder> {
        self.apply(builder, |builder, name, value| {
            Ok(match name {
                "user" => builder.user(value),
                "secret" => builder.secret(Secret::new(value)),
                "secret_file" => builder.secret_file(value),
                "tls_ca_file" => builder.tls_ca_file(value),
                "tls_cert_file" => builder.tls_cert_file(value),
                "tls_key_file" => builder.tls_key_file(value),
                "tls_danger" => builder.tls_danger(value),
                "encryption_keys" => builder.encryption_keys(Secret::new(value)),
                "encryption_key_file" => builder.encryption_key_file(value),
                "client_name" => builder.client_name(value),
                "connect_timeout_ms" => builder.connect_timeout_ms(parse(name, value)?),
                "request_timeout_ms" => builder.request_timeout_ms(parse(name, value)?),
                "heartbeat_ms" => builder.heartbeat_ms(parse(name, value)?),
                "retry_backoff_ms" => builder.retry_backoff_ms(parse(name, value)?),
                "retry_backoff_max_ms" => builder.retry_backoff_max_ms(parse(name, value)?),
                "runtime_threads" => builder.runtime_threads(parse(name, value)?),
                "busy_poll_us" => builder.busy_poll_us(parse(name, value)?),
                _ => return Err(unknown(name)),
            })
        })
    }

    pub(crate) fn producer(&self, builder: ProducerBuilder) -> Applied<ProducerBuilder> {
        self.apply(builder, |builder, name, value| {
            Ok(match name {
                "name" => builder.name(value),
                "acks" => builder.acks(acks(value)?),
                "linger_ms" => builder.linger_ms(parse(name, value)?),
                "batch_bytes" => builder.batch_bytes(parse(name, value)?),
                "batch_records" => builder.batch_records(parse(name, value)?),
                "queue_bytes" => builder.queue_bytes(parse(name, value)?),
                "max_in_flight" => builder.max_in_flight(parse(name, value)?),
                "delivery_timeout_ms" => builder.delivery_timeout_ms(parse(name, value)?),
                "encryption_key_id" => builder.encryption_key_id(parse(name, value)?),
                "queue_full" => builder.queue_full(match value {
                    "block" => QueueFull::Block,
                    "error" => QueueFull::Error,
                    "drop" => QueueFull::Drop,
                    _ => return Err(bad(name, value)),
                }),
                // The topic's is what counts where none is set.
                "codec" if value == "topic" => builder,
                "codec" => builder.codec(codec(value)?),
                _ => return Err(unknown(name)),
            })
        })
    }

    pub(crate) fn topic(&self) -> Applied<TopicConfig> {
        self.apply(TopicConfig::default(), |config, name, value| {
            Ok(match name {
                "partitions" => config.partitions(parse(name, value)?),
                "segment_bytes" => config.segment_bytes(parse(name, value)?),
                "codec" => config.codec(codec(value)?),
                "retention_ms" => config.retention_ms(parse(name, value)?),
                "retention_bytes" => config.retention_bytes(parse(name, value)?),
                "dedup_window_ms" => config.dedup_window_ms(parse(name, value)?),
                _ => return Err(unknown(name)),
            })
        })
    }

    pub(crate) fn consumer(&self, builder: ConsumerBuilder) -> Applied<ConsumerBuilder> {
        self.apply(builder, |builder, name, value| {
            builder.option(name, value).map_err(|error| Failure::of(&error))
        })
    }
}

/// `earliest`, `latest`, an offset, `last:N` or `time:T`.
pub(crate) fn start(text: &str) -> Applied<Start> {
    text.parse().map_err(|error| Failure::of(&error))
}

fn acks(value: &str) -> Applied<Acks> {
    Ok(match value {
        "none" => Acks::None,
        "written" => Acks::Written,
        "synced" => Acks::Synced,
        _ => return Err(bad("acks", value)),
    })
}

fn codec(value: &str) -> Applied<Codec> {
    Ok(match value {
        "none" => Codec::None,
        "lz4" => Codec::Lz4,
        "zstd" => Codec::Zstd,
        _ => return Err(bad("codec", value)),
    })
}
