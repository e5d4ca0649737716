//! The HTML reference of `tidewire.h`, made from its comments.
//!
//! Owns reading the header as cbindgen writes it: a comment and the declaration behind it. The one
//! invariant: whatever has a comment in the header stands on the page.

use std::fmt::Write as _;

/// Something that the header declares.
struct Item<'a> {
    name: &'a str,
    comment: String,
    code: &'a str,
}

/// The page.
pub(super) fn html(header: &str, version: &str) -> String {
    let items = items(header);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>tidewire.h {version}</title>\n<style>\n{STYLE}</style>\n\
         <h1>tidewire.h <small>{version}</small></h1>\n"
    );
    let intro = header.strip_prefix("/*").and_then(|rest| rest.split_once("*/"));
    if let Some((intro, _)) = intro {
        let lines = intro.lines().map(|line| line.trim_start().trim_start_matches("* "));
        let text: Vec<&str> = lines.map(|line| line.trim_start_matches('*')).collect();
        let _ = writeln!(out, "<pre class=\"intro\">{}</pre>", escape(text.join("\n").trim()));
    }
    out.push_str("<nav>\n");
    let kinds = [("Functions", "("), ("Types", "typedef"), ("Constants", "#define")];
    for (title, mark) in kinds {
        let _ = writeln!(out, "<h2>{title}</h2>\n<p>");
        for item in items.iter().filter(|item| kind(item) == mark) {
            let _ = writeln!(out, "<a href=\"#{0}\">{0}</a>", item.name);
        }
        out.push_str("</p>\n");
    }
    out.push_str("</nav>\n");
    for item in &items {
        let _ = writeln!(
            out,
            "<section id=\"{0}\">\n<h3><a href=\"#{0}\">{0}</a></h3>\n{1}<pre>{2}</pre>\n</section>",
            item.name,
            prose(&item.comment),
            escape(item.code),
        );
    }
    out.push_str("</html>\n");
    out
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\n\
    pre{background:#f4f4f2;padding:.6rem .8rem;overflow:auto;font-size:.85rem}\n\
    nav a{display:inline-block;margin-right:1rem;font-family:monospace}\n\
    h3 a{color:inherit;text-decoration:none;font-family:monospace}\n\
    section{border-top:1px solid #ddd}\n\
    @media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}pre{background:#242424}a{color:#8bf}section{border-color:#333}}\n";

fn kind(item: &Item<'_>) -> &'static str {
    if item.code.starts_with("#define") {
        "#define"
    } else if item.code.starts_with("typedef") {
        "typedef"
    } else {
        "("
    }
}

fn items(header: &str) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    // Comments within structs are indented, and stay in their code.
    for part in header.split("\n/**\n").skip(1) {
        let Some((comment, rest)) = part.split_once("\n */\n") else { continue };
        let comment: Vec<&str> = comment
            .lines()
            .map(|line| line.strip_prefix(" *").unwrap_or(line).trim())
            .collect();
        let end = if rest.starts_with("#define") {
            rest.find('\n')
        } else if rest.starts_with("typedef struct {") {
            rest.find("\n} ").and_then(|at| Some(at + rest[at + 1..].find(';')? + 2))
        } else {
            rest.find(';').map(|at| at + 1)
        };
        let code = rest[..end.unwrap_or(rest.len())].trim_end();
        if let Some(name) = name(code) {
            items.push(Item { name, comment: comment.join("\n"), code });
        }
    }
    items
}

fn name(code: &str) -> Option<&str> {
    if let Some(rest) = code.strip_prefix("#define ") {
        return rest.split_whitespace().next();
    }
    if code.starts_with("typedef") {
        return code.trim_end_matches(';').rsplit([' ', '}']).next();
    }
    let before = code.split('(').next()?;
    before.rsplit([' ', '*']).next()
}

/// A comment as paragraphs, with what stands in backquotes as code.
fn prose(comment: &str) -> String {
    let mut out = String::new();
    for paragraph in comment.split("\n\n") {
        let mut in_code = false;
        let text: Vec<String> = escape(paragraph)
            .split('`')
            .map(|part| {
                let shown =
                    if in_code { format!("<code>{part}</code>") } else { part.to_owned() };
                in_code = !in_code;
                shown
            })
            .collect();
        let _ = writeln!(out, "<p>{}</p>", text.concat());
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_header_declares_stands_on_the_page() {
        let header = std::fs::read_to_string(
            crate::generate::root().join("bindings-c/include/tidewire.h"),
        )
        .expect("the header");
        let page = html(&header, "0.1.0");
        for name in ["tw_client_connect", "tw_record_view", "tw_client", "TW_EVENT_SETTLED"] {
            assert!(page.contains(&format!("<section id=\"{name}\">")), "{name} is missing");
        }
        let functions = header.matches("tw_error **err);").count();
        assert!(functions > 50 && page.matches("tw_error **err);").count() == functions);
    }
}
