/**
 * Whether classes still have their names: bundlers shorten them unless they are told not to, and files name classes.
 *
 * @module
 */
import { ConfigError } from "./errors.ts";

/** A class that refers to itself, which bundlers rename first. */
class Named {
  static readonly itself = (): unknown => Named;
}

/**
 * Refuses to write what names classes where a bundler has renamed them: other builds could not read it.
 *
 * @param what What is refused, as in "save a checkpoint".
 * @throws ConfigError that says how to keep names.
 */
export function requireNames(what: string): void {
  if (Named.name === "Named") return;
  throw new ConfigError(
    `Cannot ${what}: it names classes, and this page's bundler has renamed them; have it keep names: ` +
      "deno bundle --keep-names, esbuild --keep-names, or in vite.config.js output: { keepNames: true } in the " +
      "rolldownOptions of build and of worker",
  );
}
