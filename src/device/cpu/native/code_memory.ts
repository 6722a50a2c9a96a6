/**
 * Memory for machine code: written first, then made executable, never both at once.
 *
 * @module
 */
import { DeviceError } from "../../../base/errors.ts";
import { lazy } from "../../../base/lazy.ts";

/** The C library of Linux. */
const LIBRARY = "libc.so.6";

/** How machine code is called: `bsearch` over one element calls the comparison, with two pointers, and costs nanoseconds. */
const CALL = {
  bsearch: { parameters: ["pointer", "pointer", "pointer", "pointer", "pointer"], result: "void" },
} as const;

const open = lazy(() =>
  Deno.dlopen(LIBRARY, {
    mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
    mprotect: { parameters: ["pointer", "usize", "i32"], result: "i32" },
    munmap: { parameters: ["pointer", "usize"], result: "i32" },
    ...CALL,
  })
);

/** An expression that opens as much of it as a call takes, for the source of a thread. */
export const OPEN_LIBRARY: string = `Deno.dlopen("${LIBRARY}", ${JSON.stringify(CALL)})`;

/** Functions of the C library, which is part of the process anyway: opened once, by the first who may. */
export function library(): ReturnType<typeof open>["symbols"] {
  return open().symbols;
}

const READ = 1, WRITE = 2, EXECUTE = 4, PRIVATE_ANONYMOUS = 0x22;

/** Machine code in memory, until it is freed. */
export class CodeMemory {
  readonly #at: Deno.PointerObject;
  readonly #bytes: number;

  /**
   * @param code What will be executable; it may jump within itself only.
   * @throws DeviceError If the system does not give such memory.
   */
  constructor(code: Uint8Array) {
    this.#bytes = Math.ceil(code.length / 4096) * 4096;
    const { mmap, mprotect } = library();
    const at = mmap(null, BigInt(this.#bytes), READ | WRITE, PRIVATE_ANONYMOUS, -1, 0n);
    if (at === null || Deno.UnsafePointer.value(at) === 2n ** 64n - 1n) {
      throw new DeviceError(`Cannot get ${this.#bytes} bytes of memory for machine code: the system has none to give`);
    }
    this.#at = at;
    new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(at, this.#bytes)).set(code);
    if (mprotect(at, BigInt(this.#bytes), READ | EXECUTE) !== 0) {
      this.free();
      throw new DeviceError("Cannot make memory executable: the system forbids it");
    }
  }

  /** Address of the byte at `offset`. */
  address(offset: number): bigint {
    return Deno.UnsafePointer.value(this.#at) + BigInt(offset);
  }

  /** Calls the function at `offset` with two pointers. */
  call(offset: number, first: Deno.PointerValue, second: Deno.PointerValue): void {
    const one = Deno.UnsafePointer.create(1n);
    library().bsearch(first, second, one, one, Deno.UnsafePointer.create(this.address(offset)));
  }

  /** Gives the memory back; nothing may run in it any more. */
  free(): void {
    library().munmap(this.#at, BigInt(this.#bytes));
  }
}
