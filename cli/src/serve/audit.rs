//! The audit log: who changed what, who came in, and what was refused to whom, as lines of JSON.
//!
//! Owns the file. What is told stands where it happens, under [`TARGET`]; no secret ever does. The
//! one invariant: a line is written whole, by one call.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::failure::Failure;
use crate::output::number;

/// What the server's own lines of this kind are marked with.
pub const TARGET: &str = "tidewire::audit";

/// The file, for the log and for whoever has it opened anew.
#[derive(Clone)]
pub struct AuditLog {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl AuditLog {
    /// Opens the file, to be added to; it is its owner's alone if it is made.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: Arc::new(Mutex::new(append_to(path)?)) })
    }

    /// Opens the file anew, for those who move it away.
    pub fn open_anew(&self) -> Result<File, Failure> {
        append_to(&self.path).map_err(|error| {
            Failure::io(format_args!("opening the audit log {}", self.path.display()), &error)
        })
    }

    /// Writes to this file from now on; what was written stays where it is.
    pub fn write_to(&self, file: File) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

impl<S: Subscriber> Layer<S> for AuditLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut line = Map::new();
        let time = number::rfc3339(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
        line.insert("time".to_owned(), Value::from(time));
        event.record(&mut Fields(&mut line));
        let text = format!("{}\n", Value::Object(line));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(text.as_bytes()) {
            // The log itself cannot be told from here.
            let _ = writeln!(io::stderr(), "the audit log cannot be written to: {error}");
        }
    }
}

/// An event's fields, as they are named; its text is `event`.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        let name = if field.name() == "message" { "event" } else { field.name() };
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }
}
