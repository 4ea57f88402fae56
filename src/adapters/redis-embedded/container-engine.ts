import { type RequestOptions, request } from 'node:http';

/** Whether a container engine answers; a `docker` command on PATH proves nothing. */
export type EngineProbe = { readonly kind: 'answers' } | { readonly kind: 'absent'; readonly reason: string };

const PING_TIMEOUT_MS = 2_000;

/** Asks the engine that DOCKER_HOST names, or else the one behind /var/run/docker.sock, for `/_ping`. */
export function probeContainerEngine(env: Readonly<NodeJS.ProcessEnv>): Promise<EngineProbe> {
  const host = env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';
  const address = addressOf(host);
  if (address === undefined) {
    return Promise.resolve(absent(`DOCKER_HOST ${host}: only unix:// and tcp:// are understood`));
  }
  return new Promise((resolve) => {
    const ping = request({ ...address, path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume();
      const { statusCode } = response;
      resolve(
        statusCode === 200
          ? { kind: 'answers' }
          : absent(`the container engine at ${host} answers ${statusCode}`),
      );
    });
    ping.on('timeout', () => ping.destroy(new Error(`no answer within ${PING_TIMEOUT_MS} ms`)));
    ping.on('error', (error: NodeJS.ErrnoException) =>
      resolve(absent(`no container engine at ${host} (${error.code ?? error.message})`)),
    );
    ping.end();
  });
}

const absent = (reason: string): EngineProbe => ({ kind: 'absent', reason });

function addressOf(host: string): RequestOptions | undefined {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  const url = URL.canParse(host) ? new URL(host) : undefined;
  return url?.protocol === 'tcp:' ? { host: url.hostname, port: Number(url.port || 2375) } : undefined;
}
