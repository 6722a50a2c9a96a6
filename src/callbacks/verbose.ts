/**
 * Tells every event.
 *
 * @module
 */
import { Callback, type EventName, type Handled } from "../train/mod.ts";

/** Writes the name of every event to the learner's logger. */
export class VerboseCallback extends Callback {
  /** What it can't write costs no fit. */
  override readonly reportsOnly: boolean = true;

  /** Tells the event and handles it. */
  override handle(event: EventName): Handled {
    this.learn.logger.line(event);
    return super.handle(event);
  }
}
