/**
 * What is written is read by the format's own package for Python. Ignored where that is absent.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { type OutTensor, writeSafetensors } from "../../src/io/safetensors.ts";

async function python(...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("python3", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch {
    return null; // there is no python3
  }
}

const READ = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="numpy") as f:
    tensors = {}
    for name in f.keys():
        t = f.get_tensor(name)
        tensors[name] = [str(t.dtype), list(t.shape), t.astype("float64").ravel().tolist()]
    print(json.dumps({"metadata": f.metadata(), "tensors": tensors}))
`;

Deno.test({
  name: "the package for Python reads what is written (safetensors)",
  ignore: await python("-c", "import safetensors, numpy") === null,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    try {
      const path = join(dir, "model.safetensors");
      const tensors: [string, OutTensor][] = [
        ["weight", { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-20, 4e20, 0, -0) }],
        ["half", { dtype: "f32", shape: [2], data: Float32Array.of(0.5, -1024), as: "F16" }],
        ["count", { dtype: "i32", shape: [3], data: Int32Array.of(-1, 0, 2147483647) }],
        ["wide", { dtype: "i32", shape: [2], data: Int32Array.of(-5, 7), as: "I64" }],
        ["pixels", { dtype: "u8", shape: [1, 4], data: Uint8Array.of(0, 1, 128, 255) }],
        ["mask", { dtype: "bool", shape: [3], data: Uint32Array.of(1, 0, 1) }],
        ["one", { dtype: "f32", shape: [], data: Float32Array.of(7) }],
        ["none", { dtype: "f32", shape: [0, 4], data: new Float32Array(0) }],
      ];
      await writeSafetensors(path, new Map(tensors), { note: "ein Gruß" });
      const found = JSON.parse((await python("-c", READ, path))!);
      assertEquals(found.metadata, { note: "ein Gruß" });
      const dtypes: Record<string, string> = {
        half: "float16",
        count: "int32",
        wide: "int64",
        pixels: "uint8",
        mask: "bool",
      };
      const want = Object.fromEntries(tensors.map(([name, { shape, data }]) => [
        name,
        [dtypes[name] ?? "float32", [...shape], [...data].map((v) => v === 0 ? 0 : v)],
      ]));
      const got = Object.fromEntries(
        Object.entries<[string, number[], number[]]>(found.tensors).map((
          [name, [dtype, shape, data]],
        ) => [name, [dtype, shape, data.map((v) => v === 0 ? 0 : v)]]),
      );
      assertEquals(got, want);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
