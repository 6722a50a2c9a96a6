/**
 * What a run is of: its model, data, optimizer and policy, as names and texts that can be compared.
 *
 * @module
 */
import { CheckpointError } from "../base/errors.ts";
import { fmtShape } from "../base/shape.ts";
import { Callback, type TrainLoop } from "../train/mod.ts";
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

/** Everything that must be the same for a run to go on with the same numbers. */
export async function fingerprintOf(learn: TrainLoop, nEpoch: number, plan: Plan): Promise<Fingerprint> {
  const out: Record<string, string> = Object.create(null);
  out.policy = plan.policy;
  out["number of epochs"] = String(nEpoch);
  for (const [name, value] of Object.entries(plan.options)) {
    if (value !== undefined && value !== null) out[`option ${name}`] = JSON.stringify(value);
  }
  const { model, opt, dls, lossFunc } = learn;
  for (const [name, m] of model.namedModules()) out[`layer ${name === "" ? "(model)" : name}`] = m.constructor.name;
  for (const [name, p] of [...model.namedParameters(), ...model.namedBuffers()]) {
    out[`weight ${name}`] = `${p.dtype} ${fmtShape(p.shape)}`;
  }
  const lossName = typeof lossFunc === "function" ? lossFunc.name : lossFunc.constructor.name;
  out.loss = lossName === "" ? "a function" : lossName;
  out.optimizer = `${opt.constructor.name} of ${opt.steppers.length} steppers with ${opt.hyperNames.join(", ")}`;
  const stats = opt.steppers.flatMap((s) => Object.entries(s.stats ?? {})).map(([name, kind]) => `${name} (${kind})`);
  out["optimizer's statistics"] = stats.join(", ") || "none";
  out["parameter groups"] = opt.groups.map((g) => g.length).join(", ");
  for (const [set, dl] of [["training", dls.train], ["validation", dls.valid]] as const) {
    for (const [name, value] of Object.entries(await dl.fingerprint())) out[`${set} data: ${name}`] = value;
  }
  out["callbacks with a state"] = namedCallbacks(learn)
    .filter(([, cb]) => cb.stateDict !== Callback.prototype.stateDict).map(([name]) => name).sort().join(", ");
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
  throw new CheckpointError(
    `Cannot go on from ${path}: it was saved by another run: ${told.join("; ")}${more}. ` +
      "Undo the change, or give the Checkpoint another dir to start anew",
  );
}
