/**
 * Memory of a training step of causal attention: the kernels that never store the scores, beside plain products. Each way runs in
 * a process of its own, as a device's peak is that of all it has done.
 *
 *     deno run -A bench/attention_memory.ts --device webgpu --batch 4 --n 2048
 */
import { fromFileUrl } from "@std/path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  arange,
  backward,
  deviceStats,
  init,
  ops,
  Parameter,
  setSeed,
  SGD,
  type Tensor,
  tensor,
  where,
} from "../mod.ts";
import { defaultRng } from "../src/tensor/mod.ts";

interface Sizes {
  readonly device: "cpu" | "webgpu";
  readonly batch: number;
  readonly heads: number;
  readonly n: number;
  readonly dim: number;
}

/** `softmax(q k^T / sqrt(d)) v`, each query with the keys up to its own. */
function plain(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [, , n, d] = q.shape;
  const scores = q.matmul(k.transpose(2, 3)).mul(1 / Math.sqrt(d));
  const seen = arange(n).reshape([n, 1]).ge(arange(n).reshape([1, n]));
  return where(seen, scores, -1e30).softmax({ axis: 3 }).matmul(v);
}

/** Bytes that two steps take beyond queries, keys and values, and the sum of the first result. */
async function measure(way: string, { device, batch, heads, n, dim }: Sizes): Promise<void> {
  await init({ device });
  setSeed(1);
  const shape = [batch, heads, n, dim], size = batch * heads * n * dim;
  const made = Array.from({ length: 3 }, () => new Parameter(tensor(defaultRng().normalArray(size), { shape })));
  const opt = SGD(made, { lr: 1e-3 });
  const began = performance.now(), losses: number[] = [];
  for (let step = 0; step < 2; step++) {
    const y = way === "plain"
      ? plain(made[0], made[1], made[2])
      : ops.scaledDotProductAttention(made[0], made[1], made[2], { causal: true });
    const loss = y.square().mean();
    backward(loss);
    opt.step();
    opt.zeroGrad();
    losses.push(await loss.item());
  }
  const { peakBytes } = deviceStats(), seconds = (performance.now() - began) / 1000;
  console.log(
    JSON.stringify({ way, peakBytes, operands: 3 * 4 * size, scores: 4 * batch * heads * n * n, losses, seconds }),
  );
}

function whole(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError("It is a whole number from 1.");
  return n;
}

async function both(sizes: Sizes): Promise<void> {
  for (const way of ["kernels", "plain"]) {
    const own = Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", fromFileUrl(import.meta.url), ...own, "--way", way],
    }).output();
    if (!success) {
      console.log(`${way}: ${new TextDecoder().decode(stderr).trim().split("\n")[0]}`);
      continue;
    }
    const { peakBytes, operands, scores, losses, seconds } = JSON.parse(new TextDecoder().decode(stdout));
    const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${way}: at most ${mb(peakBytes)} in use, ${mb(operands)} of them q, k and v; scores would be ${
        mb(scores)
      }; losses ${losses.map((l: number) => l.toPrecision(6)).join(", ")}; ${seconds.toFixed(1)} s`,
    );
  }
}

if (import.meta.main) {
  await new Command("bench/attention_memory.ts")
    .description("Memory of a training step of attention.")
    .addOption(new Option("--device <name>", "the device").choices(["cpu", "webgpu"]).default("webgpu"))
    .addOption(new Option("--batch <n>", "sequences").argParser(whole).default(4))
    .addOption(new Option("--heads <n>", "heads").argParser(whole).default(8))
    .addOption(new Option("--n <n>", "positions").argParser(whole).default(2048))
    .addOption(new Option("--dim <n>", "features of a head").argParser(whole).default(64))
    .addOption(new Option("--way <name>", "one way only").choices(["kernels", "plain"]))
    .action(async ({ way, ...sizes }: Sizes & { readonly way?: string }) => {
      await (way === undefined ? both(sizes) : measure(way, sizes));
    })
    .parseAsync(Deno.args, { from: "user" });
}
