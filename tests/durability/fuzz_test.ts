import { assertEquals } from "@std/assert";
import { openOnce } from "../support/devices.ts";
import { session } from "../../src/graph/session.ts";
import { fuzz } from "./fuzz.ts";
import { fuzzTorch } from "./fuzz_torch.ts";

Deno.test({
  name: "500 damaged files give the right values or a typed error",
  // the device lives for the whole process
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    session.useDevice(await openOnce("cpu"));
    const { wrong, files, refused, right } = await fuzz(500, 1);
    assertEquals(wrong, []);
    assertEquals(refused + right, files);
    assertEquals([refused > 100, right > 30], [true, true], `${refused} refused, ${right} right`);
  },
});

Deno.test("400 damaged files of PyTorch give the right values or a typed error", async () => {
  const { wrong, files, refused, right } = await fuzzTorch(400, 1);
  assertEquals(wrong, []);
  assertEquals(refused + right, files);
  assertEquals([refused > 100, right > 30], [true, true], `${refused} refused, ${right} right`);
});
