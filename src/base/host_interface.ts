/**
 * What the compute core asks of the runtime that it runs in.
 *
 * @module
 */

/** What text is written to: standard output, standard error, or a page's console. */
export interface TextSink {
  /** Writes some of the bytes; says how many. Throws where the reader is gone, or slow: see {@link Host.isBusy}. */
  writeSync(bytes: Uint8Array): number;
  /** Whether what is written can be overwritten. */
  isTerminal(): boolean;
}

/** A thread that was started. */
export interface HostThread {
  /** Calls `told` if the thread fails or ends. */
  onFailure(told: (why: string) => void): void;
  /** Ends it at once, whatever it is at. */
  end(): void;
}

/** A value that belongs to a call and to everything that it calls and awaits. */
export interface CallContext<T> {
  /** The value of the innermost {@link run} around. */
  get(): T | undefined;
  /** Calls `body`, for which `value` is the value. */
  run<R>(value: T, body: () => R): R;
}

/** Small texts that outlive the process. */
export interface TextCache {
  /** To be awaited before the first {@link read}. */
  ready(): Promise<void>;
  /** The text, or null. */
  read(name: string): string | null;
  /** Keeps the text, if it can. */
  write(name: string, text: string): void;
}

/** A checksum under way. */
export interface Hash {
  /** Takes more in: bytes as they lie, text as UTF-8. */
  update(data: ArrayBufferView | string): unknown;
  /** The checksum of all that was taken in, as hexadecimal digits. */
  digest(encoding: "hex"): string;
}

/** Signals that end a process, which may be listened to. */
export type Signal = "SIGINT" | "SIGTERM";

/** Sends a message to the notebook that the program runs in. */
export type Broadcast = (kind: string, content: Record<string, unknown>) => Promise<void>;

/** A runtime. Only the files `host*.ts` name one. */
export interface Host {
  /** Which one. */
  readonly kind: "deno" | "node" | "bun" | "browser";
  /** Name and version, for caches and messages. */
  readonly name: string;
  /** The operating system, where the runtime says. */
  readonly os: "linux" | "darwin" | "windows" | "other";
  /** Threads that run at the same time. */
  readonly processors: number;
  /** The runtime's own WebGPU. */
  readonly gpu: GPU | undefined;
  /** The variable's value; null: it is not set; undefined: there is none, or it must not be read. Asks for no permission. */
  environment(variable: string): string | null | undefined;
  /** Sets the variable, or with null removes it; only where {@link environment} does not give undefined. */
  setEnvironment(variable: string, value: string | null): void;
  /**
   * Whether something may be done without asking: reading or writing a path, connecting to `name:port`, or all of it; always,
   * where the runtime knows no permissions.
   */
  granted(what: "read" | "write" | "net" | "env" | "ffi", which?: string): boolean;
  /** The working folder. */
  folder(): string;
  /** Node's functions for the paths of Windows; only there. */
  windowsPaths(): unknown;
  /** Whether this thread may sleep (`Atomics.wait`): a page's own may not. */
  readonly mayBlock: boolean;
  /** Whether a thread starts while the one that started it sleeps. */
  readonly startsWhileBlocked: boolean;
  /** Why threads cannot share memory here, and what to do; null where they can. */
  readonly noSharedMemory: string | null;
  /** Loads what {@link startThread} needs; without it, that is slower. */
  prepareThreads(): Promise<void>;
  /** Starts a thread that runs `source`, a module with a variable `data`. It does not keep the process alive. */
  startThread(source: string, data: unknown): HostThread;
  /** Lets the event loop do all that waits: messages, timers, input and output. */
  turn(): Promise<void>;
  /** Makes what follows calls through their awaits; null where nothing does. */
  readonly callContext: (<T>() => Promise<CallContext<T>>) | null;
  /** Standard output, or the console. */
  readonly output: TextSink;
  /** Standard error, or the console's warnings. */
  readonly errors: TextSink;
  /** Whether an error of a {@link TextSink} says that its reader is slow. */
  isBusy(error: unknown): boolean;
  /** Characters in a line of the terminal; null where there is none, or it does not say. */
  columns(): number | null;
  /** The notebook; null where there is none. */
  notebook(): Broadcast | null;
  /** Small texts that outlive the process; null where nothing may be kept. Looked for at each call. */
  cache(): TextCache | null;
  /** Starts a checksum; SHA-256 and, for archives that have no other, MD5. */
  startHash(kind: "sha256" | "md5"): Promise<Hash>;
  /** Unpacks what gzip packed. */
  gunzip(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Calls `f` before the program ends. */
  onExit(f: () => void): void;
  /** Calls `f` at a signal, in place of what it does; gives what ends that. Null where there is no such signal. */
  onSignal(name: Signal, f: () => void): (() => void) | null;
  /** A number that tells this process from others. */
  readonly pid: number;
  /** Ends the process, where there is one. */
  exit(code: number): void;
}
