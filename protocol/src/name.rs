//! Names of streams and topics, and the `stream/topic` form.

use crate::error::{Code, Error};
use crate::limits::MAX_NAME_LEN;

/// The stream of a topic that is given without one.
pub const DEFAULT_STREAM: &str = "default";

/// Checks a name: 1 to 255 bytes of UTF-8, no `/`, no control characters. `what` says what it
/// names, for the error.
// SPEC K-3
pub fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let invalid = |why: String| Error::new(Code::INVALID_NAME, why);
    if name.is_empty() {
        return Err(invalid(format!("the {what} name is empty")));
    }
    if name.len() > MAX_NAME_LEN as usize {
        let start: String = name.chars().take(24).collect();
        return Err(invalid(format!(
            "the {what} name \"{start}…\" has {} bytes, over the limit of {MAX_NAME_LEN}",
            name.len()
        )));
    }
    if name.contains('/') {
        return Err(invalid(format!(
            "the {what} name \"{name}\" contains \"/\", which separates a stream from a topic"
        )));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid(format!(
            "the {what} name \"{}\" contains a control character",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// A topic's full name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName {
    stream: String,
    topic: String,
}

impl TopicName {
    /// A topic of a stream.
    pub fn new(stream: &str, topic: &str) -> Result<Self, Error> {
        check_name("stream", stream)?;
        check_name("topic", topic)?;
        Ok(Self { stream: stream.to_owned(), topic: topic.to_owned() })
    }

    /// Reads `stream/topic`, or `topic` for a topic of the stream `default`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.split_once('/') {
            Some((stream, topic)) => Self::new(stream, topic),
            None => Self::new(DEFAULT_STREAM, text),
        }
    }

    /// The stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The topic within the stream.
    pub fn topic(&self) -> &str {
        &self.topic
    }
}

impl std::fmt::Display for TopicName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.stream, self.topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SPEC K-3
    #[test]
    fn a_bare_topic_is_of_the_default_stream() {
        assert_eq!(TopicName::parse("orders").expect("good").to_string(), "default/orders");
        assert_eq!(TopicName::parse("shop/orders").expect("good").stream(), "shop");
    }

    /// SPEC K-3
    #[test]
    fn names_have_limits() {
        assert!(check_name("topic", &"é".repeat(127)).is_ok());
        for bad in ["", "a/b", "a\nb", "a\u{7f}b", &"é".repeat(128)] {
            let error = check_name("topic", bad).expect_err("bad");
            assert_eq!(error.code, Code::INVALID_NAME, "{bad:?}");
        }
        assert!(TopicName::parse("a/b/c").is_err());
        assert!(TopicName::parse("/b").is_err());
        assert!(TopicName::parse("a/").is_err());
    }
}
