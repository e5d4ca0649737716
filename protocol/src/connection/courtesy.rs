//! What a peer that does not speak Tidewire is told, in its own words where they are known.

/// An answer to bytes that are not the preface: an HTTP client gets HTTP, others nothing.
pub(super) fn answer(received: &[u8]) -> Option<&'static [u8]> {
    const METHODS: [&[u8]; 8] =
        [b"GET ", b"POST", b"PUT ", b"HEAD", b"DELE", b"OPTI", b"PATC", b"PRI "];
    METHODS.iter().any(|method| received.starts_with(method)).then_some(
        b"HTTP/1.1 400 Bad Request\r\n\
          Content-Type: text/plain; charset=utf-8\r\n\
          Content-Length: 146\r\n\
          Connection: close\r\n\
          \r\n\
          This is a Tidewire server's native port; it does not speak HTTP here.\n\
          Use a Tidewire client, for example: tidewire ping --url tidewire://HOST:PORT",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_http_answer_has_the_length_that_it_states() {
        let answer =
            std::str::from_utf8(answer(b"GET / HTTP/1.1").expect("http")).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let stated = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(stated, Some(body.len().to_string().as_str()));
    }

    #[test]
    fn others_are_not_answered() {
        assert_eq!(answer(b"\x16\x03\x01"), None);
    }
}
