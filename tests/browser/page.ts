export * from "../../mod.ts";
export { synthetic, train } from "./task.ts";
export { files } from "../../src/base/host_files.ts";
export { tryFiles } from "../support/try_files.ts";
