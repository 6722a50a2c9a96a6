// Temporary files of tests are gone when they end.

import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* sources(join(folder, name));
    else if (name.endsWith(".ts")) yield join(folder, name);
  }
}

Deno.test("whoever makes temporary folders removes them, or has tempDir do it", () => {
  const kept = [...sources(fromFileUrl(new URL("..", import.meta.url)))].filter((path) => {
    const text = Deno.readTextFileSync(path);
    return /Deno\.makeTemp/.test(text) && !/Deno\.remove/.test(text);
  });
  assertEquals(kept, []);
});

Deno.test("tempDir and tempFile are gone when the process ends", async () => {
  const temp = new URL("../support/temp.ts", import.meta.url).href;
  const script = `const { tempDir, tempFile } = await import(${JSON.stringify(temp)});
    const folder = tempDir(), file = tempFile();
    Deno.writeTextFileSync(folder + "/a.txt", "a");
    console.log(JSON.stringify([folder, file]));`;
  for (const end of ["", "Deno.exit(3);", "Deno.removeSync(file);"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script + end] }).output();
    const made: string[] = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(made.length, 2);
    for (const path of made) assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
  }
});
