/**
 * Holds package-lock.json complete and free of registry addresses.
 *
 * Where the registry at hand misses an optional dependency, `npm install` leaves it out of the
 * lockfile silently and `npm ci` fails later on another machine; this finds it at once.
 */
import { readFileSync } from 'node:fs';

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** Where Node would look for `name` from `from`: its own node_modules first, then each parent's. */
function isLocked(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === '') return false;
  }
}

const problems: string[] = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (entry.resolved?.startsWith('http') === true) problems.push(`${path}: carries a registry address`);
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!isLocked(path, name)) problems.push(`${path}: optional dependency ${name} has no entry`);
  }
}

for (const problem of problems) console.error(`package-lock.json: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
