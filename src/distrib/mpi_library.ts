/**
 * MPI's shared library: found, opened, and its functions and handles named.
 *
 * Two binary interfaces exist. In MPICH's (also Intel's, MVAPICH's, Cray's) handles are fixed integers of 32 bits; in
 * Open MPI's they are addresses of symbols. Both are passed as machine words here: a function that expects 32 bits takes
 * the lower half of its register.
 *
 * @module
 */
import { ConfigError } from "../base/errors.ts";
import type { Launch } from "../base/launch.ts";
import { LIBC } from "./libc.ts";

const SYMBOLS = {
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
  MPI_Comm_rank: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Comm_idup: { parameters: ["usize", "usize", "usize"], result: "i32" },
  MPI_Comm_set_errhandler: { parameters: ["usize", "usize"], result: "i32" },
  MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  MPI_Ibarrier: { parameters: ["usize", "usize"], result: "i32" },
  MPI_Ibcast: { parameters: ["usize", "i32", "usize", "i32", "usize", "usize"], result: "i32" },
  MPI_Iallreduce: { parameters: ["usize", "usize", "i32", "usize", "usize", "usize", "usize"], result: "i32" },
  MPI_Ireduce_scatter_block: {
    parameters: ["usize", "usize", "i32", "usize", "usize", "usize", "usize"],
    result: "i32",
  },
  MPI_Iallgather: {
    parameters: ["usize", "i32", "usize", "usize", "i32", "usize", "usize", "usize"],
    result: "i32",
  },
  MPI_Test: { parameters: ["usize", "buffer", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** MPI's functions. */
export type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Handles and addresses that the functions take. */
export interface Handles {
  readonly world: bigint;
  readonly byte: bigint;
  readonly float: bigint;
  readonly double: bigint;
  readonly sum: bigint;
  readonly errorsReturn: bigint;
  /** In place of a send buffer: it is the receive buffer. */
  readonly inPlace: bigint;
  /** In place of a status. */
  readonly noStatus: bigint;
}

/** An opened library. */
export interface Library {
  readonly path: string;
  readonly functions: Functions;
  readonly handles: Handles;
}

const MPICH: Handles = {
  world: 0x44000000n,
  byte: 0x4c00010dn,
  float: 0x4c00040an,
  double: 0x4c00080bn,
  sum: 0x58000003n,
  errorsReturn: 0x54000001n,
  inPlace: 0xffff_ffff_ffff_ffffn, // (void *) -1
  noStatus: 1n,
};

/** File names, the likeliest first. MPICH's relatives ship its interface as libmpi.so.12. */
const FILES: Record<Launch["family"], { readonly linux: readonly string[]; readonly darwin: readonly string[] }> = {
  mpich: { linux: ["libmpich.so.12", "libmpi.so.12"], darwin: ["libmpi.12.dylib", "libmpich.12.dylib"] },
  openmpi: { linux: ["libmpi.so.40"], darwin: ["libmpi.40.dylib"] },
};

const INSTALL: Record<Launch["family"], string> = {
  mpich: "apt-get install mpich (Debian, Ubuntu), dnf install mpich (Fedora) or brew install mpich",
  openmpi: "apt-get install libopenmpi-dev openmpi-bin (Debian, Ubuntu), dnf install openmpi (Fedora) or " +
    "brew install open-mpi",
};

const LAUNCHER: Record<Launch["family"], string> = { mpich: "MPICH's", openmpi: "Open MPI's" };

/**
 * Opens the library that belongs to the launcher.
 *
 * @throws ConfigError where it is missing or not permitted; the message says what to install, or what to permit.
 */
export function openLibrary(family: Launch["family"]): Library {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    throw new ConfigError(
      `Cannot reach the other processes: ${LAUNCHER[family]} launcher started this one, and calling its library is ` +
        "not permitted; run deno with --allow-ffi",
    );
  }
  const { os } = Deno.build;
  if (os !== "linux" && os !== "darwin") throw new ConfigError(`Cannot use MPI on ${os}: Linux and macOS only`);
  const tried: string[] = [];
  for (const path of FILES[family][os]) {
    try {
      if (family === "mpich") {
        return { path, functions: Deno.dlopen(path, SYMBOLS).symbols, handles: MPICH };
      }
      const addressOf = globalSymbols(path);
      return { path, functions: Deno.dlopen(path, SYMBOLS).symbols, handles: openMpiHandles(addressOf) };
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      tried.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new ConfigError(
    `Cannot reach the other processes: ${LAUNCHER[family]} launcher started this one, and its library is missing ` +
      `(${tried.join("; ")}); install it: ${INSTALL[family]}`,
  );
}

function openMpiHandles(addressOf: (name: string) => bigint): Handles {
  return {
    world: addressOf("ompi_mpi_comm_world"),
    byte: addressOf("ompi_mpi_byte"),
    float: addressOf("ompi_mpi_float"),
    double: addressOf("ompi_mpi_double"),
    sum: addressOf("ompi_mpi_op_sum"),
    errorsReturn: addressOf("ompi_mpi_errors_return"),
    inPlace: 1n,
    noStatus: 0n,
  };
}

/** `RTLD_NOW | RTLD_GLOBAL` */
const LOAD_GLOBAL = { linux: 0x102, darwin: 0xa };

/** Loads a library for everybody, as Open MPI's plugins expect of it; gives the addresses of its symbols. */
function globalSymbols(path: string): (name: string) => bigint {
  const linux = Deno.build.os === "linux";
  const { symbols: libc } = Deno.dlopen(LIBC, {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  });
  const text = (s: string) => new TextEncoder().encode(s + "\0");
  const library = libc.dlopen(text(path), linux ? LOAD_GLOBAL.linux : LOAD_GLOBAL.darwin);
  if (library === null) throw new Error(`${path} cannot be loaded`);
  return (name) => {
    const address = libc.dlsym(library, text(name));
    if (address === null) {
      throw new ConfigError(`Cannot use ${path}: it has no ${name}, so it is not Open MPI's; ${INSTALL.openmpi}`);
    }
    return BigInt(Deno.UnsafePointer.value(address));
  };
}
