//! Workflows made of random blocks, whose outcome is known.

use std::future::Future;
use std::sync::{Arc, Mutex};

use futures_util::future::{Either, select, try_join_all};
use serde::{Deserialize, Serialize};
use stepwell::{Ctx, Data, Error, ErrorKind, Result, Retry};

use super::ledger::Ledger;

/// A part of a workflow.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Block {
    /// A step whose function fails so often.
    Run(u32),
    /// A pause, in milliseconds.
    Sleep(u64),
    Skip,
    /// So many branches, of which every other one sleeps first.
    Fan(u32),
    /// Two branches, of which the first to end decides.
    Race,
    /// A pause that a step cuts short.
    Cut,
    /// An attempt that runs out of time, and another one.
    Late,
    /// A function on a thread of its own.
    Blocking,
    /// A failure that code catches.
    Caught,
}

/// What a step gives.
pub(super) fn value_of(run: &str, step: &str) -> u64 {
    let word = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    run.bytes().chain(step.bytes()).fold(0xcbf2_9ce4, word) >> 12
}

/// One activation of a run.
struct Flow {
    ctx: Ctx,
    ledger: Arc<Ledger>,
    run: String,
    /// How many ends its code was given.
    given: Mutex<usize>,
}

impl Flow {
    fn note(&self, step: &str) {
        let mut given = self.given.lock().unwrap();
        self.ledger.order(&self.run, *given, step);
        *given += 1;
    }

    async fn noted<T>(&self, step: &str, end: impl Future<Output = Result<T>>) -> Result<T> {
        let end = end.await;
        self.note(step);
        end
    }

    async fn call(&self, id: &str, fails: u32) -> Result<u64> {
        let step = self.ctx.run_with(id, |step| async move {
            self.ledger.begin(&self.run, id, step.attempt);
            step.log.info("called");
            if step.attempt <= fails {
                Err(Error::new("not yet"))
            } else {
                Ok(value_of(&self.run, id))
            }
        });
        let value = self.noted(id, step.retry(Retry::constant(fails + 1, "50ms"))).await?;
        self.ledger.give(&self.run, id, value);
        Ok(value)
    }

    async fn fan(&self, id: &str, branches: u32) -> Result<u64> {
        let branch = |n: u32| async move {
            if n % 2 == 1 {
                let nap = format!("{id}.nap{n}");
                self.noted(&nap, self.ctx.sleep(&nap, "30ms")).await?;
            }
            self.call(&format!("{id}.{n}"), n % 3 / 2).await
        };
        let values = try_join_all((0..branches).map(branch)).await?;
        Ok(values.into_iter().fold(0, u64::wrapping_add))
    }

    async fn race(&self, id: &str) -> Result<u64> {
        let one = async {
            self.noted(&format!("{id}.nap"), self.ctx.sleep(format!("{id}.nap"), "20ms")).await?;
            self.call(&format!("{id}.one"), 0).await.map(|_| 1)
        };
        let two = async { self.call(&format!("{id}.two"), 0).await.map(|_| 2) };
        match select(Box::pin(one), Box::pin(two)).await {
            Either::Left((end, _)) | Either::Right((end, _)) => end,
        }
    }

    async fn late(&self, id: &str) -> Result<u64> {
        let step = self.ctx.run_with(id, |step| async move {
            self.ledger.begin(&self.run, id, step.attempt);
            if step.attempt == 1 {
                std::future::pending::<()>().await;
            }
            Ok(value_of(&self.run, id))
        });
        let step = step.timeout("120ms").retry(Retry::constant(3, "20ms"));
        let value = self.noted(id, step).await?;
        self.ledger.give(&self.run, id, value);
        Ok(value)
    }

    async fn blocking(&self, id: &str) -> Result<u64> {
        let (ledger, run, name) = (self.ledger.clone(), self.run.clone(), id.to_owned());
        let step = self.ctx.run_blocking(id, move |step| {
            ledger.begin(&run, &name, step.attempt);
            Ok(value_of(&run, &name))
        });
        let value = self.noted(id, step).await?;
        self.ledger.give(&self.run, id, value);
        Ok(value)
    }

    async fn caught(&self, id: &str) -> Result<u64> {
        let step = self.ctx.run::<_, _, ()>(id, || async {
            self.ledger.begin(&self.run, id, 1);
            Err(Error::terminal("no"))
        });
        let error = self.noted(id, step).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Step, Some(1)));
        self.ledger.give(&self.run, id, 0);
        Ok(3)
    }

    async fn block(&self, at: usize, block: Block) -> Result<u64> {
        let id = format!("b{at}");
        match block {
            Block::Run(fails) => self.call(&id, fails).await,
            Block::Sleep(ms) => {
                let pause = std::time::Duration::from_millis(ms);
                self.noted(&id, self.ctx.sleep(&id, pause)).await.map(|()| 0)
            }
            Block::Skip => self.noted(&id, self.ctx.skip(&id).reason("r")).await.map(|()| 0),
            Block::Fan(branches) => self.fan(&id, branches).await,
            Block::Race => self.race(&id).await,
            Block::Cut => {
                let call = Box::pin(self.call(&id, 0));
                let (pause, name) =
                    (self.ctx.sleep(format!("{id}.cut"), "1h"), format!("{id}.cut"));
                match select(call, Box::pin(self.noted(&name, pause))).await {
                    Either::Left((value, _)) => value,
                    Either::Right((end, _)) => panic!("an hour passed: {end:?}"),
                }
            }
            Block::Late => self.late(&id).await,
            Block::Blocking => self.blocking(&id).await,
            Block::Caught => self.caught(&id).await,
        }
    }
}

/// What a run says of itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) values: Vec<u64>,
    drawn: (f64, String),
}

pub(super) async fn flow(ctx: Ctx, Data(ledger): Data<Ledger>, blocks: Vec<Block>) -> Result<Done> {
    let run = ctx.run_id().to_string();
    ctx.log().info("begins");
    let flow = Flow { ctx, ledger, run, given: Mutex::new(0) };
    let mut values = Vec::new();
    for (at, block) in blocks.into_iter().enumerate() {
        values.push(flow.block(at, block).await?);
    }
    let drawn = (flow.ctx.random(), flow.ctx.uuid().to_string());
    flow.ctx.log().info("ends");
    Ok(Done { values, drawn })
}

/// What a run has to give, as far as it can be known; a race has one of two winners.
pub(super) fn expected(run: &str, at: usize, block: Block) -> Vec<u64> {
    let id = format!("b{at}");
    match block {
        Block::Run(_) | Block::Late | Block::Blocking | Block::Cut => vec![value_of(run, &id)],
        Block::Sleep(_) | Block::Skip => vec![0],
        Block::Fan(branches) => {
            let values = (0..branches).map(|n| value_of(run, &format!("{id}.{n}")));
            vec![values.fold(0, u64::wrapping_add)]
        }
        Block::Race => vec![1, 2],
        Block::Caught => vec![3],
    }
}
