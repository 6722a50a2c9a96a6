/**
 * The few calls of MPI that training needs, all on the world's communicator. Collectives are the non-blocking ones: they
 * are posted, then tested, so that nobody sits in a call that a dead process will never let end.
 *
 * @module
 */
import { DistributedError } from "../base/errors.ts";
import type { Launch } from "../base/launch.ts";
import { type Library, openLibrary } from "./mpi_library.ts";

/** Bytes that MPI may write to: on the heap, or memory that threads share. */
type Bytes = Uint8Array | Float32Array | Float64Array;

// other threads of the process exist, but only this one calls MPI; or others do so too, one at a time
const THREAD_FUNNELED = 1, THREAD_SERIALIZED = 2;

/** A collective under way; keeps its buffers alive. */
export interface Request {
  /** MPI's handle; 8 bytes, of which MPICH uses 4. */
  readonly handle: BigUint64Array<ArrayBuffer>;
  readonly address: bigint;
  readonly buffers: readonly Bytes[];
  readonly what: string;
  done: boolean;
}

/** Where bytes lie. */
export function addressOf(bytes: Bytes): bigint {
  if (bytes.byteLength === 0) return 0n;
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as Uint8Array<ArrayBuffer>)));
}

/** MPI, initialised; there is at most one in a process. */
export class Mpi {
  readonly rank: number;
  readonly size: number;
  /** Whether another thread may call MPI while this one does not. */
  readonly passable: boolean;
  readonly #lib: Library;
  readonly #flag: Int32Array<ArrayBuffer> = new Int32Array(1);
  readonly #flagBytes: Uint8Array<ArrayBuffer> = bytesOf(this.#flag);

  /** Loads the launcher's library and initialises it: every process of the run must get here. */
  constructor(family: Launch["family"]) {
    this.#lib = openLibrary(family);
    const { functions: f, handles } = this.#lib;
    const provided = new Int32Array(1);
    this.#check(f.MPI_Init_thread(null, null, THREAD_SERIALIZED, bytesOf(provided)), "start MPI");
    if (provided[0] < THREAD_FUNNELED) {
      throw new DistributedError(`Cannot use ${this.#lib.path}: it does not allow threads (level ${provided[0]})`);
    }
    this.passable = provided[0] >= THREAD_SERIALIZED;
    this.returnErrors(handles.world);
    this.rank = this.#number((out) => f.MPI_Comm_rank(handles.world, out), "ask for the rank");
    this.size = this.#number((out) => f.MPI_Comm_size(handles.world, out), "ask for the number of processes");
  }

  #number(call: (out: Uint8Array<ArrayBuffer>) => number, what: string): number {
    const out = new Int32Array(1);
    this.#check(call(bytesOf(out)), what);
    return out[0];
  }

  #check(code: number, what: string): void {
    if (code !== 0) throw new DistributedError(`Cannot ${what}: MPI says ${this.wordsOf(code)}`);
  }

  /** What an error code means. */
  wordsOf(code: number): string {
    const text = new Uint8Array(1024), length = new Int32Array(1);
    this.#lib.functions.MPI_Error_string(code, text, bytesOf(length));
    const why = new TextDecoder().decode(text.subarray(0, length[0])).replace(/\s+/g, " ").trim();
    return why === "" ? `error ${code}` : why;
  }

  /** The library, for a thread that opens it again. */
  get library(): Pick<Library, "path" | "handles"> {
    const { path, handles } = this.#lib;
    return { path, handles };
  }

  #post(what: string, buffers: readonly Bytes[], call: (request: bigint) => number): Request {
    const handle = new BigUint64Array(1);
    const address = addressOf(new Uint8Array(handle.buffer));
    this.#check(call(address), what);
    return { handle, address, buffers, what, done: false };
  }

  /** Sums over all processes, element by element, in place. */
  allReduce(data: Float32Array | Float64Array, what: string): Request {
    const { functions: f, handles: h } = this.#lib;
    const type = data instanceof Float64Array ? h.double : h.float;
    return this.#post(
      what,
      [data],
      (r) => f.MPI_Iallreduce(h.inPlace, addressOf(data), data.length, type, h.sum, h.world, r),
    );
  }

  /** Sums over all processes, as many in each: the first process gets the first ones in `part`, and so on. */
  reduceScatter(data: Float32Array | Float64Array, part: Float32Array | Float64Array, what: string): Request {
    const { functions: f, handles: h } = this.#lib;
    const type = data instanceof Float64Array ? h.double : h.float;
    return this.#post(
      what,
      [data, part],
      (r) => f.MPI_Ireduce_scatter_block(addressOf(data), addressOf(part), part.length, type, h.sum, h.world, r),
    );
  }

  /** Rank `root`'s bytes, in `data` of each process. */
  broadcast(data: Uint8Array, root: number, what: string): Request {
    const { functions: f, handles: h } = this.#lib;
    return this.#post(what, [data], (r) => f.MPI_Ibcast(addressOf(data), data.length, h.byte, root, h.world, r));
  }

  /** Every process's bytes (as many in each) one after another in `all`. */
  allGather(mine: Bytes, all: Bytes, what: string): Request {
    const { functions: f, handles: h } = this.#lib;
    const n = mine.byteLength;
    return this.#post(
      what,
      [mine, all],
      (r) => f.MPI_Iallgather(addressOf(mine), n, h.byte, addressOf(all), n, h.byte, h.world, r),
    );
  }

  /** A communicator of all processes that nobody else uses, once the request is done. */
  duplicate(what: string): { readonly request: Request; readonly handle: BigUint64Array<ArrayBuffer> } {
    const { functions: f, handles: h } = this.#lib;
    const handle = new BigUint64Array(1), bytes = new Uint8Array(handle.buffer);
    return { request: this.#post(what, [bytes], (r) => f.MPI_Comm_idup(h.world, addressOf(bytes), r)), handle };
  }

  /** Has errors on a communicator come back as codes. */
  returnErrors(communicator: bigint): void {
    const { functions: f, handles: h } = this.#lib;
    this.#check(f.MPI_Comm_set_errhandler(communicator, h.errorsReturn), "set MPI's error handler");
  }

  /** Nothing but waiting for everybody. */
  barrier(what: string): Request {
    const { functions: f, handles: h } = this.#lib;
    return this.#post(what, [], (r) => f.MPI_Ibarrier(h.world, r));
  }

  /** Whether a collective has finished; also what lets it go on. */
  test(request: Request): boolean {
    if (request.done) return true;
    const { functions: f, handles: h } = this.#lib;
    this.#check(f.MPI_Test(request.address, this.#flagBytes, h.noStatus), request.what);
    return request.done = this.#flag[0] !== 0;
  }

  /** Leaves MPI; waits for every process to do so. */
  finalize(): void {
    this.#lib.functions.MPI_Finalize();
  }
}

function bytesOf(words: Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer);
}
