/**
 * The learner: the training loop with a method for each policy.
 *
 * @module
 */
export { Learner } from "./learner.ts";
