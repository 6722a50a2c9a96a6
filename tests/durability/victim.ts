/**
 * A training script of two fits, to be killed at any moment: `deno run -A victim.ts <dir> <file for the result>`.
 *
 * @module
 */
import { Checkpoint } from "../../src/fit/mod.ts";
import { init } from "../../src/tensor/mod.ts";
import { bitsOf, netLearner, stateful } from "./support.ts";

const [dir, result] = Deno.args;
await init({ device: "cpu", threads: 1 });
const say = (text: string): void => {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
};
const learn = netLearner({ n: 160, logger: { line: say } });
const options = () => ({
  cbs: [...stateful(), new Checkpoint({ dir, everySteps: 3, keep: 2 })],
  resume: true,
});
say("begin");
await learn.fitOneCycle(20, options());
await learn.fitFlatCos(10, { lr: 2e-3, ...options() });
await Deno.writeTextFile(result, JSON.stringify(await bitsOf(learn)));
say("end");
Deno.exit(0);
