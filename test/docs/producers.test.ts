import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reportJobId } from '../../src/domain/job.ts';
import { createApiKey } from '../../src/http/api-keys.ts';
import { openRelay } from '../../src/relay.ts';
import { openTestDoor } from '../http/setup.ts';
import { redisUrl } from '../support/redis.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = await readFile(join(ROOT, 'docs/producers.md'), 'utf8');

/** Every example with its language, in the order of the page. */
const examples = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, code], index) => ({
  language: language ?? '',
  code: code ?? '',
  index,
}));

/** How an example is run; `NODE` and `FILE` are filled in. */
const TOOLS: Readonly<
  Record<string, { readonly tool: string; readonly file: string; readonly args: readonly string[] }>
> = {
  sh: { tool: 'curl', file: 'report.sh', args: ['sh', 'FILE'] },
  python: { tool: 'python3', file: 'report.py', args: ['python3', 'FILE'] },
  ruby: { tool: 'ruby', file: 'report.rb', args: ['ruby', 'FILE'] },
  java: { tool: 'java', file: 'Report.java', args: ['java', 'FILE'] },
  go: { tool: 'go', file: 'report.go', args: ['go', 'run', 'FILE'] },
  ts: { tool: 'node', file: 'report.ts', args: ['NODE', 'FILE'] },
  js: { tool: 'node', file: 'report.mjs', args: ['NODE', 'FILE'] },
};

function isThere(tool: string): boolean {
  try {
    execFileSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function run(language: string, code: string, env: Readonly<Record<string, string>>): Promise<string> {
  const how = TOOLS[language];
  if (how === undefined) throw new Error(`nothing is known of ${language}`);
  const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-producer-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules'));
  for (const name of ['@elastic', 'bullmq']) {
    await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, how.file), code);
  const [program = '', ...args] = how.args.map((arg) =>
    arg === 'NODE' ? process.execPath : arg === 'FILE' ? how.file : arg,
  );
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  return stdout.trim();
}

describe('docs/producers.md', () => {
  const calls = examples.filter(({ code }) => !code.includes('def job_id'));

  test('has an example for each language', () => {
    expect(calls.map(({ language }) => language)).toEqual([
      'sh',
      'python',
      'ruby',
      'java',
      'go',
      'ts',
      'js',
      'js',
    ]);
  });

  for (const { language, code, index } of calls) {
    const tool = TOOLS[language]?.tool ?? '';
    // Said aloud in the run's report: the language is not on this machine.
    test.skipIf(!isThere(tool))(
      `example ${index + 1}, ${language}, hands in a report (needs ${tool})`,
      async () => {
        const key = createApiKey('producers', ['report']);
        const { url, config } = await openTestDoor({ API_KEYS: key.line });
        const env = {
          RELAY_URL: url,
          RELAY_API_KEY: key.encoded,
          REDIS_URL: redisUrl(),
          KEY_PREFIX: config.names.prefix,
        };

        const printed = await run(language, code, env);

        const id = reportJobId({ connector_sync_job_id: 'my-connector-sync-job', error: 'some-error' });
        expect(printed).toContain(id);
        await using relay = openRelay(config);
        expect(await relay.locate(id)).toMatchObject({ kind: 'in-queue', job: { state: 'waiting' } });
      },
      60_000,
    );
  }

  test.skipIf(!isThere('python3'))('the rule of the job id is the rule (needs python3)', async () => {
    const code = examples.find(({ code: each }) => each.includes('def job_id'))?.code ?? '';
    const report = { connector_sync_job_id: 'my-connector-sync-job', error: 'Größe: "3" 😀\n' };
    expect(await run('python', code, {})).toBe(reportJobId(report));
  });
});
