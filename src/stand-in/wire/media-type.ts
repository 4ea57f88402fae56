/**
 * The `Accept` and `Content-Type` headers: which versions a server takes, and what it answers with
 * (general knowledge of Elasticsearch: `ParsedMediaType`, `RestCompatibleVersionHelper`).
 */
import { ServerException } from '../errors/server-exception.ts';

/** What the two headers come to. */
export interface Media {
  /** `Content-Type` of the answer. */
  readonly responseType: string;
  readonly responseFormat: 'json' | 'yaml';
  /** What the request's `Content-Type` is: usable, missing, or the text to refuse. */
  readonly content: 'json' | 'missing' | { readonly unsupported: string };
  /** The headers cannot be served at all; answered before anything else. */
  readonly refusal: ServerException | undefined;
}

interface MediaType {
  readonly name: string;
  readonly parameters: readonly (readonly [string, string])[];
  readonly version: number | undefined;
}

const vendor = 'application/vnd.elasticsearch+';
const jsonTypes = new Set(['application/json', `${vendor}json`, 'application/x-ndjson', `${vendor}x-ndjson`]);
const yamlTypes = new Set(['application/yaml', `${vendor}yaml`]);

/**
 * Reads both headers.
 *
 * @param accept - The `Accept` header, if sent.
 * @param contentType - The `Content-Type` header, if sent.
 * @param hasBody - Whether the request has a body; only then must the versions agree.
 * @param major - The server's major version; it and the one before are served.
 */
export function readMedia(
  accept: string | undefined,
  contentType: string | undefined,
  hasBody: boolean,
  major: number,
): Media {
  const accepted = parseHeader(accept, 'Accept');
  const sent = parseHeader(contentType, 'Content-Type');
  const broken = [accepted, sent].find((parsed) => parsed instanceof ServerException);
  const acceptType = accepted instanceof ServerException ? undefined : accepted;
  const contentMedia = sent instanceof ServerException ? undefined : sent;
  return {
    ...responseMedia(acceptType),
    content: contentKind(contentType, contentMedia),
    refusal: broken ?? refuseVersions(acceptType, accept, contentMedia, contentType, hasBody, major),
  };
}

function contentKind(written: string | undefined, parsed: MediaType | undefined): Media['content'] {
  if (written === undefined) return 'missing';
  return parsed !== undefined && jsonTypes.has(parsed.name) ? 'json' : { unsupported: written };
}

function responseMedia(accepted: MediaType | undefined): Pick<Media, 'responseType' | 'responseFormat'> {
  if (accepted === undefined || !(jsonTypes.has(accepted.name) || yamlTypes.has(accepted.name))) {
    return { responseType: 'application/json', responseFormat: 'json' };
  }
  const parameters = accepted.parameters.map(([name, value]) => `;${name}=${value}`).join('');
  const name = accepted.name.replace('x-ndjson', 'json');
  return {
    responseType: `${name}${parameters}`,
    responseFormat: yamlTypes.has(accepted.name) ? 'yaml' : 'json',
  };
}

/** A parsed header; undefined when it is absent or leaves the choice to the server. */
function parseHeader(written: string | undefined, header: string): MediaType | ServerException | undefined {
  if (written === undefined) return undefined;
  const text = written.trim().toLowerCase();
  if (text === '' || text === '*/*' || text.startsWith('*/*') || text.includes(',')) return undefined;
  const [name = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!/^[^\s/]+\/[^\s/]+$/.test(name)) return refuseHeader(header, `invalid media-type [${written}]`);
  const parameters: [string, string][] = [];
  for (const part of rest) {
    if (part === '') continue;
    const [key, value, ...more] = part.split('=');
    if (key === undefined || value === undefined || more.length > 0 || /\s/.test(part)) {
      return refuseHeader(header, `invalid parameters for header [${written}]`);
    }
    parameters.push([key, value]);
  }
  const version = parameters.find(([key]) => key === 'compatible-with')?.[1];
  return {
    name,
    parameters,
    version: name.startsWith(vendor) && version !== undefined ? Number(version) : undefined,
  };
}

function refuseHeader(header: string, reason: string): ServerException {
  return new ServerException(400, {
    type: 'media_type_header_exception',
    reason: `Invalid media-type value on headers [${header}]`,
    causedBy: { type: 'illegal_argument_exception', reason },
  });
}

function refuseVersions(
  accept: MediaType | undefined,
  acceptHeader: string | undefined,
  content: MediaType | undefined,
  contentHeader: string | undefined,
  hasBody: boolean,
  major: number,
): ServerException | undefined {
  const wanted = accept?.version ?? major;
  const sent = content?.version ?? major;
  const served = (version: number): boolean => version === major || version === major - 1;
  const mustBe = `must be either version ${major} or ${major - 1}`;
  const both = `Accept=${acceptHeader ?? 'null'}, Content-Type=${contentHeader ?? 'null'}`;
  const onBoth =
    'A compatible version is required on both Content-Type and Accept headers ' +
    'if either one has requested a compatible version';
  if (!served(wanted)) {
    return refuseVersion(`Accept version ${mustBe}, but found ${wanted}. Accept=${acceptHeader}`);
  }
  if (!hasBody) return undefined;
  if (!served(sent)) {
    return refuseVersion(`Content-Type version ${mustBe}, but found ${sent}. Content-Type=${contentHeader}`);
  }
  if (sent !== wanted) {
    return refuseVersion(`${onBoth} and the compatible versions must match. ${both}`);
  }
  // With only one of them versioned the request is refused even where the versions happen to agree.
  if (content !== undefined && accept !== undefined) {
    if ((content.version === undefined) !== (accept.version === undefined)) {
      return refuseVersion(`${onBoth}. ${both}`);
    }
  }
  return undefined;
}

function refuseVersion(reason: string): ServerException {
  return new ServerException(400, {
    type: 'media_type_header_exception',
    reason: 'Invalid media-type value on headers [Accept, Content-Type]',
    causedBy: { type: 'status_exception', reason },
  });
}
