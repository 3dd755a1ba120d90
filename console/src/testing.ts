/** Prepares unit tests: what they wait for comes soon, or late on a machine that is busy with something else. */

import { configure } from "@testing-library/dom";

configure({ asyncUtilTimeout: 15_000 });
