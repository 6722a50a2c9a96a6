/**
 * Every optimizer against fastai's own trajectory of 40 steps.
 */
import { assert, assertEquals } from "@std/assert";
import {
  Adam,
  Lamb,
  Larc,
  Lookahead,
  type OptFunc,
  QHAdam,
  RAdam,
  ranger,
  RMSProp,
  SGD,
  slice,
} from "../../src/optim/mod.ts";
import { combinedCos } from "../../src/schedule/mod.ts";
import { Parameter, readAll, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill } from "../support/fill.ts";

interface Run {
  readonly name: string;
  readonly scheduled: boolean;
  readonly missing: readonly (readonly [number, number])[];
  readonly trace: readonly { readonly step: number; readonly params: readonly unknown[] }[];
  readonly state: readonly Readonly<Record<string, unknown>>[];
}

const { cases }: { cases: Run[] } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/optimizers.json", import.meta.url)),
);

const lr = 0.03;
const SHAPES = [[3], [2, 2], [1]];
const NAMES: Readonly<Record<string, string>> = {
  grad_avg: "gradAvg",
  sqr_avg: "sqrAvg",
  step: "step",
  local_lr: "localLr",
};

const MAKE: Readonly<Record<string, OptFunc>> = {
  "SGD(lr)": SGD.with({ lr }),
  "SGD(lr, mom=.9)": SGD.with({ lr, mom: 0.9 }),
  "SGD(lr, mom=.9, wd=.1)": SGD.with({ lr, mom: 0.9, wd: 0.1 }),
  "SGD(lr, mom=.9, wd=.1, decouple_wd=False)": SGD.with({ lr, mom: 0.9, wd: 0.1, decoupleWd: false }),
  "RMSProp(lr, wd=.05)": RMSProp.with({ lr, wd: 0.05 }),
  "RMSProp(lr, mom=.9)": RMSProp.with({ lr, mom: 0.9 }),
  "Adam(lr)": Adam.with({ lr }),
  "Adam(lr, mom=.8, sqr_mom=.999, eps=1e-8, wd=.2, decouple_wd=False)": Adam.with({
    lr,
    mom: 0.8,
    sqrMom: 0.999,
    eps: 1e-8,
    wd: 0.2,
    decoupleWd: false,
  }),
  "RAdam(lr, wd=.01)": RAdam.with({ lr, wd: 0.01 }),
  "RAdam(lr, beta=3)": RAdam.with({ lr, beta: 3 }),
  "QHAdam(lr, wd=.01)": QHAdam.with({ lr, wd: 0.01 }),
  "Larc(lr, wd=.01)": Larc.with({ lr, wd: 0.01 }),
  "Larc(lr, clip=False)": Larc.with({ lr, clip: false }),
  "Lamb(lr, wd=.01)": Lamb.with({ lr, wd: 0.01 }),
  "Lookahead(SGD(lr, mom=.9), k=6, alpha=.5)": Lookahead(SGD, { k: 6, alpha: 0.5 }).with({ lr, mom: 0.9 }),
  "ranger(lr)": ranger.with({ lr }),
  "Adam(lr=slice(1e-3,1e-1))": Adam.with({ lr: slice(1e-3, 1e-1) }),
};

const flat = (x: unknown): number[] => Array.isArray(x) ? x.flatMap(flat) : [Number(x)];

/**
 * Within 1e-5 of the largest magnitude. A parameter of one element that starts at 1.15 and comes to 0.003 keeps the rounding
 * of where it came from: one unit in the last place of the largest magnitude of the run is always allowed.
 */
function close(actual: ArrayLike<number>, expected: unknown, run: readonly unknown[], what: string): void {
  const want = flat(expected);
  assertEquals(actual.length, want.length, what);
  const largest = (list: readonly unknown[]) => Math.max(...list.flatMap(flat).map(Math.abs));
  const allowed = Math.max(1e-5 * largest(want), 2 ** -23 * largest(run));
  want.forEach((w, i) => {
    const error = Math.abs(actual[i] - w);
    assert(error <= allowed, `${what}, element ${i}: ${actual[i]} is not ${w}, off by ${error}, allowed ${allowed}`);
  });
}

for (const run of cases) {
  const { name, scheduled, missing, trace, state } = run;
  const title = `${name}${scheduled ? ", scheduled" : ""}${missing.length > 0 ? ", gradients missing" : ""}`;
  onDevices(title, async (device) => {
    const params = SHAPES.map((shape, i) =>
      new Parameter(tensor(Float32Array.from(fill(40 + i, shape.reduce((a, b) => a * b, 1), 2)), { shape }))
    );
    const opt = MAKE[name]([params.slice(0, 2), params.slice(2)]);
    const lrs = combinedCos(0.25, lr / 25, lr, lr / 1e5), moms = combinedCos(0.25, 0.95, 0.85, 0.95);
    let programs = 0;
    for (let t = 0; t < 40; t++) {
      if (scheduled) {
        opt.setHyper("lr", lrs(t / 40));
        opt.setHyper("mom", moms(t / 40));
      }
      params.forEach((p, i) => {
        const noise = tensor(Float32Array.from(fill(1000 + 10 * t + i, p.size, 0.5)), { shape: [...p.shape] });
        p.grad = missing.some(([mt, mi]) => mt === t && mi === i) ? null : noise.add(p.mul(0.3));
      });
      opt.step();
      if (t === 1) programs = device.stats().programs;
      const expected = trace.find((e) => e.step === t + 1);
      if (expected) {
        const values = await readAll(params);
        values.forEach((v, i) =>
          close(v, expected.params[i], trace.map((e) => e.params[i]), `step ${t + 1}, parameter ${i}`)
        );
      }
    }
    if (missing.length === 0) assertEquals(device.stats().programs, programs, "later steps need no new program");
    const kept = opt.stateDict().state;
    for (let i = 0; i < params.length; i++) {
      const entry = kept[i] as Record<string, unknown>;
      for (const [key, want] of Object.entries(state[i])) {
        const got = entry[NAMES[key]];
        if (typeof got === "number") assertEquals(got, want, `${key} of parameter ${i}`);
        else {
          assert(typeof got === "object" && got !== null && "data" in got, `${key} of parameter ${i} is missing`);
          close(await (got as Parameter).data() as Float32Array, want, [want], `${key} of parameter ${i}`);
        }
      }
    }
  });
}
