/**
 * What Elasticsearch 9 makes of `Accept` and `Content-Type`: it takes JSON, plain or of its own kind, for
 * version 9 and 8, and answers in the kind that was asked for.
 */
import { EsFailure } from './es-failure.ts';

/** What the two headers come to. */
export interface Media {
  /** `Content-Type` of the answer. */
  readonly responseType: string;
  /** Whether the body can be read; else why not. */
  readonly body: 'readable' | { readonly refusal: string };
  /** They cannot be served at all. */
  readonly refusal?: EsFailure;
}

interface MediaType {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly version: number | undefined;
}

const VENDOR = 'application/vnd.elasticsearch+';
const READABLE: ReadonlySet<string> = new Set([
  'application/json',
  `${VENDOR}json`,
  'application/x-ndjson',
  `${VENDOR}x-ndjson`,
]);
const MAJOR = 9;

/** Reads both headers. */
export function readMedia(
  accept: string | undefined,
  contentType: string | undefined,
  hasBody: boolean,
): Media {
  const [accepted, sent] = [parse(accept, 'Accept'), parse(contentType, 'Content-Type')];
  const [acceptType, sentType] = [typeOf(accepted), typeOf(sent)];
  const refusal =
    [accepted, sent].find((parsed) => parsed instanceof EsFailure) ??
    refuseVersions({ accepted: acceptType, accept }, { sent: sentType, contentType }, hasBody);
  return {
    responseType: responseType(acceptType),
    body: readability(contentType, sentType),
    ...(refusal === undefined ? {} : { refusal }),
  };
}

const typeOf = (parsed: MediaType | EsFailure | undefined): MediaType | undefined =>
  parsed instanceof EsFailure ? undefined : parsed;

function readability(written: string | undefined, sent: MediaType | undefined): Media['body'] {
  if (written === undefined) return { refusal: 'Content-Type header is missing' };
  if (sent !== undefined && READABLE.has(sent.name)) return 'readable';
  return { refusal: `Content-Type header [${written}] is not supported` };
}

function responseType(accepted: MediaType | undefined): string {
  if (accepted === undefined || !READABLE.has(accepted.name)) return 'application/json';
  return [accepted.name.replace('x-ndjson', 'json'), ...accepted.parameters].join(';');
}

/** Undefined where the header is absent or leaves the choice to the server. */
function parse(written: string | undefined, header: string): MediaType | EsFailure | undefined {
  const text = written?.trim().toLowerCase() ?? '';
  if (written === undefined || text === '' || text.startsWith('*/*') || text.includes(',')) return undefined;
  const [name = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!/^[^\s/]+\/[^\s/]+$/.test(name)) return unreadable(header, `invalid media-type [${written}]`);
  const parameters = rest.filter((part) => part !== '');
  if (parameters.some((part) => !/^[^\s=]*=[^\s=]*$/.test(part))) {
    return unreadable(header, `invalid parameters for header [${written}]`);
  }
  const version = parameters.find((part) => part.startsWith('compatible-with='))?.split('=')[1];
  return {
    name,
    parameters,
    version: name.startsWith(VENDOR) && version !== undefined ? Number(version) : undefined,
  };
}

function refuseVersions(
  { accepted, accept }: { readonly accepted: MediaType | undefined; readonly accept: string | undefined },
  { sent, contentType }: { readonly sent: MediaType | undefined; readonly contentType: string | undefined },
  hasBody: boolean,
): EsFailure | undefined {
  const acceptVersion = accepted?.version ?? MAJOR;
  const contentVersion = sent?.version ?? MAJOR;
  const isServed = (version: number): boolean => version === MAJOR || version === MAJOR - 1;
  const mustBe = `must be either version ${MAJOR} or ${MAJOR - 1}`;
  if (!isServed(acceptVersion)) {
    return wrongVersion(`Accept version ${mustBe}, but found ${acceptVersion}. Accept=${accept}`);
  }
  if (!hasBody) return undefined;
  if (!isServed(contentVersion)) {
    return wrongVersion(
      `Content-Type version ${mustBe}, but found ${contentVersion}. Content-Type=${contentType}`,
    );
  }
  const onBoth =
    'A compatible version is required on both Content-Type and Accept headers ' +
    'if either one has requested a compatible version';
  const both = `Accept=${accept ?? 'null'}, Content-Type=${contentType ?? 'null'}`;
  if (contentVersion !== acceptVersion) {
    return wrongVersion(`${onBoth} and the compatible versions must match. ${both}`);
  }
  const isHalfVersioned = (accepted?.version === undefined) !== (sent?.version === undefined);
  if (accepted !== undefined && sent !== undefined && isHalfVersioned) {
    return wrongVersion(`${onBoth}. ${both}`);
  }
  return undefined;
}

const unreadable = (header: string, reason: string): EsFailure =>
  refusal(header, 'illegal_argument_exception', reason);

const wrongVersion = (reason: string): EsFailure =>
  refusal('Accept, Content-Type', 'status_exception', reason);

function refusal(headers: string, type: string, reason: string): EsFailure {
  return new EsFailure(400, {
    type: 'media_type_header_exception',
    reason: `Invalid media-type value on headers [${headers}]`,
    causedBy: { type, reason },
  });
}
