/**
 * What `Learner.fit` with Recorder and ParamScheduler costs over a loop by hand: both in one process, block by block in
 * turn, so that a busy machine slows both.
 *
 *     deno run -A --config deno.json bench/learner_cost.ts [cpu | webgpu] [tiny | mlp64] [pairs]
 */
import { openFor, subjectOf } from "./anneal.ts";

const [device = "cpu", workload = "mlp64", count = "30"] = Deno.args;
if ((device !== "cpu" && device !== "webgpu") || (workload !== "tiny" && workload !== "mlp64")) {
  throw new Error("Usage: bench/learner_cost.ts [cpu | webgpu] [tiny | mlp64] [pairs]");
}
const { name } = await openFor(workload, device);
const subjects = [await subjectOf(workload), await subjectOf(`${workload}-learner`)];
/** Steps of a block: whole epochs. */
const steps = workload === "tiny" ? 2000 : 50;

/** Milliseconds of a step. */
async function time(which: number): Promise<number> {
  const start = performance.now();
  const done = await subjects[which].run(steps);
  return (performance.now() - start) / done;
}

for (const which of [0, 1, 0, 1]) await time(which);
const byHand: number[] = [], learner: number[] = [], ratios: number[] = [];
for (let pair = 0; pair < Number(count); pair++) {
  // whoever goes first does so half of the time
  for (const which of pair % 2 === 0 ? [0, 1] : [1, 0]) (which === 0 ? byHand : learner)[pair] = await time(which);
  ratios.push(learner[pair] / byHand[pair]);
}
const quantile = (values: number[], q: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))].toPrecision(3);
console.log(
  `${name}, ${workload}: by hand ${quantile(byHand, 0.5)} ms a step, learner ${quantile(learner, 0.5)} ms; ` +
    `ratio of pairs ${quantile(ratios, 0.5)} (quartiles ${quantile(ratios, 0.25)} to ${quantile(ratios, 0.75)})`,
);
Deno.exit(0);
