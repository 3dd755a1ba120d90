/**
 * What tests of workflows use.
 *
 * | to | use |
 * | --- | --- |
 * | run an app in this process, on a clock that moves when the test says so | `Test` |
 * | look at a run | `TestRun`, `TestStep` |
 * | give a result in place of a function | `Test.mockStep` |
 * | kill the process at a moment | `Test.crashAfter`, `Test.crashAt`, `Test.crash` |
 * | kill it at every moment there is | `crashEverywhere` |
 * | look whether code still follows a history | `replay` |
 * | try a match | `matches` |
 * | start a real server | `TestServer` |
 *
 * Why there is a stand-in for the server: a test wants a clock of its own, and a process that dies between
 * two messages. The server's clock is that of the machine, and what passes a socket cannot be stopped at a
 * message. So the runner is the real one (machine, session, steps: all but the socket), and the *node's side
 * of the protocol* is played in this process (`node/`), with the rules of the contract that a single app in
 * one namespace can meet: every kind of step, retries, events, races, children, clean-up, handler retry,
 * functions that start at most once. It has no store, no operators, no second app, no fencing and no
 * limits that a server's settings make (sizes of events and journals); runs that crash their runner again and
 * again are not blocked, and a process that died is replaced at once where a server takes some ten seconds.
 *
 * It must not become an engine of its own. Two things hold it to the server: the vectors of `spec/`, which
 * the server's core runs too, and a suite of behaviours (`test/both`) that runs against the stand-in and
 * against a server, and compares what each shows of runs and steps, field by field. A rule that is wanted
 * here begins as a case there.
 *
 * @packageDocumentation
 */
export { CrashError, CrashReport, crashEverywhere } from "./crash.js";
export { Test, type TestOptions, type TestSendArgs, type TestSendOptions } from "./kit.js";
export { matches } from "./matching.js";
export { Mock, type MockFunction } from "./mock.js";
export { DivergenceError, type Replayed, replay } from "./replay.js";
export * from "./server.js";
export { type History, type HistoryStep, type TestLine, TestRun, type TestStep } from "./view.js";
export type { CrashAt } from "./watch.js";
