import { fileURLToPath } from 'node:url';

/** A file of the fleet morning that is shipped with the project. */
export function demoFile(name: 'sync-jobs.ndjson' | 'failures.ndjson'): string {
  return fileURLToPath(new URL(`../../../demo/${name}`, import.meta.url));
}
