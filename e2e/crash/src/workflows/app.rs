//! The app, and the handlers of its workflows.

use serde::{Deserialize, Serialize};
use stepwell::{App, Ctx, Data, Error, Result, Retry, RunFailure, WorkflowOptions};

use super::player::{Player, Results};
use super::world::World;
use super::{ECHO, SAY};
use crate::ledger::{Origin, What};
use crate::plan::{Fate, Part, Plan, WORKFLOWS, Work, retries};

/// What a run returns.
#[derive(Debug, Serialize)]
pub(super) struct Output {
    results: Results,
}

/// What an event says that starts a run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Said {
    /// The event's id, as it was asked with.
    pub(super) by: String,
}

/// Makes the app.
pub fn app(name: &str, runner: &str, world: World) -> App {
    let app = App::new(name).runner(runner).data(world);
    let echo = WorkflowOptions::new().trigger(SAY);
    let app = app.workflow_with(ECHO, answer, echo);
    WORKFLOWS.iter().fold(app, |app, workflow| {
        let options = WorkflowOptions::new();
        let options = if retries(workflow) {
            options.retry(Retry::constant(6, "30ms"))
        } else {
            options.compensate_on_cancel().on_failure(told)
        };
        app.workflow_with(*workflow, play, options)
    })
}

async fn play(ctx: Ctx, Data(world): Data<World>, plan: Plan) -> Result<Output> {
    let origin = match (&plan.after, ctx.parent()) {
        (Some(run), _) => Some(Origin::After { run: run.clone() }),
        (None, Some(parent)) => {
            let (run, step) = (parent.run.to_string(), parent.step.clone());
            Some(Origin::Step { run, step })
        }
        (None, None) => None,
    };
    if let Some(origin) = origin {
        let (run, steps, fate) = (ctx.run_id().to_string(), plan.steps(), plan.fate());
        world.note(What::Born { run, origin, steps, fate });
    }
    let player = Player { ctx: &ctx, world: &world, token: &plan.token, racing: false };
    let results = player.parts(&plan.parts, None).await?;
    match plan.then {
        Some(then) => ctx.continue_as(Plan { after: Some(ctx.run_id().to_string()), ..*then }),
        None if plan.fails => Err(Error::terminal("it fails on purpose")),
        None => Ok(Output { results }),
    }
}

/// Answers an event.
async fn answer(ctx: Ctx, Data(world): Data<World>, said: Said) -> Result<Output> {
    let (run, origin) = (ctx.run_id().to_string(), Origin::Event { id: said.by });
    world.note(What::Born { run, origin, steps: 1, fate: Fate::Completes });
    let player = Player { ctx: &ctx, world: &world, token: "", racing: false };
    let work = Part::Work(Work::plain("answer", 5));
    let results = player.parts(&[work], None).await?;
    Ok(Output { results })
}

/// Is told of a run that ends badly.
async fn told(ctx: Ctx, Data(world): Data<World>, failure: RunFailure) -> Result<()> {
    let completed = failure.completed_steps.into_iter().map(|step| step.id).collect();
    world.note(What::Told { run: ctx.run_id().to_string(), completed });
    Ok(())
}
