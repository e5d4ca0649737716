//! `tidewire.h`: what C sees of `bindings-c`, made from its source by cbindgen.
//!
//! Adds what Rust cannot say: for each struct that its caller fills, a macro that sets its size and
//! leaves all else unset. The one invariant: a struct that grows cannot be forgotten there, since
//! the macros are made from the structs as they stand in the header.

use std::path::Path;

/// The source files, in the order in which a reader of the header wants them.
const SOURCES: [&str; 14] = [
    "guard", "error", "options", "client", "hub", "ticket", "producer", "consumer", "batch",
    "arrow", "admin", "groups", "users", "limits",
];

/// What ends the header, before which the macros go.
const END: &str = "\n#endif  /* TIDEWIRE_H */";

/// The header's text.
pub(super) fn c(bindings: &Path) -> Result<String, String> {
    let config = bindings.join("cbindgen.toml");
    let mut config = cbindgen::Config::from_file(&config)
        .map_err(|error| format!("{}: {error}", config.display()))?;
    let sources = bindings.join("src");
    let mut includes = config.after_includes.take().unwrap_or_default();
    for name in SOURCES {
        let text = std::fs::read_to_string(sources.join(name).with_extension("rs"))
            .map_err(|error| format!("{name}.rs: {error}"))?;
        includes.push_str(&handles(&text));
    }
    config.after_includes = Some(includes);
    let builder = SOURCES.iter().fold(cbindgen::Builder::new(), |builder, name| {
        builder.with_src(sources.join(name).with_extension("rs"))
    });
    let made = builder
        .with_config(config)
        .generate()
        .map_err(|error| format!("tidewire.h: {error}"))?;
    let mut text = Vec::new();
    made.write(&mut text);
    let text = String::from_utf8(text).map_err(|error| format!("tidewire.h: {error}"))?;
    let exported = exported(&sources)?;
    if let Some(missing) = exported.iter().find(|name| !text.contains(&format!("{name}("))) {
        return Err(format!("tidewire.h lacks {missing}: its file is not among the sources"));
    }
    let (before, after) = text.split_once(END).ok_or("tidewire.h has no end")?;
    Ok(format!("{before}\n{}{END}{after}", initialisers(before)))
}

/// The types of the handles that a source file makes with its macro, which cbindgen cannot read.
fn handles(source: &str) -> String {
    let mut out = String::new();
    for part in source.split("\nhandle! {\n").skip(1) {
        out.push_str("\n/**\n");
        for line in part.lines().map(str::trim) {
            if let Some(comment) = line.strip_prefix("///") {
                out.push_str(&format!(" *{comment}\n"));
            } else {
                let name = line.split('(').next().unwrap_or_default();
                out.push_str(&format!(" */\ntypedef struct {name} {name};\n"));
                break;
            }
        }
    }
    out
}

/// The names that the shared library exports, one on a line.
pub(super) fn symbols(bindings: &Path) -> Result<String, String> {
    let mut names = exported(&bindings.join("src"))?;
    names.sort();
    Ok(format!(
        "# What libtidewire.so exports, by `cargo xtask gen`; a name that was released stays.\n{}\n",
        names.join("\n")
    ))
}

/// The functions that the source exports.
fn exported(sources: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(sources).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let found = text.split("pub unsafe extern \"C\" fn ").skip(1);
        names.extend(found.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
    }
    Ok(names)
}

/// `TW_…_INIT` for each struct of options or statistics in `header`.
fn initialisers(header: &str) -> String {
    let mut out = String::from("/* What a struct that its caller fills begins with. */\n");
    for part in header.split("typedef struct {\n").skip(1) {
        let Some((body, rest)) = part.split_once("\n} ") else { continue };
        let Some((name, _)) = rest.split_once(';') else { continue };
        if !name.ends_with("_options") && !name.ends_with("_stats") {
            continue;
        }
        let values: Vec<String> = fields(body).map(|field| unset(name, &field)).collect();
        let upper = name.to_uppercase();
        out.push_str(&format!("#define {upper}_INIT \\\n  {{ {} }}\n", values.join(", ")));
    }
    out
}

/// The declarations of a struct's body, without its comments.
fn fields(body: &str) -> impl Iterator<Item = String> + '_ {
    let mut in_comment = false;
    body.lines().filter_map(move |line| {
        let line = line.trim();
        in_comment |= line.starts_with("/*");
        let comment = in_comment;
        in_comment &= !line.ends_with("*/");
        (!comment && line.ends_with(';')).then(|| line.trim_end_matches(';').to_owned())
    })
}

/// The value of a field that is not set.
fn unset(name: &str, field: &str) -> String {
    match field {
        "size_t size" => format!("sizeof({name})"),
        field if field.contains('*') => "NULL".to_owned(),
        field if name.ends_with("_stats") || field.starts_with("size_t ") => "0".to_owned(),
        "uint64_t start_at" => "0".to_owned(),
        field if field.starts_with("uint64_t ") => "TW_UNSET64".to_owned(),
        _ => "TW_UNSET".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_of_options_gets_its_macro() {
        let header = "typedef struct {\n  /*\n   * Bytes;\n   */\n  size_t size;\n  \
                      const char *name;\n  uint32_t x;\n  uint64_t y;\n} tw_a_options;\n\
                      typedef struct {\n  size_t size;\n} tw_other;\n";
        let macros = initialisers(header);
        assert!(macros.contains(
            "#define TW_A_OPTIONS_INIT \\\n  { sizeof(tw_a_options), NULL, TW_UNSET, TW_UNSET64 }"
        ));
        assert_eq!(macros.matches("#define").count(), 1, "{macros}");
    }
}
