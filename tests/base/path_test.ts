import { assertEquals, assertThrows } from "@std/assert";
import * as theirs from "node:path";
import { pathToFileURL } from "node:url";
import * as ours from "../../src/base/path.ts";

const PATHS = [
  "",
  ".",
  "..",
  "/",
  "//",
  "a",
  "a/",
  "/a",
  "a/b.txt",
  "./a//b/",
  "../a",
  "a/../../b",
  "/a/../../b",
  ".hidden",
]
  .concat(["a.tar.gz", "a.", "...", "/a/b/c.d/e", "a/./b/..", "/x/.y.z", "ü/ä b#?%41.png"]);

Deno.test("paths are taken apart and put together as Node does", () => {
  for (const a of PATHS) {
    assertEquals(ours.basename(a), theirs.basename(a), `basename ${a}`);
    assertEquals(ours.basename(a, ".txt"), theirs.basename(a, ".txt"), `basename ${a}`);
    assertEquals(ours.dirname(a), theirs.dirname(a), `dirname ${a}`);
    assertEquals(ours.extname(a), theirs.extname(a), `extname ${a}`);
    assertEquals(ours.isAbsolute(a), theirs.isAbsolute(a), `isAbsolute ${a}`);
    assertEquals(ours.resolve(a), theirs.resolve(a), `resolve ${a}`);
    for (const b of PATHS) {
      assertEquals(ours.join(a, b), theirs.join(a, b), `join ${a} ${b}`);
      assertEquals(ours.resolve(a, b), theirs.resolve(a, b), `resolve ${a} ${b}`);
      assertEquals(ours.relative(a, b), theirs.relative(a, b), `relative ${a} ${b}`);
    }
  }
});

Deno.test("paths and file: URLs go there and back", () => {
  for (const path of PATHS.filter((p) => p !== "").map((p) => theirs.resolve(p))) {
    assertEquals(ours.toFileUrl(path).pathname, pathToFileURL(path).pathname, path);
    assertEquals(ours.fromFileUrl(ours.toFileUrl(path)), path);
  }
  assertThrows(() => ours.fromFileUrl("https://a/b"), TypeError, "no file: URL");
  assertThrows(() => ours.toFileUrl("a"), TypeError, "no absolute path");
});
