//! The node, and everything that runs beside it as long as the server does: started in order, and stopped in order.

use std::net::SocketAddr;
use std::sync::Arc;

use stepwell_driver::{Backups, Driver, Failed, Keep, Open, Retention, Running};

use crate::api::{Api, Past};
use crate::bulk::{Bulks, Worker};
use crate::door::Door;
use crate::gate::{Gate, Keys};
use crate::meters::Meters;
use crate::observe::Observed;
use crate::options::Options;
use crate::reload::{Reloader, Tuning};
use crate::server::Error;
use crate::traces::Exporter;
use crate::upkeep::Upkeep;

/// A node that runs, and what keeps its store small.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) node: Running,
    retention: Retention,
    pub(crate) keys: Keys,
    upkeep: Upkeep,
    backups: Backups,
    meters: Meters,
    bulks: Bulks,
    worker: Worker,
    exporter: Option<Exporter>,
    observed: Option<Observed>,
}

impl Engine {
    pub(crate) async fn start(options: &Options, open: Open) -> Result<Self, Error> {
        let node = stepwell_node::Config {
            limits: options.limits.clone(),
            ping_ms: u64::try_from(options.ping.as_millis()).unwrap_or(u64::MAX),
            ..stepwell_node::Config::default()
        };
        let driver = Driver { open, node };
        let started = tokio::task::spawn_blocking(|| driver.start()).await;
        let node = started.map_err(|error| Failed::Begin(error.to_string()))??;
        let keep = Keep {
            rules: options.retention_rules.clone(),
            runs: options.retention,
            events: options.limits.event_kept(),
        };
        let retention = Retention::start(node.handle().clone(), keep);
        // The folder is this process's from here on.
        let keys = Keys::open(options.access.ledger.clone()).await.map_err(Error::Ledger)?;
        let observed = match options.telemetry.clone() {
            Some(telemetry) => {
                let started = Observed::start(telemetry, node.handle().clone()).await;
                Some(started.map_err(Error::Refused)?)
            }
            None => None,
        };
        let upkeep = Upkeep::start(keys.clone(), node.handle().clone(), observed.clone());
        let backups = Backups::new(node.handle().clone(), options.backups.clone());
        let bulks = Bulks::default();
        let worker = Worker::start(bulks.clone(), keys.clone(), node.handle().clone());
        let meters = Meters::default();
        let exporter = match options.traces.clone() {
            Some(export) => {
                let (keys, node) = (keys.clone(), node.handle().clone());
                let started = Exporter::start(export, keys, node, meters.clone()).await;
                Some(started.map_err(Error::Ledger)?)
            }
            None => None,
        };
        Ok(Self {
            node,
            retention,
            keys,
            upkeep,
            backups,
            meters,
            bulks,
            worker,
            exporter,
            observed,
        })
    }

    fn api(&self, options: &Options) -> Api {
        Api {
            node: self.node.handle().clone(),
            limits: Arc::new(options.limits.clone()),
            past: Past::default(),
            keys: self.keys.clone(),
            access: Arc::new(options.access.clone()),
            backups: self.backups.clone(),
            reloader: self.reloader(options),
            meters: self.meters.clone(),
            bulks: self.bulks.clone(),
            observed: self.observed.clone(),
        }
    }

    pub(crate) fn reloader(&self, options: &Options) -> Reloader {
        let tuning = Tuning {
            keeper: self.retention.keeper(),
            keeping: self.observed.as_ref().map(Observed::keeping),
            throttles: self.upkeep.throttles(),
            transport: options.access.transport.clone(),
        };
        Reloader { tuning, reload: options.reload.clone() }
    }

    pub(crate) fn door(&self, address: SocketAddr, options: &Options) -> Result<Door, Error> {
        let gate =
            Gate::new(address, &options.access, self.keys.clone()).map_err(Error::Refused)?;
        self.upkeep.watch(gate.throttle().clone());
        Ok(Door::new(gate, options.console, self.api(options)))
    }

    /// Writes what the node holds, closes the store.
    pub(crate) async fn stop(self) {
        let Self { mut node, retention, upkeep, backups, worker, exporter, observed, .. } = self;
        if let Some(exporter) = exporter {
            exporter.stop().await;
        }
        worker.stop().await;
        upkeep.stop().await;
        retention.stop().await;
        if let Some(observed) = observed {
            observed.stop().await;
        }
        let stopped = tokio::task::spawn_blocking(move || {
            // It has the store open.
            backups.stop();
            node.stop();
        });
        let stopped = stopped.await;
        if let Err(error) = stopped {
            tracing::error!(%error, "the node did not stop in order");
        }
        tracing::info!("stopped");
    }
}
