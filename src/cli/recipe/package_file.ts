/**
 * Files of npm packages, as data.
 *
 * @module
 */
import { dirname, fromFileUrl, join } from "../../base/path.ts";
import { DataError } from "../../base/errors.ts";

const PATTERN = /^package:((?:@[^/]+\/)?[^/]+)\/(.+)$/;

/** Whether a recipe means a file of a package. */
export function isPackageFile(text: string): boolean {
  return text.startsWith("package:");
}

/**
 * The path of `package:name/path/in/it`; the import map says which version of `name`.
 *
 * @throws {DataError} Where there is no such package or file.
 */
export async function packageFile(text: string): Promise<string> {
  const [, name, rest] = PATTERN.exec(text) ?? [];
  if (name === undefined || rest.split("/").includes("..")) {
    throw new DataError(`Cannot read ${text}: a file of a package is written package:name/path/in/it`);
  }
  let entry: string;
  try {
    entry = import.meta.resolve(name);
    if (!entry.startsWith("file:")) {
      await import(name); // which puts the package on disk
      entry = import.meta.resolve(name);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new DataError(`Cannot read ${text}: the import map must name the package ${name}, got ${why}`, { cause });
  }
  if (!entry.startsWith("file:")) throw new DataError(`Cannot read ${text}: the package ${name} is not on disk`);
  for (let folder = dirname(fromFileUrl(entry)); folder !== dirname(folder); folder = dirname(folder)) {
    if (await exists(join(folder, "package.json"))) {
      const path = join(folder, rest);
      if (await exists(path)) return path;
      throw new DataError(`Cannot read ${text}: the package has no file ${rest}`);
    }
  }
  throw new DataError(`Cannot read ${text}: the package ${name} has no package.json`);
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
