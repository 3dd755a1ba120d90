/** Places graphs off the main thread: one answer for each question, in order. */

import { type Placement, place, type Question } from "../model/placement.ts";

/** A question with a number that its answer repeats. */
export interface Ask {
  readonly number: number;
  readonly question: Question;
}

export interface Answer {
  readonly number: number;
  readonly placement: Placement;
}

addEventListener("message", (event: MessageEvent<Ask>) => {
  const { number, question } = event.data;
  const answer: Answer = { number, placement: place(question) };
  postMessage(answer);
});
