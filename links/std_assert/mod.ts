/**
 * Stand-in for `jsr:@std/assert` where JSR is out of reach; users get the real package.
 *
 * @module
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";

/** Thrown by every failed assertion. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

function attempt(check: () => void, msg?: string): void {
  try {
    check();
  } catch (error) {
    const text = (error as Error).message;
    throw new AssertionError(msg ? `${msg}: ${text}` : text);
  }
}

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  attempt(() => ok(expr, msg || "Expected a truthy value"));
}

/** Fails if `expr` is truthy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is false | 0 | "" | null | undefined {
  attempt(() => ok(!expr, msg || "Expected a falsy value"));
}

/** Fails unless the two are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  attempt(() => deepStrictEqual(actual, expected), msg);
}

/** Fails if the two are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  let equal = true;
  try {
    deepStrictEqual(actual, expected);
  } catch {
    equal = false;
  }
  if (equal) throw new AssertionError(msg ?? "Expected the values to differ");
}

/** Fails unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  attempt(() => strictEqual(actual, expected), msg);
}

/** Fails unless |actual - expected| <= tolerance (default 1e-7 times |expected|). */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const delta = Math.abs(expected - actual);
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (delta <= allowed) return;
  throw new AssertionError(
    `${msg ? msg + ": " : ""}Expected ${actual} to be ${expected} within ${allowed}, the difference is ${delta}`,
  );
}

/** Fails if the value is null or undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === null || actual === undefined) throw new AssertionError(msg ?? `Expected a value, got ${actual}`);
}

/** Fails unless `text` matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) {
    throw new AssertionError(msg ?? `Expected ${JSON.stringify(actual)} to match ${expected}`);
  }
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    throw new AssertionError(msg ?? `Expected ${JSON.stringify(actual)} to include ${JSON.stringify(expected)}`);
  }
}

// deno-lint-ignore no-explicit-any
type Class<T> = abstract new (...args: any[]) => T;

/** Fails unless `actual` is an instance of `expected`. */
export function assertInstanceOf<T>(actual: unknown, expected: Class<T>, msg?: string): asserts actual is T {
  if (!(actual instanceof expected)) {
    const got = actual === null ? "null" : typeof actual === "object" ? actual?.constructor?.name : typeof actual;
    throw new AssertionError(msg ?? `Expected an instance of ${expected.name}, got ${got}`);
  }
}

function check<E extends Error>(error: unknown, errorClass?: Class<E>, msgIncludes?: string, msg?: string): E {
  if (!(error instanceof Error)) throw new AssertionError(msg ?? "A non-Error object was thrown");
  if (errorClass && !(error instanceof errorClass)) {
    throw new AssertionError(msg ?? `Expected ${errorClass.name}, got ${error.name}: ${error.message}`);
  }
  if (msgIncludes !== undefined && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      msg ?? `Expected the message to include ${JSON.stringify(msgIncludes)}, got ${JSON.stringify(error.message)}`,
    );
  }
  return error as E;
}

/** Fails unless `fn` throws (an instance of `errorClass`, its message including `msgIncludes`). */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E {
  try {
    fn();
  } catch (error) {
    return check(error, errorClass, msgIncludes, msg);
  }
  throw new AssertionError(msg ?? "Expected the function to throw");
}

/** Fails unless the promise of `fn` rejects (as `assertThrows`). */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return check(error, errorClass, msgIncludes, msg);
  }
  throw new AssertionError(msg ?? "Expected the promise to be rejected");
}

/** Always fails. */
export function fail(msg?: string): never {
  throw new AssertionError(msg ?? "Failed");
}
