/**
 * Numbers as the page shows them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fmtNumber, fmtTick } from "../../live/format.js";
import { PAGE } from "../../src/live/page.gen.ts";

Deno.test("numbers of the page have the sign that programs read", () => {
  assertEquals([-1.5, -1e-5, 2e-9, -Infinity, 3e7].map((x) => fmtNumber(x)), [
    "-1.5",
    "-1.00e-5",
    "2.00e-9",
    "-∞",
    "3.00e7",
  ]);
  assertEquals([-1.5, -1e-5, 2e-9, -3e7].map(fmtTick), ["-1.5", "-1e-5", "2e-9", "-3e7"]);
  assertEquals(PAGE.includes("\u2212"), false);
});
