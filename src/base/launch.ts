/**
 * How this process was started: alone, or by MPI's launcher as one of several.
 *
 * @module
 */
import { environment } from "./environment.ts";
import { ConfigError } from "./errors.ts";

/** What MPI's launcher told this process through its environment. */
export interface Launch {
  /** Whose binary interface the launcher belongs to. */
  readonly family: "mpich" | "openmpi";
  /** Number of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Number of processes on this machine. */
  readonly localSize: number;
}

interface Names {
  readonly family: Launch["family"];
  readonly rank: string;
  readonly size: string;
  readonly localSize: string;
}

// Open MPI first: its newer launchers also set names of the PMI family
const FAMILIES: readonly Names[] = [
  {
    family: "openmpi",
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
  },
  { family: "mpich", rank: "PMI_RANK", size: "PMI_SIZE", localSize: "MPI_LOCALNRANKS" },
];

/** Names of all variables that are looked at. */
export const LAUNCH_VARIABLES: readonly string[] = FAMILIES.flatMap((f) => [f.rank, f.size, f.localSize]);

/**
 * How MPI's launcher started this process; null where none did, or where the environment must not be read.
 *
 * @param insist Whether it is an error that the environment must not be read.
 * @throws ConfigError if `insist` and a permission is missing: several processes would each take themselves for the only one.
 */
export function launchOf({ insist = false }: { readonly insist?: boolean } = {}): Launch | null {
  for (const names of FAMILIES) {
    const [rank, size, localSize] = [names.rank, names.size, names.localSize].map(environment);
    if (insist && (rank === undefined || size === undefined)) {
      throw new ConfigError(
        "Cannot tell whether MPI started this process: reading its environment is not permitted, run deno with " +
          `--allow-env=${LAUNCH_VARIABLES.join(",")}`,
      );
    }
    if (typeof rank !== "string" || typeof size !== "string") continue;
    const local = Number(localSize ?? 1);
    return { family: names.family, rank: Number(rank), size: Number(size), localSize: local > 0 ? local : 1 };
  }
  return null;
}
