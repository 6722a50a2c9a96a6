/**
 * The callbacks of a learner, in order.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import { checkArgument, isNear, num } from "../base/options.ts";
import { Callback, type CallbackKind, type CallbackLike } from "./callback.ts";
import { Cancel } from "./cancel.ts";
import { type EventName, type Handled, isEvent, nearestEvent } from "./events.ts";
import { explain } from "./handler_error.ts";
import { costsTheReport, leaveOut, leftOut, takeIn } from "./reporting.ts";
import type { Runs } from "./runs.ts";
import type { TrainLoop } from "./train_loop.ts";

/** Keeps callbacks in order of addition and calls them in order of their `order`. */
export class CallbackList {
  readonly #learn: TrainLoop;
  #list: Callback[] = [];
  #sorted: readonly Callback[] | null = null;

  constructor(learn: TrainLoop) {
    this.#learn = learn;
  }

  /** The callbacks in order of addition. */
  get all(): readonly Callback[] {
    return this.#list;
  }

  /** The callbacks in the order in which they are called. */
  get sorted(): readonly Callback[] {
    return this.#sorted ??= [...this.#list].sort((a, b) => a.order - b.order);
  }

  /** Adds a callback at the end; makes one of a class. */
  add(cb: CallbackLike): Callback {
    const made = typeof cb === "function" && cb.prototype instanceof Callback ? new cb() : cb;
    if (!(made instanceof Callback)) {
      throw new ConfigError(`Cannot add a callback: it must extend Callback, got ${describe(made)}`);
    }
    if (made.attached) {
      throw new ConfigError(
        `Cannot add ${made.name}: it belongs to ${made.learn === this.#learn ? "this" : "another"} learner already`,
      );
    }
    refuseUnknownEvents(made);
    checkArgument(`add ${made.name}`, "order", made.order, num);
    made.attach(this.#learn);
    this.#list = [...this.#list, made];
    this.#sorted = null;
    return made;
  }

  /** Drops a callback, or every one of a class; returns those dropped. */
  remove(cb: CallbackKind): Callback[] {
    const gone = this.#list.filter((c) => typeof cb === "function" ? c instanceof cb : c === cb);
    this.#list = this.#list.filter((c) => !gone.includes(c));
    this.#sorted = null;
    for (const c of gone) c.attach(null);
    return gone;
  }

  /** The first callback of class `type`, or null. */
  find<T extends Callback>(type: abstract new (...args: never[]) => T): T | null {
    for (const c of this.#list) if (c instanceof type) return c;
    return null;
  }

  /** Callbacks that handle `event`, in the order in which they are called. */
  handling(event: EventName): readonly Callback[] {
    return this.sorted.filter((c) => c[event] !== Callback.prototype[event]);
  }

  /** Whether any callback but `except` handles one of `events`. */
  hears(events: readonly EventName[], except: Callback | null = null): boolean {
    const list = this.#list;
    for (let i = 0; i < list.length; i++) {
      if (list[i] === except) continue;
      for (let k = 0; k < events.length; k++) if (list[i].handles(events[k])) return true;
    }
    return false;
  }

  /** Calls every callback; returns a promise only if a handler did. */
  fire(event: EventName): Handled {
    const line = this.sorted;
    for (let i = 0; i < line.length; i++) {
      const pending = this.#call(line[i], event);
      if (pending !== undefined) return this.#fireFrom(line, i + 1, event, pending);
    }
  }

  async #fireFrom(line: readonly Callback[], start: number, event: EventName, first: Promise<void>): Promise<void> {
    await first;
    for (let i = start; i < line.length; i++) {
      const pending = this.#call(line[i], event);
      if (pending !== undefined) await pending;
    }
  }

  #call(cb: Callback, event: EventName): Promise<void> | undefined {
    if (!cb.attached) return; // removed by a callback before it
    if (event === "beforeFit") takeIn(cb);
    // most callbacks handle few events: the others cost a few comparisons
    const { peers } = this.#learn;
    if (
      !cb.handles(event) ||
      peers !== null && peers.rank > 0 && cb.rank0Only ||
      cb.reportsOnly && leftOut(cb)
    ) {
      if (event === "afterFit") cb.run = true;
      return;
    }
    const { runs } = this.#learn;
    const depth = event === "afterCreate" ? Infinity : runs.depth; // that goes on beside whatever comes first
    let result: unknown;
    runs.handling();
    try {
      result = cb.handle(event);
    } catch (error) {
      if (event === "afterFit") cb.run = true;
      this.#fault(error, cb, event);
    } finally {
      runs.handled();
    }
    if (isThenable(result)) return this.#awaited(result, cb, event, runs, depth);
    if (event === "afterFit") cb.run = true;
    if (runs.depth > depth) refuseOpen(cb, event, runs.nameAt(depth));
  }

