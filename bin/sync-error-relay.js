#!/usr/bin/env node
// Plain JavaScript on purpose: an old Node must be able to read the line that tells it it is too old.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(`sync-error-relay needs Node.js 22.18 or newer; this is ${process.version} (${process.execPath}).`);
  console.error('Install Node.js 24 from https://nodejs.org, or call it through npx, which finds the pinned one.');
  process.exitCode = 78;
} else {
  await import('../dist/cli/main.js');
}
