/** What a request is about. */
export interface Asked {
  readonly syncJobId: string;
  readonly kind: 'set' | 'read';
}

const PATH = /^\/_connector\/_sync_job\/([^/?]*)(\/_error)?(?:\?|$)/;

/** Reads method and path; undefined for anything but the two requests that the relay makes for a report. */
export function askedOf(method: string, path: string): Asked | undefined {
  const match = PATH.exec(path);
  if (match?.[1] === undefined) return undefined;
  const isSet = match[2] !== undefined;
  if (method !== (isSet ? 'PUT' : 'GET')) return undefined;
  return { syncJobId: decodeURIComponent(match[1]), kind: isSet ? 'set' : 'read' };
}
