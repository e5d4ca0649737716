//! `tidewire bench`: every measurement runs, against a server of its own or another's, leaves
//! nothing behind, and its figures are of what was asked for. How fast is nobody's business here.

mod support;

use serde_json::Value;
use support::server::{TestServer, run, tidewire};

/// What a measurement prints as JSON.
fn measure(arguments: &[&str]) -> Value {
    let output = run(&[&["bench"], arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn row<'a>(figures: &'a Value, name: &str) -> &'a Value {
    let rows = figures["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {figures}"))
}

/// How a failing measurement exits, and what it says.
fn refused(arguments: &[&str]) -> String {
    let output = run(&[&["bench"], arguments].concat());
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_produced_is_counted() {
    let figures = measure(&[
        "produce",
        "--records",
        "5k",
        "--size",
        "10..300",
        "--keys",
        "7",
        "--codec",
        "zstd",
        "--producers",
        "2",
        "--no-warmup",
        "--ceiling",
    ]);
    let sent = row(&figures, "sent");
    assert_eq!(sent["records"], 5000);
    assert_eq!(sent["clients"], 2);
    let mean = sent["bytes"].as_u64().unwrap() / 5000;
    assert!((120..190).contains(&mean), "sizes are spread evenly: {mean}");
    assert!(sent["latency_us"]["samples"].as_u64().unwrap() > 0);
    assert!(sent["over_time"].as_array().is_some_and(|slots| !slots.is_empty()));
    assert!(figures["of_ceiling"].as_f64().is_some_and(|share| share > 0.0));
    assert_eq!(figures["codec"], "zstd");
    assert_eq!(figures["keys"], 7);
}

#[test]
fn records_that_are_sent_one_by_one_are_counted() {
    let size = ["--size", "300", "--keys", "5", "--acks", "written"];
    let counted = ["request", "--records", "500", "--producers", "3", "--ceiling"];
    let figures = measure(&[&counted[..], &size].concat());
    let request = row(&figures, "request");
    assert_eq!((&request["records"], &request["bytes"]), (&500.into(), &150_000.into()));
    assert_eq!(
        (&request["clients"], &request["latency_us"]["samples"]),
        (&3.into(), &500.into())
    );
    assert!(figures["of_ceiling"].as_f64().is_some_and(|share| share > 0.0));
    let timed = measure(&["request", "--duration", "50ms", "--no-warmup"]);
    assert!(row(&timed, "request")["records"].as_u64().is_some_and(|records| records > 0));
}

#[test]
fn what_is_consumed_is_counted() {
    let figures = measure(&["consume", "--records", "5k", "--consumers", "3", "--no-warmup"]);
    assert_eq!(row(&figures, "read")["records"], 5000);
    assert_eq!(row(&figures, "read")["bytes"], 500_000);
}

#[test]
fn what_is_sent_arrives() {
    let arguments = ["--records", "5k", "--producers", "2", "--consumers", "2", "--no-warmup"];
    let figures = measure(&[&["end-to-end"], &arguments[..]].concat());
    assert_eq!(row(&figures, "sent")["records"], 5000);
    assert_eq!(row(&figures, "received")["records"], 5000);

    let figures = measure(&[&["mixed", "--history", "2k"], &arguments[..]].concat());
    assert_eq!(row(&figures, "received")["records"], 5000);
    assert!(row(&figures, "read again")["records"].as_u64().unwrap() > 0);
}

#[test]
fn a_steady_rate_is_kept_and_drawn() {
    let directory = tempfile::tempdir().expect("a directory");
    let plot = directory.path().join("latency.svg");
    let plot = plot.to_str().expect("a path");
    let figures = measure(&[
        "latency",
        "--rate",
        "500",
        "--duration",
        "1s",
        "--no-warmup",
        "--plot",
        plot,
    ]);
    let sent = row(&figures, "sent");
    // As many as were due, however slow the answers.
    assert!((400..=502).contains(&sent["records"].as_u64().unwrap()), "{sent}");
    let received = &row(&figures, "received")["latency_us"];
    assert!(received["max"].as_u64() >= received["p50"].as_u64());
    let svg = std::fs::read_to_string(plot).expect("a plot");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.matches("<polyline").count() >= 6, "two lines of throughput, four of latency");
}

#[test]
fn the_ceiling_needs_no_server() {
    let figures = measure(&["ceiling", "--records", "20k", "--requests", "200"]);
    assert_eq!(row(&figures, "produce")["bytes"], row(&figures, "consume")["bytes"]);
    assert!(row(&figures, "request")["latency_us"]["samples"].as_u64().unwrap() >= 192);
    let synced = measure(&[
        "ceiling",
        "--records",
        "5k",
        "--requests",
        "20",
        "--acks",
        "synced",
        "--connections",
        "2",
    ]);
    assert_eq!(row(&synced, "produce")["clients"], 2);
}

#[test]
fn only_what_it_made_goes() {
    let server = TestServer::start();
    let url = server.url();
    let topic = |arguments: &[&str]| {
        let output = tidewire()
            .args(arguments)
            .env("TIDEWIRE_URL", &url)
            .output()
            .expect("the binary runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    topic(&["topic", "create", "bench/mine"]);
    measure(&["produce", "--records", "1k", "--no-warmup", "--url", &url]);
    measure(&[
        "produce",
        "--records",
        "1k",
        "--no-warmup",
        "--url",
        &url,
        "--topic",
        "bench/mine",
    ]);
    let left = topic(&["topic", "list"]);
    assert!(left.contains("bench/mine"), "{left}");
    assert!(!left.contains("records-"), "{left}");
}

#[test]
fn what_cannot_be_measured_is_refused_in_words() {
    assert!(
        refused(&["produce", "--size", "9MiB"]).contains("--size is 9437184, over the limit")
    );
    assert!(refused(&["produce", "--size", "9..3"]).contains("from small to large"));
    assert!(
        refused(&["produce", "--keys", "2M"]).contains("--keys is 2000000, over the limit")
    );
    assert!(refused(&["consume", "--consumers", "5"]).contains("share 4 partitions"));
    assert!(refused(&["latency", "--rate", "0"]).contains("at least 1"));
}
