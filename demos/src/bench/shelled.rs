//! Payments as in a demo: actors, journal, queue and letters between the two ends of each channel.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use coinop::{
    agenda::{Agenda, Rank},
    core::{channel::Channel, obyte::hash::sha256},
    journal::Journal,
    network::Network,
    notice::Bus,
    restore::Restored,
    run::{self, Clock, Control, Pace},
    shell::Shell,
};
use color_eyre::eyre::{WrapErr as _, ensure, eyre};
use tokio::{runtime::Runtime, task::LocalSet};

use super::{
    Way,
    ends::START,
    lane::{Lane, Log},
};

/// Channels whose ends are actors of one shell, all on one thread.
pub(super) struct Shelled {
    runtime: Runtime,
    local: LocalSet,
    shell: Shell,
    clock: Clock,
    lanes: Vec<Rc<Lane>>,
    log: Rc<Log>,
}

impl Shelled {
    /// Opens this many channels over a journal.
    pub(super) fn new(journal: Box<dyn Journal>, channels: usize) -> color_eyre::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let local = LocalSet::new();
        let shell = Shell::new(Agenda::new(START), Bus::default(), journal, START, sha256(b"coinop bench"));
        let network = Network::new(shell.agenda().clone(), Duration::ZERO);
        let log = Rc::<Log>::default();
        let open = async {
            (0..channels).map(|number| Lane::open(number, &shell, &network, &log)).collect::<Result<_, _>>()
        };
        let lanes = local.block_on(&runtime, open)?;
        Ok(Self { runtime, local, clock: Clock::new(Pace::Real(1.0), START), shell, lanes, log })
    }
}

impl Way for Shelled {
    fn run(&mut self, payments: u32, latencies: &mut Vec<Duration>) -> color_eyre::Result<Duration> {
        let each = payments.div_ceil(u32::try_from(self.lanes.len())?);
        let began = Instant::now();
        for lane in &self.lanes {
            self.shell.agenda().soon(Rank(0), Rc::clone(lane).pay(each));
        }
        let mut frame = || Control::Continue;
        let run = run::run(&self.shell, &self.clock, START, &mut frame);
        self.local.block_on(&self.runtime, run)?;
        let lasted = began.elapsed();
        if let Some(trouble) = self.log.trouble.take() {
            return Err(trouble);
        }
        latencies.append(&mut self.log.latencies.borrow_mut());
        Ok(lasted)
    }

    fn payments(&self, wanted: u32) -> u32 {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        wanted.div_ceil(lanes).max(1).saturating_mul(lanes)
    }

    fn check(&mut self) -> color_eyre::Result<()> {
        let restored = Restored::new(self.shell.entries().wrap_err("the journal cannot be read back")?);
        for lane in &self.lanes {
            let (acknowledged, [payer, receiver]) = lane.record();
            let end = |stream: &str| -> color_eyre::Result<Channel> {
                restored.machine(stream)?.ok_or_else(|| eyre!("{stream} is not in the journal"))
            };
            let (paid, got) = (end(&payer)?.mine().spent, end(&receiver)?.peer().spent);
            ensure!(paid == acknowledged, "{payer}: {acknowledged} acknowledged, {paid} in the journal");
            ensure!(got == acknowledged, "{receiver}: {acknowledged} acknowledged, {got} in the journal");
        }
        Ok(())
    }
}
