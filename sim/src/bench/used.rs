//! Processor time of a measurement, apart: what the measured server took, and what its load took for itself.
//!
//! What should be here: reading processor time. What should not: what is measured meanwhile. Screens, inspectors and
//! cameras live in this process, so everything it uses is the load's.

use std::time::Instant;

use anyhow::Context;

use super::Server;

/// Clock ticks a second on every Linux this is measured on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A measurement under way.
pub struct Gauge {
    began: Instant,
    server: f64,
    load: f64,
}

/// What was used during a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    pub seconds: f64,
    /// Processor seconds of the server.
    pub server: f64,
    /// Processor seconds of the load.
    pub load: f64,
    cores: f64,
}

impl Gauge {
    pub fn begin(server: &Server) -> anyhow::Result<Self> {
        Ok(Self { began: Instant::now(), server: server.usage()?.0, load: processor_seconds("self")? })
    }

    pub fn end(&self, server: &Server) -> anyhow::Result<Used> {
        Ok(Used {
            seconds: self.began.elapsed().as_secs_f64(),
            server: server.usage()?.0 - self.server,
            load: processor_seconds("self")? - self.load,
            cores: std::thread::available_parallelism().map_or(1, usize::from) as f64,
        })
    }
}

impl Used {
    /// Of one core, in per cent.
    #[must_use]
    pub fn server_percent(&self) -> f64 {
        self.server / self.seconds * 100.0
    }

    /// The load's share of the whole machine.
    #[must_use]
    pub fn generators(&self) -> f64 {
        self.load / self.seconds / self.cores
    }
}

/// Processor seconds a process has used: `self`, or its number.
pub fn processor_seconds(process: &str) -> anyhow::Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name in brackets may hold spaces; user and system time are the 12th and 13th fields after it.
    let mut fields = stat.rsplit(')').next().unwrap_or("").split_whitespace().skip(11);
    let mut field = || fields.next().and_then(|text| text.parse::<f64>().ok());
    let ticks = field().zip(field()).with_context(|| format!("{path} is too short"))?;
    Ok((ticks.0 + ticks.1) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_seen_and_waiting_is_not() {
        let before = processor_seconds("self").unwrap();
        let until = Instant::now() + std::time::Duration::from_millis(300);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let worked = processor_seconds("self").unwrap() - before;
        assert!(worked >= 0.05, "{worked} s of 0.3 s of work were seen");
        let used = Used { seconds: 2.0, server: 0.5, load: 1.0, cores: 2.0 };
        assert_eq!((used.server_percent(), used.generators()), (25.0, 0.25));
    }
}
