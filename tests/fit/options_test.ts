/**
 * Misspelt options are errors at run time too: `deno run` does not check types.
 */
import { assertRejects, assertThrows } from "@std/assert";
import { ConfigError, DataLoaders, EarlyStopping, init, Learner, nn, silentLogger } from "../../mod.ts";

const dls = () => DataLoaders.fromArrays({ x: [[1], [2]], y: [[1], [2]] });
const learner = () => new Learner(dls(), new nn.Linear(1, 1), { lossFunc: new nn.MSELoss(), logger: silentLogger });
/** Options that the compiler would refuse. */
const wrong = (options: Record<string, unknown>): object => options;

const LATER: [string, () => Promise<unknown>, string][] = [
  ["fit", () => learner().fit(1, wrong({ lrr: 1 })), "Cannot fit with lrr: the options are lr, wd"],
  ["fitOneCycle", () => learner().fitOneCycle(1, wrong({ lrmax: 1 })), "did you mean lrMax?"],
  ["fitFlatCos", () => learner().fitFlatCos(1, wrong({ pct_start: 1 })), "did you mean pctStart?"],
  ["fitSgdr", () => learner().fitSgdr(1, 1, wrong({ cyclemult: 1 })), "did you mean cycleMult?"],
  ["fineTune", () => learner().fineTune(1, wrong({ baselr: 1 })), "did you mean baseLr?"],
  ["lrFind", () => learner().lrFind(wrong({ numit: 1 })), "did you mean numIt?"],
  ["init", () => init(wrong({ thread: 1 })), "did you mean threads?"],
];

for (const [what, run, message] of LATER) {
  Deno.test(`${what} refuses an option that it does not have`, async () => {
    await assertRejects(run, ConfigError, message);
  });
}

const NOW: [string, () => unknown, string][] = [
  ["Learner", () => new Learner(dls(), new nn.Linear(1, 1), wrong({ metric: [] })), "did you mean metrics?"],
  ["fromArrays", () => DataLoaders.fromArrays({ x: [[1]], y: [[1]] }, wrong({ batchSize: 2 })), "with batchSize"],
  ["EarlyStopping", () => new EarlyStopping(wrong({ min_delta: 1 })), "make EarlyStopping with min_delta"],
];

for (const [what, make, message] of NOW) {
  Deno.test(`${what} refuses an option that it does not have`, () => {
    assertThrows(make, ConfigError, message);
  });
}
