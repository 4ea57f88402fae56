import { createLog } from '../adapters/observe/create-log.ts';
import { startTracing } from '../adapters/observe/start-tracing.ts';
import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import { describeListening } from './describe-listening.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { loadConfig } from './load-config.ts';
import { onEndSignal } from './signals.ts';

/** Runs a worker until a signal; the next signal ends the process at once. */
export async function runWorker(): Promise<ExitCode> {
  const config = await loadConfig();
  const log = createLog(config.logLevel);
  await using _tracing = await startTracing(process.env, log);
  const app = createApp(config, { log });
  const signal = Promise.withResolvers<void>();
  // Stays in place while the worker stops: that is when somebody may lose patience.
  onEndSignal(() => signal.resolve());

  await Promise.race([startApp(app, config), signal.promise]);
  const stuck = await Promise.race([signal.promise, app.stuck]);
  const result = await app.stop();
  // Timers of the queue's own go on for a while where Redis has not answered, and nobody can end them.
  if (result === 'abandoned') process.exit(EXIT.someFailed);
  // Whoever supervises it is to start it anew.
  return stuck === undefined ? EXIT.done : EXIT.someFailed;
}

async function startApp(app: App, config: Config): Promise<void> {
  try {
    await app.start();
  } catch (error) {
    await app.stop();
    throw describeListening(error, config);
  }
}
