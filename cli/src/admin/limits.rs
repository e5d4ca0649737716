//! `tidewire describe limits`.
//!
//! Owns what is shown of a server's limits; which there are is the protocol's table, and what holds
//! is for the server to say.

use serde_json::{Value, json};
use tidewire::LimitInfo;
use tidewire_protocol::limits::{LIMITS, ServerLimit};

use super::print_table;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, number, table::Side, table::Table};

/// Shows the limits of a server.
pub fn run(url: &str, json: bool) -> Result<(), Failure> {
    client::run(async {
        let limits = client::connect(url).await?.describe_limits().await?;
        if json {
            return output::json(&limits.iter().map(limit_json).collect());
        }
        let mut table = Table::new([
            ("limit", Side::Left),
            ("value", Side::Right),
            ("used", Side::Right),
            ("unit", Side::Left),
            ("what it bounds", Side::Left),
        ]);
        for limit in &limits {
            let none = limit.configured && limit.value == 0;
            table.row([
                limit.name.clone(),
                if none { "none".to_owned() } else { number::count(limit.value) },
                if limit.used == 0 { String::new() } else { number::count(limit.used) },
                limit.unit.clone(),
                doc(limit).to_owned(),
            ]);
        }
        print_table(&table)
    })
}

fn limit_json(limit: &LimitInfo) -> Value {
    json!({
        "name": limit.name,
        "value": limit.value,
        "unit": limit.unit,
        "configured": limit.configured,
        "used": limit.used,
    })
}

/// What a limit is, as far as this program knows it.
fn doc(limit: &LimitInfo) -> &'static str {
    let own = || LIMITS.iter().find(|row| row.name == limit.name).map(|row| row.doc);
    let configured = ServerLimit::find(&limit.name).map(|known| known.info().doc);
    configured.or_else(own).unwrap_or("")
}
