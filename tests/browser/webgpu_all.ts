/**
 * The kinds of kernels that webgpu_test.ts leaves out, for `deno task test:browser`.
 *
 * @module
 */
import { testStrategies } from "./webgpu_cases.ts";

testStrategies(["shared", "texel"]);
