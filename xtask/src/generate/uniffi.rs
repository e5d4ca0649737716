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
