import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { findBinary } from './find-binary.ts';

/** What came of the wish to install Redis. */
export type Installation =
  | { readonly kind: 'installed' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Whoever wants to install, and with what. */
export interface InstallOptions {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Effective user id; undefined where the platform has none. */
  readonly uid: number | undefined;
  readonly say: (line: string) => void;
  /** Path of the file that names the system; `/etc/os-release` where left out. */
  readonly osReleaseFile?: string | undefined;
}

const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::Retries=2'];

/** Installs `redis-server` by apt-get, quietly and once announced; only on Debian and its kin, only as root. */
export async function installRedis({ env, uid, say, osReleaseFile }: InstallOptions): Promise<Installation> {
  const apt = findBinary(['apt-get'], env['PATH']);
  if (apt === undefined || !(await isDebian(osReleaseFile)))
    return refused('apt-get: not a Debian or Ubuntu system');
  if (uid !== 0) return refused('apt-get: installing needs root');
  say('Redis: none found, installing redis-server with apt-get');
  // A fresh image has no package lists. Where updating fails, those at hand may still do.
  await run(apt, ['update', ...APT_OPTIONS], env);
  const problem = await run(
    apt,
    ['install', '-y', '--no-install-recommends', ...APT_OPTIONS, 'redis-server'],
    env,
  );
  return problem === undefined
    ? { kind: 'installed' }
    : refused(`apt-get install redis-server failed: ${problem}`);
}

const refused = (reason: string): Installation => ({ kind: 'refused', reason });

async function isDebian(osReleaseFile = '/etc/os-release'): Promise<boolean> {
  const release = await readFile(osReleaseFile, 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

/** Runs a command to its end; what it said on stderr where it failed. */
function run(
  command: string,
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-1_000);
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => resolve(code === 0 ? undefined : words.trim() || `exit code ${code}`));
  });
}
