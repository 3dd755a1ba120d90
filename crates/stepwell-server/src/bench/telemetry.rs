//! Telemetry: how many events a second are durable when they are answered, and what is left for durable runs meanwhile.
//!
//! Senders keep a connection each and send one batch after the other, as fast as they are answered. The batches are made
//! of runs with ten steps, each of which begins and ends: two events with times, ids and a call of their own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::args::{Share, Telemetry};
use super::events::now_us;
use super::load::{self, Plan};
use super::report::Line;
use super::stage::Stage;
use super::workload::{self, Runtime, as_f64};
use crate::cli::{Client, Fault};

const FLOW: &str = "bench";
/// Steps of an observed run, and its events: each step begins and ends.
const STEPS: u32 = 10;
const EVENTS_A_RUN: u32 = STEPS * 2;
const WARM_UP: Duration = Duration::from_secs(10);
/// Samples of what is not in tables yet are averaged, since it rises and falls with each fold.
const TAIL_SAMPLES: u32 = 20;
/// How long the tables may take to have everything.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a sender waits that was turned away.
const PAUSE: Duration = Duration::from_millis(50);

/// What senders have in common.
#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Events that were acknowledged.
    events: AtomicU64,
    /// Batches that were turned away, and sent again.
    turned_away: AtomicU64,
}

/// How senders send.
#[derive(Clone, Copy, Debug)]
struct Way {
    senders: u32,
    /// Runs of a batch.
    runs: u32,
    gzip: bool,
}

impl Way {
    fn of(args: &Telemetry) -> Self {
        let runs = (args.batch / EVENTS_A_RUN).max(1);
        Self { senders: args.senders, runs, gzip: args.gzip }
    }
}

/// Senders that are at it.
struct Senders {
    shared: Arc<Shared>,
    tasks: Vec<tokio::task::JoinHandle<Result<u64, Fault>>>,
}

impl Senders {
    fn start(stage: &Stage, way: Way) -> Self {
        let shared = Arc::new(Shared::default());
        let tasks = (0..way.senders).map(|number| {
            let sender = Sender { number, way, shared: Arc::clone(&shared) };
            tokio::spawn(sender.run(stage.listen().to_owned()))
        });
        Self { tasks: tasks.collect(), shared }
    }

    /// Returns how many events were acknowledged so far.
    fn events(&self) -> u64 {
        self.shared.events.load(Ordering::Acquire)
    }

    /// Lets what is under way end; returns how many runs were sent in all.
    async fn stop(self) -> Result<(u64, u64), Fault> {
        self.shared.stop.store(true, Ordering::Release);
        let mut runs = 0;
        for one in self.tasks {
            runs += one.await.map_err(|error| Fault::Machine(error.to_string()))??;
        }
        Ok((runs, self.shared.turned_away.load(Ordering::Acquire)))
    }
}

struct Sender {
    number: u32,
    way: Way,
    shared: Arc<Shared>,
}

impl Sender {
    /// Sends until it is told to stop; returns how many runs it told of.
    async fn run(self, listen: String) -> Result<u64, Fault> {
        let mut connection = connect(&listen).await?;
        let (mut runs, mut text) = (0, String::new());
        while !self.shared.stop.load(Ordering::Acquire) {
            text.clear();
            write_batch(&mut text, (self.number, runs, self.way.runs));
            let body =
                Bytes::from(if self.way.gzip { packed(&text)? } else { text.clone().into() });
            while !self.send(&mut connection, &listen, body.clone()).await? {
                self.shared.turned_away.fetch_add(1, Ordering::AcqRel);
                tokio::time::sleep(PAUSE).await;
            }
            runs += u64::from(self.way.runs);
            let events = u64::from(self.way.runs * EVENTS_A_RUN);
            self.shared.events.fetch_add(events, Ordering::AcqRel);
        }
        Ok(runs)
    }

