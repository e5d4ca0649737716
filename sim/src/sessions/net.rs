//! The simulated network: connections as two streams of bytes, each in order, each with its own
//! delays, apart from all others.
//!
//! A connection ends by its peers, or is cut; the two ends learn of it at different times, so that
//! an old one lingers at the server while its client is on a new one. Bytes may be lost from some
//! time on with nobody told: only silence says so.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use tidewire_server::sim::Peer;

use super::world::{Task, World};

/// Bytes on their way to a client beyond which the server's writes wait, as a socket's buffer has
/// it.
const SOCKET_BYTES: usize = 32 << 10;

/// One connection.
pub(crate) struct Link {
    pub client: usize,
    /// The server's side, once it was accepted.
    pub peer: Option<Peer>,
    /// The server's start that accepted it.
    pub start: u64,
    /// The client still has its side.
    pub client_open: bool,
    latency_us: u64,
    last_to_server_us: u64,
    last_to_client_us: u64,
    /// Bytes that would arrive later than this are lost.
    lost_to_server_us: u64,
    lost_to_client_us: u64,
    /// Arrived, and not taken yet.
    pub at_server: VecDeque<Bytes>,
    pub at_client: VecDeque<Bytes>,
    /// The end that arrived behind them.
    pub ended_at_server: bool,
    pub ended_at_client: bool,
    /// Written by the server and not taken by the client.
    unread_bytes: usize,
}

impl World {
    /// A client begins to connect.
    pub fn dial(&mut self, client: usize) -> usize {
        let number = self.links.len();
        let latency_us = self.rng.between(1, self.plan.latency_us);
        self.links.push(Link {
            client,
            peer: None,
            start: 0,
            client_open: true,
            latency_us,
            last_to_server_us: 0,
            last_to_client_us: 0,
            lost_to_server_us: u64::MAX,
            lost_to_client_us: u64::MAX,
            at_server: VecDeque::new(),
            at_client: VecDeque::new(),
            ended_at_server: false,
            ended_at_client: false,
            unread_bytes: 0,
        });
        self.tally.connections += 1;
        let delay = self.delay(number);
        self.after(delay, Task::Accept(number));
        number
    }

    /// The way of some bytes, by chance.
    fn delay(&mut self, link: usize) -> u64 {
        let latency_us = self.links[link].latency_us;
        1 + latency_us / 2 + self.rng.below(latency_us + 1)
    }

