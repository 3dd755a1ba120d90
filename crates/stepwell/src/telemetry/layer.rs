//! Spans of `tracing` as steps, and its errors as failures (§10.2).

use std::fmt;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::call::{Call, Place};
use super::fault::Fault;
use super::fields::Fields;
use super::metadata::Object;
use super::run::Run;
use super::telemetry::Telemetry;

/// A layer of `tracing` that tells of spans as steps of runs; made by [`Telemetry::layer`].
///
/// | span | is |
/// | --- | --- |
/// | with the fields `flow` and `run_id` | a run, once both have values |
/// | directly beneath a run, of level `INFO`, `WARN` or `ERROR` | a step, by the name of the span |
/// | anywhere beneath a run, with a field `step` | a step, by the value of the field, else the name of the span |
/// | any other | nothing of its own |
///
/// So the spans that libraries make deep inside of steps are none, and neither are those for people who
/// look for a fault. A step lasts from the making of its span to its close, however often it is entered.
/// It ends as a success, unless an event of level `ERROR` happened within it, and within no step that is
/// nearer: the last of them says what went wrong. A span that is left by a panic fails, too.
///
/// Further fields are metadata: of a run span that of the run, of others that of the call, with those of the
/// error event. What looks like a secret is taken out (§10.7).
///
/// One such layer is enough for a subscriber; of two, one sees nothing.
pub struct TelemetryLayer {
    telemetry: Telemetry,
}

/// What a span is.
enum Observed {
    /// A run, as far as it is named.
    Naming(Fields),
    Run(Run),
    Step(Step),
}

/// A step that is open.
struct Step {
    call: Call,
    place: Place,
    metadata: Object,
    has_more: bool,
    fault: Option<Fault>,
    /// The span was made while the thread was panicking already.
    in_panic: bool,
}

impl Telemetry {
    /// Makes a layer of `tracing` that tells of spans as steps (feature `tracing-layer`).
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let telemetry = stepwell::telemetry::Telemetry::builder().enabled(false).build();
    /// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     let _run = tracing::info_span!("request", flow = "checkout", run_id = "req_123").entered();
    ///     let _step = tracing::info_span!("charge-card", items = 3).entered();
    ///     tracing::error!("the bank declined");
    /// });
    /// ```
    pub fn layer(&self) -> TelemetryLayer {
        TelemetryLayer { telemetry: self.clone() }
    }
}

impl TelemetryLayer {
    /// Opens the run that a span names, as soon as it does.
    fn named(&self, fields: Fields) -> Observed {
        let (Some(flow), Some(run)) = (fields.text("flow"), fields.text("run_id")) else {
            return Observed::Naming(fields);
        };
        let run = self.telemetry.run(&flow, run);
        Observed::Run(run.metadata(fields.without(&["flow", "run_id", "step"])))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TelemetryLayer {
    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let names = attrs.metadata().fields();
        let observed = if names.field("flow").is_some() && names.field("run_id").is_some() {
            self.named(Fields::of(|visitor| attrs.record(visitor)))
        } else if names.field("step").is_some() {
            let Some(place) = span.scope().skip(1).find_map(|span| place(&span)) else { return };
            let fields = Fields::of(|visitor| attrs.record(visitor));
            let key = fields.text("step").unwrap_or_else(|| attrs.metadata().name().to_owned());
            Observed::Step(Step::begin(place, &key, fields.without(&["step"])))
        } else if *attrs.metadata().level() <= Level::INFO {
            let Some(place) = span.parent().and_then(|span| run_place(&span)) else { return };
            let fields = Fields::of(|visitor| attrs.record(visitor));
            Observed::Step(Step::begin(place, attrs.metadata().name(), fields.without(&[])))
        } else {
            return;
        };
        span.extensions_mut().replace(observed);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        if span.extensions().get::<Observed>().is_none() {
            return;
        }
        let fields = Fields::of(|visitor| values.record(visitor));
        // What is the program's own, such as its redaction, is not called while the span is locked.
        let run = match span.extensions_mut().get_mut::<Observed>() {
            Some(Observed::Naming(before)) => Err(std::mem::take(before).and(fields)),
            Some(Observed::Run(run)) => Ok((run.clone(), fields)),
            Some(Observed::Step(step)) => return step.add(fields.without(&["step"])),
            None => return,
        };
        let observed = match run {
            Ok((run, fields)) => Observed::Run(run.metadata(fields.without(&["step"]))),
            Err(fields) => self.named(fields),
        };
        span.extensions_mut().replace(observed);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if *event.metadata().level() != Level::ERROR {
            return;
        }
        let is_step = |span: &SpanRef<'_, S>| {
            matches!(span.extensions().get::<Observed>(), Some(Observed::Step(_)))
        };
        let Some(span) = ctx.event_scope(event).and_then(|mut scope| scope.find(is_step)) else {
            return;
        };
        let fields = Fields::of(|visitor| event.record(visitor));
        if let Some(Observed::Step(step)) = span.extensions_mut().get_mut::<Observed>() {
            step.fault = Some(fields.fault(step.place.handle.shared.stack));
            step.add(fields.without(&["message", "error"]));
        }
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        if !std::thread::panicking() {
            return;
        }
        let Some(span) = ctx.span(id) else { return };
        if let Some(Observed::Step(step)) = span.extensions_mut().get_mut::<Observed>()
            && !step.in_panic
        {
            let mut fault = Fault::text("the span was left by a panic");
            fault.name = "Panic".into();
            step.fault = Some(fault);
        }
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let observed = ctx.span(&id).and_then(|span| span.extensions_mut().remove::<Observed>());
        if let Some(Observed::Step(step)) = observed {
            step.end();
        }
    }
}

/// Returns where the steps of a span are told of, if it is a run or a step.
fn place<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Place> {
    match span.extensions().get::<Observed>()? {
        Observed::Run(run) => run.place().cloned(),
        Observed::Step(step) => Some(step.place.clone()),
        Observed::Naming(_) => None,
    }
}

/// Returns where the steps of a span are told of, if it is a run.
fn run_place<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Place> {
    match span.extensions().get::<Observed>()? {
        Observed::Run(run) => run.place().cloned(),
        Observed::Step(_) | Observed::Naming(_) => None,
    }
}

impl Step {
    fn begin(place: Place, key: &str, metadata: Object) -> Self {
        let call = place.begin(key, metadata.clone());
        let in_panic = std::thread::panicking();
        Self { call, place, metadata, has_more: false, fault: None, in_panic }
    }

    fn add(&mut self, more: Object) {
        self.has_more |= !more.is_empty();
        self.metadata.extend(more);
    }

    fn end(mut self) {
        if self.has_more {
            self.call.add(self.metadata);
        }
        self.call.end(self.fault);
    }
}

impl fmt::Debug for TelemetryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryLayer").field("telemetry", &self.telemetry).finish()
    }
}
