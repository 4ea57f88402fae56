import { expect, test } from 'vitest';
import { lookUpBriefly } from '../../src/cli/look-up-briefly.ts';

test('a look-up takes a second and is not repeated, unless the operator has said otherwise', () => {
  const env: Record<string, string | undefined> = {};
  lookUpBriefly(env);
  expect(env).toEqual({ RES_OPTIONS: 'timeout:1 attempts:1' });

  const own = { RES_OPTIONS: 'timeout:3' };
  lookUpBriefly(own);
  expect(own).toEqual({ RES_OPTIONS: 'timeout:3' });
});
