/**
 * Other images for a learner in the middle of training: larger ones, replayed steps, checkpoints, what is refused.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  Callback,
  Checkpoint,
  ConfigError,
  DataLoaders,
  Learner,
  nn,
  readAll,
  setSeed,
  silentLogger,
  tensor,
} from "../../mod.ts";
import { ImageDataLoaders, Normalize, Resize } from "../../src/vision/data/mod.ts";
import { visionLearner } from "../../src/vision/mod.ts";
import { defineArch, SimpleCnn } from "../../src/vision/models/mod.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, writeSet } from "./support/images.ts";

const cpu = { kinds: ["cpu"] } as const;
const small = defineArch("small", (options) => new SimpleCnn({ ...options, filters: [4, 8] }));

/** Looks inside of every step: none is replayed. */
class Looks extends Callback {
  override afterPred(): void {
    void this.learn.pred;
  }
}

class Crash extends Callback {
  constructor(readonly epoch: number, readonly batch: number) {
    super();
  }
  override beforeBatch(): void {
    const { training, epoch, iter } = this.learn;
    if (training && epoch === this.epoch && iter === this.batch) throw new Error("power cut");
  }
}

onDevices(
  "larger images: the same numbers with and without replayed steps, and after a cut in the second fit",
  () =>
    inFolder(async (folder) => {
      const files = await writeSet(join(folder, "images"), 24);
      const dlsOf = (size: number, tfms: readonly Normalize[] = []) =>
        ImageDataLoaders.fromNameFunc(folder, files, (name) => name[0], {
          seed: 1,
          bs: 4,
          itemTfms: new Resize(size),
          batchTfms: tfms,
        });
      const scale = Normalize.fromStats([0.5, 0.4, 0.3], [0.2, 0.2, 0.2]);
      const start = async () => {
        setSeed(6);
        const dls = await dlsOf(16, [scale]);
        return await visionLearner(dls, small, { pretrained: false, linFtrs: [8], logger: silentLogger });
      };
      const bits = async (learn: { model: nn.Module<never[]> }) =>
        (await readAll([...learn.model.stateDict().values()])).map((t) => t.join());

      const learn = await start(), shapes: string[] = [];
      await learn.fitOneCycle(2, { lrMax: 1e-2 });
      learn.dls = (await dlsOf(24)) as unknown as typeof learn.dls;
      assert(learn.imageDls.batchTfms.includes(scale), "larger images are scaled as the others");
      class Shapes extends Callback {
        override afterBatch(): void {
          if (this.learn.training) shapes.push(this.learn.xb[0].shape.join());
        }
      }
      await learn.fitOneCycle(2, { lrMax: 5e-3, cbs: new Shapes() });
      assertEquals([new Set(shapes).size, shapes[0], learn.recorder.lrs.length], [1, "4,3,24,24", shapes.length]);
      const want = await bits(learn);
      const { label } = await learn.predict(files[0]);
      assert(learn.imageDls.vocab.includes(label!));

      const looked = await start();
      await looked.fitOneCycle(2, { lrMax: 1e-2, cbs: new Looks() });
      looked.dls = (await dlsOf(24)) as unknown as typeof learn.dls;
      await looked.fitOneCycle(2, { lrMax: 5e-3, cbs: new Looks() });
      assertEquals(await bits(looked), want);

      // a script of two fits, cut in the second, is run again
      const script = async (resume: boolean) => {
        const own = await start(),
          checkpoint = () => new Checkpoint({ dir: join(folder, "run"), everySteps: 1, best: null });
        await own.fitOneCycle(2, { lrMax: 1e-2, cbs: checkpoint(), resume });
        own.dls = (await dlsOf(24)) as unknown as typeof own.dls;
        await own.fitOneCycle(2, { lrMax: 5e-3, cbs: [checkpoint(), ...resume ? [] : [new Crash(1, 2)]], resume });
        return await bits(own);
      };
      await assertRejects(() => script(false), Error, "power cut");
      assertEquals(await script(true), want);
    }),
  cpu,
);

onDevices("other data are refused where the model is not meant for them, and in the middle of a kept fit", async () => {
  const lines: string[] = [];
  const logger = { ...silentLogger, line: (text: string) => void lines.push(text) };
  const of = (vocab: string[], n = 8) => {
    const x = Array.from({ length: n }, (_, i) => [i % 3, i % 2]), y = tensor(Int32Array.from(x, ([, b]) => b));
    return DataLoaders.fromArrays({ x, y }, { bs: 4, vocab, seed: 1 }) as unknown as Learner["dls"];
  };
  const learn = new Learner(of(["a", "b"]), new nn.Linear(2, 2), { lossFunc: new nn.CrossEntropyLoss(), logger });
  const three = () => {
    learn.dls = of(["a", "b", "c"]);
  };
  assertThrows(three, ConfigError, "made for 2 classes or numbers an item, these data have 3");
  assertThrows(() => (learn.dls = {} as never), ConfigError, "Cannot change the learner's data: they are DataLoaders");
  const now = learn.dls;
  learn.dls = now;
  assertEquals(lines, []);
  learn.dls = of(["b", "a"]);
  assert(lines[0].includes('class 0 was "a" and is "b"'), lines[0]);

  // in the middle of a fit they count from the next epoch on
  const sizes: number[] = [];
  class Grow extends Callback {
    override beforeEpoch(): void {
      if (this.learn.epoch === 1) this.learn.dls = of(["b", "a"], 16);
    }
    override afterBatch(): void {
      sizes.push(this.learn.epoch);
    }
  }
  const pct: number[] = [];
  class Pct extends Callback {
    override afterTrain(): void {
      pct.push(this.learn.pctTrain);
    }
  }
  await learn.fit(2, { cbs: [new Grow(), new Pct()] });
  assertEquals([sizes, pct], [[0, 0, 1, 1, 1, 1], [0.5, 1]]);
  const dir = await Deno.makeTempDir();
  learn.dls = of(["b", "a"]);
  const kept = () => learn.fit(2, { cbs: [new Grow(), new Checkpoint({ dir })] });
  await assertRejects(kept, ConfigError, "in the middle of a fit with a Checkpoint");
  await learn.fit(2, { cbs: new Grow() });
  assertEquals((await learn.predict(tensor([1, 1]))).pred.shape, [2]);
  await Deno.remove(dir, { recursive: true });
}, cpu);
