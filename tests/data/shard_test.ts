import { assertEquals } from "@std/assert";
import { DataLoader } from "../../src/data/mod.ts";
import { onDevices } from "../support/devices.ts";
import { tensor } from "../../src/tensor/mod.ts";

async function items(loader: DataLoader, rank: number, size: number, pad: boolean): Promise<number[][]> {
  loader.shard = { rank, size, pad };
  const out: number[][] = [];
  for (const [x] of loader) out.push([...await x.data()]);
  assertEquals(out.length, loader.length);
  return out;
}

function loader(n: number, bs: number, shuffle = false): DataLoader {
  const x = tensor(Float32Array.from({ length: n }, (_, i) => i), { shape: [n] });
  return new DataLoader({ columns: [{ tensor: x }, { tensor: x }], bs, shuffle, seed: 7 });
}

onDevices("parts of an epoch are dealt out in turn", async () => {
  assertEquals(await items(loader(5, 2), 0, 2, true), [[0, 2], [4]]);
  assertEquals(await items(loader(5, 2), 1, 2, true), [[1, 3], [0]]); // the first item comes again
  assertEquals(await items(loader(5, 2), 1, 2, false), [[1, 3]]);
  assertEquals(await items(loader(2, 2), 3, 4, true), [[1]]);
  assertEquals(await items(loader(2, 2), 3, 4, false), [[1]]); // stands in for nothing
}, { kinds: ["cpu"] });

onDevices("parts of a shuffled epoch make up the epoch, batch by batch", async () => {
  const whole = loader(24, 8, true);
  const batches: number[][] = [];
  for (const [x] of whole) batches.push([...await x.data()]);
  const parts = await Promise.all([0, 1, 2, 3].map((r) => items(loader(24, 2, true), r, 4, true)));
  batches.forEach((batch, i) => {
    assertEquals(parts.flatMap((p) => p[i]).sort((a, b) => a - b), batch.sort((a, b) => a - b));
  });
}, { kinds: ["cpu"] });
