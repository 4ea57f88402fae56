/** What the tests of the stand-in share. */
import { onTestFinished } from 'vitest';
import { type StandIn, type StandInOptions, startStandIn } from '../../src/stand-in/index.ts';

/** An answer, its body parsed where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

/** A request's parts beside its method and path. */
export interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A fresh stand-in, stopped when the test is over, and a way to ask it. */
export async function setup(options: StandInOptions = {}): Promise<{
  readonly standIn: StandIn;
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Reply>;
  /** Fails a sync job. */
  readonly fail: (id: string, error?: string) => Promise<Reply>;
}> {
  const standIn = await startStandIn(options);
  onTestFinished(() => standIn.stop());
  const send = async (method: string, path: string, { body, headers }: SendOptions = {}): Promise<Reply> => {
    const response = await fetch(`${standIn.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parseIfJson(text) };
  };
  const fail = (id: string, error = 'boom'): Promise<Reply> =>
    send('PUT', `/_connector/_sync_job/${encodeURIComponent(id)}/_error`, { body: { error } });
  return { standIn, send, fail };
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The type and reason of an exception's body. */
export function failure(reply: Reply): { readonly type: string; readonly reason: string } {
  return (reply.body as { error: { type: string; reason: string } }).error;
}
