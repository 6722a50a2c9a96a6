/**
 * Training in several processes, over MPI.
 *
 * @module
 */
export { numDistrib, rank0First, rankDistrib } from "./ranks.ts";
export { type DistributedOptions, DistributedTrainer } from "./trainer.ts";
