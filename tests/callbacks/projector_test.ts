/**
 * Embeddings in files of TensorBoard's projector.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import sharp from "sharp";
import { ConfigError, DataError, tensor, writeProjector } from "../../mod.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

onDevices("vectors, labels and pictures, several in a folder", async () => {
  const dir = join(tempDir(), "logs");
  const read = (...path: string[]) => Deno.readTextFile(join(dir, ...path));
  await writeProjector(dir, tensor([[1, 2.5], [-3, 0]]), { labels: ["a\tb", ""] });
  assertEquals(await read("embedding", "tensors.tsv"), "1\t2.5\n-3\t0\n");
  assertEquals(await read("embedding", "metadata.tsv"), "a b\n \n");
  const images = tensor(Float32Array.from({ length: 5 * 3 * 2 * 4 }, (_, i) => Math.floor(i / 24) / 4), {
    shape: [5, 3, 2, 4],
  });
  const vectors = tensor(Float32Array.from({ length: 15 }, (_, i) => i), { shape: [5, 3] });
  await writeProjector(dir, vectors, {
    name: "digits",
    labels: { class: [0, 1, 2, 3, 4], set: "abcde".split("") },
    images,
  });
  assertEquals((await read("digits", "metadata.tsv")).split("\n").slice(0, 2), ["class\tset", "0\ta"]);
  const { data, info } = await sharp(join(dir, "digits", "sprite.png")).raw().toBuffer({ resolveWithObject: true });
  assertEquals([info.width, info.height, info.channels], [12, 6, 3]);
  // the fourth picture begins the second row; where there is none, the sprite is white
  const pixel = (x: number, y: number) => data[(y * info.width + x) * 3];
  assertEquals([pixel(0, 0), pixel(4, 1), pixel(11, 0), pixel(0, 2), pixel(7, 3), pixel(8, 2), pixel(0, 5)], [
    0,
    64,
    128,
    191,
    255,
    255,
    255,
  ]);
  const config = await read("projector_config.pbtxt");
  assertEquals(config.match(/tensor_name: .*/g), ['tensor_name: "embedding"', 'tensor_name: "digits"']);
  assertEquals(config.match(/single_image_dim: \d+/g), ["single_image_dim: 4", "single_image_dim: 2"]);
  await writeProjector(dir, vectors, { name: "digits" });
  assertEquals((await read("projector_config.pbtxt")).match(/tensor_name: .*/g)!.length, 2);
  assertEquals((await read("projector_config.pbtxt")).includes("sprite"), false);
  await assertRejects(() => writeProjector(dir, tensor([1, 2])), DataError, "they are [n, d]");
  await assertRejects(() => writeProjector(dir, vectors, { labels: ["a"] }), DataError, "there are 1 labels");
  await assertRejects(() => writeProjector(dir, vectors, { labels: { a: [1] } }), DataError, 'by "a"');
  await assertRejects(() => writeProjector(dir, tensor([[1, NaN]])), DataError, "element 1 is NaN");
  await assertRejects(() => writeProjector(dir, vectors, { name: "../x" }), ConfigError, "names have letters");
  await assertRejects(() => writeProjector(dir, tensor([[1]]), { images }), DataError, "there are 5");
  const large = tensor(new Float32Array(4 * 5000), { shape: [4, 1, 1, 5000] });
  await assertRejects(
    () => writeProjector(dir, tensor([[1], [2], [3], [4]]), { images: large }),
    DataError,
    "more than 8192 pixels",
  );
}, { kinds: ["cpu"] });
