/**
 * Makes the API key that a worker goes into Elasticsearch with, and writes it to a file.
 *
 * 1. A key that is in the file already and still may do what it is for is kept, so this may run at every start.
 * 2. Otherwise the user `elastic` makes one with the cluster privilege `manage_connector` and nothing else.
 * 3. The file is put in place whole or not at all, and readable by its owner alone.
 *
 * Environment: ELASTICSEARCH_URL, ELASTIC_PASSWORD, API_KEY_FILE.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';

const PRIVILEGES = { cluster: ['manage_connector'] };
const TIMEOUT_MS = 10_000;

interface Answer {
  readonly status: number;
  readonly body: { readonly has_all_requested?: boolean; readonly encoded?: string; readonly id?: string };
}

async function post(path: string, authorization: string, body: unknown): Promise<Answer> {
  const response = await fetch(new URL(path, required('ELASTICSEARCH_URL')), {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Whether the key in the file is known to this Elasticsearch and has the privilege. */
async function isGood(encodedKey: string): Promise<boolean> {
  if (encodedKey === '') return false;
  const answer = await post('/_security/user/_has_privileges', `ApiKey ${encodedKey}`, PRIVILEGES);
  if (answer.status === 200) return answer.body.has_all_requested === true;
  // Unknown, revoked or expired; what else goes wrong says nothing about the key.
  if (answer.status === 401) return false;
  throw new Error(`Checking the API key: Elasticsearch answered ${answer.status}`);
}

async function create(): Promise<{ readonly id: string; readonly encoded: string }> {
  const credentials = Buffer.from(`elastic:${required('ELASTIC_PASSWORD')}`).toString('base64');
  const answer = await post('/_security/api_key', `Basic ${credentials}`, {
    name: 'sync-error-relay',
    role_descriptors: { sync_error_relay: PRIVILEGES },
  });
  const { id, encoded } = answer.body;
  if (answer.status === 401) {
    throw new Error(
      'Elasticsearch refuses ELASTIC_PASSWORD. It keeps the password of its first start for as long as it keeps its data.',
    );
  }
  if (id === undefined || encoded === undefined) {
    throw new Error(`Making the API key: Elasticsearch answered ${answer.status}`);
  }
  return { id, encoded };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

async function main(): Promise<string> {
  const file = required('API_KEY_FILE');
  const present = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (await isGood(present)) return `The API key in ${file} is good.`;
  const { id, encoded } = await create();
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, encoded, { mode: 0o400 });
  await rename(unfinished, file);
  return `Made API key ${id} with the privilege ${PRIVILEGES.cluster.join()} and wrote it to ${file}.`;
}

try {
  console.log(await main());
} catch (error) {
  const { message, cause } = error as Error;
  console.error(cause instanceof Error ? `${message}: ${cause.message}` : message);
  process.exitCode = 1;
}
