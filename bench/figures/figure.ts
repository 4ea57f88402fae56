/** One thing that was measured, once a round. */
export interface Figure {
  /** Names it among all: the measure, a point, and after the last point what was measured. */
  readonly key: string;
  readonly title: string;
  readonly unit: Unit;
  /** A value a round, in the order of the rounds. */
  readonly samples: readonly number[];
}

export type Unit = 'reports/s' | 'µs' | 'ms' | 's' | 'MiB' | 'bytes' | '%';

/** Figures by their keys. */
export type FigureSet = ReadonlyMap<string, Figure>;

/** @throws {Error} where two figures have the same key */
export function figureSet(figures: readonly Figure[]): FigureSet {
  const set = new Map(figures.map((figure) => [figure.key, figure]));
  if (set.size !== figures.length) throw new Error('two figures have the same key');
  return set;
}
