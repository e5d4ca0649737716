//! The error numbers for the packages that are made with UniFFI: constants by their names.

use std::fmt::Write as _;

use super::constants::NOTE;
use super::model::Spec;
use super::rust::capital;

macro_rules! put {
    ($out:expr, $($arg:tt)*) => { writeln!($out, $($arg)*).expect("writing to a String") };
}

/// `ErrorCode.kt`.
pub(super) fn kotlin(spec: &Spec) -> String {
    let mut out = format!(
        "package io.tidewire\n\n/** Stable error numbers, the same on the wire and in every language. {NOTE} */\n\
         object ErrorCode {{"
    );
    for error in &spec.errors {
        let text = capital(&error.text);
        put!(out, "\n    /** {text}. */\n    const val {}: Int = {}", error.name, error.number);
    }
    put!(out, "}}");
    out
}

/// `codes.rb`.
pub(super) fn ruby(spec: &Spec) -> String {
    let mut out = format!(
        "# frozen_string_literal: true\n\n# {NOTE}\n\nmodule Tidewire\n  \
         # Stable error numbers, the same on the wire and in every language.\n  module Code\n"
    );
    for error in &spec.errors {
        put!(out, "    # {}.\n    {} = {}", capital(&error.text), error.name, error.number);
    }
    put!(out, "  end\nend");
    out
}

/// `ErrorCode.swift`.
pub(super) fn swift(spec: &Spec) -> String {
    let mut out = format!(
        "// {NOTE}\n\n/// Stable error numbers, the same on the wire and in every language.\n\
         public enum ErrorCode {{\n"
    );
    for error in &spec.errors {
        let name = camel(&error.name);
        put!(
            out,
            "    /// {}.\n    public static let {name}: Int32 = {}",
            capital(&error.text),
            error.number
        );
    }
    put!(out, "}}");
    out
}

/// `TOPIC_NOT_FOUND` is `topicNotFound`; what is a word of Swift's own stands in backquotes.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for word in name.split('_') {
        let (first, rest) = word.split_at(usize::from(!out.is_empty()));
        out.push_str(first);
        out.push_str(&rest.to_lowercase());
    }
    if out == "internal" { format!("`{out}`") } else { out }
}
