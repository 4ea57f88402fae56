import { kills } from './r01-kills.ts';
import type { Row } from './row.ts';

/** Every row, in the order they are run in. */
export const ROWS: readonly Row[] = [kills];
