import { createLog } from '../adapters/observe/create-log.ts';
import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { CliFailure } from './failure.ts';
import { loadConfig } from './load-config.ts';
import { onEndSignal } from './signals.ts';

/** Runs a worker until a signal; the next signal ends the process at once. */
export async function runWorker(): Promise<ExitCode> {
  const config = await loadConfig();
  const app = createApp(config, { log: createLog(config.logLevel) });
  const signal = Promise.withResolvers<void>();
  // Stays in place while the worker stops: that is when somebody may lose patience.
  onEndSignal(() => signal.resolve());

  await Promise.race([startApp(app, config), signal.promise]);
  const stuck = await Promise.race([signal.promise, app.stuck]);
  const result = await app.stop();
  // Whoever supervises it is to start it anew.
  return stuck === undefined && result === 'clean' ? EXIT.done : EXIT.someFailed;
}

async function startApp(app: App, config: Config): Promise<void> {
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw describeListening(error, config);
  }
}

const NOT_LISTENING: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'cannot be found',
};

/** A port that is taken is the operator's business, not a fault of ours. */
function describeListening(error: unknown, { http }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = NOT_LISTENING[code];
  if (http === undefined || reason === undefined) return error;
  return new CliFailure(
    `HTTP_HOST and HTTP_PORT: expected an address to listen on, got ${http.host}:${http.port}, which ${reason}`,
    EXIT.configuration,
    { cause: error },
  );
}
