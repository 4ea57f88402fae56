import { createLog } from '../adapters/observe/create-log.ts';
import { startTracing } from '../adapters/observe/start-tracing.ts';
import { serveAlone } from '../door.ts';
import { describeListening } from './describe-listening.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { loadConfig } from './load-config.ts';
import { onEndSignal } from './signals.ts';

/** Serves the HTTP door until a signal; the next signal ends the process at once. */
export async function runServer(): Promise<ExitCode> {
  const config = await loadConfig();
  const log = createLog(config.logLevel);
  await using _tracing = await startTracing(process.env, log);
  const signal = Promise.withResolvers<void>();
  onEndSignal(() => signal.resolve());
  const door = await serveAlone(config, log).catch((error: unknown) => {
    throw describeListening(error, config);
  });
  log.info({ address: door.address }, 'front door open');
  await signal.promise;
  await door.close();
  log.info({}, 'front door closed');
  return EXIT.done;
}
