import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../adapters/elasticsearch/certificates.ts';
import { runCli, startCli } from '../support/built-cli.ts';
import { keyPrefix, redisUrl } from '../support/redis.ts';

const setup = () => ({ REDIS_URL: redisUrl(), KEY_PREFIX: keyPrefix(), HTTP_PORT: '0' });
const JSON_TYPE = { 'content-type': 'application/json' };

describe('serve', () => {
  test('takes reports without a worker, with the key that api-key made, and ends with 0', async () => {
    const env = setup();
    const made = await runCli(['api-key', 'create', '--scope', 'report', '--json'], {});
    const { api_key: key, line } = JSON.parse(made.stdout) as { api_key: string; line: string };
    const server = startCli(['serve'], { ...env, API_KEYS: line });
    const { address } = (await server.line('front door open')) as { address: string };
    const report = (authorization: string): Promise<Response> =>
      fetch(`${address}/v1/reports`, {
        method: 'POST',
        headers: { ...JSON_TYPE, authorization },
        body: JSON.stringify({ connector_sync_job_id: 'job', error: 'x' }),
      });

    expect((await report(`ApiKey ${key}`)).status).toBe(202);
    expect((await report('ApiKey other')).status).toBe(401);
    expect(await (await fetch(`${address}/readyz`)).json()).toEqual({ ready: true, reasons: {} });
    expect(await server.end('SIGTERM')).toBe(0);
    expect(JSON.parse((await runCli(['status', '--json'], env)).stdout)).toMatchObject({ waiting: 1 });
  });

  test.each([
    ['a port', { HTTP_PORT: '' }, /^HTTP_PORT: expected a port/],
    ['keys to listen beyond this machine', { HTTP_HOST: '0.0.0.0' }, /^API_KEYS: expected at least one key/],
    ['keys that can be read', { API_KEYS: 'my-secret-key' }, /^API_KEYS: expected keys.*not shown/],
    [
      'both files of a certificate',
      { HTTP_TLS_KEY_FILE: '/dev/null' },
      /^HTTP_TLS_CERT_FILE: expected a file/,
    ],
  ])('asks for %s', async (_what, env, message) => {
    const { code, stderr } = await runCli(['serve'], { ...setup(), ...env });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('my-secret-key');
    expect(code).toBe(78);
  });

  test('speaks TLS where it has a certificate', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sync-error-relay-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const authority = makeCertificate({ name: 'authority', isAuthority: true });
    const own = makeCertificate({ name: 'door', issuer: authority, address: '127.0.0.1' });
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([writeFile(cert, own.pem), writeFile(key, own.keyPem)]);
    const server = startCli(['serve'], { ...setup(), HTTP_TLS_CERT_FILE: cert, HTTP_TLS_KEY_FILE: key });
    const { address } = (await server.line('front door open')) as { address: string };

    const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) => {
      const sent = get(`${address}/livez`, { ca: authority.pem, agent: false }, (answer) => {
        answer.resume().on('end', () => resolve(answer.headers));
      });
      sent.on('error', reject);
    });

    expect(address).toMatch(/^https:/);
    expect(headers).toHaveProperty('strict-transport-security');
    expect(await server.end('SIGTERM')).toBe(0);
  });
});
