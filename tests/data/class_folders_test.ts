/**
 * Folders that say which items are validated on, and options that say otherwise.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { drawnFromBoth } from "../../src/data/class_folders.ts";
import { TextDataLoaders } from "../../src/entry/text.ts";
import { onDevices } from "../support/devices.ts";
import { tempDir } from "../support/temp.ts";

Deno.test("folders of training and validation that are drawn from alike are told", () => {
  const told = drawnFromBoth("/d", ["/d/train/a/1", "/d/valid/a/2"], "train", "valid");
  assert(told!.includes("validPct draws from both alike"), String(told));
  assertEquals(drawnFromBoth("/d", ["/d/train/a/1", "/d/test/a/2"], "train", "valid"), null);
  assertEquals(drawnFromBoth("/d", ["/d/a/train", "/d/a/valid"], "train", "valid"), null);
});

onDevices("loaders of such folders say so, with validPct alone", async () => {
  const root = tempDir();
  for (const part of ["train", "valid"]) {
    for (const name of ["good", "bad"]) {
      await Deno.mkdir(join(root, part, name), { recursive: true });
      for (let i = 0; i < 3; i++) await Deno.writeTextFile(join(root, part, name, `${i}.txt`), `${name} text ${i}`);
    }
  }
  const drawn = await TextDataLoaders.fromFolder(root, { validPct: 0.5 });
  assert(drawn.notes.some((note) => note.includes("validPct draws from both")), String(drawn.notes));
  const said = await TextDataLoaders.fromFolder(root);
  assert(!said.notes.some((note) => note.includes("validPct")), String(said.notes));
}, { kinds: ["cpu"] });
