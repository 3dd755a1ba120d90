//! Handlers: plain async functions as workflows.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::failure::OnFailure;
use crate::json;
use crate::machine::HandlerFuture;
use crate::named_wait::NamedWaits;

/// Something that the app was given with [`App::data`](crate::App::data), in a handler's arguments.
///
/// ```
/// use stepwell::{Ctx, Data, Result};
///
/// struct Prices { cents: u32 }
///
/// async fn quote(_ctx: Ctx, Data(prices): Data<Prices>, pieces: u32) -> Result<u32> {
///     Ok(prices.cents * pieces)
/// }
/// # let _ = stepwell::App::new("shop").data(Prices { cents: 5 }).workflow("quote", quote);
/// ```
pub struct Data<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for Data<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Deref for Data<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Data<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Data").field(&&*self.0).finish()
    }
}

/// What an app was given, by type.
#[derive(Clone, Default)]
pub(crate) struct DataMap {
    by_type: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl DataMap {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) -> bool {
        self.by_type.insert(TypeId::of::<T>(), Arc::new(value)).is_none()
    }

    pub(crate) fn has(&self, need: &Need) -> bool {
        self.by_type.contains_key(&need.id)
    }

    pub(crate) fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.by_type.get(&TypeId::of::<T>())?.clone().downcast().ok()
    }
}

/// A type that a handler wants as [`Data`].
#[derive(Clone, Copy, Debug)]
pub struct Need {
    id: TypeId,
    pub(crate) name: &'static str,
}

impl Need {
    fn of<T: 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T>() }
    }
}

/// What a handler is called with.
pub struct Call {
    ctx: Ctx,
    data: Arc<DataMap>,
    input: Option<Box<RawValue>>,
}

impl Call {
    pub(crate) fn new(ctx: Ctx, data: Arc<DataMap>, input: Option<Box<RawValue>>) -> Self {
        Self { ctx, data, input }
    }

    fn data<T: Send + Sync + 'static>(&self) -> Result<Data<T>> {
        let missing =
            || Error::argument(format!("no Data<{}> was given to the app", type_name::<T>()));
        self.data.get().map(Data).ok_or_else(missing)
    }

    fn input<I: DeserializeOwned>(&self) -> Result<I> {
        json::decode_input(self.input.as_deref())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("ctx", &self.ctx).finish_non_exhaustive()
    }
}

/// An async function that can be a workflow.
///
/// Its arguments are a [`Ctx`], up to four [`Data`], and an input that serde reads, which may be
/// left out. It returns [`stepwell::Result`](crate::Result) of something that serde writes. The
/// parameter `Args` only tells such functions apart.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a workflow",
    label = "not an `async fn(ctx: Ctx, ...) -> stepwell::Result<...>`",
    note = "a workflow is `async fn(ctx: Ctx, data: Data<T>, input: I) -> stepwell::Result<O>`: \
            `ctx` by value and first, then at most four `Data<_>`, then at most one input",
    note = "`I` needs serde's `Deserialize` and owns what it holds, `O` needs `Serialize`",
    note = "the function's future has to be `Send`: hold no `Rc`, `RefCell` guard or the like over `.await`"
)]
pub trait Handler<Args>: Send + Sync + 'static {
    /// Calls the function.
    #[doc(hidden)]
    fn start(&self, call: Call) -> HandlerResult;

    /// Returns the types that it wants as [`Data`].
    #[doc(hidden)]
    fn needs() -> Vec<Need>;
}

/// A handler that was called.
#[doc(hidden)]
pub struct HandlerResult(pub(crate) HandlerFuture);

impl fmt::Debug for HandlerResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandlerResult")
    }
}

fn finish<O: Serialize>(
    ctx: Ctx,
    run: impl Future<Output = Result<O>> + Send + 'static,
) -> HandlerResult {
    HandlerResult(Box::pin(async move {
        let output = run.await?;
        let raw = json::encode(|| "the run's output".into(), &output)?;
        json::within(|| "the run's output".into(), raw.as_deref(), ctx.payload_bytes_max())?;
        Ok(raw)
    }))
}

