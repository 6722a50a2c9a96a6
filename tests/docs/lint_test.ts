/** What is published is documented, whole, and names no type that is not public. */
import { assert } from "@std/assert";

Deno.test("deno doc --lint is clean for all entry points together", async () => {
  const root = new URL("../../", import.meta.url);
  const { exports }: { exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", ...Object.values(exports)],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
