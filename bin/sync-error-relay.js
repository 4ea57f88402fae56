#!/usr/bin/env node
// Plain JavaScript on purpose: an old Node must be able to read the line that tells it it is too old.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `sync-error-relay needs Node.js 22.18 or newer; this is ${process.version} (${process.execPath}).`,
  );
  console.error(
    'Install Node.js 24 from https://nodejs.org, or call it through npx, which finds the pinned one.',
  );
  process.exitCode = 78;
} else {
  keepCompiledModules();
  // A clone that was not built runs from its sources; the published package is always built.
  const built = new URL('../dist/cli/main.js', import.meta.url);
  await import(existsSync(built) ? built.href : new URL('../src/cli/main.ts', import.meta.url).href);
}

/**
 * Keeps what modules are compiled to for the next start, which takes a worker a fifth to a third less time then.
 * Whoever writes to that folder decides what runs here, so it is one of the user's own and not the common one for
 * temporary files.
 */
function keepCompiledModules() {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME = '' } = process.env;
  if (NODE_COMPILE_CACHE) return;
  try {
    const folder = [XDG_CACHE_HOME, join(homedir(), '.cache')].find(isAbsolute);
    // Where it cannot be made, nothing is kept.
    if (folder !== undefined) module.enableCompileCache(join(folder, 'sync-error-relay'));
  } catch {
    // This user has no home.
  }
}
