import { testStrategies } from "./webgpu_cases.ts";

// the quickest where WebGPU runs on the CPU, and some of the programs; webgpu_all.ts has all
testStrategies(["register"], 8);
