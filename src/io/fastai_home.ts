/**
 * The folder that fastai keeps data sets and weights in, shared with it.
 *
 * @module
 */
import { join } from "../base/path.ts";
import { host } from "../base/host.ts";
import { environment } from "../base/environment.ts";
import { ConfigError } from "../base/errors.ts";

/** What a folder inside holds: data sets, the archives they came in, weights. */
export type FastaiFolder = "data" | "archive" | "models";

/**
 * `$FASTAI_HOME`, or `.fastai` in the user's folder.
 *
 * @throws {ConfigError} If the environment may not be read or names neither; nothing is asked for.
 */
export function fastaiHome(): string {
  if (host.kind === "browser") return "/.fastai"; // of the page's own files
  const missing: string[] = [];
  for (const name of ["FASTAI_HOME", "HOME", "USERPROFILE"]) {
    const value = environment(name);
    if (value === undefined) missing.push(name);
    else if (value) return name === "FASTAI_HOME" ? value : join(value, ".fastai");
  }
  const flag = missing.length > 0 ? `, run again with --allow-env=${missing.join(",")}` : ", set FASTAI_HOME";
  throw new ConfigError(`Cannot find the folder for data sets and weights: the environment does not name it${flag}`);
}

/** A folder inside {@link fastaiHome}, where fastai looks for the same. */
export function fastaiFolder(kind: FastaiFolder): string {
  return join(fastaiHome(), kind);
}