    /// A connection arrives at the server, if there is one.
    pub fn accept(&mut self, number: usize) {
        let delay = self.delay(number);
        let shard = self.rng.below(self.plan.shards as u64) as usize;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1_024 + number as u16 % 60_000));
        let start = self.host.start;
        let link = &mut self.links[number];
        if !link.client_open {
            return;
        }
        match self.host.server.as_mut().filter(|_| !self.host.draining) {
            Some(server) => {
                (link.peer, link.start) = (Some(server.connect(shard, address)), start);
                self.say(format_args!("link {number} is accepted by shard {shard}"));
                self.after(delay, Task::Established(number));
            }
            None => self.after(delay, Task::EndToClient(number)),
        }
    }

    /// A client sends bytes.
    pub fn send_to_server(&mut self, number: usize, mut bytes: Bytes) {
        while !bytes.is_empty() {
            // As the network cuts them.
            let len = if self.rng.one_in(4) {
                self.rng.between(1, bytes.len() as u64) as usize
            } else {
                bytes.len()
            };
            let part = bytes.split_to(len);
            let at = self.arrival_at_server(number);
            self.at(at, Task::ToServer(number, part));
        }
    }

    fn arrival_at_server(&mut self, number: usize) -> u64 {
        let at = self.now_us + self.delay(number);
        let link = &mut self.links[number];
        link.last_to_server_us = at.max(link.last_to_server_us + 1);
        link.last_to_server_us
    }

    /// When the last of what a client sent arrives at the server.
    pub fn last_to_server_us(&self, number: usize) -> u64 {
        self.links[number].last_to_server_us
    }

    /// A client closes its side.
    pub fn end_to_server(&mut self, number: usize) {
        let at = self.arrival_at_server(number);
        self.links[number].client_open = false;
        self.at(at, Task::EndToServer(number));
    }

    pub fn arrive_at_server(&mut self, number: usize, bytes: Option<Bytes>) {
        let (now_us, start) = (self.now_us, self.host.start);
        let link = &mut self.links[number];
        if link.peer.is_none() || link.start != start || now_us > link.lost_to_server_us {
            return;
        }
        match bytes {
            Some(bytes) => link.at_server.push_back(bytes),
            None => link.ended_at_server = true,
        }
        self.feed_server(number);
        self.pump_server();
    }

    /// Gives the server what arrived, as far as it takes it.
    pub fn feed_server(&mut self, number: usize) {
        let link = &mut self.links[number];
        let (Some(peer), Some(server)) = (link.peer, self.host.server.as_mut()) else { return };
        while server.wants_input(peer)
            && let Some(bytes) = link.at_server.pop_front()
        {
            server.receive(peer, &bytes);
        }
        if link.at_server.is_empty() && std::mem::take(&mut link.ended_at_server) {
            server.receive_end(peer);
        }
    }

    /// Takes what the server has to say on its connections.
    pub fn collect_from_server(&mut self) {
        for number in 0..self.links.len() {
            let link = &self.links[number];
            let (Some(peer), true) = (link.peer, link.start == self.host.start) else {
                continue;
            };
            self.feed_server(number);
            let mut parts = Vec::new();
            while self.links[number].unread_bytes < SOCKET_BYTES || parts.is_empty() {
                let Some(server) = self.host.server.as_mut() else { return };
                if self.links[number].unread_bytes >= SOCKET_BYTES {
                    break;
                }
                parts.clear();
                server.transmit(peer, &mut parts);
                if parts.is_empty() {
                    break;
                }
                for part in parts.drain(..) {
                    self.links[number].unread_bytes += part.len();
                    let at = self.arrival_at_client(number);
                    self.at(at, Task::ToClient(number, part));
                }
            }
            let Some(server) = self.host.server.as_mut() else { return };
            let queued = server.queued_bytes(peer);
            if queued > super::MAX_QUEUED_BYTES {
                self.fail(format!("{queued} bytes are queued for link {number}"));
                return;
            }
            if server.is_over(peer) && (queued == 0 || !self.links[number].client_open) {
                server.forget(peer);
                self.links[number].peer = None;
                let at = self.arrival_at_client(number);
                self.at(at, Task::EndToClient(number));
            }
        }
    }

    fn arrival_at_client(&mut self, number: usize) -> u64 {
        let at = self.now_us + self.delay(number);
        let link = &mut self.links[number];
        link.last_to_client_us = at.max(link.last_to_client_us + 1);
        link.last_to_client_us
    }

    pub fn arrive_at_client(&mut self, number: usize, bytes: Option<Bytes>) {
        let now_us = self.now_us;
        let link = &mut self.links[number];
        if now_us > link.lost_to_client_us {
            return;
        }
        match bytes {
            Some(bytes) => link.at_client.push_back(bytes),
            None => link.ended_at_client = true,
        }
        let client = link.client;
        self.pump_client(client);
        self.pump_server();
    }

    /// What arrived for a client, and whether the end did.
    pub fn take_at_client(&mut self, number: usize) -> (Vec<Bytes>, bool) {
        let link = &mut self.links[number];
        let parts: Vec<Bytes> = link.at_client.drain(..).collect();
        let taken: usize = parts.iter().map(Bytes::len).sum();
        link.unread_bytes = link.unread_bytes.saturating_sub(taken);
        (parts, std::mem::take(&mut link.ended_at_client))
    }

    /// The server is gone: its connections end, one way or another.
    pub fn cut_all(&mut self, silent: bool) {
        for number in 0..self.links.len() {
            if self.links[number].peer.take().is_some() {
                self.links[number].at_server.clear();
                if silent && self.rng.one_in(2) {
                    // Nobody is left to say so: the client hears nothing more.
                    self.links[number].lost_to_client_us = self.now_us;
                } else {
                    let at = self.arrival_at_client(number);
                    self.at(at, Task::EndToClient(number));
                }
            }
        }
    }

    fn some_link(&mut self) -> Option<usize> {
        let open: Vec<usize> = (0..self.links.len())
            .filter(|&at| self.links[at].peer.is_some() && self.links[at].client_open)
            .collect();
        (!open.is_empty()).then(|| *self.rng.pick(&open))
    }

    /// A connection is cut: both ends will learn of it, the server perhaps much later.
    pub fn cut(&mut self) {
        let Some(number) = self.some_link() else { return };
        self.tally.cuts += 1;
        let late = if self.rng.one_in(2) { 2_000_000 } else { 10_000 };
        let (to_client, to_server) = (self.rng.below(10_000), self.rng.below(late));
        self.say(format_args!("link {number} is cut, the server hears after {to_server} µs"));
        // What is under way to the server may still arrive.
        let now_us = self.now_us;
        let reaches_server = now_us + self.rng.below(to_server + 1);
        let link = &mut self.links[number];
        // What was lost before leaves no gap that others pass.
        link.lost_to_client_us = link.lost_to_client_us.min(now_us + to_client);
        link.lost_to_server_us = link.lost_to_server_us.min(reaches_server);
        self.after(to_client, Task::Broken(number));
        self.after(to_server, Task::BrokenAtServer(number));
    }

    /// A connection loses all bytes in one direction, or in both, and nobody is told.
    pub fn half_open(&mut self) {
        let Some(number) = self.some_link() else { return };
        self.tally.half_open += 1;
        let which = self.rng.below(3);
        self.say(format_args!("link {number} loses all, direction {which}"));
        let now_us = self.now_us;
        let link = &mut self.links[number];
        if which != 0 {
            link.lost_to_client_us = link.lost_to_client_us.min(now_us);
        }
        if which != 1 {
            link.lost_to_server_us = link.lost_to_server_us.min(now_us);
        }
    }

    /// A connection becomes slow.
    pub fn slow_down(&mut self) {
        let Some(number) = self.some_link() else { return };
        self.tally.slowed += 1;
        self.links[number].latency_us = self.rng.between(20_000, 400_000);
        self.say(format_args!("link {number} is slow: {} µs", self.links[number].latency_us));
    }

    /// No connection is slow any more.
    pub fn hurry(&mut self) {
        let most = self.plan.latency_us;
        self.links.iter_mut().for_each(|link| link.latency_us = link.latency_us.min(most));
    }

    /// A client finds its connection broken.
    pub fn broken(&mut self, number: usize) {
        let link = &mut self.links[number];
        link.at_client.clear();
        link.ended_at_client = true;
        let client = link.client;
        self.pump_client(client);
    }

    /// The server finds a connection broken.
    pub fn broken_at_server(&mut self, number: usize) {
        let start = self.host.start;
        let link = &mut self.links[number];
        if link.peer.is_some() && link.start == start {
            link.at_server.clear();
            link.ended_at_server = true;
            self.feed_server(number);
            self.pump_server();
        }
    }
}
