/**
 * Replayed steps, whatever callbacks do around them: the same as steps that are built.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { GradientClip } from "../../src/callbacks/mod.ts";
import { withHostMemory } from "../../src/graph/host_memory.ts";
import { scalar } from "../../src/graph/leaves.ts";
import type { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { Adam, type GradRange, Lamb, Larc, Lookahead, RAdam, SGD } from "../../src/optim/mod.ts";
import { backward, Tensor } from "../../src/tensor/mod.ts";
import { Callback, type GradAverager, type TrainLoop } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";
import { fillF32 } from "../support/fill.ts";
import { Ema, fitBoth, Inside, learnerOf, type Left, left, type Net } from "./replays.ts";

/** What callbacks do around steps, by name; each is done at some batches, drawn by the test. */
const DEEDS: Record<string, (learn: Learner<Net>, seen: number[], draw: () => number) => void | Promise<void>> = {
  "read the loss": async (l, seen) => {
    seen.push(await l.loss.item());
  },
  "read the prediction": async (l, seen) => {
    seen.push(...await l.pred.data());
  },
  "read weights": async (l, seen) => {
    seen.push(...await l.model.conv.weight.data());
  },
  "read running statistics": async (l, seen) => {
    for (const b of l.model.namedBuffers().values()) seen.push(...await b.data());
  },
  "keep a value of the loss for later": (l) => {
    l.loss.mul(2).keep();
  },
  "assign weights": (l) => {
    const [w] = l.model.head.parameters();
    w.assign(w.mul(0.9));
  },
  "assign running statistics": (l) => {
    for (const b of l.model.namedBuffers().values()) if (b.dtype === "f32") b.assign(b.mul(0.5));
  },
  "freeze": (l) => l.freeze(),
  "unfreeze": (l) => l.unfreeze(),
  "stop one parameter": (l, _, draw) => {
    const all = l.model.parameters();
    const p = all[Math.floor(draw() * all.length)];
    p.requiresGrad = !p.requiresGrad || all.filter((q) => q.requiresGrad).length < 3;
  },
  "set the rate": (l, _, draw) => l.opt.setHyper("lr", draw() * 0.01),
  "set the rates of groups": (l, _, draw) => l.opt.setHyper("lr", [draw() * 0.01, draw() * 0.01]),
  "set the decay": (l, _, draw) => l.opt.setHyper("wd", draw()),
  "decay another parameter": (l, _, draw) => {
    const all = l.model.parameters();
    l.opt.setFlag(all[Math.floor(draw() * all.length)], "doWd", draw() < 0.5);
  },
  "forget the optimizer's state": (l) => l.opt.clearState(),
  "go back in the optimizer's state": (l) => l.opt.loadStateDict(l.opt.stateDict()),
  "make a new optimizer": (l) => {
    l.createOpt();
  },
  "use running statistics": (l) => {
    l.model.bn.eval();
  },
  "use the batch's statistics": (l) => {
    l.model.bn.train();
  },
  "change dropout": (l, _, draw) => {
    (l.model.drop as { p: number }).p = draw() < 0.3 ? 0 : draw() * 0.5;
  },
  "change the loss": (l, _, draw) => {
    l.lossFunc = draw() < 0.5 ? new nn.CrossEntropyLoss() : new nn.LabelSmoothingCrossEntropy({ eps: 0.1 });
  },
  "leave a gradient": (l) => {
    if (l.model.conv.weight.requiresGrad) backward(l.model.conv.weight.square().sum());
  },
  "save and load": async (l) => {
    const folder = await Deno.makeTempDir();
    const file = await l.save(`${folder}/here`, { withOpt: true });
    await l.load(file, { withOpt: true });
    await Deno.remove(folder, { recursive: true });
  },
  "go back to weights of before": (l) => void l.model.loadStateDict(l.model.stateDict()),
  "predict": async (l, seen) => {
    const { preds } = await l.getPreds({ dsIdx: 1 });
    seen.push(...await preds.data());
  },
  "average gradients by hand": (l) => {
    if (l.model.head.parameters().some((p) => !p.requiresGrad)) return;
    const [xb] = l.hasLoss ? l.xb : [];
    if (xb === undefined) return;
    backward(l.model.forward(xb).square().mean());
    l.opt.step();
    l.opt.zeroGrad();
  },
  "change an input of the prediction": (l) => {
    if (!l.hasLoss) l.xb = l.xb.map((x) => x.mul(0.5));
  },
  "take another batch norm": (l) => {
    (l.model as { bn: nn.BatchNorm2d }).bn = new nn.BatchNorm2d(4);
  },
  "train without momentum": (l) => {
    for (const h of l.opt.hypers) if ("mom" in h) h.mom = 0;
  },
  "validate": async (l, seen) => {
    seen.push(...(await l.validate()).map(Number));
  },
};

/** Does some deeds at some batches, before or after them. */
class Deeds extends Callback {
  override readonly order: number = 55;
  #state: number;
  constructor(readonly seen: number[], seed: number, readonly some: readonly string[]) {
    super();
    this.#state = seed;
  }
  #draw(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }
  async #do(share: number): Promise<void> {
    if (!this.learn.training) return;
    const draw = () => this.#draw();
    const learn = this.learn as Learner<Net>;
    for (const name of this.some) {
      const done = draw() < share;
      const loss = /of the loss|read the prediction|^read the loss/.test(name);
      if (done && (!loss || learn.hasLoss)) await DEEDS[name](learn, this.seen, draw);
    }
  }
  override async beforeBatch(): Promise<void> {
    if (this.learn.iter % 3 === 1) await this.#do(0.2);
  }
  override async afterBatch(): Promise<void> {
    await this.#do(0.25);
  }
}

