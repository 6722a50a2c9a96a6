/**
 * Ids outside of a vocabulary, and labels that are no class, that only the device knows: the loss becomes NaN, and the line
 * about it says which number of which item it was, and which layer took it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TerminateOnNaN } from "../../src/callbacks/mod.ts";
import { DataLoaders } from "../../src/data/mod.ts";
import { Learner } from "../../src/learner/mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { SGD } from "../../src/optim/mod.ts";
import { defaultRng, setSeed, type Tensor, tensor } from "../../src/tensor/mod.ts";
import { Progress } from "../../src/train/mod.ts";
import { onDevices } from "../support/devices.ts";

const N = 20;

/** Looks tokens up, and weighs each by a table that no layer holds. */
class Net extends nn.Module {
  readonly tokens = new nn.Embedding(50, 4);
  readonly drop = new nn.Dropout(0.5);
  readonly head = new nn.Linear(4, 3);

  override forward(x: Tensor): Tensor {
    const weights = tensor(new Float32Array(60).fill(1)).indexSelect(x.reshape([-1])).reshape([...x.shape, 1]);
    return this.head.forward(this.drop.forward(this.tokens.forward(x).mul(weights).mean({ axis: 1 })));
  }
}

/** Numbers that a device has computed. */
const computed = (data: Int32Array, shape: number[]) => tensor(data, { shape }).add(tensor(0, { dtype: "i32" })).keep();

function learner({ id, label, valid }: { id?: number; label?: number; valid?: number }) {
  const x = Int32Array.from({ length: N * 3 }, (_, i) => i % 50), y = Int32Array.from({ length: N }, (_, i) => i % 3);
  const xValid = x.slice(0, 12), yValid = y.slice(0, 4);
  if (id !== undefined) x[3 * 13 + 1] = id;
  if (label !== undefined) y[7] = label;
  if (valid !== undefined) xValid[2] = valid;
  const lines: string[] = [];
  const dls = DataLoaders.fromArrays({
    x: computed(x, [N, 3]),
    y: computed(y, [N]),
    xValid: computed(xValid, [4, 3]),
    yValid: computed(yValid, [4]),
  }, { bs: 4, shuffle: false });
  const learn = new Learner(dls, new Net(), {
    lossFunc: new nn.CrossEntropyLoss(),
    optFunc: SGD,
    logger: { line: (text) => void lines.push(text) },
  });
  learn.removeCb(Progress);
  return { learn, lines };
}

onDevices("ids and labels out of range that only the device knew are named", async () => {
  for (
    const [spoilt, text] of [
      [
        { id: 51 },
        'The loss is NaN in epoch 0, batch 3: Embedding "tokens" looks up row 51 at position 1 of item 13, ' +
        "out of 0 to 49: ids must be in the vocabulary",
      ],
      [
        { id: -1 },
        "batch 3: Net looks up row -1 at position 1 of item 13, out of 0 to 59: ids must be in the vocabulary",
      ],
      [{ label: 3 }, "batch 1: the loss is given the label 3 for item 7, out of 0 to 2: labels must be classes"],
      [
        { valid: 50 },
        'The validation loss is NaN in epoch 0: Embedding "tokens" looks up row 50 at position 2 of item 0, ' +
        "out of 0 to 49: ids must be in the vocabulary",
      ],
    ] as const
  ) {
    const { learn, lines } = learner(spoilt);
    await learn.fit(1, { lr: 0.1 });
    assertEquals([lines.length, lines[0]?.endsWith(text)], [1, true], lines.join("\n"));
    assert(!Object.hasOwn(learn.model.tokens, "forward"), "nobody watches any more");
    assert(learn.model.training === learn.model.drop.training);
  }
}, { kinds: ["cpu", "webgpu"] });

Deno.test("the finder gives the same reason, a sound fit says nothing, and a look draws no random numbers", async () => {
  setSeed(1);
  const { learn } = learner({ id: 99 });
  const { reasons } = await learn.lrFind({ numIt: 8, showPlot: false });
  assert(
    reasons.valley?.includes('Embedding "tokens" looks up row 99') || reasons.valley?.includes("Net looks up row 99"),
  );
  const ended = learner({ label: 5 });
  await ended.learn.fit(1, { cbs: new TerminateOnNaN() });
  assertEquals(
    ended.lines.map((line) =>
      line.startsWith("The fit ends, the loss is NaN in epoch 0, batch 1: the loss is given the label 5 for item 7")
    ),
    [true],
  );
  const sound = learner({});
  await sound.learn.fit(1, { lr: 0.1 });
  assertEquals(sound.lines, []);
  const { oddIndicesText } = await import("../../src/train/odd_indices.ts");
  const before = defaultRng().state;
  assertEquals(await oddIndicesText(sound.learn, sound.learn.dls.train), null);
  assertEquals(defaultRng().state, before);
});
