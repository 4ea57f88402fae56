/** A real Elasticsearch in a container, secured as one in production is. */
export interface ElasticsearchContainer extends AsyncDisposable {
  readonly url: string;
  /** Encoded, with just the cluster privilege `manage_connector`. */
  readonly apiKey: string;
}

const IMAGE = 'docker.elastic.co/elasticsearch/elasticsearch:9.5.1';

/**
 * Starts it with security on and plain HTTP, and makes the key that tests go in with: they then also prove
 * that this one privilege is enough. Slow to load, so the containers library is imported only here.
 */
export async function startElasticsearchContainer(
  say: (line: string) => void,
): Promise<ElasticsearchContainer> {
  say(`starting ${IMAGE}`);
  const library = await import('@testcontainers/elasticsearch');
  const container = await new library.ElasticsearchContainer(IMAGE)
    .withEnvironment({ ES_JAVA_OPTS: '-Xms512m -Xmx512m' })
    .start();
  const url = container.getHttpUrl();
  const apiKey = await createApiKey(url, container.getUsername(), container.getPassword());
  return {
    url,
    apiKey,
    [Symbol.asyncDispose]: async () => {
      await container.stop();
    },
  };
}

async function createApiKey(url: string, user: string, password: string): Promise<string> {
  const response = await fetch(new URL('/_security/api_key', url), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      name: 'sync-error-relay-tests',
      role_descriptors: { relay: { cluster: ['manage_connector'] } },
    }),
  });
  const key = (await response.json()) as { readonly encoded?: string };
  if (key.encoded === undefined) {
    throw new Error(`Elasticsearch made no API key: ${response.status} ${JSON.stringify(key)}`);
  }
  return key.encoded;
}
