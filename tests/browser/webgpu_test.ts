import { testStrategies } from "./webgpu_cases.ts";

testStrategies(["register"]); // the quickest where WebGPU runs on the CPU; webgpu_all.ts has the others
