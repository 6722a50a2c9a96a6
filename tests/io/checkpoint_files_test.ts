/**
 * Checkpoints on disk: what was changed after it was written is refused, in a file and in the manifest.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CheckpointError } from "../../src/base/errors.ts";
import { readCheckpoint, readNote, writeCheckpoint } from "../../src/io/checkpoint_files.ts";

Deno.test("a file, and a manifest that is JSON still, are told from what was written by their checksums", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = await writeCheckpoint(dir, 7, new Map([["a.bin", [new Uint8Array([1, 2, 3])]]]), { epoch: 4 });
    const file = join(path, "a.bin"), manifest = join(path, "manifest.json");
    assertEquals((await readCheckpoint(dir, 7, ["a.bin"])).files.get("a.bin"), new Uint8Array([1, 2, 3]));

    await Deno.writeFile(file, new Uint8Array([1, 2, 4]));
    await assertRejects(() => readCheckpoint(dir, 7, ["a.bin"]), CheckpointError, "the checksum of a.bin");
    await Deno.writeFile(file, new Uint8Array([1, 2, 3]));

    const text = await Deno.readTextFile(manifest);
    await Deno.writeTextFile(manifest, text.replace('"epoch": 4', '"epoch": 5'));
    for (const read of [() => readNote(dir, 7), () => readCheckpoint(dir, 7, [])]) {
      await assertRejects(read, CheckpointError, "the checksum of its manifest");
    }
    await Deno.writeTextFile(manifest, text);
    assertEquals({ ...await readNote(dir, 7) }, { epoch: 4 });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
