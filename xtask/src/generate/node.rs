//! The tables for the Node.js package: numbers and names as constants, options as types and as
//! the table by which their values are checked.

use std::fmt::Write as _;

use super::constants::{DISPOSITIONS, NOTE, described, disposition_bits};
use super::model::{Opt, Spec};
use super::rust::{camel, capital};

macro_rules! put {
    ($out:expr, $($arg:tt)*) => { writeln!($out, $($arg)*).expect("writing to a String") };
}

/// `constants.ts`.
pub(super) fn constants(spec: &Spec) -> String {
    let mut out = format!("/** Numbers shared by every Tidewire client. {NOTE} */\n");
    put!(out, "\n/** Stable error numbers. */\nexport const Code = {{");
    for error in &spec.errors {
        put!(out, "  /** {}. */\n  {}: {},", capital(&error.text), error.name, error.number);
    }
    put!(out, "}} as const\n\n/** Names of the error numbers. */");
    put!(out, "export type CodeName = keyof typeof Code\n");
    put!(out, "/** What stands in an error's `code`. */");
    put!(out, "export type ErrorCode =");
    for error in &spec.errors {
        put!(out, "  | 'E_{}'", error.name);
    }
    put!(
        out,
        "\n/** What an error allows to conclude: a set of bits. */\nexport const Disposition = {{"
    );
    for (bit, name) in DISPOSITIONS.iter().enumerate() {
        put!(out, "  {}: {},", name.to_uppercase(), 1 << bit);
    }
    put!(out, "}} as const");
    for e in &spec.kinds.enums {
        put!(out, "\n/** {} */\nexport const {} = {{", e.doc, e.name);
        for v in &e.variants {
            put!(out, "  /** {} */\n  {}: {},", v.doc, v.name.to_lowercase(), v.value);
        }
        put!(out, "}} as const");
    }
    let mut kinds: Vec<&str> = spec.errors.iter().map(|error| error.class.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    put!(out, "\n/** Groups of errors, by what a caller does about them. */");
    put!(out, "export type ErrorKind =");
    for kind in kinds {
        put!(out, "  | '{kind}'");
    }
    put!(out, "\n/** What is known of an error number. */\nexport interface ErrorInfo {{");
    put!(
        out,
        "  readonly name: CodeName\n  readonly kind: ErrorKind\n  readonly disposition: number\n  readonly text: string\n}}\n"
    );
    put!(out, "/** What is known of each error number. */");
    put!(out, "export const errors: Readonly<Record<number, ErrorInfo>> = {{");
    for error in &spec.errors {
        put!(
            out,
            "  {}: {{ name: {:?}, kind: {:?}, disposition: {}, text: {:?} }},",
            error.number,
            error.name,
            error.class,
            disposition_bits(&error.disposition),
            error.text
        );
    }
    put!(out, "}}\n");
    for limit in &spec.limits {
        let suffix = if limit.value > 1 << 53 { "n" } else { "" };
        put!(
            out,
            "/** {} In {}. */\nexport const {} = {}{suffix}",
            limit.doc,
            limit.unit,
            limit.name,
            limit.value
        );
    }
    out
}

/// `options.ts`.
pub(super) fn options(spec: &Spec) -> String {
    let mut out = format!("/** Options of every Tidewire client. {NOTE} */\n");
    put!(out, "\nimport type {{ Start }} from './start.js'");
    for scope in ["client", "producer", "consumer", "topic"] {
        put!(
            out,
            "\n/** Options of a {scope} that all languages have. */\nexport interface {}OptionTable {{",
            camel(scope)
        );
        for option in spec.options.iter().filter(|o| o.scope == scope) {
            put!(
                out,
                "  /** {} */\n  {}?: {} | undefined",
                described(option),
                lower_camel(&option.name),
                ty(option)
            );
        }
        put!(out, "}}");
    }
    put!(out, "\n/** An option: its name elsewhere, its type and its range. */");
    put!(out, "export interface OptionInfo {{");
    put!(out, "  readonly name: string\n  readonly type: string");
    put!(out, "  readonly min?: number\n  readonly max?: number");
    put!(out, "  readonly unit?: string\n  readonly values?: readonly string[]\n}}\n");
    put!(out, "/** All options, by scope and name. */");
    put!(out, "export const options = {{");
    for scope in ["client", "producer", "consumer", "topic"] {
        put!(out, "  {scope}: {{");
        for option in spec.options.iter().filter(|o| o.scope == scope) {
            let mut row = format!("name: '{}', type: '{}'", option.name, option.ty);
            if let (Some(min), Some(max)) = (option.min, option.max) {
                write!(row, ", min: {min}, max: {max}").expect("writing to a String");
            }
            if let Some(unit) = &option.unit {
                write!(row, ", unit: '{unit}'").expect("writing to a String");
            }
            if let Some(values) = values(option) {
                write!(row, ", values: ['{}']", values.join("', '"))
                    .expect("writing to a String");
            }
            put!(out, "    {}: {{ {row} }},", lower_camel(&option.name));
        }
        put!(out, "  }},");
    }
    put!(out, "}} as const satisfies Record<string, Record<string, OptionInfo>>");
    out
}

/// What a choice may be.
fn values(option: &Opt) -> Option<&'static [&'static str]> {
    Some(match (option.ty.as_str(), option.scope.as_str()) {
        ("acks", _) => &["none", "written", "synced"],
        ("queue_full", _) => &["block", "error", "drop"],
        ("auto_commit", _) => &["off", "interval", "after", "before"],
        ("on_out_of_range", _) => &["earliest", "latest", "error"],
        ("codec", "producer") => &["none", "lz4", "zstd", "topic"],
        ("codec", _) => &["none", "lz4", "zstd"],
        _ => return None,
    })
}

fn ty(option: &Opt) -> String {
    if let Some(values) = values(option) {
        return format!("'{}'", values.join("' | '"));
    }
    match option.ty.as_str() {
        "u32" => "number",
        "u64" => "number | bigint",
        "bool" => "boolean",
        "start" => "Start",
        _ => "string",
    }
    .to_owned()
}

fn lower_camel(name: &str) -> String {
    let camel = camel(name);
    let mut chars = camel.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