    /// Sends a batch; tells whether it was taken.
    async fn send(
        &self,
        connection: &mut SendRequest<Full<Bytes>>,
        listen: &str,
        body: Bytes,
    ) -> Result<bool, Fault> {
        let mut request = Request::post("/api/v1/telemetry")
            .header(header::HOST, listen)
            .header(header::CONTENT_TYPE, "application/json");
        if self.way.gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        let request = request.body(Full::new(body)).map_err(fault)?;
        let Ok(response) = connection.send_request(request).await else {
            // Who was turned away before the body was read may find the connection closed.
            *connection = connect(listen).await?;
            return Ok(false);
        };
        let status = response.status();
        let answer = response.into_body().collect().await.map_err(fault)?.to_bytes();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return Ok(false);
        }
        let taken: Taken = serde_json::from_slice(&answer)
            .map_err(|_| fault(format!("{status}: {}", String::from_utf8_lossy(&answer))))?;
        if taken.accepted == u64::from(self.way.runs * EVENTS_A_RUN) {
            Ok(true)
        } else {
            Err(fault(format!(
                "not all of a batch was taken: {}",
                String::from_utf8_lossy(&answer)
            )))
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    accepted: u64,
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::Machine(error.to_string())
}

async fn connect(listen: &str) -> Result<SendRequest<Full<Bytes>>, Fault> {
    let stream = tokio::net::TcpStream::connect(listen).await?;
    stream.set_nodelay(true)?;
    let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(fault)?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn packed(text: &str) -> Result<Vec<u8>, Fault> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// Writes the events of some runs, from a number on. What differs from one to the next is what differs in life.
fn write_batch(text: &mut String, (sender, from, runs): (u32, u64, u32)) {
    let _ = write!(text, "{{\"process\":\"bench/{sender}\",\"events\":[");
    let now = now_us();
    for run in from..from + u64::from(runs) {
        for step in 0..STEPS {
            for (at, status) in [(0, "running"), (1, "success")] {
                // In milliseconds, with three places.
                let us = now + u64::from(step * 2 + at) * 130;
                if !text.ends_with('[') {
                    text.push(',');
                }
                let _ = write!(
                    text,
                    "{{\"id\":\"{sender}-{run}-{step}-{at}\",\"flow\":\"{FLOW}\",\
                     \"run\":\"order-{sender}-{run}\",\"step\":\"step-{step}\",\
                     \"call\":\"{sender}-{run}-{step}\",\"status\":\"{status}\",\"at\":{}.{:03}}}",
                    us / 1_000,
                    us % 1_000
                );
            }
        }
    }
    text.push_str("]}");
}

/// What the server says of telemetry that is not in tables yet.
#[derive(Deserialize)]
struct Health {
    telemetry: OfTelemetry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfTelemetry {
    tail_bytes: u64,
}

fn tail_bytes(stage: &Stage) -> Result<f64, Fault> {
    let health: Health = Client::new(&stage.url)?.get("/healthz")?.read()?;
    Ok(as_f64(health.telemetry.tail_bytes))
}

/// The mean of some samples.
fn tail(stage: &Stage) -> Result<f64, Fault> {
    let mut samples = Vec::new();
    for _ in 0..TAIL_SAMPLES {
        samples.push(tail_bytes(stage)?);
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(workload::mean(&samples).0)
}

/// Waits until the tables have so much that no more bytes than these are left, and returns what is left.
fn let_fold(stage: &Stage, left: f64) -> Result<f64, Fault> {
    let begun = Instant::now();
    loop {
        let tail = tail_bytes(stage)?;
        if tail <= left || begun.elapsed() > PATIENCE {
            return Ok(tail);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What was measured from the end of the warming up until all was sent, and the tables had no more to take in than at
/// the beginning: what is put off is in the time.
struct Measured {
    took: Duration,
    events: u64,
    cpu_s: f64,
    before: f64,
    after: f64,
    /// Runs that were sent in all.
    runs: u64,
    turned_away: u64,
}

async fn put_under_load(stage: &Stage, args: &Telemetry) -> Result<Measured, Fault> {
    let senders = Senders::start(stage, Way::of(args));
    tokio::time::sleep(WARM_UP).await;
    let before = tokio::task::block_in_place(|| tail(stage))?;
    let (begun, events, used) = (Instant::now(), senders.events(), stage.server_used());
    tokio::time::sleep(Duration::from_secs(args.seconds)).await;
    let shared = Arc::clone(&senders.shared);
    let (runs, turned_away) = senders.stop().await?;
    let events = shared.events.load(Ordering::Acquire) - events;
    let after = tokio::task::block_in_place(|| let_fold(stage, before))?;
    let (took, cpu_s) = (begun.elapsed(), stage.server_used().cpu_s - used.cpu_s);
    Ok(Measured { took, events, cpu_s, before, after, runs, turned_away })
}

/// Measures.
pub(super) fn measure(runtime: &Runtime, args: &Telemetry) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let measured = runtime.block_on(put_under_load(&stage, args))?;
    let Measured { took, before, after, .. } = measured;
    let mut why = Vec::new();
    if took < workload::COUNTS_FROM {
        why.push(format!("measured for {:.0} s, less than 30 s", took.as_secs_f64()));
    }
    if after > before {
        why.push(format!("{after:.0} bytes are not in tables, at the start it were {before:.0}"));
    }
    let line = Line {
        workload: "telemetry",
        events_per_s: Some(as_f64(measured.events) / took.as_secs_f64()),
        turned_away: Some(as_f64(measured.turned_away)),
        tail_before_mb: Some(before / 1_048_576.0),
        tail_mb: Some(after / 1_048_576.0),
        measured_s: Some(took.as_secs_f64()),
        server_cpu_s: measured.cpu_s,
        does_not_count: (!why.is_empty()).then(|| why.join("; ")),
        ..workload::base(&stage, &load::Measured::default())?
    };
    read_back(&stage, line, measured.runs)
}

#[derive(Deserialize)]
struct Page {
    runs: Vec<Row>,
    next: Option<String>,
    stale: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    steps: u32,
    steps_ended: u32,
    attempts: u32,
}

/// Reads every run back: as many as were sent, each with all of its steps.
fn read_back(stage: &Stage, mut line: Line, sent: u64) -> Result<Line, Fault> {
    let (client, begun) = (Client::new(&stage.url)?, Instant::now());
    let (mut runs, mut whole, mut next) = (0_u64, 0_u64, None::<String>);
    loop {
        let after = next.as_ref().map(|next| format!("&cursor={next}")).unwrap_or_default();
        let path = format!("/api/v1/flows/{FLOW}/runs?limit=500{after}");
        let page: Page = client.get(&path)?.read()?;
        if page.stale && begun.elapsed() < PATIENCE {
            continue;
        }
        runs += page.runs.len() as u64;
        let is_whole =
            |row: &&Row| (row.steps, row.steps_ended, row.attempts) == (STEPS, STEPS, STEPS);
        whole += page.runs.iter().filter(is_whole).count() as u64;
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let mut why: Vec<String> = line.does_not_count.iter().cloned().collect();
    if (runs, whole) != (sent, sent) {
        why.push(format!("{runs} of {sent} runs were read back, {whole} of them whole"));
    }
    line.runs_read_back = Some(runs);
    line.does_not_count = (!why.is_empty()).then(|| why.join("; "));
    Ok(line)
}

/// Measures durable runs alone, and then while telemetry comes as fast as it is taken.
pub(super) fn measure_share(runtime: &Runtime, args: &Share) -> Result<Line, Fault> {
    let stage = Stage::set(runtime, &args.common)?;
    let plan = Plan {
        workflow: "steps",
        input: STEPS,
        in_flight: args.in_flight,
        warm_up: Duration::from_secs(3),
        measure: Duration::from_secs(args.seconds),
    };
    let steps_per_s = |measured: &load::Measured| {
        as_f64(measured.runs) * f64::from(STEPS) / measured.took.as_secs_f64()
    };
    // A start that is refused ends it: none may be.
    let durable = || load::run::<Vec<u32>>(stage.urls(), plan, || Ok(()));
    let alone = runtime.block_on(durable())?;
    let way = Way { senders: args.senders, runs: args.batch / EVENTS_A_RUN, gzip: false };
    let (both, events, runs) = runtime.block_on(async {
        let senders = Senders::start(&stage, way);
        let begun = Instant::now();
        let both = durable().await?;
        let events = as_f64(senders.events()) / begun.elapsed().as_secs_f64();
        let (runs, _) = senders.stop().await?;
        Ok::<_, Fault>((both, events, runs))
    })?;
    let line = Line {
        workload: "share",
        steps_per_s: Some(steps_per_s(&both)),
        alone_steps_per_s: Some(steps_per_s(&alone)),
        share: Some(steps_per_s(&both) / steps_per_s(&alone)),
        events_per_s: Some(events),
        measured_s: Some(both.took.as_secs_f64()),
        ..workload::base(&stage, &both)?
    };
    let started = alone.started + both.started;
    let line = workload::read_back(&stage, line, started, STEPS)?;
    let durable = line.runs_read_back;
    let line = read_back(&stage, line, runs)?;
    Ok(Line { runs_read_back: durable, ..line })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_batch_is_of_whole_runs() {
        let mut text = String::new();
        write_batch(&mut text, (3, 7, 2));
        let batch: Value = serde_json::from_str(&text).unwrap();
        let events = batch["events"].as_array().unwrap();
        assert_eq!(events.len(), 2 * EVENTS_A_RUN as usize);
        let ids: std::collections::BTreeSet<_> =
            events.iter().map(|event| event["id"].to_string()).collect();
        assert_eq!(ids.len(), events.len(), "each id is there once");
        assert_eq!(events[0]["run"], "order-3-7");
        assert_eq!(events[39]["status"], "success");
        let at = |n: usize| events[n]["at"].as_f64().unwrap();
        assert!((at(1) - at(0) - 0.13).abs() < 0.01, "{} {}", at(0), at(1));
    }
}