  async #awaited(
    result: PromiseLike<unknown>,
    cb: Callback,
    event: EventName,
    runs: Runs,
    depth: number,
  ): Promise<void> {
    runs.handling();
    try {
      await result;
    } catch (error) {
      this.#fault(error, cb, event);
    } finally {
      runs.handled();
      if (event === "afterFit") cb.run = true;
    }
    if (runs.depth > depth) refuseOpen(cb, event, runs.nameAt(depth));
  }

  /** Throws what a handler threw, or tells of a report that is missing. */
  #fault(error: unknown, cb: Callback, event: EventName): void {
    if (error instanceof Cancel) throw error;
    if (!costsTheReport(cb, error)) throw explain(error, `${cb.name}.${event}`);
    leaveOut(cb, event, error, this.#learn.logger);
  }
}

/** A handler that started something on the learner and did not wait for it: both would go on at once. */
function refuseOpen(cb: Callback, event: EventName, what: string): never {
  throw new ConfigError(
    `Cannot go on after ${cb.name}.${event}: the ${what}() that it started is still under way; ` +
      `make the handler async and write "await" in front of ${what}()`,
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Handlers that no event would ever call: a misspelt name is the likely reason. */
/** Events as Keras and Lightning call them. */
const OTHERS_EVENTS: ReadonlyMap<string, EventName> = new Map([
  ...["ontrainbegin", "ontrainstart", "onfitstart"].map((name) => [name, "beforeFit"] as const),
  ...["ontrainend", "onfitend"].map((name) => [name, "afterFit"] as const),
  ...["onepochbegin", "onepochstart", "ontrainepochstart"].map((name) => [name, "beforeEpoch"] as const),
  ...["onepochend", "ontrainepochend"].map((name) => [name, "afterEpoch"] as const),
  ...["onbatchbegin", "onbatchstart", "ontrainbatchbegin", "ontrainbatchstart"].map((n) => [n, "beforeBatch"] as const),
  ...["onbatchend", "ontrainbatchend"].map((name) => [name, "afterBatch"] as const),
  ...["ontestbegin", "onvalidationstart"].map((name) => [name, "beforeValidate"] as const),
  ...["ontestend", "onvalidationend"].map((name) => [name, "afterValidate"] as const),
]);

function refuseUnknownEvents(cb: Callback): void {
  for (let o: object | null = cb; o !== null && o !== Callback.prototype; o = Object.getPrototypeOf(o)) {
    for (const member of Object.getOwnPropertyNames(o)) {
      if (isEvent(member)) continue;
      const event = nearestEvent(member);
      if (/^(before|after)[A-Z_]/.test(member)) {
        throw new ConfigError(
          `Cannot add ${cb.name}: ${member} is no event, did you mean ${event}? ` +
            "Members that are no handlers must not start with before or after",
        );
      }
      const meant = OTHERS_EVENTS.get(member.replaceAll("_", "").toLowerCase()) ??
        (isNear(member, event) ? event : null);
      if (meant !== null) throw new ConfigError(`Cannot add ${cb.name}: ${member} is no event, did you mean ${meant}?`);
    }
  }
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}
