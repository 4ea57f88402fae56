import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { connect, freePort, httpServer, never } from './support.ts';

const NOW = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('several nodes', () => {
  test('are asked in turn', async () => {
    const nodes = await Promise.all([httpServer(), httpServer(), httpServer()]);
    const connection = connect(nodes.map(({ url }) => url));

    for (let i = 0; i < 9; i += 1) await connection.setSyncJobError('job-1', 'x', never);

    expect(nodes.map(({ requests }) => requests.length)).toEqual([3, 3, 3]);
  });

  test('count once where an address is given twice', async () => {
    const { url, requests } = await httpServer();
    await connect([url, `${url}/`]).setSyncJobError('job-1', 'x', never);
    expect(requests).toHaveLength(1);
  });

  test('lose one request to a dead one, which is then passed over for a while and tried by one request', async () => {
    const { url } = await httpServer();
    const connection = connect([`http://127.0.0.1:${await freePort()}`, url]);
    const refusedOf = async (requests: number): Promise<number> => {
      const all = Array.from({ length: requests }, () => connection.setSyncJobError('job-1', 'x', never));
      return (await Promise.all(all)).filter(({ kind }) => kind === 'not-sent').length;
    };

    expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({ kind: 'not-sent' });
    expect(await refusedOf(20)).toBe(0);
    vi.setSystemTime(NOW + 1_000);
    expect(await refusedOf(20)).toBe(1);
    vi.setSystemTime(NOW + 2_999);
    expect(await refusedOf(20)).toBe(0);
    vi.setSystemTime(NOW + 3_000);
    expect(await refusedOf(20)).toBe(1);
  });

  test('shut none out for longer because many requests were under way when it failed', async () => {
    const alive = await httpServer();
    const port = await freePort();
    const connection = connect([`http://127.0.0.1:${port}`, alive.url]);
    await Promise.all(Array.from({ length: 50 }, () => connection.setSyncJobError('job-1', 'x', never)));

    const back = await httpServer(undefined, port);
    vi.setSystemTime(NOW + 1_000);
    await connection.setSyncJobError('job-1', 'x', never);
    await connection.setSyncJobError('job-1', 'x', never);

    expect(back.requests).toHaveLength(1);
  });

  test('are asked in turn where all are dead, so that the first one back is found at once', async () => {
    const ports = [await freePort(), await freePort()];
    const connection = connect(ports.map((port) => `http://127.0.0.1:${port}`));
    for (let i = 0; i < 6; i += 1) {
      expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({ type: 'ECONNREFUSED' });
    }

    await httpServer(undefined, ports[1]);
    const answers = [
      await connection.setSyncJobError('job-1', 'x', never),
      await connection.setSyncJobError('job-1', 'x', never),
      await connection.setSyncJobError('job-1', 'x', never),
    ];

    expect(answers.slice(0, 2).some(({ kind }) => kind === 'response')).toBe(true);
    expect(answers[2]).toMatchObject({ kind: 'response', status: 200 });
  });

  test('are passed over as well where they can only say that they cannot serve', async () => {
    const ill = await httpServer((_request, response) => void response.writeHead(503).end());
    const well = await httpServer();
    const connection = connect([ill.url, well.url]);

    for (let i = 0; i < 10; i += 1) await connection.setSyncJobError('job-1', 'x', never);

    expect(ill.requests).toHaveLength(1);
    expect(well.requests).toHaveLength(9);
  });
});

describe('a single node', () => {
  test('is asked again at once, however often it failed', async () => {
    const port = await freePort();
    const connection = connect(`http://127.0.0.1:${port}`);
    for (let i = 0; i < 20; i += 1) {
      expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({ type: 'ECONNREFUSED' });
    }

    await httpServer(undefined, port);

    expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({
      kind: 'response',
      status: 200,
    });
  });
});
