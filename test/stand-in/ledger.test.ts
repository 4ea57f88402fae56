import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/stand-in/index.ts';
import { setup } from './setup.ts';

describe('the ledger', () => {
  it('knows every request by method, path, status and time', async () => {
    const { standIn, fail, send } = await setup({ syncJobs: [{ id: 'a', status: 'in_progress' }] });
    const before = Date.now();
    await fail('a');
    await fail('none');
    await send('GET', '/_connector/_sync_job/a?human=true');
    const { ledger } = standIn;
    expect(ledger.total).toBe(3);
    expect(ledger.count({ method: 'PUT', path: '_error' })).toBe(2);
    expect(ledger.count({ path: /_sync_job\/a\b/ })).toBe(2);
    expect(ledger.count({ status: 404 })).toBe(1);
    const [first] = ledger.entries();
    expect(first).toMatchObject({ method: 'PUT', path: '/_connector/_sync_job/a/_error', status: 200 });
    expect(first?.timeMs).toBeGreaterThanOrEqual(before - 1);
    expect(first?.durationMs).toBeGreaterThanOrEqual(0);
    ledger.clear();
    expect([ledger.total, ledger.count()]).toEqual([0, 0]);
  });

  it('keeps the latest requests when it is full, and says how many it dropped', () => {
    const ledger = new Ledger(3);
    for (let at = 0; at < 5; at++) {
      ledger.add({ method: 'GET', path: `/${at}`, status: 200, timeMs: at, durationMs: 0 });
    }
    expect([...ledger.entries()].map(({ path }) => path)).toEqual(['/2', '/3', '/4']);
    expect([ledger.total, ledger.dropped]).toEqual([5, 2]);
  });
});
