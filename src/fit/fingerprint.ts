/**
 * What a run is of: its model, data, optimizer and policy, as names and texts that can be compared.
 *
 * @module
 */
import { requireNames } from "../base/kept_names.ts";
import { CheckpointError } from "../base/errors.ts";
import { factsText, plainFields, shortText, sourceOf } from "../base/facts.ts";
import { textHash } from "../base/checksum.ts";
import { fmtShape } from "../base/shape.ts";
import { layerJson } from "../nn/containers.ts";
import type { AnyModule } from "../nn/mod.ts";
import { Tensor } from "../tensor/mod.ts";
import { Callback, type LossFunc, type TrainLoop } from "../train/mod.ts";
import { namedCallbacks } from "./states.ts";

/** Facts by name. */
export type Fingerprint = Readonly<Record<string, string>>;

/** What a policy was asked for. */
export interface Plan {
  /** Its name. */
  readonly policy: string;
  /** Numbers that decide its course. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Options of a learner's layers and optimizer, as they were when its first fit began: fields of somebody's own layers may
 * count something while training, and policies set hyper-parameters.
 */
const first = new WeakMap<TrainLoop, Fingerprint>();

function optionsOf(learn: TrainLoop): Fingerprint {
  const known = first.get(learn);
  if (known !== undefined) return known;
  const out: Record<string, string> = Object.create(null);
  const { model, opt } = learn;
  for (const [name, m] of model.namedModules()) out[`layer ${name === "" ? "(model)" : name}`] = layerText(m);
  for (const [i, { lr: _, ...hypers }] of opt.hypers.entries()) {
    out[`hyper-parameters of group ${i}`] = JSON.stringify(hypers);
  }
  const more = plainFields(opt, ["deferBoundary", "hypers", "values", "steppers"]);
  out.optimizer = `${opt.constructor.name} of ${opt.steppers.length} steppers with ${opt.hyperNames.join(", ")}` +
    (Object.keys(more).length > 0 ? ` ${JSON.stringify(more)}` : "");
  first.set(learn, out);
  return out;
}

/**
 * Notes the options of a learner that has none noted yet.
 *
 * @returns What forgets them again if the fit is refused: the next one may come with other options.
 */
export function optionsAtStart(learn: TrainLoop): () => void {
  if (first.has(learn)) return () => {};
  optionsOf(learn);
  return () => void first.delete(learn);
}

/** A layer's class and options; not its weights, and not what is inside. */
function layerText(m: AnyModule): string {
  const json = m.children().length > 0 ? null : layerJson(m);
  const { kind: _, ...options } = json ?? { kind: "", ...plainFields(m, ["training", "moments"]) };
  return factsText(m.constructor.name, options);
}

/** A loss's class, options and weights. */
async function lossText(loss: LossFunc): Promise<string> {
  if (typeof loss === "function") {
    return shortText(loss.name === "" ? "a function" : loss.name) + hashed(sourceOf(loss));
  }
  const weights: Record<string, string> = {};
  for (const [name, value] of Object.entries(loss)) {
    if (value instanceof Tensor) weights[name] = `${fmtShape(value.shape)}${hashed((await value.data()).join())}`;
  }
  return factsText(loss.constructor.name, { ...plainFields(loss), ...weights });
}

function hashed(text: string): string {
  return ` #${textHash(text)}`;
}

/** Everything that must be the same for a run to go on with the same numbers. */
export async function fingerprintOf(learn: TrainLoop, nEpoch: number, plan: Plan): Promise<Fingerprint> {
  requireNames("save checkpoints");
  const out: Record<string, string> = Object.create(null);
  out.policy = plan.policy;
  out["number of epochs"] = String(nEpoch);
  for (const [name, value] of Object.entries(plan.options)) {
    if (value !== undefined && value !== null) out[`option ${name}`] = JSON.stringify(value);
  }
  const { model, opt, dls, lossFunc } = learn;
  Object.assign(out, optionsOf(learn));
  for (const [name, p] of [...model.namedParameters(), ...model.namedBuffers()]) {
    out[`weight ${name}`] = `${p.dtype} ${fmtShape(p.shape)}`;
  }
  out.loss = await lossText(lossFunc);
  const stats = opt.steppers.flatMap((s) => Object.entries(s.stats ?? {})).map(([name, kind]) => `${name} (${kind})`);
  out["optimizer's statistics"] = stats.join(", ") || "none";
  out["parameter groups"] = opt.groups.map((g) => g.length).join(", ");
  for (const [set, dl] of [["training", dls.train], ["validation", dls.valid]] as const) {
    for (const [name, value] of Object.entries(await dl.fingerprint())) out[`${set} data: ${name}`] = value;
  }
  out["callbacks with a state"] = namedCallbacks(learn)
    .filter(([, cb]) => !cb.reportsOnly && cb.stateDict !== Callback.prototype.stateDict).map(([name]) => name).sort()
    .join(", ");
  for (const [name, cb] of namedCallbacks(learn)) {
    const settings = cb.settings();
    if (settings !== null) out[`callback ${name}`] = factsText(cb.constructor.name, settings);
  }
  return out;
}

/**
 * Refuses to go on where the run is another one.
 *
 * @throws CheckpointError that names the first differences.
 */
export function compareFingerprints(saved: Fingerprint, now: Fingerprint, path: string): void {
  const names = [...new Set([...Object.keys(saved), ...Object.keys(now)])];
  const differ = names.filter((n) => saved[n] !== now[n]);
  if (differ.length === 0) return;
  const told = differ.slice(0, 4).map((n) => `${n} was ${saved[n] ?? "absent"} and is ${now[n] ?? "absent"}`);
  const more = differ.length > told.length ? `; and ${differ.length - told.length} more differences` : "";
  const epochs = differ.includes("number of epochs")
    ? "; to train longer, load these weights, and fit with the new number of epochs and startEpoch"
    : "";
  throw new CheckpointError(
    `Cannot go on from ${path}: it was saved by another run: ${told.join("; ")}${more}. ` +
      `Undo the change; or give the Checkpoint another dir, and start anew or from these weights: ` +
      `await learn.load("${path}/model.safetensors")${epochs}`,
  );
}
