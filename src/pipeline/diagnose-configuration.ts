import { type Check, ok, warning } from './diagnosis.ts';

/** Settings that are valid each by itself and still may not go together. */
export interface JudgedSettings {
  readonly shutdownGraceMs: number;
  readonly requestTimeoutMs: number;
  /** Elasticsearch's addresses; empty with a cloud id. */
  readonly nodes: readonly string[];
  readonly hasCredentials: boolean;
}

/** Judges a configuration that could be read. */
export function diagnoseConfiguration(settings: JudgedSettings): Check[] {
  const name = 'configuration';
  const doubts = [...judgeStop(settings, name), ...judgeEncryption(settings, name)];
  return doubts.length > 0 ? doubts : [ok(name, 'every setting is valid')];
}

function judgeStop({ shutdownGraceMs, requestTimeoutMs }: JudgedSettings, name: string): Check[] {
  if (shutdownGraceMs > requestTimeoutMs) return [];
  return [
    warning(
      name,
      `SHUTDOWN_GRACE_MS (${shutdownGraceMs}) is not more than ELASTICSEARCH_TIMEOUT_MS (${requestTimeoutMs})`,
      'Make it more, so that a stopping worker can finish what is under way.',
    ),
  ];
}

function judgeEncryption({ nodes, hasCredentials }: JudgedSettings, name: string): Check[] {
  const isOpen =
    hasCredentials && nodes.map((node) => new URL(node)).some((url) => isPlain(url) && !isLocal(url));
  if (!isOpen) return [];
  return [
    warning(
      name,
      'ELASTICSEARCH_URL is http:// and not of this machine, so that the credentials travel in the open',
      'Use https://, with ELASTICSEARCH_CA_FILE or ELASTICSEARCH_CA_FINGERPRINT for an authority of your own.',
    ),
  ];
}

const isPlain = ({ protocol }: URL): boolean => protocol === 'http:';
const isLocal = ({ hostname }: URL): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
