/**
 * What a test page runs: the hand-made programs, and a short training.
 *
 * @module
 */
import { openWebgpu } from "../../src/device/webgpu/mod.ts";
import type { KernelStrategy } from "../../src/device/webgpu/kernels/plan.ts";
import { runConformance } from "../support/conformance.ts";
import { lossBits } from "./losses.ts";

/** What the test calls in the page. */
export interface TestPage {
  conformance(strategy: KernelStrategy): Promise<void>;
  losses(strategy: KernelStrategy): Promise<string[]>;
}

const page: TestPage = {
  conformance: async (strategy) => runConformance(await openWebgpu({ strategy })),
  losses: async (strategy) => lossBits(await openWebgpu({ strategy })),
};
Object.assign(globalThis, { page });
