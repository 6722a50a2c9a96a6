/**
 * What the processes of a run must have in common, and what differs where they do not.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import { hashWords, textHash } from "../base/checksum.ts";
import { fmtShape } from "../base/shape.ts";
import { currentDevice, readAll } from "../tensor/mod.ts";
import type { TrainLoop } from "../train/mod.ts";
import type { World } from "./world.ts";

/** Named facts, in order. */
type Facts = readonly (readonly [what: string, value: string])[];

/** The facts of a learner that is about to fit. */
async function factsOf(learn: TrainLoop): Promise<Facts> {
  const { model, dls, opt, lossFunc } = learn;
  const facts: [string, string][] = [
    ["device", currentDevice()?.kind ?? "none"],
    ["model", model.constructor.name],
    ["modules of the model", model.modules().map((m) => m.constructor.name).join(" ")],
  ];
  for (const [name, p] of model.namedParameters()) facts.push([`parameter ${name}`, fmtShape(p.shape)]);
  for (const [name, b] of model.namedBuffers()) facts.push([`buffer ${name}`, `${b.dtype} ${fmtShape(b.shape)}`]);
  facts.push(["loss", typeof lossFunc === "function" ? `function ${lossFunc.name}` : lossFunc.constructor.name]);
  opt.groups.forEach((group, i) => {
    facts.push([
      `parameter group ${i}`,
      group.map((p) => fmtShape(p.shape) + (p.requiresGrad ? "" : " frozen")).join(" "),
    ]);
    facts.push([`hyper-parameters of group ${i}`, JSON.stringify(opt.hypers[i])]);
  });
  facts.push(["optimizer", opt.steppers.map((s) => Object.keys({ ...s.defaults, ...s.stats }).join("+")).join(" ")]);
  for (const name of ["train", "valid"] as const) {
    const dl = dls[name];
    facts.push([`items of the ${name} set`, String(dl.size)]);
    facts.push([`batch size of the ${name} set`, String(dl.bs)]);
    facts.push([
      `order of the ${name} set`,
      `${dl.shuffle ? "shuffled" : "as it is"}${dl.dropLast ? ", dropLast" : ""}${
        dl.sampler === null ? "" : `, ${dl.sampler.facts}`
      }`,
    ]);
  }
  facts.push(["a batch", await batchText(learn)]);
  facts.push(["number of epochs", String(learn.nEpoch)]);
  facts.push(["metrics", learn.metrics.map((m) => m.name).join(" ")]);
  facts.push(["callbacks", learn.cbs.filter((cb) => !cb.rank0Only).map((cb) => cb.name).join(" ")]);
  return facts;
}

/** Shapes of a batch, and a hash of the first rows of data that lies in arrays. */
async function batchText(learn: TrainLoop): Promise<string> {
  const { train } = learn.dls;
  if (!train.resident) return "made item by item";
  const probe = train.inOrder({ bs: Math.min(16, Math.max(1, train.size)) });
  probe.shard = null;
  const first = await probe.peek();
  if (first === null) return "none";
  const values = await readAll(first);
  return first.map((t, i) => {
    const { buffer, byteOffset, byteLength } = values[i];
    const words = new Uint32Array(Math.ceil(byteLength / 4));
    new Uint8Array(words.buffer).set(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    return `${t.dtype} ${fmtShape(t.shape.slice(1))} #${hashWords(words).toString(16)}`;
  }).join(", ");
}

/**
 * Compares what the processes have before they train together.
 *
 * @throws DistributedError, in every process, that names what differs, where, and how.
 */
export async function compare(world: World, learn: TrainLoop): Promise<void> {
  const facts = await factsOf(learn);
  const text = JSON.stringify(facts);
  const own = textHash(text);
  const hashes = await world.gatherTexts(own, "compare");
  if (hashes.every((h) => h === own)) return;
  const all = (await world.gatherTexts(text, "compare")).map((t): Facts => JSON.parse(t));
  throw new DistributedError(`Cannot train on ${world.size} ranks: ${differences(all).join("; ")}`);
}

/** At most five sentences on how the facts of a rank differ from those of rank 0. */
export function differences(all: readonly Facts[]): string[] {
  const out: string[] = [];
  const first = new Map(all[0]);
  for (let rank = 1; rank < all.length && out.length < 5; rank++) {
    const other = new Map(all[rank]);
    for (const what of new Set([...first.keys(), ...other.keys()])) {
      const a = first.get(what), b = other.get(what);
      if (a === b || out.length >= 5) continue;
      out.push(`${what} is ${b ?? "missing"} on rank ${rank} and ${a ?? "missing"} on rank 0`);
    }
  }
  return out;
}
