//! What the server allows, told to who asks.
//!
//! Invariant: how much there is in all is told to those alone who may know of everything.

use tidewire_protocol::connection::Ticket;
use tidewire_protocol::limits::{LIMITS, SERVER_LIMITS, ServerLimit};
use tidewire_protocol::message::{LimitInfo, LimitsReply};
use tidewire_storage::disk::Disk;

use super::Session;

impl<D: Disk> Session<D> {
    // SPEC L-5
    pub(super) fn describe_limits(&mut self, ticket: Ticket) {
        let shared = &self.router.shared;
        let configured = SERVER_LIMITS.iter().map(|info| LimitInfo {
            name: info.name.to_owned(),
            value: shared.limits.get(info.limit),
            unit: info.unit.to_owned(),
            configured: true,
            used: self.used(info.limit),
        });
        let fixed = LIMITS.iter().map(|row| LimitInfo {
            name: row.name.to_owned(),
            value: row.value,
            unit: row.unit.to_owned(),
            configured: false,
            used: 0,
        });
        let reply = LimitsReply { limits: configured.chain(fixed).collect() };
        self.protocol.reply(ticket, &reply, &[]);
    }

    fn used(&self, limit: ServerLimit) -> u64 {
        let shared = &self.router.shared;
        match limit {
            ServerLimit::MaxUserConnections => {
                self.throttle.place.as_ref().map_or(0, |place| place.user().connections())
            }
            ServerLimit::MaxAddressConnections => {
                shared.usage.connections_from(self.peer.source())
            }
            ServerLimit::MaxShardInFlightBytes if self.sees_all() => {
                self.router.in_flight_bytes.get() as u64
            }
            ServerLimit::MaxConnections if self.sees_all() => shared.usage.connections(),
            ServerLimit::MaxServerTopics if self.sees_all() => {
                shared.catalog.load().topics().count() as u64
            }
            ServerLimit::MaxServerPartitions if self.sees_all() => {
                shared.catalog.load().topics().map(|topic| u64::from(topic.partitions)).sum()
            }
            _ => 0,
        }
    }
}
