/**
 * Stand-in for `jsr:@std/yaml` where JSR is out of reach; users get the real package.
 *
 * @module
 */
import { parse as read, stringify as write } from "yaml";

/** Options of {@link parse}. */
export interface ParseOptions {
  /** Which scalars are told apart. */
  readonly schema?: "core" | "json" | "failsafe" | "default";
}

/** The value that a YAML document holds. */
export function parse(content: string, { schema = "core" }: ParseOptions = {}): unknown {
  try {
    return read(content, { schema: schema === "default" ? "core" : schema, prettyErrors: false });
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : String(error));
  }
}

/** A value as a YAML document. */
export function stringify(data: unknown): string {
  return write(data);
}
