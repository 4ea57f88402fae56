import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../../src/cli/small-heap.ts', import.meta.url));

/** What a busy worker does to the heap: much is made, some of it lives for a while, most of it dies old. */
const BUSY = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { setImmediate } from 'node:timers/promises';
  const underWay = [];
  const young = [];
  let old = 0;
  for (let round = 0; round < 600; round += 1) {
    for (let each = 0; each < 500; each += 1) underWay.push({ list: new Array(100).fill(each) });
    if (underWay.length > 40_000) underWay.splice(0, 20_000);
    await setImmediate();
    for (const { space_name, space_size } of getHeapSpaceStatistics()) {
      if (space_name === 'new_space') young.push(space_size);
      if (space_name === 'old_space') old = Math.max(old, space_size);
    }
  }
  // Not the most: while the old generation is being marked, V8 lets the young one run over, and longer on a busy machine.
  console.log(JSON.stringify({ young: young.sort((a, b) => a - b)[young.length / 2], old }));
`;

async function heapOf(start: string): Promise<{ readonly young: number; readonly old: number }> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    start + BUSY,
  ]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('a busy process keeps both generations of its heap smaller than left to itself', async () => {
  const small = await heapOf(
    `import { withSmallHeap } from ${JSON.stringify(MODULE)}; await withSmallHeap(async () => 1);`,
  );
  const ordinary = await heapOf('');

  // Twice 16 MiB, where two collections came before the first was told of, and what V8 adds.
  expect(small.young).toBeLessThan(36 * 1_024 * 1_024);
  expect(ordinary.young).toBeGreaterThan(2 * small.young);
  expect(small.old).toBeLessThan(ordinary.old);
});
