/**
 * Training in several processes, over MPI.
 *
 * @module
 */
export { type DistributedOptions, DistributedTrainer, numDistrib, rank0First, rankDistrib } from "../distrib/mod.ts";
