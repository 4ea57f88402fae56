/** Runs the whole bench at its smallest size: what it says means nothing, that it says everything is the point. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { GOALS } from '../../bench/figures/goals.ts';

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

const judgement = z.strictObject({
  ratio: z.number(),
  goal: z.string().regex(/^[<>]= \d/),
  holds: z.boolean(),
  value: z.number(),
  min: z.number(),
  max: z.number(),
  unit: z.enum(['ratio', 'ms', 's']),
  text: z.string().min(10),
});

const figure = z.strictObject({
  title: z.string().min(5),
  unit: z.enum(['reports/s', 'µs', 'ms', 's', 'MiB', 'bytes', '%']),
  median: z.number().nonnegative(),
  min: z.number().nonnegative(),
  max: z.number().nonnegative(),
  samples: z.array(z.number()).min(1),
});

const result = z.strictObject({
  ...Object.fromEntries(GOALS.map(({ key }) => [key, judgement])),
  all_hold: z.boolean(),
  size: z.literal('tiny'),
  rounds: z.literal(1),
  took_seconds: z.number().positive(),
  machine: z.strictObject({
    cores: z.int().positive(),
    cpu: z.string(),
    memory_gib: z.number().positive(),
    system: z.string(),
    node: z.literal(process.version),
    redis: z.string().regex(/^(redis|valkey)-server \d/),
  }),
  server: z.strictObject({ requests_per_second: z.number().positive(), cpu_us: z.number().nonnegative() }),
  figures: z.record(z.string(), figure),
});

test('a run says of every goal what was measured and whether it holds', async () => {
  const { code, stdout, stderr } = await runBench('--size', 'tiny', '--json');
  expect(stderr).toContain('the server by itself');
  const { all_hold, ...told } = result.parse(JSON.parse(stdout));
  expect(code).toBe(all_hold ? 0 : 1);
  for (const contender of ['ours', 'ours_batch', 'straightforward', 'bare', 'direct', 'bee', 'streams']) {
    expect(told.figures[`throughput_0.rate.${contender}`]?.median).toBeGreaterThan(0);
  }
});

test('help names every goal, and a wrong option is told', async () => {
  const help = await runBench('--help');
  expect(help.code).toBe(0);
  for (const { key } of GOALS) expect(help.stdout).toContain(key);
  for (const [args, told] of [
    [['--only', 'p99'], 'got p99'],
    [['--rounds', '0'], 'expected a whole number from 1, got 0'],
    [['--size', 'huge'], 'expected full, quick or tiny, got huge'],
    [['--docs', '--only', 'p1'], 'leave --only out'],
    [['--fast'], '--fast'],
  ] as const) {
    const { code, stderr } = await runBench(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(told);
    expect(stderr).not.toContain('at file:');
  }
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runBench(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGTERM');
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}
