//! Building a shard's runtime: io_uring where the kernel grants it, epoll where it does not.

use std::future::Future;
use std::io;

use monoio::time::TimeDriver;
use monoio::{IoUringDriver, LegacyDriver, RuntimeBuilder};

/// Ring sizes to try, in entries: locked memory may not suffice for the first.
const RING_ENTRIES: [u32; 2] = [1024, 256];

/// How a shard talks to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// io_uring, with so many entries.
    IoUring {
        /// Size of the submission queue.
        entries: u32,
    },
    /// epoll.
    Epoll,
}

impl std::fmt::Display for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IoUring { entries } => write!(f, "io_uring ({entries} entries)"),
            Self::Epoll => f.write_str("epoll (io_uring is not available)"),
        }
    }
}

/// Runs the future that `main` makes on this thread until it ends, on the best driver there is.
/// `main` learns which.
pub(crate) fn run<F: Future>(main: impl FnOnce(Driver) -> F) -> io::Result<F::Output> {
    if monoio::utils::detect_uring() {
        for entries in RING_ENTRIES {
            // Completions are reaped when this thread enters the kernel anyway, by one task only:
            // worth a fifth of the throughput on sockets.
            let mut ring = io_uring::IoUring::builder();
            ring.setup_coop_taskrun().setup_single_issuer();
            let built = RuntimeBuilder::<TimeDriver<IoUringDriver>>::new()
                .with_entries(entries)
                .uring_builder(ring)
                .build();
            match built {
                Ok(mut runtime) => {
                    return Ok(runtime.block_on(main(Driver::IoUring { entries })));
                }
                Err(error) => tracing::debug!(%error, entries, "no ring of this size"),
            }
        }
    }
    let mut runtime = RuntimeBuilder::<TimeDriver<LegacyDriver>>::new().build()?;
    Ok(runtime.block_on(main(Driver::Epoll)))
}

/// Pins this thread to a core. A refusal (a container's CPU set) is not an error: the kernel
/// schedules it then.
pub(crate) fn pin_to_core(core: usize) {
    if let Err(error) = monoio::utils::bind_to_cpu_set([core]) {
        tracing::debug!(%error, core, "the thread is not pinned");
    }
}

/// Raises the soft limits on locked memory (rings) and descriptors (partitions, connections) to
/// the hard ones.
pub(crate) fn raise_limits() {
    for resource in [libc::RLIMIT_MEMLOCK, libc::RLIMIT_NOFILE] {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is a valid rlimit, written by the first call and read by the second.
        unsafe {
            if libc::getrlimit(resource, &mut limit) == 0 && limit.rlim_cur < limit.rlim_max {
                limit.rlim_cur = limit.rlim_max;
                libc::setrlimit(resource, &limit);
            }
        }
    }
}
