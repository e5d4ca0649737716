//! What a case does to a server's data directory, or looks for in it, behind the server's back.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tidewire_protocol::batch::{HEADER_LEN, Header};

use crate::frames;

/// Damages the newest segment of a partition: `{truncate: bytes}` off its end, `{flip: byte}` from its
/// start, or `{forge: byte}` from the end of its last batch, whose checksums are made right again.
pub fn damage(data: &Path, args: &Value) -> Result<(), String> {
    let mut segments = Vec::new();
    collect_segments(data, &mut segments)?;
    segments.sort();
    let path = segments.pop().ok_or("there is no segment to damage")?;
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = std::fs::read(&path).map_err(failed)?;
    if let Some(count) = args["truncate"].as_u64() {
        // What a file was extended by ahead of its contents is no record.
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        bytes.truncate(end.saturating_sub(count as usize));
    }
    if let Some(at) = args["flip"].as_u64() {
        *bytes.get_mut(at as usize).ok_or("flip is past the end")? ^= 1;
    }
    if let Some(back) = args["forge"].as_u64() {
        forge(&mut bytes, back as usize)?;
    }
    std::fs::write(&path, bytes).map_err(failed)
}

fn forge(segment: &mut [u8], back: usize) -> Result<(), String> {
    let mut last = None;
    let mut at = 0;
    while let Some(Ok(header)) = segment.get(at..).map(Header::parse) {
        let end = at + header.total_len as usize;
        last = Some(at..end);
        at = end;
    }
    let batch = &mut segment[last.ok_or("there is no batch to forge")?];
    let at = batch.len().checked_sub(back).filter(|at| *at >= HEADER_LEN);
    batch[at.ok_or("forge is outside of the batch's body")?] ^= 1;
    frames::reseal(batch);
    Ok(())
}

/// Whether some file below a directory has these bytes in it.
pub fn holds(directory: &Path, text: &[u8]) -> Result<bool, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let entries = std::fs::read_dir(directory).map_err(|error| failed(directory, error))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| failed(&path, error))?;
        let found = if kind.is_dir() {
            holds(&path, text)?
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).map_err(|error| failed(&path, error))?;
            bytes.windows(text.len()).any(|window| window == text)
        } else {
            false
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn collect_segments(directory: &Path, out: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(directory)
        .map_err(|error| format!("{}: {error}", directory.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect_segments(&path, out)?;
        } else if path.extension().is_some_and(|end| end == "log") {
            out.push(path);
        }
    }
    Ok(())
}
