import type { Contender } from '../contenders/contender.ts';
import type { Figure } from '../figures/figure.ts';
import type { MeasureId } from '../figures/goals.ts';
import type { Sizes } from '../sizes.ts';
import type { Stage } from '../stage/stage.ts';

/** What a measure works with. */
export interface MeasureContext {
  readonly stage: Stage;
  readonly sizes: Sizes;
  readonly rounds: number;
  /** Tells whoever waits how far it is. */
  readonly say: (line: string) => void;
  /** The concurrency at which a contender is fastest against a server this slow, found out once. */
  readonly bestConcurrency: (contender: Contender, latencyMs: number) => Promise<number>;
}

/** One subject that is measured as a whole. */
export interface Measure {
  readonly id: MeasureId;
  readonly title: string;
  run(context: MeasureContext): Promise<readonly Figure[]>;
}
