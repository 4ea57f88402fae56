import { expect, test, vi } from 'vitest';
import { type Dispatcher, exchange } from '../../../src/adapters/elasticsearch/exchange.ts';

type Handler = Parameters<Dispatcher['dispatch']>[1];
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0];

test('a request that was given up while it waited for a connection is not sent once there is one', async () => {
  const handed = Promise.withResolvers<Handler>();
  const dispatcher: Dispatcher = {
    dispatch: (_request, handler) => {
      handed.resolve(handler);
      return true;
    },
  };
  const abort = new AbortController();
  const answer = exchange(
    dispatcher,
    { method: 'PUT', path: '/' },
    { timeoutMs: 60_000, maxResponseBytes: 1_000, onEnd: () => {} },
    abort.signal,
  );
  const handler = await handed.promise;
  abort.abort();
  await expect(answer).rejects.toMatchObject({ answer: { kind: 'interrupted' } });

  const controller = { abort: vi.fn<Controller['abort']>() };
  handler.onRequestStart?.(controller as unknown as Controller, {});

  expect(controller.abort).toHaveBeenCalledOnce();
});
