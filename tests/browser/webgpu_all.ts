/**
 * All kinds of kernels with every program, for `deno task test:browser`.
 *
 * @module
 */
import { testStrategies } from "./webgpu_cases.ts";

testStrategies(["register", "shared", "texel"], 1);
