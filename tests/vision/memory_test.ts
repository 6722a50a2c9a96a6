/**
 * Training on changed images: nothing is compiled anew, and memory does not grow.
 */
import { assertEquals } from "@std/assert";
import { Learner } from "../../src/learner/mod.ts";
import { Conv2d, Flatten, Linear, ReLU, Sequential } from "../../src/nn/mod.ts";
import { silentLogger } from "../../src/train/mod.ts";
import { augTransforms } from "../../src/vision/data/aug_transforms.ts";
import { imagenetStats, Normalize } from "../../src/vision/data/batch_tfms.ts";
import { ImageDataLoaders } from "../../src/vision/data/image_loaders.ts";
import { onDevices } from "../support/devices.ts";
import { inFolder, writeSet } from "./support/images.ts";

onDevices(
  "random changes of images need no new program, and streamed batches are given back",
  (device) =>
    inFolder(async (folder) => {
      const files = await writeSet(folder, 50, () => [12, 12]);
      const learners: unknown[] = []; // kept, so that no garbage of the first is given back while the second is counted
      for (const resident of [false, true]) {
        const dls = await ImageDataLoaders.fromNameFunc(folder, files, (name) => name[0], {
          bs: 8,
          resident,
          batchTfms: [...augTransforms(), Normalize.fromStats(...imagenetStats)],
        });
        const model = new Sequential(new Conv2d(3, 4, 3), new ReLU(), new Flatten(), new Linear(400, 2));
        const learn = new Learner(dls, model, { logger: silentLogger });
        learners.push(learn);
        await learn.fit(2, { lr: 1e-3 });
        const before = device.stats();
        await learn.fit(4, { lr: 1e-3 });
        const after = device.stats();
        assertEquals(after.liveBytes, before.liveBytes, "live bytes");
        assertEquals([after.programs, after.pipelines], [before.programs, before.pipelines], "programs");
        if (resident) assertEquals(after.buffers, before.buffers, "buffers that were made");
      }
      assertEquals(learners.length, 2);
    }),
  { kinds: ["cpu", "webgpu"] },
);
