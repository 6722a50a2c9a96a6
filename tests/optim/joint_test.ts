/**
 * Parameters that are stepped together, in groups and arenas, move as each of them does alone, whatever is done between
 * steps.
 */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  Adam,
  Lamb,
  Larc,
  Lookahead,
  type OptFunc,
  type Optimizer,
  QHAdam,
  RAdam,
  RMSProp,
  SGD,
} from "../../src/optim/mod.ts";
import { Parameter, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fill, fillF32 } from "../support/fill.ts";
import { bits } from "./support.ts";

const EVERY: Readonly<Record<string, OptFunc>> = {
  SGD: SGD.with({ wd: 0.1 }),
  "SGD with momentum": SGD.with({ mom: 0.9, wd: 0.1, decoupleWd: false }),
  RMSProp: RMSProp.with({ mom: 0.9, wd: 0.1 }),
  Adam: Adam.with({ wd: 0.1 }),
  RAdam: RAdam.with({ wd: 0.1 }),
  "RAdam, smooth": RAdam.with({ beta: 20 }),
  QHAdam: QHAdam.with({ wd: 0.1 }),
  Larc: Larc.with({ wd: 0.1 }),
  Lamb: Lamb.with({ wd: 0.1 }),
  ranger: Lookahead(RAdam.with({ wd: 0.1 }), { k: 3 }),
  "Lookahead over SGD": Lookahead(SGD.with({ mom: 0.9 }), { k: 2, alpha: 0.7 }),
};

const SHAPES = [[3], [2, 9], [1], [40], [5, 5], [17]];

/** One optimizer of all parameters, and one of each of their copies. */
class Pair {
  readonly joint: Parameter[] = SHAPES.map((shape, i) => parameter(i, shape));
  readonly alone: Parameter[] = SHAPES.map((shape, i) => parameter(i, shape));
  #make: OptFunc;
  /** Number of each parameter's group. */
  group: number[] = [];
  opt!: Optimizer;
  opts!: Optimizer[];

  constructor(make: OptFunc, readonly draw: () => number) {
    this.#make = make;
    this.remake();
  }

  /** New optimizers, over groups of parameters in a new order. */
  remake(): void {
    const n = 1 + Math.floor(this.draw() * 3);
    const cuts = SHAPES.map((_, i) => i < n ? i : Math.floor(this.draw() * n));
    this.group = cuts;
    const groups = Array.from({ length: n }, (_, g) => this.joint.filter((_, i) => cuts[i] === g));
    this.opt = this.#make(groups, { lr: 0.02 });
    this.opts = this.alone.map((p) => this.#make([p], { lr: 0.02 }));
  }

  /** Position of parameter `i` in the joint optimizer. */
  place(i: number): number {
    return this.opt.groups.flat().indexOf(this.joint[i]);
  }
}

function parameter(i: number, shape: number[]): Parameter {
  return new Parameter(tensor(fillF32(30 + i, shape.reduce((a, b) => a * b)), { shape }));
}

/** What is done between steps, to both sides. */
const DEEDS: Readonly<Record<string, (p: Pair) => void>> = {
  rate: ({ opt, opts, group, draw }) => {
    const rates = opt.hypers.map(() => draw() * 0.05);
    opt.setHyper("lr", rates);
    opts.forEach((o, i) => o.setHyper("lr", rates[group[i]]));
  },
  decay: ({ opt, opts, draw }) => {
    const wd = draw();
    for (const o of [opt, ...opts]) o.setHyper("wd", wd);
  },
  flag: ({ opt, opts, joint, alone, draw }) => {
    const i = Math.floor(draw() * joint.length), on = draw() < 0.5;
    opt.setFlag(joint[i], "doWd", on);
    opts[i].setFlag(alone[i], "doWd", on);
  },
  stop: ({ joint, alone, draw }) => {
    const i = Math.floor(draw() * joint.length);
    joint[i].requiresGrad = alone[i].requiresGrad = !joint[i].requiresGrad;
  },
  freeze: ({ opt, joint, alone, draw }) => {
    opt.freezeTo(Math.floor(draw() * opt.groups.length));
    joint.forEach((p, i) => alone[i].requiresGrad = p.requiresGrad);
  },
  clear: ({ opt, opts }) => {
    for (const o of [opt, ...opts]) o.clearState();
  },
  restore: ({ opt, opts }) => {
    for (const o of [opt, ...opts]) o.loadStateDict(o.stateDict());
  },
  remake: (p) => p.remake(),
  assign: ({ joint, alone, draw }) => {
    const i = Math.floor(draw() * joint.length);
    for (const p of [joint[i], alone[i]]) p.assign(p.mul(0.9));
  },
};

for (const [name, make] of Object.entries(EVERY)) {
  onDevices(`${name}: parameters together move as each alone`, async (_, kind) => {
    for (let seed = 1; seed <= (kind === "webgpu" ? 2 : 6); seed++) {
      const draws = fill(seed, 4000);
      let at = 0;
      const pair = new Pair(make, () => (draws[at++] + 1) / 2);
      const { joint, alone, draw } = pair;
      const deeds: string[] = [];
      for (let step = 0; step < 14; step++) {
        const scale = draw() < 0.3 ? draw() * 2 : null;
        joint.forEach((p, i) => {
          const missing = draw() < 0.15;
          const g = (): Tensor | null =>
            missing ? null : tensor(fillF32(seed * 1000 + step * 10 + i, p.size, 0.5), { shape: [...p.shape] });
          p.grad = g();
          alone[i].grad = g();
        });
        if (scale !== null) { for (const o of [pair.opt, ...pair.opts]) o.scaleGrads(scale); }
        if (draw() < 0.2) {
          const norms = await Promise.all(pair.opts.map((o) => o.gradNorm().item()));
          const together = await pair.opt.gradNorm().item();
          assertAlmostEquals(together, Math.hypot(...norms), 1e-5 * Math.max(1, together), deeds.join());
        }
        if (draw() < 0.15) { // a gradient that is replaced after it was scaled
          const i = Math.floor(draw() * joint.length);
          for (const p of [joint[i], alone[i]]) if (p.grad !== null) p.grad = p.grad.mul(3);
        }
        for (const o of [pair.opt, ...pair.opts]) {
          o.step();
          o.zeroGrad();
        }
        const after = `seed ${seed}, step ${step}, after ${deeds.join()}`;
        assertEquals(await bits(joint), await bits(alone), after);
        for (const deed of Object.keys(DEEDS)) {
          if (draw() > 0.12) continue;
          DEEDS[deed](pair);
          deeds.push(deed);
        }
      }
      const state = pair.opt.stateDict().state;
      pair.opts.forEach((o, i) => assertEquals(state[pair.place(i)].step, o.stateDict().state[0].step));
    }
  });
}
