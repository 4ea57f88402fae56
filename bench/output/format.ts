import type { Unit } from '../figures/figure.ts';

/** A value as people read it: three digits that say something, thousands apart. */
export function formatValue(value: number, unit?: Unit | 'ratio'): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return unit === undefined || unit === 'ratio' ? text : `${text} ${unit}`;
}
