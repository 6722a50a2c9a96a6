/**
 * Training in several processes, over MPI.
 *
 * @module
 */
import { lateParts } from "../train/mod.ts";
import { DistributedTrainer } from "./trainer.ts";

export { numDistrib, rank0First, rankDistrib } from "./ranks.ts";
export { type DistributedOptions, DistributedTrainer } from "./trainer.ts";

lateParts.distributed = (options) => new DistributedTrainer(options);
