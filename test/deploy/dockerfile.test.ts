import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { composeService, dockerfileStages, repositoryFile } from './compose-file.ts';

const stages = dockerfileStages();
const final = stages.at(-1);
const steps = final?.steps ?? [];
const lastOf = (name: string): string | undefined => steps.findLast((step) => step.name === name)?.value;

describe('the image', () => {
  it('is built on the slim Node 24 in each of its stages', () => {
    expect(stages.map(({ from }) => from)).toEqual([
      'node:24-slim AS build',
      'node:24-slim AS dependencies',
      'node:24-slim',
    ]);
  });

  it('does not run as root, and says so by number', () => {
    expect(lastOf('USER')).toBe('1000:1000');
    const after = steps.slice(steps.findIndex(({ name }) => name === 'USER') + 1);
    expect(after.map(({ name }) => name)).not.toContain('USER');
    expect(after.map(({ name }) => name)).not.toContain('RUN');
  });

  it('runs the command line, and the worker where nothing else is said', () => {
    expect(JSON.parse(lastOf('ENTRYPOINT') ?? '')).toEqual(['node', '/app/bin/sync-error-relay.js']);
    expect(JSON.parse(lastOf('CMD') ?? '')).toEqual(['work']);
  });

  it('listens on the port that it exposes and that Compose publishes', () => {
    expect(lastOf('ENV')).toContain(`HTTP_PORT=${lastOf('EXPOSE')}`);
    expect(composeService('worker').environment?.['HTTP_PORT']).toBe(lastOf('EXPOSE'));
  });

  it.each([
    ['healthy where /livez on HTTP_PORT answers 200', 200, 0],
    ['not healthy where it answers anything else', 503, 1],
    ['not healthy where nothing answers', undefined, 1],
  ])('is %s', async (_, status, expected) => {
    const port = await portAnswering('/livez', status);
    const health = lastOf('HEALTHCHECK') ?? '';
    const [program, ...rest] = JSON.parse(health.slice(health.indexOf('['))) as string[];
    expect(program).toBe('node');
    const check = spawn(process.execPath, rest, { env: { HTTP_PORT: String(port) }, stdio: 'ignore' });
    expect(await once(check, 'exit')).toEqual([expected, null]);
  });

  it('installs from the lockfile, runs no script of a package, and carries no development dependency', () => {
    const installs = stages.flatMap((stage) => stage.steps).filter(({ value }) => /\bnpm\b/.test(value));
    expect(installs.map(({ value }) => value)).toEqual([
      'npm ci --ignore-scripts',
      'npm ci --omit=dev --ignore-scripts',
    ]);
    expect(steps.filter(({ value }) => value.includes('node_modules')).map(({ value }) => value)).toEqual([
      '--from=dependencies /app/node_modules ./node_modules',
    ]);
  });

  it('owns the folder of the key as the user it runs as', () => {
    const folder = composeService('api-key').volumes?.[0]?.split(':')[1];
    const making = steps.find(({ name }) => name === 'RUN')?.value;
    expect(making).toMatch(new RegExp(`--owner=node --group=node --mode=0700 ${folder}$`));
  });
});

describe('what is sent to the build', () => {
  const copied = stages
    .flatMap((stage) => stage.steps)
    .filter(({ name, value }) => name === 'COPY' && !value.startsWith('--from'))
    .flatMap(({ value }) => value.split(/\s+/).slice(0, -1));
  const [everything, ...allowed] = repositoryFile('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  it('is there', () => {
    expect(copied.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
  });

  it('is exactly what the Dockerfile copies', () => {
    expect(everything).toBe('*');
    expect(allowed).toEqual([...new Set(copied)].toSorted().map((path) => `!${path}`));
  });
});

/** A port where one path answers with a status and every other with 404; where no status is given, nothing listens. */
async function portAnswering(path: string, status: number | undefined): Promise<number> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === path ? (status ?? 404) : 404;
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  if (status === undefined) {
    server.close();
    await once(server, 'close');
  }
  return port;
}