/**
 * Stands for another process with the same gradients: the sum is twice as much, the average what it was. In the middle it
 * does deeds, as whatever runs while processes wait for each other.
 */
class Twin extends Callback implements GradAverager {
  override readonly order: number = 11;
  readonly factor: number = 0.5;
  #count = 0;
  constructor(readonly seen: number[], readonly deeds: readonly string[] = []) {
    super();
  }
  override attach(learn: TrainLoop | null): void {
    if (learn === null) this.learn.averager = null;
    super.attach(learn);
    if (learn !== null) learn.averager = this;
  }
  override async afterBackward(): Promise<void> {
    const { opt, batch } = this.learn;
    const mean = await this.average(opt.gradRanges(), batch.loss!, () => this.learn.flush());
    opt.scaleGrads(this.factor);
    batch.loss = new Tensor(scalar(mean));
  }
  async average(ranges: readonly GradRange[], { node }: Tensor, flush: () => void): Promise<number> {
    flush();
    const name = this.deeds[this.#count++ % 7];
    if (name !== undefined) await DEEDS[name](this.learn as Learner<Net>, this.seen, () => 0.5);
    let loss = 0;
    await withHostMemory(
      [{ storage: node.storage!, offset: node.offset, n: 1 }, ...ranges],
      // deno-lint-ignore require-await -- the face is asynchronous
      async ([own, ...grads]) => {
        loss = new Float32Array(own.buffer, own.byteOffset, 1)[0];
        for (const { buffer, byteOffset, byteLength } of grads) {
          const values = new Float32Array(buffer, byteOffset, byteLength / 4);
          for (let i = 0; i < values.length; i++) values[i] *= 2;
        }
      },
    );
    return loss;
  }
}

onDevices("steps with averaged gradients are taken again in two programs", async () => {
  for (const optFunc of [Adam, SGD.with({ mom: 0.9 }), Larc, Lookahead(RAdam, { k: 3 })]) {
    assertEquals(await fitBoth({ optFunc }, (_, seen) => new Twin(seen)), 16);
  }
  // averages of twice the same are the same
  const results: Left[] = [];
  for (const cbs of [[], [new Twin([])]]) {
    const learn = learnerOf({ optFunc: Adam });
    await learn.fitOneCycle(2, { lrMax: 0.02, cbs });
    results.push(await left(learn));
  }
  assertEquals(results[1], results[0]);
  // whoever else looks at gradients has the step built
  assertEquals(await fitBoth({}, (_, seen) => [new Twin(seen), new Inside(seen, "beforeStep")]), 0);
  assertEquals(await fitBoth({}, (_, seen) => [new Twin(seen), new GradientClip(0.1)]), 0);
}, { kinds: ["cpu", "webgpu"] });

const MEANWHILE = ["read weights", "assign weights", "set the rate", "set the decay", "forget the optimizer's state"];

onDevices("... whatever happens between them", async () => {
  const deeds = [...MEANWHILE, "go back to weights of before", "read running statistics"];
  for (const name of deeds) {
    for (const optFunc of [Adam, Lookahead(SGD.with({ mom: 0.9 }), { k: 3 })]) {
      const count = await fitBoth({ optFunc }, (_, seen) => new Twin(seen, [name]), (l, cbs) => l.fit(3, { cbs }));
      assert(count > 0, name);
    }
  }
});

for (const name of Object.keys(DEEDS)) {
  onDevices(`steps taken again change nothing for callbacks that ${name}`, async () => {
    let count = 0;
    for (const [i, optFunc] of [Adam, Lookahead(SGD.with({ mom: 0.9 }), { k: 3 })].entries()) {
      count += await fitBoth(
        { optFunc },
        (_, seen) => new Deeds(seen, 5 + i, [name]),
        (l, cbs) => l.fit(3, { lr: 0.01, cbs }),
      );
    }
    // parameters that the optimizer does not know of keep their gradients from step to step
    assertEquals(count > 0, name !== "take another batch norm");
  }, { kinds: ["cpu"] });
}

onDevices("steps taken again change nothing for callbacks that do all of it", async (_, kind) => {
  let count = 0;
  const names = Object.keys(DEEDS);
  for (let seed = 1; seed <= (kind === "cpu" ? 25 : 4); seed++) {
    const picks = fillF32(seed, names.length), some = names.filter((_, i) => picks[i] > 0.5);
    const opts = [Adam, SGD.with({ mom: 0.9 }), Lookahead(RAdam, { k: 3 }), Lamb];
    count += await fitBoth(
      { optFunc: opts[seed % opts.length], streamed: seed % 5 === 0 },
      (_, seen) => [
        new Deeds(seen, seed, some),
        ...(seed % 3 === 0 ? [new Ema()] : []),
        ...(seed % 4 === 3 ? [new Twin(seen, MEANWHILE.slice(seed % 5))] : []),
      ],
      (l, cbs) => l.fit(3, { lr: 0.01, cbs }),
    );
  }
  assert(count > 0, "no step was taken again");
});