fn fail(error: Error) -> HandlerResult {
    HandlerResult(Box::pin(std::future::ready(Err(error))))
}

macro_rules! handlers {
    ($(($($data:ident $value:ident),*))*) => {$(
        impl<F, Fut, O, $($data),*> Handler<(Ctx, $(Data<$data>,)*)> for F
        where
            F: Fn(Ctx, $(Data<$data>,)*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<O>> + Send + 'static,
            O: Serialize,
            $($data: Send + Sync + 'static,)*
        {
            fn start(&self, call: Call) -> HandlerResult {
                // A workflow without an input takes a start without one, or whatever it was given.
                let arguments = || -> Result<_> { Ok(($(call.data::<$data>()?,)*)) };
                let ($($value,)*) = match arguments() {
                    Ok(arguments) => arguments,
                    Err(error) => return fail(error),
                };
                finish(call.ctx.clone(), self(call.ctx, $($value,)*))
            }

            fn needs() -> Vec<Need> {
                vec![$(Need::of::<$data>()),*]
            }
        }

        impl<F, Fut, O, I, $($data),*> Handler<(Ctx, $(Data<$data>,)* I)> for F
        where
            F: Fn(Ctx, $(Data<$data>,)* I) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<O>> + Send + 'static,
            O: Serialize,
            I: DeserializeOwned,
            $($data: Send + Sync + 'static,)*
        {
            fn start(&self, call: Call) -> HandlerResult {
                let arguments = || -> Result<_> { Ok(($(call.data::<$data>()?,)* call.input::<I>()?,)) };
                let ($($value,)* input,) = match arguments() {
                    Ok(arguments) => arguments,
                    Err(error) => return fail(error),
                };
                finish(call.ctx.clone(), self(call.ctx, $($value,)* input))
            }

            fn needs() -> Vec<Need> {
                vec![$(Need::of::<$data>()),*]
            }
        }
    )*};
}

handlers! {
    ()
    (D1 d1)
    (D1 d1, D2 d2)
    (D1 d1, D2 d2, D3 d3)
    (D1 d1, D2 d2, D3 d3, D4 d4)
}

/// A handler without its type.
pub(crate) trait AnyHandler: Send + Sync {
    fn start(&self, call: Call) -> HandlerFuture;
}

pub(crate) struct Erased<H, Args> {
    handler: H,
    args: std::marker::PhantomData<fn() -> Args>,
}

impl<H, Args> Erased<H, Args> {
    pub(crate) fn new(handler: H) -> Self {
        Self { handler, args: std::marker::PhantomData }
    }
}

impl<H: Handler<Args>, Args: 'static> AnyHandler for Erased<H, Args> {
    fn start(&self, call: Call) -> HandlerFuture {
        self.handler.start(call).0
    }
}

/// A workflow that runs can be given to.
#[derive(Clone)]
pub(crate) struct Workflow {
    pub(crate) name: Arc<str>,
    pub(crate) version: Option<Arc<str>>,
    pub(crate) strict: bool,
    pub(crate) handler: Arc<dyn AnyHandler>,
    pub(crate) on_failure: Option<OnFailure>,
}

/// The workflows of an app and what it was given.
#[derive(Clone)]
pub(crate) struct Handlers {
    by_name: HashMap<Arc<str>, Workflow>,
    data: Arc<DataMap>,
    waits: Option<Arc<NamedWaits>>,
}

impl Handlers {
    pub(crate) fn new(workflows: impl IntoIterator<Item = Workflow>, data: DataMap) -> Self {
        let by_name = workflows.into_iter().map(|one| (one.name.clone(), one)).collect();
        Self { by_name, data: Arc::new(data), waits: None }
    }

    /// Adds the waits that the app declares.
    pub(crate) fn with_waits(self, waits: Option<NamedWaits>) -> Self {
        Self { waits: waits.map(Arc::new), ..self }
    }

    /// Returns the waits that the app declares, if it declares any.
    pub(crate) fn waits(&self) -> Option<Arc<NamedWaits>> {
        self.waits.clone()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Workflow> {
        self.by_name.get(name)
    }

    pub(crate) fn data(&self) -> Arc<DataMap> {
        self.data.clone()
    }
}
