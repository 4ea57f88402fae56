/**
 * Query parameters that remember which were asked for: what no handler asked for is refused
 * (general knowledge of Elasticsearch: `BaseRestHandler`).
 */
import { suggestionsFor } from '../errors/did-you-mean.ts';
import { illegalArgument, type ServerException } from '../errors/server-exception.ts';
import { decodeComponent } from './decode.ts';

/** Accepted everywhere (source: the common parameters of Elasticsearch's REST specification). */
const commonParameters = [
  'pretty',
  'human',
  'error_trace',
  'filter_path',
  'format',
  'source',
  'source_content_type',
];

/** The parameters of one request. */
export class Query {
  readonly #values: Map<string, string>;
  readonly #asked = new Set<string>(commonParameters);

  /**
   * @param text - What follows the question mark; '' for none.
   * @throws ServerException 400 for a broken escape.
   */
  constructor(text: string) {
    this.#values = parse(text);
  }

  /** A parameter's text, or undefined. */
  text(name: string): string | undefined {
    this.#asked.add(name);
    return this.#values.get(name);
  }

  /** A true-or-false parameter; present without a value means true. */
  flag(name: string, otherwise = false): boolean {
    const written = this.text(name);
    if (written === undefined) return otherwise;
    if (written === '' || written === 'true') return true;
    if (written === 'false') return false;
    throw illegalArgument(`Failed to parse value [${written}] as only [true] or [false] are allowed.`);
  }

  /** A whole number of 32 bits. */
  integer(name: string, otherwise: number): number {
    const written = this.text(name);
    if (written === undefined) return otherwise;
    const value = /^[+-]?\d+$/.test(written) ? Number(written) : Number.NaN;
    if (Number.isNaN(value) || value > 2 ** 31 - 1 || value < -(2 ** 31)) {
      throw illegalArgument(`Failed to parse int parameter [${name}] with value [${written}]`);
    }
    return value;
  }

  /** A comma-separated list; empty when absent. */
  list(name: string): string[] {
    const written = this.text(name);
    return written === undefined || written === '' ? [] : written.split(',');
  }

  /** The refusal of parameters nobody asked for, or undefined. */
  refuseUnasked(path: string): ServerException | undefined {
    if (this.#values.size === 0) return undefined;
    const unknown = [...this.#values.keys()].filter((name) => !this.#asked.has(name)).sort();
    if (unknown.length === 0) return undefined;
    const listed = unknown.map((name) => `[${name}]${this.#hint(name)}`).join(', ');
    return illegalArgument(
      `request [${path}] contains unrecognized parameter${unknown.length === 1 ? '' : 's'}: ${listed}`,
    );
  }

  #hint(name: string): string {
    const near = suggestionsFor(name, this.#asked);
    if (near.length === 0) return '';
    return near.length === 1
      ? ` -> did you mean [${near[0]}]?`
      : ` -> did you mean any of [${near.join(', ')}]?`;
  }
}

function parse(text: string): Map<string, string> {
  const values = new Map<string, string>();
  if (text === '') return values;
  for (const part of text.split(/[&;]/)) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    const value = equals === -1 ? '' : part.slice(equals + 1);
    values.set(decodeComponent(name, true), decodeComponent(value, true));
  }
  return values;
}
