#!/usr/bin/env node
// Plain JavaScript on purpose: an old Node must be able to read the line that tells it it is too old.
import { existsSync } from 'node:fs';

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
  // A clone that was not built runs from its sources; the published package is always built.
  const built = new URL('../dist/cli/main.js', import.meta.url);
  await import(existsSync(built) ? built.href : new URL('../src/cli/main.ts', import.meta.url).href);
}
