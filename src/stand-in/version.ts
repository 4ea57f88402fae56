/**
 * What changed between Elasticsearch versions, one line a difference.
 *
 * The releases marked "inferred" are read off the dates of the changes, not off release notes.
 */

/** The differences between versions that show in answers. */
export interface VersionTraits {
  /** As printed by `GET /`, such as `9.5.1`. */
  readonly number: string;
  readonly major: number;
  /** `_error` and `_cancel` refuse transitions the protocol does not know. Source: PR 105722; release inferred. */
  readonly guardsTransitions: boolean;
  /** `_claim` exists. */
  readonly hasClaim: boolean;
  /** A deleted connector is kept and marked; `include_deleted` and `hard` exist. */
  readonly deletesSoftly: boolean;
  /** What a caller needs. Sources: PRs 105289, 110128, 119389; releases inferred. */
  readonly privileges: 'manage' | 'index' | 'manage_connector';
  /** The `WWW-Authenticate: Basic` challenge has a comma before its charset. Release inferred. */
  readonly commaInBasicChallenge: boolean;
  /** A body that cannot be parsed is answered with the body itself in a `parse_exception`. */
  readonly echoesUnparsedBody: boolean;
  /** Elastic-managed connectors need an index that starts with `content-`. Release inferred. */
  readonly wantsManagedPrefix: boolean;
  /** `_index_name`, `_status`, `_native`, `_service_type`, `_api_key_id` and the filtering steps exist. Source: Elastic's YAML tests. */
  readonly hasConnectorUpdates: boolean;
  /** `_features` exists. Release inferred. */
  readonly hasFeatures: boolean;
}

/**
 * The traits of a version written `major.minor` or `major.minor.patch`.
 *
 * @throws RangeError for anything else, and below 8.12, where the API does not exist.
 */
export function versionTraits(written: string): VersionTraits {
  const match = /^(\d+)\.(\d+|x)(?:\.(\d+|x))?$/.exec(written);
  if (match === null) {
    throw new RangeError(`Elasticsearch version: expected major.minor.patch, such as 9.5.1; got ${written}`);
  }
  const major = Number(match[1]);
  const minor = match[2] === 'x' ? newestMinor(major) : Number(match[2]);
  const patch = match[3] === undefined || match[3] === 'x' ? 0 : Number(match[3]);
  const since = (wantedMajor: number, wantedMinor: number): boolean =>
    major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (!since(8, 12)) {
    throw new RangeError(`Elasticsearch version: the connector API begins with 8.12; got ${written}`);
  }
  return {
    number: `${major}.${minor}.${patch}`,
    major,
    guardsTransitions: since(8, 14),
    hasClaim: since(8, 15),
    deletesSoftly: since(8, 18),
    privileges: since(8, 18) ? 'manage_connector' : since(8, 13) ? 'index' : 'manage',
    commaInBasicChallenge: since(8, 16),
    echoesUnparsedBody: !since(8, 13),
    wantsManagedPrefix: since(8, 18),
    hasConnectorUpdates: since(8, 13),
    hasFeatures: since(8, 15),
  };
}

function newestMinor(major: number): number {
  return major === 8 ? 19 : 5;
}
